"""What objects' status says, who writes it, and what becomes of it where not all is allowed."""
import base64
import json

import pytest
import yaml

from harness import certs, kube, objects, paths
from harness.bed import until

RBAC = paths.ROOT / "deploy" / "rbac"
LEASE = "coordination.k8s.io/v1", "Lease"


def live(bed, thing):
    return bed.client.get(thing["apiVersion"], thing["kind"], thing["metadata"]["namespace"], thing["metadata"]["name"])


def reasons(bed, thing):
    """"Accepted ResolvedRefs Programmed": the reason of each condition, with "!" before what is not True."""
    found = objects.conditions(live(bed, thing))
    mark = {"True": "", "False": "!", "Unknown": "?"}
    return " ".join(mark[found[name]["status"]] + found[name]["reason"] for name in ("Accepted", "ResolvedRefs", "Programmed") if name in found)


def becomes(bed, thing, wanted):
    last = None
    def probe():
        nonlocal last
        last = reasons(bed, thing)
        return last == wanted
    try:
        until(probe, f"{thing['kind']} {thing['metadata']['name']}: {wanted}")
    except TimeoutError as error:
        raise AssertionError(f"{error}; last: {last}") from None
    return live(bed, thing)


GOOD = "Accepted ResolvedRefs Programmed"


def serve(bed, site, name, **spec):
    bed.service(site, name, [bed.backend(name)])
    return bed.client.apply(objects.mapping(site, name, name, **spec))


def findings(one):
    """The texts of all that diagnostics tell of."""
    status, text = one.ask("/ambassador/v0/diag/?json=true")
    seen = json.loads(text) if status == 200 else {"errors": [], "notices": []}
    return [message for _, message in seen["errors"]] + [notice["message"] for notice in seen["notices"]]


def is_told(one, *words):
    until(lambda: any(all(word in text for word in words) for text in findings(one)), f"a finding with {words}")


def test_each_object_is_answered(bed, site, instance):
    instance(bed, bed.kubeconfig(), namespace=site).up()
    good = serve(bed, site, "good")
    bad = bed.client.apply(objects.mapping(site, "bad", "bad", prefix="(", prefix_regex=True))
    partly = serve(bed, site, "partly", cors={"max_age": "never"})
    lost = serve(bed, site, "lost", tls="nowhere")
    host = bed.client.apply(objects.host(site, "tls", "tls.test", tlsSecret={"name": "missing"}))
    listener = live(bed, objects.listener(site))

    got = becomes(bed, good, GOOD)
    assert got["status"]["state"] == "Running" and "reason" not in got["status"]
    assert all(c["observedGeneration"] == 1 for c in got["status"]["conditions"])
    assert bed.kubectl("-n", site, "wait", "--for=condition=Programmed", "mapping/good", "--timeout=30s").strip().endswith("condition met")

    got = becomes(bed, bad, "!Invalid ?NotChecked !NotUsed")
    assert got["status"]["state"] == "Inactive" and got["status"]["reason"].startswith("spec.prefix: ")
    assert objects.conditions(got)["Accepted"]["message"].startswith("spec.prefix: ")
    got = becomes(bed, partly, "!PartlyInvalid ResolvedRefs Programmed")
    assert got["status"]["state"] == "Running" and "spec.cors" in got["status"]["reason"]
    got = becomes(bed, lost, "Accepted !RefNotFound Programmed")
    assert "TLSContext" in objects.conditions(got)["ResolvedRefs"]["message"]
    got = becomes(bed, host, "Accepted !SecretNotFound !NotUsed")
    assert got["status"]["state"] == "Error" and got["status"]["tlsCertificateSource"] == "Other"
    becomes(bed, listener, GOOD)

    # Put right, it is answered again.
    bed.client.patch(bad, {"spec": {"prefix": "/bad/.*"}})
    got = becomes(bed, bad, GOOD)
    assert objects.conditions(got)["Accepted"]["observedGeneration"] == got["metadata"]["generation"] == 2
    printed = bed.kubectl("-n", site, "get", "mappings")
    assert "Running" in printed and "STATE" in printed


