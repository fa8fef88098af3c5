"""From a cluster of upstream's CRDs, where v2 is what is stored and a webhook converts, to one of v3alpha1 alone and no webhook."""
import base64
import json
import signal
import subprocess

import pytest

from harness import kube, objects, paths, webhook
from harness.bed import CRD, until
from harness.cluster import ETCD
from harness.webhook import V2, V3, mapping

GROUP = "getambassador.io"


@pytest.fixture
def site(own_cluster, tmp_path):
    with webhook.site(own_cluster, tmp_path) as site:
        yield site


def test_older_versions_are_migrated_and_go(site, own_cluster, instance):
    """As in a cluster that comes from upstream's CRDs: v2 is what is stored. A gateway follows it all the while."""
    client, bed = own_cluster.client, own_cluster
    bed.install_crds(site.crds("--legacy", storage="v2"))
    until(site.first.ready, "ready")
    backend = bed.backend("cart")
    bed.service("default", "cart", [backend])
    client.apply(objects.listener("default"))
    client.apply(objects.host("default"))
    until(lambda: not failed(site), "converted")
    names = [f"m-{number}" for number in range(300)]  # more than a page
    client.many(client.create, [mapping(V2, name, service="cart", host="a.com") for name in names])
    client.create(mapping(V2, "foreign", ambassador_id="other"))  # of which no gateway writes the status
    gateway = instance(bed, bed.kubeconfig()).up()
    gateway.answers("/m-7/", "cart", "a.com")
    while_the_webhook_is_away(site, gateway)
    migrate(site)
    for path in "/m-7/", "/frozen/":
        gateway.answers(path, "cart", "a.com")
    client.apply(mapping(V3, "newest", service="cart", hostname="a.com"))
    gateway.answers("/newest/", "cart", "a.com")


def while_the_webhook_is_away(site, gateway):
    """Gone, then so slow that nothing comes: the gateway serves what it knows, and takes up what was written meanwhile."""
    site.first.kill()
    site.bed.client.create(mapping(V2, "later", service="cart", host="a.com"))  # stored as it is
    until(lambda: failed(site), "reads fail")
    gateway.answers("/m-7/", "cart", "a.com")
    assert gateway.get("/later/", "a.com").status == 404
    site.first.up()
    gateway.answers("/later/", "cart", "a.com")
    site.first.process.send_signal(signal.SIGSTOP)
    site.bed.client.create(mapping(V2, "frozen", service="cart", host="a.com"))
    gateway.answers("/m-7/", "cart", "a.com")
    site.first.process.send_signal(signal.SIGCONT)
    gateway.answers("/frozen/", "cart", "a.com")


def failed(site):
    try:
        site.bed.client.list(V3, "Mapping", "default")
    except kube.ApiError:
        return True
    return False


def stored(bed):
    """The versions in which etcd holds Mappings."""
    first = f"/registry/{GROUP}/mappings/"
    encoded = [base64.b64encode(text.encode()).decode() for text in (first, first[:-1] + "0")]  # "0" follows "/"
    command = ["curl", "-sS", "--fail-with-body", "-d", json.dumps({"key": encoded[0], "range_end": encoded[1]}), ETCD + "/v3/kv/range"]
    answer = json.loads(bed.network.run(subprocess.run, command, stdout=subprocess.PIPE, check=True).stdout)
    return {json.loads(base64.b64decode(entry["value"]))["apiVersion"].split("/")[1] for entry in answer["kvs"]}


def migrate(site):
    client, bed = site.bed.client, site.bed
    command = [paths.emissary(), "migrate-storage", "--kubeconfig", bed.kubeconfig()]

    def run(*arguments):
        return subprocess.run([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)

    assert stored(bed) == {"v2"}
    refused = run("--apply")
    assert refused.returncode == 1 and "stored as v2" in refused.stderr and "emissary crds --legacy" in refused.stderr
    bed.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=objects.crds("--legacy"))
    crd = client.get(*CRD, name=f"mappings.{GROUP}")
    assert sorted(crd["status"]["storedVersions"]) == ["v2", "v3alpha1"]
    until(lambda: site.first.ready() and not failed(site), "ready")
    before = {thing["metadata"]["name"]: thing for thing in client.list(V3, "Mapping")}
    tried = run()
    assert tried.returncode == 0 and "303 objects would be rewritten" in tried.stdout, tried
    assert len(client.get(*CRD, name=f"mappings.{GROUP}")["status"]["storedVersions"]) == 2
    assert "v2" in stored(bed)
    done = run("--apply")
    assert done.returncode == 0, done
    assert "303 objects rewritten, 0 went" in done.stdout, done.stdout
    assert all(crd["status"]["storedVersions"] == ["v3alpha1"] for crd in client.list(*CRD) if crd["spec"]["group"] == GROUP)
    assert "nothing to do" in run("--apply").stdout
    assert stored(bed) == {"v3alpha1"}
    # No older version, nobody to convert.
    assert "would be dropped" in run("--drop-older").stdout
    dropped = run("--apply", "--drop-older")
    assert dropped.returncode == 0 and "13 kinds" in dropped.stdout, dropped
    assert site.first.end() == 0
    until(lambda: not failed(site), "read without it")
    after = {thing["metadata"]["name"]: thing for thing in client.list(V3, "Mapping")}
    assert {name: thing["spec"] for name, thing in after.items()} == {name: thing["spec"] for name, thing in before.items()}
    assert after["m-7"]["spec"]["hostname"] == "a.com"
    with pytest.raises(kube.ApiError):
        client.list(V2, "Mapping")
    bed.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=objects.crds())
    assert all(len(crd["spec"]["versions"]) == 1 for crd in client.list(*CRD))
