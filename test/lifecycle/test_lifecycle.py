import pytest

from harness import isolated
from lifecycle import lifecycle


@pytest.mark.parametrize("scenario", lifecycle.SCENARIOS)
def test_lifecycle(scenario, tmp_path):
    isolated.run("lifecycle.lifecycle", scenario, tmp_path, work=tmp_path)
