"""Every folder below cases/ through a real Envoy; harness/traffic.py tells what a case holds."""
import pathlib

import pytest

from harness import isolated

CASES = sorted(p.parent for p in pathlib.Path(__file__).parent.glob("cases/*/case.yaml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case, tmp_path):
    isolated.run("harness.traffic", case, tmp_path, work=tmp_path)
