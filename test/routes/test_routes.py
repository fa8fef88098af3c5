"""EMISSARY_ROUTE_SEEDS=N tries so many tables for each limit."""
import os

import pytest

from harness import isolated

LIMITS = (4, 20, 1000000)  # many short lists, longer ones, no tree at all
SEEDS = int(os.environ.get("EMISSARY_ROUTE_SEEDS", "1"))


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_every_answer_is_that_of_a_linear_search(seed, limit, tmp_path):
    isolated.run("routes.routes", seed, limit, tmp_path, work=tmp_path)
