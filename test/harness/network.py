"""Network namespaces made and entered by this very program. Each is held by a thread that lives in it, not by a name or a
mount: with the thread, so at the latest with the program, however that ends, go the namespace and all that was started in it."""
import concurrent.futures
import contextlib
import ctypes
import os
import subprocess
import threading

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, "network namespace: " + os.strerror(number))


def _join(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _check(_libc.setns(descriptor, CLONE_NEWNET))
    finally:
        os.close(descriptor)


class Network:
    """A new namespace with its loopback up, or that at `path`."""

    def __init__(self, path=None):
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="network")
        self.path = self.run(self._begin, path)
        if path is None:
            self.ip("link", "set", "lo", "up")

    @staticmethod
    def _begin(path):
        if path is None:
            _check(_libc.unshare(CLONE_NEWNET))
        else:
            _join(path)
        return f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net"

    def run(self, function, *arguments, **named):
        """Its result, called by the thread that lives in there. A socket belongs to where it was made, whoever uses it."""
        return self._thread.submit(function, *arguments, **named).result()

    def start(self, command, **named):
        """A process in there. It is killed when the thread is gone, hence no process of a test outlives the test."""
        command = ["setpriv", "--pdeathsig", "KILL", *map(str, command)]
        return self.run(subprocess.Popen, command, start_new_session=True, **{"stdin": subprocess.DEVNULL, **named})

    def ip(self, *arguments):
        done = self.run(subprocess.run, ["ip", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise OSError(f"ip {' '.join(map(str, arguments))}: {done.stdout.strip()}")
        return done.stdout

    @contextlib.contextmanager
    def entered(self):
        """The calling thread, and what it starts, lives in there meanwhile."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _join(self.path)
            yield self
        finally:
            _check(_libc.setns(before, CLONE_NEWNET))
            os.close(before)

    def join(self, other, here, there):
        """A cable to `other` with these two addresses at its ends."""
        name = "v" + there.replace(".", "x")
        self.ip("link", "add", name, "type", "veth", "peer", "name", "up0", "netns", other.path)
        for network, device, mine, peer in ((self, name, here, there), (other, "up0", there, here)):
            network.ip("addr", "add", mine, "peer", peer, "dev", device)
            network.ip("link", "set", device, "up")

    def close(self):
        self._thread.shutdown()
