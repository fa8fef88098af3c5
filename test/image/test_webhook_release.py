"""The chart of the CRDs with the image: the switch for old versions brings a webhook that converts."""
from harness import helm, objects
from harness.bed import until
from harness.node import Node

IMAGE, NAME = "registry.test/emissary", "emissary-apiext"
VALUES = {"enableLegacyVersions": True, "enableV1": True, "apiext": {"repository": IMAGE, "tag": 1, "replicaCount": 1}}


def test_old_versions_are_a_switch(own_cluster, balance, engine, gateway_image, tmp_path):
    """A cluster of its own: CRDs are all that matters here."""
    namespace, work = own_cluster.namespace(), tmp_path / "node"
    work.mkdir()
    node = Node(own_cluster, engine, work, {f"{IMAGE}:1": gateway_image}, [namespace])
    try:
        helm.release(own_cluster, namespace, "install", "crds", helm.CRDS, values=VALUES)
        balance(namespace, NAME)
        old = {"apiVersion": "getambassador.io/v2", "kind": "Mapping", "metadata": {"name": "cart", "namespace": namespace},
               "spec": {"prefix": "/cart/", "service": "cart", "tls": True}}
        until(lambda: own_cluster.client.create(old), "an object of v2 taken")
        assert own_cluster.client.get(objects.V3, "Mapping", namespace, "cart")["spec"]["service"] == "https://cart"
        assert own_cluster.client.get("getambassador.io/v1", "Mapping", namespace, "cart")["spec"]["tls"] is True
    finally:
        node.close()
        print(node.logs())
