"""Run a module of the bench in network and process namespaces of its own: `python3 bench/inside.py spikes.match_tree build/release/bench`."""
import json
import pathlib
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH.parent / "test"))

from harness import netns  # noqa: E402


def run(module, *arguments):
    """Its figures go to our standard output as they come. Returns (exit code, figures)."""
    environment = netns.environment()
    environment["PYTHONPATH"] += f":{BENCH}"
    figures = []
    with subprocess.Popen(netns.command(module, *arguments), env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            figures.append(json.loads(line))
    return process.returncode, figures


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:])[0])
