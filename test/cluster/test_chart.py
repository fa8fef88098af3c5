"""The charts in a real API server, by the real helm. Its Pods do not run here: an instance of this machine stands for them, with the
chart's own ServiceAccount. What is rendered is looked at in test/chart."""
import base64
import pathlib

import pytest
import yaml

from harness import bed as beds
from harness import certs, helm, kube, monitoring, objects
from harness.bed import until
from harness.helm import release

CASES = sorted((pathlib.Path(__file__).parents[1] / "chart" / "cases").glob("*/values.yaml"))
NAME = "gateway-emissary-ingress"


def crd(group, version, kind, plural):
    """That takes whatever is in a spec: those kinds are others'."""
    schema = {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
    return {"apiVersion": beds.CRD[0], "kind": beds.CRD[1], "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "names": {"kind": kind, "plural": plural}, "scope": "Namespaced",
                     "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]}}


@pytest.fixture
def operator(bed):
    """The kinds of Prometheus' operator."""
    for kind in ("ServiceMonitor", "PrometheusRule"):
        thing = crd("monitoring.coreos.com", "v1", kind, kind.lower() + "s")
        bed.client.apply(thing)
        bed.established(thing["metadata"]["name"])


def read_by(one):
    """{resource: whether it is waited for}."""
    lines = one.ask("/metrics")[1].splitlines()
    return {line.split('"')[1]: line.endswith(" 1") for line in lines if line.startswith("emissary_kubernetes_waiting{")}


def workload(bed, namespace):
    return bed.client.get("apps/v1", "Deployment", namespace, NAME)


def certificate(work, namespace):
    pem = certs.Authority(str(work / "certs")).issue(str(work / "tls.crt"), str(work / "tls.key"), "/CN=tls.test", "subjectAltName=DNS:tls.test")
    data = {name: pathlib.Path(file).read_bytes() for name, file in zip(("tls.crt", "tls.key"), pem)}
    return kube.secret("tls", namespace, data, "kubernetes.io/tls")


def rendered(case, namespace):
    values = yaml.safe_load(case.read_text())
    if case.parent.name == "everything":
        values["metrics"] |= {"prometheusRule": {"enabled": True}, "dashboard": {"enabled": True}}
    if "namespace" in values:
        values["namespace"]["name"] = namespace
    return helm.template(values, namespace=namespace)


def test_the_server_takes_everything(bed, site, operator):
    """Each object of each case. One call for all: most of one's time is kubectl's asking what there is."""
    texts = [rendered(case, site) for case in CASES]
    text = "\n---\n".join(texts)
    said = bed.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-", stdin=text)
    assert len(said.splitlines()) >= sum(1 for _ in kube.objects(text)) > 60


def test_the_webhook_beside_the_crds(bed, site):
    """What is to run as well: nothing of it runs here, so the CRDs are looked at, not changed."""
    text = helm.template({"enableLegacyVersions": True, "enableV1": True}, chart=helm.CRDS, namespace=site)
    said = bed.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-", stdin=text)
    assert "deployment.apps/emissary-apiext" in said and "mappings.getambassador.io" in said


def test_one_namespace(bed, namespace, instance):
    """Install, serve with no more than that release's permissions, change, go back, uninstall."""
    bed.install_crds(objects.crds())
    values = {"scope": {"singleNamespace": True}, "ingressClassResource": {"enabled": False}, "createDefaultListeners": True, "replicaCount": 2}
    release(bed, namespace, "install", "gateway", helm.CHART, values=values)
    assert workload(bed, namespace)["spec"]["replicas"] == 2
    bed.client.apply(objects.host(namespace))
    bed.service(namespace, "cart", [bed.backend("cart")])
    cart = bed.client.apply(objects.mapping(namespace, "cart", "cart"))
    account = beds.Account(bed, namespace, NAME)
    one = instance(bed, account.kubeconfig(), namespace=namespace).up()
    one.answers("/cart/", "cart")
    until(lambda: objects.conditions(bed.client.get(objects.V3, "Mapping", namespace, cart["metadata"]["name"])).get("Programmed"), "a status")
    until(lambda: len(read_by(one)) > 10 and not any(read_by(one).values()), "all kinds read")
    assert '"errors": []' in one.ask("/ambassador/v0/diag/?json=true")[1].replace('"errors":[]', '"errors": []')

    release(bed, namespace, "upgrade", "gateway", helm.CHART, values={**values, "replicaCount": 3, "module": {"use_remote_address": False}})
    assert workload(bed, namespace)["spec"]["replicas"] == 3
    module = lambda: bed.client.get(objects.V3, "Module", namespace, "ambassador")["spec"]["config"]  # noqa: E731
    assert module()["use_remote_address"] is False
    release(bed, namespace, "rollback", "gateway", "1")
    assert workload(bed, namespace)["spec"]["replicas"] == 2 and "use_remote_address" not in module()
    release(bed, namespace, "uninstall", "gateway")
    left = [kind for api, kind in (("v1", "Service"), ("v1", "ServiceAccount"), ("rbac.authorization.k8s.io/v1", "Role"), (objects.V3, "Listener"))
            for thing in bed.client.list(api, kind, namespace) if thing["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == "gateway"]
    assert not left


def test_a_cluster(own_cluster, instance, tmp_path):
    """One command on a cluster that has nothing; then serve all namespaces as the chart's own ServiceAccount, and have every metric that
    alerts and dashboard ask for."""
    edge, shop = own_cluster.namespace(), own_cluster.namespace()
    release(own_cluster, edge, "install", "gateway", helm.CHART, "--set", "crds.create=true", values={"createDefaultListeners": True})
    for found in own_cluster.client.list(*beds.CRD):
        own_cluster.established(found["metadata"]["name"])
    own_cluster.client.create(objects.make("Host", shop, "any", hostname="*", requestPolicy={"insecure": {"action": "Route"}}))
    own_cluster.service(shop, "cart", [own_cluster.backend("cart")])
    own_cluster.client.create(objects.mapping(shop, "cart", "cart"))
    own_cluster.client.create(objects.mapping(shop, "away", "10.77.0.1:9"))
    own_cluster.client.create(certificate(tmp_path, shop))
    own_cluster.client.create(objects.host(shop, "tls", "tls.test", tlsSecret={"name": "tls"}))
    one = instance(own_cluster, beds.Account(own_cluster, edge, NAME).kubeconfig(), arguments=["--namespace", edge]).up()
    one.answers("/cart/", "cart")
    until(lambda: len(read_by(one)) > 10 and not any(read_by(one).values()), "all kinds read")

    def missing():
        one.get("/cart/")
        one.get("/away/")
        told = {line.split("{")[0].split(" ")[0] for line in one.ask("/metrics")[1].splitlines() if not line.startswith("#")}
        return monitoring.metrics() - told
    seen = None
    def complete():
        nonlocal seen
        seen = missing()
        return not seen
    try:
        until(complete, "every metric", pause=0.5)
    except TimeoutError:
        raise AssertionError(f"no gateway has {sorted(seen)}") from None

    # The chart of the CRDs takes them over, leaves alone what the webhook writes into them, and leaves them when it goes.
    legacy = {"enableLegacyVersions": True, "enableV1": True}
    release(own_cluster, edge, "upgrade", "--install", "crds", helm.CRDS, "--take-ownership", values=legacy)
    crd = lambda: own_cluster.client.get(*beds.CRD, name="mappings.getambassador.io")  # noqa: E731
    trusted = base64.b64encode(pathlib.Path(own_cluster.authority.ca).read_bytes()).decode()
    own_cluster.client.patch(crd(), {"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": trusted}}}}})
    release(own_cluster, edge, "upgrade", "crds", helm.CRDS, values={**legacy, "apiext": {"replicaCount": 2}})
    assert crd()["spec"]["conversion"]["webhook"]["clientConfig"]["caBundle"] == trusted
    assert own_cluster.client.get("apps/v1", "Deployment", edge, "emissary-apiext")["spec"]["replicas"] == 2
    release(own_cluster, edge, "upgrade", "crds", helm.CRDS, values={"enableLegacyVersions": False})
    assert crd()["spec"]["conversion"] == {"strategy": "None"} and len(crd()["spec"]["versions"]) == 1
    release(own_cluster, edge, "uninstall", "crds")
    one.answers("/cart/", "cart")
    release(own_cluster, edge, "uninstall", "gateway")
    assert len(own_cluster.client.list(objects.V3, "Mapping", shop)) == 2
    assert not own_cluster.client.list("rbac.authorization.k8s.io/v1", "ClusterRole", labelSelector="app.kubernetes.io/instance=gateway")