def test_a_status_of_emissarys_is_taken_over(bed, site, instance):
    """As whoever runs it has in the cluster on the day of the change."""
    mapping = serve(bed, site, "cart")
    bed.client.patch(mapping, {"status": {"state": "Inactive", "reason": "long ago"}}, "status")
    instance(bed, bed.kubeconfig(), namespace=site).up()
    becomes(bed, mapping, GOOD)
    until(lambda: "reason" not in live(bed, mapping)["status"], "the old reason gone")
    assert live(bed, mapping)["status"]["state"] == "Running"


def test_an_error_is_an_event(bed, site, instance):
    instance(bed, bed.kubeconfig(), namespace=site).up()
    bad = bed.client.apply(objects.mapping(site, "bad", "bad", prefix="(", prefix_regex=True))
    uid = live(bed, bad)["metadata"]["uid"]
    def event():
        found = [e for e in bed.client.list("v1", "Event", site) if e["involvedObject"].get("uid") == uid]
        return found and found[0]
    event = until(event, "the Event")
    assert (event["type"], event["reason"]) == ("Warning", "Invalid") and "spec.prefix" in event["message"]
    assert "spec.prefix" in bed.kubectl("-n", site, "describe", "mapping", "bad")


def test_what_envoy_refuses_is_told(bed, site, instance, tmp_path):
    instance(bed, bed.kubeconfig(), namespace=site).up()
    # A certificate that is none of its key's: whether it is used hangs on nothing but the Secret.
    authority = certs.Authority(str(tmp_path / "certs"))
    host = bed.client.apply(objects.host(site, "tls", "tls.test", tlsSecret={"name": "tls"}))
    becomes(bed, host, "Accepted !SecretNotFound !NotUsed")
    certificate, key = authority.issue(str(tmp_path / "a.crt"), str(tmp_path / "a.key"), "/CN=a", "subjectAltName=DNS:tls.test")
    _, other = authority.issue(str(tmp_path / "b.crt"), str(tmp_path / "b.key"), "/CN=b", "subjectAltName=DNS:tls.test")
    read = lambda path: open(path, "rb").read()  # noqa: E731
    secret = kube.secret("tls", site, {"tls.crt": read(certificate), "tls.key": read(other)}, "kubernetes.io/tls")
    bed.client.create(secret)
    becomes(bed, host, "Accepted !SecretInvalid !NotUsed")
    bed.client.apply(objects.listener(site, "tls", 8443, "HTTPS"))
    bed.client.patch(secret, {"data": {"tls.key": base64.b64encode(read(key)).decode()}})
    becomes(bed, host, GOOD)


def test_of_two_instances_one_writes_and_another_takes_over(bed, site, instance):
    names = {}
    for _ in range(2):
        one = instance(bed, bed.kubeconfig(), namespace=site).up()
        names[one] = one
    def metric(one, name):
        _, text = one.ask("/metrics")
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))
    leading = lambda: [one for one in names if metric(one, "emissary_status_leader") == 1]  # noqa: E731
    until(leading, "a leader")
    mapping = serve(bed, site, "cart")
    becomes(bed, mapping, GOOD)
    (leader,) = leading()
    (other,) = [one for one in names if one is not leader]
    assert metric(other, "emissary_status_writes_total") == 0
    lease = bed.client.get(*LEASE, site, "emissary-status-default")
    assert lease["spec"]["holderIdentity"] and lease["spec"]["leaseDurationSeconds"] == 15

    # Nothing is written where nothing differs: not by the one who takes over either.
    version = live(bed, mapping)["metadata"]["resourceVersion"]
    leader.kill()
    quote = serve(bed, site, "quote")
    becomes(bed, quote, GOOD)
    assert metric(other, "emissary_status_leader") == 1
    assert live(bed, mapping)["metadata"]["resourceVersion"] == version
    after = bed.client.get(*LEASE, site, "emissary-status-default")
    assert after["spec"]["holderIdentity"] != lease["spec"]["holderIdentity"]


