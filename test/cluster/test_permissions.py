"""What the gateway may not read, and what it reads in its place: told, waited for, and put right as soon as it is granted."""
import json

import pytest

from harness import certs, kube, objects
from harness.bed import rule, until

KINDS = ("authservices consulresolvers devportals hosts kubernetesendpointresolvers kubernetesserviceresolvers listeners logservices "
         "mappings modules ratelimitservices tcpmappings tlscontexts tracingservices")
READ = "get list watch"


def rules(ours=KINDS, core="services", slices=True):
    """What is needed, Secrets apart."""
    out = [rule("getambassador.io", ours, READ), rule("core", core, READ), rule("networking.k8s.io", "ingresses", READ),
           rule("core", "namespaces", "get")]
    return out + ([rule("discovery.k8s.io", "endpointslices", READ)] if slices else [])


def secrets(*names):
    out = rule("core", "secrets", READ)
    return {**out, "resourceNames": list(names)} if names else out


def serve(bed, site, name, **spec):
    bed.service(site, name, [bed.backend(name)])
    return bed.client.apply(objects.mapping(site, name, name, **spec))


def told(one):
    status, text = one.ask("/ambassador/v0/diag/?json=true")
    seen = json.loads(text) if status == 200 else {"errors": [], "notices": []}
    return [message for _, message in seen["errors"]] + [notice["message"] for notice in seen["notices"]]


def is_told(one, *words):
    return until(lambda: any(all(word in text for word in words) for text in told(one)), f"a finding with {words}")


@pytest.fixture
def pair(tmp_path):
    authority = certs.Authority(str(tmp_path / "certs"))
    def make(site, name, host):
        certificate, key = authority.issue(str(tmp_path / f"{name}.crt"), str(tmp_path / f"{name}.key"), f"/CN={name}",
                                           f"subjectAltName=DNS:{host}", "extendedKeyUsage=serverAuth")
        read = lambda path: open(path, "rb").read()  # noqa: E731
        return kube.secret(name, site, {"tls.crt": read(certificate), "tls.key": read(key)}, "kubernetes.io/tls")
    make.context = lambda: authority.client_context(False)
    return make


def test_secrets_by_name(bed, site, instance, pair):
    account = bed.account(site, "gateway", [*rules(), secrets("first", "later")])
    bed.client.apply(objects.listener(site, "tls", 8443, "HTTPS"))
    for name in ("first", "closed"):
        bed.client.create(pair(site, name, f"{name}.test"))
        bed.client.apply(objects.host(site, name, f"{name}.test", tlsSecret={"name": name}))
    serve(bed, site, "cart")
    one = instance(bed, account.kubeconfig(), namespace=site).up()
    tls = {"port": 8443, "context": pair.context()}
    one.answers("/cart/", "cart", "first.test", **tls)
    is_told(one, f"Secret {site}/closed", "grant get, list and watch", f"the ServiceAccount {site}/gateway")
    # A name that comes later, before there is such a Secret.
    bed.client.apply(objects.host(site, "later", "later.test", tlsSecret={"name": "later"}))
    bed.client.create(pair(site, "later", "later.test"))
    one.answers("/cart/", "cart", "later.test", **tls)
    account.allow([secrets("closed")])
    one.answers("/cart/", "cart", "closed.test", **tls)
    until(lambda: not any("may not be read" in text for text in told(one)), "nothing to tell any more")


def test_secrets_that_nobody_names_are_not_kept(bed, site, instance, pair):
    account = bed.account(site, "gateway", [*rules(), secrets()])
    for name in ("named", "other"):
        bed.client.create(pair(site, name, f"{name}.test"))
    bed.client.apply(objects.listener(site, "tls", 8443, "HTTPS"))
    bed.client.apply(objects.host(site, "named", "named.test", tlsSecret={"name": "named"}))
    serve(bed, site, "cart")
    one = instance(bed, account.kubeconfig(), namespace=site).up()
    def kept():
        _, text = one.ask("/metrics")
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("emissary_objects{") and '"Secret"' in line and '"accepted"' in line)
    assert kept() == 1
    tls = {"port": 8443, "context": pair.context()}
    one.answers("/cart/", "cart", "named.test", **tls)
    bed.client.apply(objects.host(site, "other", "other.test", tlsSecret={"name": "other"}))
    one.answers("/cart/", "cart", "other.test", **tls)
    until(lambda: kept() == 2, "the other one kept too")
    bed.client.delete(objects.host(site, "named"))
    until(lambda: kept() == 1, "the first one let go")


def test_endpoints_where_slices_may_not_be_read(bed, site, instance):
    account = bed.account(site, "gateway", [*rules(core="services endpoints", slices=False), secrets()])
    serve(bed, site, "cart", resolver="kubernetes-endpoint")
    bed.client.apply({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "cart", "namespace": site},
                      "subsets": [{"addresses": [{"ip": bed.backend("old")}], "ports": [{"name": "http", "port": 9080}]}]})
    one = instance(bed, account.kubeconfig(), namespace=site).up()
    one.answers("/cart/", "old")
    is_told(one, "endpointslices.discovery.k8s.io may not be read", "Endpoints are read instead")
    account.allow(rules())
    one.answers("/cart/", "cart")


def test_a_kind_that_may_not_be_read(bed, site, instance):
    """The rest serves; once it is granted, it serves too; and once it is taken away, what was read stays."""
    account = bed.account(site, "gateway", [*rules(KINDS.replace("tcpmappings ", "").replace("mappings ", "")), secrets()])
    serve(bed, site, "cart")
    one = instance(bed, account.kubeconfig(), namespace=site).up()
    is_told(one, "mappings.getambassador.io may not be read", "grant list and watch", f"the ServiceAccount {site}/gateway")
    one.answers("/cart/", 404)
    role = account.allow(rules("mappings tcpmappings"))
    one.answers("/cart/", "cart")
    until(lambda: not any("may not be read" in text for text in told(one)), "nothing to tell any more")
    bed.client.delete(role)
    bed.client.delete(bed.client.get("rbac.authorization.k8s.io/v1", "RoleBinding", site, role["metadata"]["name"]))
    one.answers("/cart/", "cart")


def test_labels_of_the_own_namespace(bed, site, instance):
    """A Role can grant a get of its own Namespace, and no more of them."""
    bed.client.patch({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": site}}, {"metadata": {"labels": {"team": "edge"}}})
    account = bed.account(site, "gateway", [*rules(), secrets()])
    selected = {"namespace": {"from": "SELECTOR", "selector": {"matchLabels": {"team": "edge"}}}}
    bed.client.apply(objects.listener(site, "labelled", 8081, hostBinding=selected))
    serve(bed, site, "cart")
    one = instance(bed, account.kubeconfig(), namespace=site).up()
    one.answers("/cart/", "cart", port=8081)
    assert not [text for text in told(one) if "may not be read" in text]


def test_labels_of_an_own_namespace_that_may_not_be_read(bed, site, instance):
    account = bed.account(site, "gateway", [*(one for one in rules() if one["resources"] != ["namespaces"]), secrets()])
    serve(bed, site, "cart")
    one = instance(bed, account.kubeconfig(), namespace=site).up()
    is_told(one, f"namespaces/{site} may not be read", f"the ServiceAccount {site}/gateway")
    one.answers("/cart/", "cart")
