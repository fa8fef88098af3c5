"""Every folder below cases/ through a real Envoy; harness/traffic.py tells what a case holds."""
import itertools
import pathlib

import pytest
import yaml

from harness import isolated, paths

CASES = sorted(p.parent for p in pathlib.Path(__file__).parent.glob("cases/*/case.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case, tmp_path):
    isolated.run("harness.traffic", case, tmp_path, work=tmp_path)


def covered(case):
    """The fields that the head of a case claims: "# covers: Kind.field kind of value; …", over as many comment lines as it takes."""
    head = itertools.takewhile(lambda line: line.startswith("#"), (case / "case.yaml").read_text().splitlines())
    text = " ".join(line.lstrip("# ") for line in head)
    assert "covers:" in text, f"{case.name} does not say what it covers"
    pairs = [pair.strip() for pair in text.split("covers:", 1)[1].split(";") if pair.strip()]
    return {".".join(pair.split()[0].split(".")[:2]) for pair in pairs}


def test_every_field_has_a_case():
    """The fields are those that random objects are made of; what has no effect on traffic needs no case."""
    pools = yaml.safe_load((paths.TEST / "random_objects" / "pools.yaml").read_text())
    fields = {f"{kind}.{field}" for kind, pool in pools["kinds"].items() for field in [*pool["head"], *pool["fields"]]}
    without = fields - set.union(*map(covered, CASES)) - set(pools["without_effect"])
    assert not without, " ".join(sorted(without))
