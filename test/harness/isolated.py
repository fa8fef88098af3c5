"""Start a program of the tests in its own namespaces, and turn its failure into pytest's, with the gateway's log."""
import pathlib
import subprocess

import pytest

from . import netns

LOG_LINES = 120


def run(module, *arguments, work, timeout=300):
    log = pathlib.Path(work) / "emissary.log"
    try:
        done = subprocess.run(netns.command(module, *arguments), env=netns.environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout)
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as error:
        output, code = f"no end after {timeout} s\n{(error.stdout or b'').decode(errors='replace')}", None
    if code != 0:
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:] if log.exists() else ["(none)"]
        pytest.fail(f"{output}\n--- the end of {log}:\n" + "\n".join(lines), pytrace=False)
    return output
