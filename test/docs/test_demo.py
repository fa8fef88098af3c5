"""README's demos, each in namespaces of its own."""
import pytest

from harness import isolated


@pytest.mark.parametrize("which", ["demo", "demo_kubernetes"])
def test_what_it_prints(root, tmp_path, which):
    isolated.run("harness.demo", which, tmp_path, work=tmp_path)
