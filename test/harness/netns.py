"""A network of its own for every case: fixed ports and addresses inside, nothing that leaves the machine, and nothing left
behind, since the namespaces (network and processes) end with the program that runs in them, however it ends.

Inside, 10.77.0.0/16 lies on the loopback device, so that every address of it is local, as with 127.0.0.0/8; unlike those
its addresses are valid for Kubernetes endpoints."""
import os
import subprocess
import sys

OUTER = "EMISSARY_TEST_OUTER_NETNS"
RANGE = "10.77.0.1/16"


def _current():
    return os.readlink("/proc/self/ns/net")


def command(module, *arguments):
    """The command line that runs `python -m module` in new namespaces; `environment()` goes with it."""
    unshare = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        unshare += ["--user", "--map-root-user"]
    return [*unshare, sys.executable, "-m", module, *map(str, arguments)]


def environment():
    from . import paths
    return {**os.environ, OUTER: _current(), "PYTHONPATH": str(paths.TEST), "EMISSARY_TEST_ENVOY": str(paths.envoy())}


def inside():
    return OUTER in os.environ and _current() != os.environ[OUTER]


def enter():
    """First call of a program started by command(): bring the network up. Refuses to run in the machine's own network."""
    if not inside():
        sys.exit("refusing to send test traffic: not in a network namespace of its own")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "addr", "add", RANGE, "dev", "lo"], check=True)
