"""The commands of a page of documentation, run one block after the other as a reader would type them: every block ```sh of it. A comment
`<!-- prints: TEXT -->` before a block says what is seen; a reader who does not see it yet looks again. `<!-- goes on: TEXT -->`: it shows that
and goes on until the reader presses Ctrl-C."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess

from . import bed, paths

BLOCK = re.compile(r"(?:<!-- (?P<how>prints|goes on): (?P<seen>.*?) -->\n)?```sh\n(?P<commands>.*?)^```", re.M | re.S)

# What nobody follows: its targets and files are looked for, no more (test/docs/test_commands.py).
NOT_FOLLOWED = {
    "README.md": {"make test": "all tests, this one among them"},
    "CONTRIBUTING.md": {"make build": "optimised builds and all tests, golden files written anew"},
    "docs/envoys.md": {"make envoy-bump": "fetches another Envoy and builds all for it"},
    "test/README.md": {"make build &&": "tests in a test; what its last line chooses is looked up"},
}


def sections(page):
    """{heading of second level, or None before the first: text}"""
    first, *rest = re.split(r"^## ", (paths.ROOT / page).read_text(), flags=re.M)
    return {None: first, **dict(part.split("\n", 1) for part in rest)}


def excused(page, commands):
    return any(commands.startswith(start) for start in NOT_FOLLOWED.get(page, ()))


def blocks(page, section=None):
    """[(commands, "prints" or "goes on" or None, what is seen)]; `section`: those under this heading alone."""
    text = sections(page)[section] if section else (paths.ROOT / page).read_text()
    found = [(block["commands"], block["how"], block["seen"]) for block in BLOCK.finditer(text)]
    return [block for block in found if not excused(page, block[0])]


class Reader:
    """Sits in this tree with what is built. With a `network` the reader is in there; `kubeconfig`: where kubectl and helm lead to."""

    def __init__(self, work, network=None, kubeconfig=None):
        self.tree, self.started, self.going = work / "tree", [], []
        self.begin = network.start if network else begin
        (self.tree / "build").mkdir(parents=True)
        (work / "home" / ".kube").mkdir(parents=True)
        if kubeconfig:
            (work / "home" / ".kube" / "config").symlink_to(kubeconfig)
        (self.tree / "build" / "emissary").symlink_to(paths.emissary())
        for one in paths.ROOT.iterdir():
            if one.name not in ("build", ".git"):
                (self.tree / one.name).symlink_to(one)
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"), "emissary")
        # Its Makefile builds nothing: EMISSARY_BINARY is there.
        self.environment = {"EMISSARY_CACHE": str(cache), **os.environ, "HOME": str(work / "home"), "EMISSARY_BINARY": str(paths.emissary()),
                            "EMISSARY_ENVOY": str(paths.envoy()), "TMPDIR": str(work), "PATH": f"{paths.kubernetes()}:{os.environ['PATH']}"}
        self.environment.pop("KUBECONFIG", None)
        self.said, self.shown = work / "said", work / "shown"

    def follow(self, page, section=None, then=None):
        """`then`: what goes on beside, called after each block with its number."""
        found = blocks(page, section)
        assert found, f"{page}: nothing to follow"
        for number, (commands, how, seen) in enumerate(found):
            if how is None:
                self.done(commands, page)
            elif how == "prints":
                bed.until(lambda: seen in self.type(commands)[1], f"{page}: {seen!r} printed by\n{commands}")
            else:
                self.watch(commands, seen)
            if then:
                then(number)

    def type(self, commands):
        """(exit status, all that was printed). What is left running in the background stays."""
        with open(self.said, "w+", encoding="utf-8") as said:
            status = self._start(commands, said).wait()
        return status, self.said.read_text()

    def done(self, commands, page="typed"):
        """What they printed."""
        status, said = self.type(commands)
        assert status == 0, f"{page}:\n{commands}\n{status}: {said}"
        return said

    def watch(self, commands, seen):
        """`shown` has what they print, for as long as they go on."""
        with open(self.shown, "w", encoding="utf-8") as shown:
            process = self._start(commands, shown)
        self.going.append(process)
        bed.until(lambda: process.poll() is not None or seen in self.shown.read_text(), f"{seen!r} shown by\n{commands}")
        assert process.poll() is None, f"{commands}\n{self.shown.read_text()}"

    def interrupt(self):
        """Ctrl-C; what was shown until the end."""
        process = self.going.pop()
        os.killpg(process.pid, signal.SIGINT)
        process.wait(bed.DEADLINE)
        return self.shown.read_text()

    def _start(self, commands, output):
        process = self.begin(["bash", "-euo", "pipefail", "-c", commands], cwd=self.tree, env=self.environment, stdout=output, stderr=subprocess.STDOUT)
        self.started.append(process)
        return process

    def leave(self):
        """What was left running ends."""
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
                bed.until(lambda group=process.pid: gone(group), "the end of what was started")


def begin(command, **named):
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], start_new_session=True, stdin=subprocess.DEVNULL, **named)


def gone(group):
    try:
        os.killpg(group, 0)
        return False
    except ProcessLookupError:
        return True
