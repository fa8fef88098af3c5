"""docs/reference is what api/ says."""
import subprocess
import sys

from harness import paths


def test_reference_is_up_to_date():
    done = subprocess.run([sys.executable, paths.ROOT / "scripts" / "reference.py", "--check"], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
