"""A network of its own for every case: fixed ports and addresses inside, nothing that leaves the machine, and nothing left
behind, since the namespaces (network and processes) end with the program that runs in them, however it ends.

Inside, 10.77.0.0/16 lies on the loopback device, so that every address of it is local, as with 127.0.0.0/8; unlike those
its addresses are valid for Kubernetes endpoints."""
import functools
import os
import subprocess
import sys

OUTER = "EMISSARY_TEST_OUTER_NETNS"
RANGE = "10.77.0.1/16"


def _current():
    return os.readlink("/proc/self/ns/net")


def _user():
    return [] if os.geteuid() == 0 else ["--user", "--map-root-user"]


@functools.cache
def _processes():
    """A namespace for processes too, where it can be had: in a plain chroot nothing can be mounted privately. There what a
    case starts ends with its parent, as everywhere, but by signals alone."""
    own = ["--pid", "--mount-proc"]
    tried = subprocess.run(["unshare", "--fork", *_user(), *own, "true"], capture_output=True)
    return own if tried.returncode == 0 else []


def command(module, *arguments):
    """The command line that runs `python -m module` in new namespaces; `environment()` goes with it."""
    unshare = ["unshare", "--net", "--fork", "--kill-child", *_user(), *_processes()]
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
