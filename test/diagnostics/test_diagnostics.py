import pytest

from diagnostics import diagnostics
from harness import isolated


@pytest.mark.parametrize("scenario", diagnostics.SCENARIOS)
def test_diagnostics(scenario, tmp_path):
    isolated.run("diagnostics.diagnostics", scenario, tmp_path, work=tmp_path)
