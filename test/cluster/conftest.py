"""Tests against a real Kubernetes API server. `bed` is a cluster that all tests of the run share: each gets namespaces of its own
from it, and does it no violence. `own_cluster` is the test's alone. Either way the test lives in the cluster's network."""
import pytest

from harness import objects
from harness.fixtures import _shared, bed, namespace, own_cluster, root  # noqa: F401
from harness.instance import Instance
from harness.isolated import LOG_LINES


@pytest.fixture
def instance(tmp_path):
    """instance(bed, kubeconfig, …): a gateway (harness/instance.py), not started yet. The ends of their logs stand in the
    report of a test that fails."""
    made = []
    def make(bed, kubeconfig=None, **named):
        made.append(Instance(bed, tmp_path, kubeconfig, **{"name": f"instance-{len(made) + 1}", **named}))
        return made[-1]
    yield make
    for one in made:
        one.close()
        lines = one.log.read_text(errors="replace").splitlines() if one.log.exists() else []
        print(f"--- the end of {one.log}:", *[line for line in lines if not line.startswith("ACCESS ")][-LOG_LINES:], sep="\n")


@pytest.fixture
def site(bed, namespace):
    """The shared cluster with our kinds; the name of a namespace in it that has a Listener and a Host for all names."""
    bed.install_crds(objects.crds())
    bed.client.apply(objects.listener(namespace))
    bed.client.apply(objects.host(namespace))
    return namespace