def test_the_lease_is_given_back(bed, site, instance):
    one = instance(bed, bed.kubeconfig(), namespace=site).up()
    holder = lambda: bed.client.get(*LEASE, site, "emissary-status-default")["spec"].get("holderIdentity")  # noqa: E731
    until(holder, "a holder")
    one.process.terminate()
    one.process.wait()
    assert not holder()


def test_a_restart_writes_nothing(bed, site, instance):
    one = instance(bed, bed.kubeconfig(), namespace=site).up()
    things = [serve(bed, site, name) for name in ("a", "b")] + [bed.client.apply(objects.mapping(site, "bad", "bad", prefix="(", prefix_regex=True))]
    for thing, wanted in zip(things, (GOOD, GOOD, "!Invalid ?NotChecked !NotUsed")):
        becomes(bed, thing, wanted)
    things += [objects.listener(site), objects.host(site)]
    for thing in things[3:]:
        becomes(bed, thing, GOOD)
    versions = lambda: [live(bed, thing)["metadata"]["resourceVersion"] for thing in things]  # noqa: E731
    before = versions()
    one.process.terminate()  # so that the Lease is free
    one.process.wait()
    one.up()
    becomes(bed, serve(bed, site, "c"), GOOD)  # it has all, and writes
    assert versions() == before


def manifest(name, namespace):
    """The documents of deploy/rbac, for a namespace of the test's."""
    text = (RBAC / f"{name}.yaml").read_text().replace("namespace: emissary", f"namespace: {namespace}")
    text = text.replace("resourceNames: [emissary]", f"resourceNames: [{namespace}]")
    made = []
    for document in yaml.safe_load_all(text):
        if document["kind"] == "Namespace":
            continue
        if document["kind"].startswith("ClusterRole"):
            document["metadata"]["name"] = namespace
            if "roleRef" in document:
                document["roleRef"]["name"] = namespace
        made.append(document)
    return made


def account(bed, name, namespace, without=None):
    """The ServiceAccount of deploy/rbac/NAME.yaml, and no more. `without`: a resource that it may not touch."""
    for document in manifest(name, namespace):
        if without and "rules" in document:
            for rule in document["rules"]:
                rule["resources"] = [one for one in rule["resources"] if without not in (one, one.partition("/")[2] and "*/" + one.partition("/")[2])]
            document["rules"] = [rule for rule in document["rules"] if rule["resources"]]
        made = bed.client.apply(document)
        if document["kind"].startswith("ClusterRole"):
            bed.to_delete.append(made)
    return bed.account(namespace, "emissary")


def works(bed, site, one, tmp_path):
    authority = certs.Authority(str(tmp_path / "certs"))
    certificate, key = authority.issue(str(tmp_path / "a.crt"), str(tmp_path / "a.key"), "/CN=a", "subjectAltName=DNS:tls.test")
    read = lambda path: open(path, "rb").read()  # noqa: E731
    bed.client.create(kube.secret("tls", site, {"tls.crt": read(certificate), "tls.key": read(key)}, "kubernetes.io/tls"))
    bed.client.apply(objects.listener(site, "tls", 8443, "HTTPS"))
    becomes(bed, bed.client.apply(objects.host(site, "tls", "tls.test", tlsSecret={"name": "tls"})), GOOD)
    mapping = serve(bed, site, "cart", resolver="endpoint")
    one.answers("/cart/", "cart")
    becomes(bed, mapping, GOOD)
    bad = bed.client.apply(objects.mapping(site, "bad", "bad", prefix="(", prefix_regex=True))
    until(lambda: [e for e in bed.client.list("v1", "Event", site) if e["involvedObject"]["name"] == "bad"], "the Event")
    becomes(bed, bad, "!Invalid ?NotChecked !NotUsed")
    assert [text for text in findings(one) if "forbidden" in text or "grant" in text] == []


