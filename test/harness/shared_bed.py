"""One cluster for all tests of a run, however many processes it has.

The first process that needs it starts it, under a lock. It ends when all who used it are gone: each holds the writing end of a
FIFO, which the kernel closes for whoever dies, and the cluster's process reads the other end."""
import contextlib
import fcntl
import json
import os
import pathlib
import select
import subprocess
import sys

from . import bed, paths
from .cluster import Cluster
from .network import Network

_held = []  # ends of FIFOs, as long as this program runs


@contextlib.contextmanager
def locked(folder):
    with open(folder / "lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def join(folder):
    """The Bed whose cluster is shared by all that give this folder."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        told = _running(folder) or _start(folder)
    return bed.Bed(told["work"], Network(told["network"]))


def _running(folder):
    """What it told of itself; from here on it waits for us too."""
    try:
        end = os.open(folder / "users", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # none was started, or nobody reads any more
        return None
    _held.append(end)
    return json.loads((folder / "ready").read_text())


def _start(folder):
    paths.kubernetes()  # built first, since that may take long
    users = folder / "users"
    for stale in (users, folder / "ready"):
        stale.unlink(missing_ok=True)
    os.mkfifo(users)
    reader = os.open(users, os.O_RDONLY | os.O_NONBLOCK)
    _held.append(os.open(users, os.O_WRONLY))
    os.set_blocking(reader, True)
    log = folder / "cluster.log"
    with open(log, "ab") as output:
        process = subprocess.Popen([sys.executable, "-m", "harness.shared_bed", folder], stdin=reader, stdout=output, stderr=output,
                                   start_new_session=True, env={**os.environ, "PYTHONPATH": str(paths.TEST)})
    os.close(reader)
    def told():
        if process.poll() is not None:
            raise RuntimeError(f"the cluster did not start:\n{log.read_text()}")
        return (folder / "ready").exists()
    bed.until(told, f"the cluster; its log is {log}", deadline=2 * bed.DEADLINE)
    return json.loads((folder / "ready").read_text())


def main(folder):
    cluster = Cluster(folder / f"cluster-{os.getpid()}").start()
    (folder / ".ready").write_text(json.dumps({"work": str(cluster.work), "network": cluster.network.path}))
    os.rename(folder / ".ready", folder / "ready")
    users = select.poll()
    users.register(sys.stdin.fileno(), 0)  # told of nothing but the end
    while True:
        users.poll()
        with locked(folder):
            if users.poll(0):  # nobody came meanwhile
                (folder / "users").unlink()
                break
    cluster.stop()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
