"""docs/reference is what api/ and the program say."""
import subprocess
import sys

from harness import paths


def test_reference_is_up_to_date():
    done = subprocess.run([sys.executable, paths.ROOT / "scripts" / "reference.py", "--check"], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_programs_page_is_up_to_date():
    said = subprocess.run([paths.emissary(), "reference"], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert (paths.ROOT / "docs" / "program.md").read_text() == said
