"""The gateway under test: `emissary run --config-dir` with a real Envoy, inside the namespace of the test."""
import asyncio
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

from . import paths

ADMIN = "127.0.0.1:8877"
ENVOY_ADMIN = "127.0.0.1:8001"
# Seconds; generous, since the machine may run many tests at once.
DEADLINE = float(os.environ.get("EMISSARY_TEST_DEADLINE", 60))


def http_get(url, timeout=10):
    """(status, text); (0, why) when nothing answered."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except (urllib.error.URLError, OSError) as error:
        return 0, str(error)


async def eventually(probe, deadline=DEADLINE, pause=0.02):
    """Await `probe()` (a coroutine function that answers None when all is well, else what is wrong) until all is well.
    Answers the last complaint after the deadline."""
    end = time.monotonic() + deadline
    while True:
        complaint = await probe()
        if complaint is None or time.monotonic() > end:
            return complaint
        await asyncio.sleep(pause)


class Manifests:
    """The config folder. Files appear whole: written beside it, then renamed into it."""

    def __init__(self, folder, authority):
        self.folder, self.authority = pathlib.Path(folder), authority
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, name, text):
        beside = self.folder.parent / ("." + name.replace("/", "_"))
        beside.write_text(self.authority.render(text))
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(beside, target)

    def read(self, name):
        return (self.folder / name).read_text()

    def delete(self, name):
        (self.folder / name).unlink()


class Gateway:
    def __init__(self, work, config, arguments=(), environment=None, concurrency=1, admin=ADMIN):
        self.work, self.config, self.arguments = pathlib.Path(work), config, arguments
        self.environment = environment or {}
        self.concurrency = concurrency
        self.without = []  # extensions of Envoy, as "category/name"
        self.admin = admin
        self.log = self.work / "emissary.log"
        self.process = None

    def start(self):
        private = self.work / "tmp"
        private.mkdir(exist_ok=True)
        environment = {**os.environ, "TMPDIR": str(private), **self.environment}
        command = [paths.emissary(), "run", *self.source(), "--envoy", self.envoy(), "--envoy-concurrency", self.concurrency]
        with open(self.log, "ab") as log:
            self.process = self.spawn([*map(str, command), *self.arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      env=environment)

    def envoy(self):
        if not self.without:
            return paths.envoy()
        reduced = self.work / "envoy"
        reduced.write_text(f'#!/bin/sh\nexec {paths.envoy()} "$@" --disable-extensions {",".join(self.without)}\n')
        reduced.chmod(0o755)
        return reduced

    def source(self):
        """Where its objects come from."""
        return ["--config-dir", self.config]

    def spawn(self, command, **named):
        return subprocess.Popen(command, **named)

    def ask(self, path):
        """(status, text) of its own administration."""
        return http_get(f"http://{self.admin}{path}")

    async def wait_ready(self):
        async def probe():
            if self.process.poll() is not None:
                raise RuntimeError(f"`emissary run` ended with {self.process.returncode}")
            status, text = await asyncio.to_thread(self.ask, "/ambassador/v0/check_ready")
            return None if status == 200 else f"check_ready: {status} {text}"
        if complaint := await eventually(probe):
            raise RuntimeError("never ready: " + complaint)

    def metrics(self):
        """{name{labels}: value} of /metrics."""
        status, text = self.ask("/metrics")
        if status != 200:
            raise RuntimeError(f"/metrics: {status} {text}")
        lines = re.findall(r"^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)", text, re.M)
        return {name: float(value) for name, value in lines}

    def metric(self, name):
        """Sum over the labels; 0 when it is not there."""
        return sum(v for n, v in self.metrics().items() if n == name or n.startswith(name + "{"))

    def children(self):
        """{pid: command line} of the processes that `emissary run` started, at any depth."""
        parents, lines = {}, {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text()
                    lines[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                except OSError:
                    continue
                state, parent = stat.rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(entry.name)] = int(parent)
        found, front = {}, [self.process.pid]
        while front:
            front = [pid for pid, parent in parents.items() if parent in front]
            found.update({pid: lines[pid] for pid in front})
        return found

    def control_plane(self):
        """Pid of the control plane: the child that runs our own binary."""
        ours = [pid for pid, line in self.children().items() if line.split(" ")[1:2] == ["control-plane"]]
        if len(ours) != 1:
            raise RuntimeError(f"one control-plane child expected: {self.children()}")
        return ours[0]

    async def stop(self):
        """Ask it to end, as a container runtime does; its exit code. The event loop goes on, since it has connections to close."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        self.process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.to_thread(self.process.wait, DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
