"""Run a module of the bench in network and process namespaces of its own: `inside.run("spikes.match_tree", arguments...)`."""
import pathlib
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH.parent / "test"))

from harness import netns  # noqa: E402


def run(module, *arguments, timeout=900):
    """Its figures go to our standard output. Returns its exit code."""
    environment = netns.environment()
    environment["PYTHONPATH"] += f":{BENCH}"
    return subprocess.run(netns.command(module, *arguments), env=environment, timeout=timeout, check=False).returncode


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
