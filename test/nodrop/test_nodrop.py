"""The short run of nodrop.py, and its own detectors: a tester that cannot see a fault proves nothing."""
import json

from harness import isolated
from nodrop import load


def test_nothing_is_dropped(tmp_path):
    result = json.loads(isolated.run("nodrop.nodrop", "--work", tmp_path, work=tmp_path, timeout=600))
    assert all(result["requests"].values()), result


def test_an_answer_is_judged_by_what_was_observed_before():
    path = load.Expected("/x", ["old"])
    assert path.judge("a", path.floor("a"), "old") is None
    assert path.judge("a", path.floor("a"), "new") is not None  # before it began
    path.begin(["new"])
    assert path.judge("a", path.floor("a"), "old") is None
    assert path.judge("a", path.floor("a"), "new") is None
    assert path.judge("a", path.floor("a"), "old") is not None  # a went back
    assert path.judge("b", path.floor("b"), "old") is None  # b has not seen it yet
    assert not path.settle_if(["a", "b"])
    sent_before = path.floor("b")
    assert path.judge("b", path.floor("b"), "new") is None
    assert path.settle_if(["a", "b"])
    assert path.judge("c", path.floor("c"), "old") is not None  # settled for all
    assert path.judge("b", sent_before, "old") is None  # was on its way


def test_faults_are_counted():
    counts = load.Counts()
    counts.fault("wrong", "x")
    counts.fault("closed", "y")
    assert (counts.failed, counts.closed, counts.wrong, len(counts.faults)) == (0, 1, 1, 2)
