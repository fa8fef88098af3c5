"""Every command of pages about clusters, from one in which nothing is."""
import asyncio
import contextlib
import itertools
import re

import pytest
import yaml

from harness import kube, paths
from harness.bed import until
from harness.node import Endpoints, Node
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


class Balancer:
    """What nodes and clouds do for a Service: at its cluster IP, or at an address of the cloud, its ready Pods take turns."""

    def __init__(self, cluster, namespace, name, address=None):
        self.cluster, self.name = cluster, name
        service = until(lambda: self.service(namespace), "the Service")
        ports = service["spec"]["ports"]
        self.endpoints = [Endpoints(cluster, namespace, name, port.get("name")) for port in ports]
        for port, endpoints in zip(ports, self.endpoints):
            cluster.run(asyncio.start_server(self.pass_to(endpoints), address or service["spec"]["clusterIP"], port["port"]))
        if address:
            cluster.client.patch(service, {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}, "status")

    def service(self, namespace):
        with contextlib.suppress(kube.ApiError):
            return self.cluster.client.get("v1", "Service", namespace, self.name)

    @staticmethod
    def pass_to(endpoints):
        turn = itertools.count()
        async def copy(reader, writer):
            with contextlib.suppress(OSError):
                while piece := await reader.read(1 << 16):
                    writer.write(piece)
                    await writer.drain()
            writer.close()
        async def accept(reader, writer):
            ready = endpoints.ready
            if not ready:
                return writer.transport.abort()
            there = await asyncio.open_connection(*ready[next(turn) % len(ready)])
            await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))
        return accept

    def close(self):
        for one in self.endpoints:
            one.close()


@pytest.fixture
def node(own_cluster, engine, gateway_image, tmp_path):
    """node(image, namespace): where the Pods of these run."""
    made = []
    def make(image, namespace):
        made.append(Node(own_cluster, engine, tmp_path / "node", {image: gateway_image}, [namespace]))
    yield make
    for one in made:
        one.close()
        print(one.logs())


@pytest.fixture
def balancers():
    made = []
    yield made
    for one in made:
        one.close()


def test_quickstart(reader, own_cluster, node, balancers):
    """The sample service's Pod is played, for its image is nobody's here; and so are the nodes and the cloud."""
    node("registry.example/emissary:mine", "emissary")
    own_cluster.pod("default", "hello", own_cluster.backend("hello", port=8080), {"app": "hello"})
    def then(number):
        if number == 0:
            balancers.append(Balancer(own_cluster, "emissary", "gateway-emissary-ingress", ADDRESS))
        if number == 1:
            balancers.append(Balancer(own_cluster, "default", "hello"))
    reader.follow("docs/quickstart.md", then=then)


def test_migration(reader, own_cluster, node, balancers):
    node("emissary", "emissary-system")
    def then(number):
        if number == 1:
            balancers.append(Balancer(own_cluster, "emissary-system", "emissary-apiext"))
    reader.follow("docs/migration.md", then=then)


def test_charts(reader, own_cluster, node):
    node("registry.example/emissary:mine", "emissary")
    reader.follow("deploy/chart-crds/README.md")
    reader.follow("deploy/chart/README.md")
