"""The chart with the image: helm installs them, and everything that runs has the chart's own permissions, for a whole cluster."""
import asyncio

import pytest
import yaml

from harness import kube, objects, paths
from harness.bed import until
from harness.helm import CHART, HelmError, release
from harness.node import Endpoints, Node
from test_rolling import Load, follows

IMAGE = "registry.test/emissary:1"


@pytest.fixture
def node(bed, namespace, engine, gateway_image, tmp_path):
    made = Node(bed, engine, tmp_path, {IMAGE: gateway_image}, [namespace])
    yield made
    made.close()
    print(made.logs())


def of(installation, thing):
    """Others look at the same cluster."""
    thing["spec"]["ambassador_id"] = [installation]
    return thing


def test_a_release(bed, namespace, node):
    """Installed, applied to, upgraded under load, scaled, evicted; on a port that only root could bind, by nobody."""
    shop = bed.namespace()  # not the gateway's own
    bed.install_crds(objects.crds())
    bed.client.apply(of(namespace, objects.listener(namespace, port=80, hostBinding={"namespace": {"from": "ALL"}})))
    bed.client.apply(of(namespace, objects.host(shop)))
    for name in "first", "second":
        bed.service(shop, name, [bed.backend(name)])
    bed.client.apply(of(namespace, objects.mapping(shop, "first", "first")))
    values = {"replicaCount": 2, "fullnameOverride": namespace, "image": {"fullImageOverride": IMAGE}, "ingressClassResource": {"name": namespace},
              "env": {"AMBASSADOR_ID": namespace, "ENVOY_CONCURRENCY": 1},
              "service": {"type": "ClusterIP", "ports": [{"name": "http", "port": 80, "targetPort": 80}]}, "podDisruptionBudget": {"maxUnavailable": 1}}
    release(bed, namespace, "install", namespace, CHART, "--wait", values=values)
    endpoints = Endpoints(bed, namespace, namespace, "http")
    try:
        until(lambda: len(endpoints.ready) == 2, "two Pods ready")
        asyncio.run(upgraded(bed, namespace, shop, values, endpoints, node))
        until(lambda: node.ended, "what the ended Pods told")
        assert set(map(str, node.ended.values())) == {"{'emissary-ingress': 0}"}, node.ended
    finally:
        endpoints.close()
        release(bed, namespace, "uninstall", namespace)


def allowed(bed, namespace):
    """How many Pods may be evicted now, as the controller has it."""
    return bed.client.get("policy/v1", "PodDisruptionBudget", namespace, namespace)["status"].get("disruptionsAllowed")


def evict(bed, namespace, pod):
    """As a node is drained."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    bed.client.request("POST", bed.client.path("v1", "Pod", namespace, pod, "eviction"), eviction)


async def upgraded(bed, namespace, shop, values, endpoints, node):
    bed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(of(namespace, objects.mapping(shop, "second", "second"))))
    for where in endpoints.ready:
        await follows(where, "/second/", "second")
    until(lambda: objects.conditions(bed.client.get(objects.V3, "Mapping", shop, "second")).get("Programmed"), "a status")
    load, old = Load(endpoints), set(endpoints.ready)
    await asyncio.to_thread(release, bed, namespace, "upgrade", namespace, CHART, "--wait",
                            values={**values, "replicaCount": 3, "podAnnotations": {"new": "yes"}})
    await asyncio.to_thread(until, lambda: len(endpoints.ready) == 3 and not old & set(endpoints.ready), "three others ready")
    for where in endpoints.ready:
        await follows(where, "/second/", "second")
    await asyncio.to_thread(until, lambda: allowed(bed, namespace), "three Pods that count")
    one, other, _ = [pod.name for pod in list(node.pods.values()) if (pod.address, 80) in endpoints.ready]
    evict(bed, namespace, one)
    with pytest.raises(kube.ApiError, match="disruption budget"):
        evict(bed, namespace, other)
    await asyncio.to_thread(until, lambda: allowed(bed, namespace), "another in its place")
    await load.end()
    assert load.answered > 50 and not load.failed, load.failed[:20]


@pytest.mark.parametrize("selector", [{"profile": "main"}, {}], ids=["the-selector-is-ours", "another-selector"])
def test_a_release_of_upstreams(bed, namespace, node, selector):
    """It becomes one of this chart under load, as the chart's page says; objects that both have keep their names."""
    bed.install_crds(objects.crds())
    bed.client.apply(of(namespace, objects.listener(namespace)))
    bed.client.apply(of(namespace, objects.host(namespace)))
    bed.service(namespace, "first", [bed.backend("first")])
    bed.client.apply(of(namespace, objects.mapping(namespace, "first", "first")))
    values = {"image": {"fullImageOverride": IMAGE}, "env": {"AMBASSADOR_ID": namespace, "ENVOY_CONCURRENCY": 1}}
    release(bed, namespace, "install", namespace, paths.TEST / "image" / "upstreams_chart", "--wait", values={**values, "selector": selector})
    endpoints = Endpoints(bed, namespace, f"{namespace}-emissary-ingress", "http")
    try:
        until(lambda: len(endpoints.ready) == 2, "two Pods ready")
        values |= {"replicaCount": 2, "ingressClassResource": {"name": namespace}, "service": {"type": "ClusterIP"}}
        asyncio.run(taken_over(bed, namespace, values, endpoints, immutable=not selector))
        left = bed.kubectl("get", "clusterroles,services", "--all-namespaces", "--selector", f"app.kubernetes.io/instance={namespace}", "--output", "name")
        assert sorted(name.split("/")[1].removeprefix(namespace) for name in left.split()) == ["-emissary-ingress", "-emissary-ingress", "-emissary-ingress-admin"]
    finally:
        endpoints.close()
        release(bed, namespace, "uninstall", namespace)


async def taken_over(bed, namespace, values, endpoints, immutable):
    for where in endpoints.ready:
        await follows(where, "/first/", "first")
    load, old = Load(endpoints), set(endpoints.ready)
    upgrade = "upgrade", namespace, CHART
    if immutable:
        with pytest.raises(HelmError, match="field is immutable"):
            await asyncio.to_thread(release, bed, namespace, *upgrade, values=values)
        await asyncio.to_thread(bed.kubectl, "delete", "deployment", f"{namespace}-emissary-ingress", "--namespace", namespace, "--cascade=orphan")
    await asyncio.to_thread(release, bed, namespace, *upgrade, "--wait", values=values)
    await asyncio.to_thread(until, lambda: len(endpoints.ready) == 2 and not old & set(endpoints.ready), "two others ready, and no other")
    await load.end()
    assert load.answered > 50 and not load.failed, load.failed[:20]
