"""Random objects, many of them wrong, against the real Envoy. EMISSARY_RANDOM_ROUNDS and EMISSARY_RANDOM_SEEDS ask for more."""
import json
import os

import pytest
import yaml

from harness import isolated, paths

ROUNDS = int(os.environ.get("EMISSARY_RANDOM_ROUNDS", 12))
SEEDS = int(os.environ.get("EMISSARY_RANDOM_SEEDS", 2))


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_envoy_refuses_nothing(seed, tmp_path):
    result = json.loads(isolated.run("random_objects.against_envoy", "--seed", seed, "--rounds", ROUNDS, "--work", tmp_path,
                                     work=tmp_path, timeout=600 + 10 * ROUNDS))
    assert result["rounds"] == ROUNDS, result


def test_pools_have_every_field_that_acts():
    """Of every kind in api/; and each such field then needs a traffic case (test/traffic/test_traffic.py)."""
    read = lambda path: yaml.safe_load((paths.ROOT / path).read_text())  # noqa: E731
    shapes, pools = read("api/shapes.yaml"), read("test/random_objects/pools.yaml")["kinds"]
    for file in sorted((paths.ROOT / "api").glob("*.yaml")):
        kind = read(file)
        if "spec" not in kind or kind.get("effect"):
            continue
        pool = pools[kind["kind"]]
        fields = kind["spec"]["config"]["fields"] if kind["kind"] == "Module" else kind["spec"]
        acting = {name for name, field in fields.items() if not {**shapes.get(field.get("use"), {}), **field}.get("effect")}
        assert acting - {"ambassador_id"} <= {*pool["head"], *pool["fields"]}, kind["kind"]
        assert {*pool["head"], *pool["fields"]} - {"unknown_key"} <= fields.keys(), kind["kind"]
