"""Which Envoys stay pinned when another is shipped."""
import sys

from harness import paths

sys.path.insert(0, str(paths.ROOT / "scripts"))
import envoy_pins  # noqa: E402

CURRENT = "# What.\nENVOY_VERSION=1.40.0\nENVOY_WHEEL=w40\nENVOY_SHA256=s40\nGO_VERSION=1.2\n"
OTHERS = "# Which.\n1.37.0 w37 s37\n1.38.3 w38 s38\n1.39.3 w39 s39\n"


def test_a_new_minor_release_pushes_the_oldest_out():
    current, others = envoy_pins.moved(CURRENT, OTHERS, ("1.41.0", "w41", "s41"))
    assert current == "# What.\nENVOY_VERSION=1.41.0\nENVOY_WHEEL=w41\nENVOY_SHA256=s41\nGO_VERSION=1.2\n"
    assert others == "# Which.\n1.38.3 w38 s38\n1.39.3 w39 s39\n1.40.0 w40 s40\n"


def test_a_patch_takes_the_place_of_its_minor_release():
    current, others = envoy_pins.moved(CURRENT, OTHERS, ("1.40.10", "w", "s"))
    assert envoy_pins.current_pin(current) == ("1.40.10", "w", "s")
    assert others == OTHERS


def test_down_and_up_again_changes_nothing():
    down = envoy_pins.moved(CURRENT, OTHERS, ("1.39.3", "w39", "s39"))
    assert down[1] == "# Which.\n1.37.0 w37 s37\n1.38.3 w38 s38\n1.40.0 w40 s40\n"
    assert envoy_pins.moved(*down, ("1.40.0", "w40", "s40")) == (CURRENT, OTHERS)


def test_the_files_here_are_in_order():
    current, others = envoy_pins.CURRENT.read_text(), envoy_pins.OTHERS.read_text()
    assert envoy_pins.moved(current, others, envoy_pins.current_pin(current)) == (current, others)
    assert len(envoy_pins.other_pins(others)) == envoy_pins.MINORS - 1
