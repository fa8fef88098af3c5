"""Fixtures that suites share: a conftest.py imports those that it wants. `bed` is a cluster that all tests of the run share; a test
lives in its network. `engine` runs containers; `gateway_image` is the image, built once a run."""
import os
import shutil

import pytest

from . import image, shared_bed
from .balancer import Balancer
from .cluster import Cluster
from .engine import Engine, Failed


def _run_folder(factory):
    """That of the run: under xdist each process has one in it."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def root():
    if os.geteuid() != 0:
        pytest.skip("a cluster's network needs root; `unshare --user --net --map-root-user` is enough")


@pytest.fixture(scope="session")
def _shared(root, tmp_path_factory):
    return shared_bed.join(_run_folder(tmp_path_factory) / "cluster")


@pytest.fixture
def bed(_shared):
    with _shared.network.entered():
        yield _shared
    _shared.forget()


@pytest.fixture
def own_cluster(root, tmp_path):
    cluster = Cluster(tmp_path / "cluster")
    try:
        with cluster.start().network.entered():
            yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def namespace(bed):
    return bed.namespace()


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """The image that `make image` makes, of the programs under test."""
    folder = _run_folder(tmp_path_factory) / "image"
    folder.mkdir(exist_ok=True)
    with shared_bed.locked(folder):
        target = folder / "emissary-image.tar"
        if not target.exists():
            image.build(target, folder / "work")
    return target


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    if os.geteuid() != 0 or not shutil.which("podman"):
        pytest.skip("containers need root and podman: deps/install.sh image")
    try:
        made = Engine(tmp_path_factory.mktemp("containers") / "engine")
    except Failed as why:  # nothing can be mounted here
        pytest.skip(f"no namespaces for containers: {why}")
    yield made
    made.close()


@pytest.fixture(scope="session")
def gateway_image(engine, request):
    """Its name. EMISSARY_TEST_IMAGE is the archive of one that was made elsewhere, by the Dockerfile say."""
    return engine.load(os.environ.get("EMISSARY_TEST_IMAGE") or request.getfixturevalue("archive"), "localhost/emissary:test")


@pytest.fixture
def balance(own_cluster):
    """balance(namespace, Service, address=None): its Pods can be reached by it."""
    made = []
    yield lambda *what: made.append(Balancer(own_cluster, *what))
    for one in made:
        one.close()