def test_the_role_for_one_namespace_suffices(bed, site, instance, tmp_path):
    works(bed, site, instance(bed, account(bed, "namespaced", site).kubeconfig(), namespace=site).up(), tmp_path)


def test_the_role_for_a_cluster_suffices(own_cluster, instance, tmp_path):
    own_cluster.install_crds(objects.crds())
    site = own_cluster.namespace()
    own_cluster.client.apply(objects.listener(site))
    own_cluster.client.apply(objects.host(site))
    one = instance(own_cluster, account(own_cluster, "cluster", site).kubeconfig(), arguments=["--namespace", site])
    works(own_cluster, site, one.up(), tmp_path)


@pytest.mark.parametrize("without, words", [("leases", ("no status is written", "leases", "grant get, create and update")),
                                            ("*/status", ("no status is written", "grant patch on", "mappings/status")),
                                            ("events", ("no Events are made", "grant create on events"))])
def test_without_a_permission_traffic_is_served_and_it_is_told(bed, site, instance, without, words):
    one = instance(bed, account(bed, "namespaced", site, without).kubeconfig(), namespace=site).up()
    bad = bed.client.apply(objects.mapping(site, "bad", "bad", prefix="(", prefix_regex=True))
    serve(bed, site, "cart")
    one.answers("/cart/", "cart")
    is_told(one, *words)
    if without == "events":
        becomes(bed, bad, "!Invalid ?NotChecked !NotUsed")
    else:
        assert "status" not in live(bed, bad)


def test_crds_of_another_shape(own_cluster, instance):
    own_cluster.install_crds(objects.crds_shaped_as_upstreams())
    site = own_cluster.namespace()
    own_cluster.client.apply(objects.listener(site))
    host = own_cluster.client.apply(objects.host(site))
    one = instance(own_cluster, own_cluster.kubeconfig(), arguments=["--namespace", site]).up()
    mapping = serve(own_cluster, site, "cart")
    bad = own_cluster.client.apply(objects.mapping(site, "bad", "bad", prefix="(", prefix_regex=True))
    one.answers("/cart/", "cart")
    until(lambda: live(own_cluster, bad).get("status", {}).get("state") == "Inactive", "the state of the bad one")
    until(lambda: live(own_cluster, mapping).get("status", {}) == {"state": "Running"}, "the state of the good one")
    until(lambda: live(own_cluster, host).get("status", {}).get("state") == "Ready", "the state of the Host")
    is_told(one, "have no status subresource", "listeners", "emissary crds | kubectl apply --server-side -f -")
    is_told(one, "state and reason only", "hosts, mappings")
    # It settles.
    versions = lambda: [live(own_cluster, thing)["metadata"]["resourceVersion"] for thing in (mapping, bad, host)]  # noqa: E731
    before = versions()
    serve(own_cluster, site, "quote")
    one.answers("/quote/", "quote")
    assert versions() == before

    # This version's are installed: with the next leader conditions come.
    own_cluster.install_crds(objects.crds())
    one.kill()
    until(lambda: not one.process or one.process.poll() is not None, "its end")
    one.up()
    becomes(own_cluster, mapping, GOOD)


def test_hundreds_of_statuses(bed, site, instance):
    """Not a benchmark: that all of them get theirs, however many come at once."""
    one = instance(bed, bed.kubeconfig(), namespace=site).up()
    things = [objects.mapping(site, f"m{number}", "somewhere", weight=-1 if number % 10 == 0 else 100) for number in range(300)]
    bed.client.many(bed.client.create, things)
    def right():
        found = bed.client.list(objects.V3, "Mapping", site)
        reason = lambda thing: objects.conditions(thing).get("Accepted", {}).get("reason")  # noqa: E731
        return all(reason(thing) == ("Invalid" if thing["spec"]["weight"] < 0 else "Accepted") for thing in found)
    until(right, "300 statuses", pause=0.2)
    _, text = one.ask("/metrics")
    written = [line for line in text.splitlines() if line.startswith('emissary_status_writes_total{result="written"}')]
    assert float(written[0].split()[-1]) <= 2 * 304

