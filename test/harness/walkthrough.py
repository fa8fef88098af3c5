"""The commands of a page of documentation, run one block after the other as a reader would type them: every block ```sh of it. A comment
`<!-- prints: TEXT -->` before a block says what is seen; a reader who does not see it yet looks again."""
import contextlib
import os
import re
import signal
import subprocess

from . import bed, paths

BLOCK = re.compile(r"(?:<!-- prints: (?P<prints>.*?) -->\n)?```sh\n(?P<commands>.*?)^```", re.M | re.S)


def blocks(page, section=None):
    """[(commands, what is seen or None)]; `section`: those under this heading alone."""
    text = (paths.ROOT / page).read_text()
    if section:
        text = re.split(r"^## ", text.split(f"\n## {section}\n")[1], flags=re.M)[0]
    return [(block["commands"], block["prints"]) for block in BLOCK.finditer(text)]


class Reader:
    """Sits in this tree with what is built, in the network of `cluster`, where kubectl and helm lead to it."""

    def __init__(self, cluster, work, network=None):
        self.network, self.tree, self.started = network or cluster.network, work / "tree", []
        (self.tree / "build").mkdir(parents=True)
        (work / "home" / ".kube").mkdir(parents=True)
        (work / "home" / ".kube" / "config").symlink_to(cluster.work / "admin.kubeconfig")
        (self.tree / "build" / "emissary").symlink_to(paths.emissary())
        for name in ("deploy", "examples"):
            (self.tree / name).symlink_to(paths.ROOT / name)
        self.environment = {**os.environ, "HOME": str(work / "home"), "EMISSARY_ENVOY": str(paths.envoy()), "TMPDIR": str(work),
                            "PATH": f"{paths.kubernetes()}:{os.environ['PATH']}"}
        self.environment.pop("KUBECONFIG", None)
        self.said = work / "said"

    def follow(self, page, section=None, then=None):
        """`then`: what goes on beside, called after each block with its number."""
        found = blocks(page, section)
        assert len(found) > 1, f"{page}: nothing to follow"
        for number, (commands, prints) in enumerate(found):
            if prints is None:
                status, said = self.type(commands)
                assert status == 0, f"{page}:\n{commands}\n{status}: {said}"
            else:
                bed.until(lambda: prints in self.type(commands)[1], f"{page}: {prints!r} printed by\n{commands}")
            if then:
                then(number)

    def type(self, commands):
        """(exit status, all that was printed). What is left running in the background stays."""
        with open(self.said, "w+", encoding="utf-8") as said:
            process = self.network.start(["bash", "-euo", "pipefail", "-c", commands], cwd=self.tree, env=self.environment, stdout=said,
                                         stderr=subprocess.STDOUT)
            self.started.append(process)
            status = process.wait()
        return status, self.said.read_text()

    def leave(self):
        """What was left running ends."""
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
                bed.until(lambda group=process.pid: gone(group), "the end of what was started")


def gone(group):
    try:
        os.killpg(group, 0)
        return False
    except ProcessLookupError:
        return True
