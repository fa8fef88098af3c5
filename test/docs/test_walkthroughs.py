"""Every command of pages about clusters, from one in which nothing is."""
import re

import pytest
import yaml

from harness import paths, small_image
from harness.node import Node
from harness.walkthrough import Reader

ADDRESS = "10.77.250.1"  # of the load balancer


@pytest.fixture
def reader(own_cluster, tmp_path):
    made = Reader(tmp_path, own_cluster.network, own_cluster.work / "admin.kubeconfig")
    yield made
    made.leave()


def test_readme(reader):
    reader.follow("README.md", "On a cluster")
    reader.follow("docs/from-emissary-ingress.md")
    reader.follow("docs/status-conditions.md")
    shown, = re.findall(r"^```yaml\n(.*?)^```$", (paths.ROOT / "docs/status-conditions.md").read_text(), re.M | re.S)
    shown = yaml.safe_load(re.sub(r"^ *\.\.\.\n", "", shown, flags=re.M))["status"]
    found = yaml.safe_load(reader.done("kubectl get mapping cart --output yaml"))["status"]
    assert told(found) == told(shown)


def told(status):
    """Without what differs from case to case, and what the page leaves out."""
    conditions = [{key: one[key] for key in ("type", "status", "reason")} for one in status.pop("conditions")]
    return status, sorted(conditions, key=lambda one: one["type"])


@pytest.fixture
def node(own_cluster, engine, gateway_image, tmp_path):
    """node(image, namespace): where the Pods of these run."""
    made = []
    def make(image, namespace):
        made.append(Node(own_cluster, engine, tmp_path / "node", {image: gateway_image}, [namespace]))
        return made[-1]
    yield make
    for one in made:
        one.close()
        print(one.logs())


def test_quickstart(reader, own_cluster, node, balance):
    """The sample service's Pod is played, for its image is nobody's here; and so are the nodes and the cloud."""
    node("registry.example/emissary:mine", "emissary")
    own_cluster.pod("default", "hello", own_cluster.backend("hello", port=8080), {"app": "hello"})
    def then(number):
        if number == 0:
            balance("emissary", "gateway-emissary-ingress", ADDRESS)
        if number == 1:
            balance("default", "hello")
    reader.follow("docs/quickstart.md", then=then)


def test_migration(reader, own_cluster, node, balance):
    node("emissary", "emissary-system")
    def then(number):
        if number == 1:
            balance("emissary-system", "emissary-apiext")
    reader.follow("docs/migration.md", then=then)


def test_operations(engine, archive):
    """What the page says of the archive, in passing."""
    assert "`podman load -i`" in (paths.ROOT / "docs" / "operations.md").read_text()
    assert "Loaded image" in engine.podman("load", "-i", archive)


def test_charts(reader, own_cluster, node, balance, engine, tmp_path):
    """Installed, and asked by `helm test` through a Service, with a program that no image here has."""
    here, admin = node("registry.example/emissary:mine", "emissary"), "gateway-emissary-ingress-admin"
    reader.follow("deploy/chart-crds/README.md")
    def then(number):
        if number == 0:
            balance("emissary", admin)
            address = own_cluster.client.get("v1", "Service", "emissary", admin)["spec"]["clusterIP"]
            here.images["busybox"] = small_image.build(engine, tmp_path, "wget", {admin: address})
    reader.follow("deploy/chart/README.md", then=then)
    assert "Phase:          Succeeded" in reader.said.read_text()
    asked, = here.work.glob("gateway-emissary-ingress-test-ready-*.log")
    assert "ready" in asked.read_text(), asked.read_text()
