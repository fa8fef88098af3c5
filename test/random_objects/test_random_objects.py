"""Random objects, many of them wrong, against the real Envoy. EMISSARY_RANDOM_ROUNDS and EMISSARY_RANDOM_SEEDS ask for more."""
import json
import os

import pytest

from harness import isolated

ROUNDS = int(os.environ.get("EMISSARY_RANDOM_ROUNDS", 12))
SEEDS = int(os.environ.get("EMISSARY_RANDOM_SEEDS", 2))


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_envoy_refuses_nothing(seed, tmp_path):
    result = json.loads(isolated.run("random_objects.against_envoy", "--seed", seed, "--rounds", ROUNDS, "--work", tmp_path,
                                     work=tmp_path, timeout=600 + 10 * ROUNDS))
    assert result["rounds"] == ROUNDS, result
