"""Containers of images, by podman and runc, with nothing left behind.

All of it lives in namespaces (mounts, processes, an empty network) that end with the program that made them: podman's storage, its
monitors, the containers. That works in a plain chroot too, where nothing can be mounted privately at first: the root is bound to a
folder, which makes a mount of it, and entered. /dev/shm is its own too: each podman that begins takes all locks there for old ones."""
import contextlib
import json
import os
import pathlib
import re
import resource
import subprocess
import sys

from . import bed

HOLDER = """
set -e
work=$1; shift
mkdir -p "$work/root" "$work/outside"
mount --rbind / "$work/root"
mount --make-rprivate "$work/root"
mount --bind /proc "$work/root$work/outside"
mount -t proc proc "$work/root/proc"
mount -t tmpfs none "$work/root/run"
mkdir -p "$work/root/dev/shm"
mount -t tmpfs none "$work/root/dev/shm"
exec chroot "$work/root" "$@"
"""
# Process 1 in there: it ends its zombies and otherwise waits.
WAITER = "import pathlib, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); pathlib.Path(sys.argv[1]).touch(); signal.pause()"
PROCESSES = 4000


class Failed(Exception):
    pass


class Engine:
    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.work.mkdir(parents=True)
        ready = self.work / "ready"
        isolate = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "unchanged", "--net", "--pid", "--fork", "--kill-child"]
        self.log = self.work / "engine.log"
        with open(self.log, "wb") as log:
            self.holder = subprocess.Popen([*isolate, "sh", "-c", HOLDER, "sh", self.work, sys.executable, "-c", WAITER, ready],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        def up():
            if self.holder.poll() is not None:
                raise Failed(self.log.read_text())
            return ready.exists()
        bed.until(up, "namespaces for containers")
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        inside = f"/proc/{children[0]}"
        self._enter = ["nsenter", f"--mount={inside}/ns/mnt", f"--pid={inside}/ns/pid", f"--net={inside}/ns/net", f"--root={inside}/root", "env", "--chdir=/"]
        self._podman = ["podman", "--root", self.work / "store", "--runroot", "/run/podman", "--tmpdir", "/run/libpod",
                        "--storage-driver", "overlay", "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file"]

    def start(self, *arguments, **named):
        """A process of podman."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.work), "LC_ALL": "C.UTF-8"}
        return subprocess.Popen([str(part) for part in (*self._enter, *self._podman, *arguments)], env=environment, text=True,
                                stdin=subprocess.DEVNULL, **named)

    def podman(self, *arguments, check=True):
        """What it printed; with `check=False` (exit status, that)."""
        process = self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            output, _ = process.communicate(timeout=2 * bed.DEADLINE)
        finally:
            process.kill()
        if check and process.returncode != 0:
            raise Failed(f"podman {' '.join(map(str, arguments))}: {process.returncode}: {output.strip()}")
        return output if check else (process.returncode, output)

    def load(self, archive, name):
        """An archive's image, from here on `name`."""
        self.podman("tag", self.podman("pull", "--quiet", f"oci-archive:{archive}").split()[-1], name)
        return name

    def run(self, image, *arguments, name, network, **options):
        """A Container that was started. `options`: see flags()."""
        there = f"ns:{self.work}/outside/{network.path.removeprefix('/proc/')}"
        self.podman("run", "--detach", "--name", name, "--network", there, *flags(**options), image, *arguments)
        return Container(self, name, network)

    def close(self):
        """All at once: what was mounted goes with the namespace. The kernel's groups of processes are podman's to remove."""
        self.podman("rm", "--all", "--force", "--time", 0, check=False)
        self.holder.kill()
        self.holder.wait()


def flags(user=None, environment=None, mounts=(), tmpfs=("/tmp",), capabilities=(), read_only=True, entrypoint=None, new_privileges=False):
    """As strict as can be unless told otherwise. `mounts`: (path, path inside, read-only); `entrypoint`: a list."""
    files = min(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    out = ["--pull", "never", "--cap-drop", "ALL", "--ulimit", f"nofile={files}:{files}",
           "--ulimit", f"nproc={PROCESSES}:{PROCESSES}", "--log-driver", "k8s-file", "--no-hosts"]
    out += [] if new_privileges else ["--security-opt", "no-new-privileges"]
    # podman's own temporary folders would make up for a root that cannot be written.
    out += ["--read-only", "--read-only-tmpfs=false"] if read_only else []
    out += [part for path in tmpfs for part in ("--tmpfs", f"{path}:rw,nosuid,nodev,noexec,mode=1777")]
    out += [part for path, inside, closed in mounts for part in ("--volume", f"{path}:{inside}:{'ro' if closed else 'rw'}")]
    out += [part for one in capabilities for part in ("--cap-add", one)]
    out += [part for key, value in (environment or {}).items() for part in ("--env", f"{key}={value}")]
    out += ["--user", user] if user else []
    out += ["--entrypoint", json.dumps(entrypoint)] if entrypoint else []
    return out


class Container:
    def __init__(self, engine, name, network):
        self.engine, self.name, self.network = engine, name, network

    def processes(self):
        """{pid: command line} of those in its network, as seen from here, where one may be killed."""
        ours, found = os.stat(self.network.path).st_ino, {}
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.stat(entry / "ns/net").st_ino == ours:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                    if line.startswith(("emissary ", "/usr/bin/")):
                        found[int(entry.name)] = line
            except OSError:
                continue
        return found

    def process(self, word):
        """The pid of the one whose command line holds this."""
        found = [pid for pid, line in self.processes().items() if word in line]
        if len(found) != 1:
            raise Failed(f"one {word} expected: {self.processes()}")
        return found[0]

    def main(self):
        """A descriptor of its first process, readable once that ended; None if it has."""
        state = self.state()
        for entry in pathlib.Path("/proc").iterdir() if state["Pid"] else ():
            with contextlib.suppress(OSError):
                numbers = re.search(r"^NSpid:(.*)$", (entry / "status").read_text(), re.M) if entry.name.isdigit() else None
                if numbers and numbers[1].split()[-2:] == [str(state["Pid"]), "1"]:
                    return os.pidfd_open(int(entry.name))
        return None

    def state(self):
        return json.loads(self.engine.podman("inspect", self.name))[0]["State"]

    def kill(self, signal="KILL"):
        self.engine.podman("kill", "--signal", signal, self.name)

    def wait(self):
        """Its exit status, once it has ended."""
        return int(self.engine.podman("wait", "--interval", "50ms", self.name))

    def logs(self):
        return self.engine.podman("logs", self.name, check=False)[1]

    def remove(self):
        self.engine.podman("rm", "--force", "--time", 0, self.name, check=False)
