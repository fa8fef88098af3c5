"""The chart of the CRDs with the image: the switch for old versions brings a webhook that converts."""
import pytest

from harness import helm, objects
from harness.bed import until
from harness.cluster import Cluster
from harness.node import Endpoints, Node

IMAGE, NAME = "registry.test/emissary", "emissary-apiext"
VALUES = {"enableLegacyVersions": True, "enableV1": True, "apiext": {"repository": IMAGE, "tag": 1, "replicaCount": 1}}


@pytest.fixture
def cluster(root, tmp_path):
    """Of its own: CRDs are all that matters here."""
    made = Cluster(tmp_path / "cluster")
    try:
        with made.start().network.entered():
            yield made
    finally:
        made.stop()


def test_old_versions_are_a_switch(cluster, engine, gateway_image, tmp_path):
    namespace, work = cluster.namespace(), tmp_path / "node"
    work.mkdir()
    node = Node(cluster, engine, work, {f"{IMAGE}:1": gateway_image}, [namespace])
    endpoints = Endpoints(cluster, namespace, NAME)
    try:
        helm.release(cluster, namespace, "install", "crds", helm.CRDS, values=VALUES)
        until(lambda: endpoints.ready, "the webhook ready")
        address, port = endpoints.ready[0]
        service = cluster.client.get("v1", "Service", namespace, NAME)
        cluster._lead(service["spec"]["clusterIP"], [address], port, 443)  # a node's part
        old = {"apiVersion": "getambassador.io/v2", "kind": "Mapping", "metadata": {"name": "cart", "namespace": namespace},
               "spec": {"prefix": "/cart/", "service": "cart", "tls": True}}
        until(lambda: cluster.client.create(old), "an object of v2 taken")
        assert cluster.client.get(objects.V3, "Mapping", namespace, "cart")["spec"]["service"] == "https://cart"
        assert cluster.client.get("getambassador.io/v1", "Mapping", namespace, "cart")["spec"]["tls"] is True
    finally:
        endpoints.close()
        node.close()
        print(node.logs())
