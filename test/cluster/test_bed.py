"""The test bed itself: what the other tests here rely on."""
import os
import subprocess

import pytest

from harness import kube
from harness.bed import until, rule

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.bed.test}
spec:
  group: bed.test
  names: {plural: things, singular: thing, kind: Thing}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {text: {type: string, pattern: "^[a-z]+$"}}}, status: {type: object, properties: {seen: {type: boolean}}}}
"""


def config_map(namespace, name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def test_watch_tells_what_was_written(bed, namespace):
    with_watch = bed.client.watch("v1", "ConfigMap", namespace)
    one = bed.client.create(config_map(namespace, "one", a="1"))
    bed.client.patch(one, {"data": {"a": "2"}})
    bed.client.delete(one)
    events = [with_watch.next() for _ in range(3)]
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert [event["object"]["data"]["a"] for event in events] == ["1", "2", "2"]


def test_custom_resources(bed, namespace):
    bed.install_crds(CRD)
    thing = {"apiVersion": "bed.test/v1", "kind": "Thing", "metadata": {"name": "one", "namespace": namespace}, "spec": {"text": "abc"}}
    bed.client.apply(thing)
    bed.client.patch(thing, {"status": {"seen": True}}, "status")
    assert bed.client.get("bed.test/v1", "Thing", namespace, "one")["status"] == {"seen": True}
    with pytest.raises(kube.ApiError, match="should match") as refused:
        bed.client.apply({**thing, "spec": {"text": "123"}})
    assert refused.value.status == 422
    assert "one" in bed.kubectl("get", "things", "-n", namespace)


def test_account_may_what_its_role_says(bed, namespace):
    account = bed.account(namespace, "reader", [rule("core", "configmaps", "get list watch")])
    elsewhere = bed.namespace()
    client = account.client()
    assert client.list("v1", "ConfigMap", namespace) == []
    for refused in (lambda: client.create(config_map(namespace, "one")), lambda: client.list("v1", "ConfigMap", elsewhere),
                    lambda: client.list("v1", "Secret", namespace)):
        with pytest.raises(kube.ApiError) as error:
            refused()
        assert error.value.status == 403
    account.allow([rule("core", "secrets", "list")], everywhere=True)
    until(lambda: client.list("v1", "Secret") == [], "the new role counts")
    bed.kubectl("get", "configmaps", "-n", namespace, kubeconfig=account.kubeconfig())


def test_expired_token_is_refused(bed, namespace):
    account = bed.account(namespace, "late", [rule("core", "configmaps", "list")])
    assert account.client(account.token(seconds=300)).list("v1", "ConfigMap", namespace) == []
    with pytest.raises(kube.ApiError) as error:
        account.client(account.token(seconds=-3600)).list("v1", "ConfigMap", namespace)
    assert error.value.status == 401


def test_client_certificate(bed, namespace):
    cert, key = bed.certificate("somebody", "system:masters")
    assert bed.client_as(certificate=(cert, key)).list("v1", "ConfigMap", namespace) == []
    bed.kubectl("get", "configmaps", "-n", namespace, kubeconfig=bed.kubeconfig({"client-certificate": cert, "client-key": key}))


def test_endpoints_by_the_controllers(bed, namespace):
    address = bed.address()
    bed.pod(namespace, "web-1", address, {"app": "web"})
    bed.client.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": namespace},
                       "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 9080}]}})
    def endpoints():
        slices = bed.client.list("discovery.k8s.io/v1", "EndpointSlice", namespace, labelSelector="kubernetes.io/service-name=web")
        return [a for s in slices for e in s["endpoints"] or () if e["conditions"]["ready"] for a in e["addresses"]]
    until(lambda: endpoints() == [address], "an EndpointSlice with the pod")


def test_backends_answer_at_their_addresses(bed):
    address = bed.backend("here")
    told = subprocess.run(["curl", "-sS", f"http://{address}:9080/x"], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert '"backend": "here"' in told


def test_cluster_ips_lead_to_endpoints(bed, namespace):
    for name in ("one", "other"):
        bed.service(namespace, "web", [bed.backend(name)])
        cluster_ip = bed.client.get("v1", "Service", namespace, "web")["spec"]["clusterIP"]
        told = subprocess.run(["curl", "-sS", f"http://{cluster_ip}/x"], check=True, stdout=subprocess.PIPE, text=True).stdout
        assert f'"backend": "{name}"' in told


def test_leases(bed, namespace):
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader", "namespace": namespace},
             "spec": {"holderIdentity": "one", "leaseDurationSeconds": 15}}
    made = bed.client.create(lease)
    made["spec"]["holderIdentity"] = "two"
    bed.client.replace(made)
    with pytest.raises(kube.ApiError) as error:  # an older resourceVersion
        bed.client.replace(made)
    assert error.value.status == 409


def test_thousands_of_objects(bed, namespace):
    bed.client.many(bed.client.create, [config_map(namespace, f"m{i}", number=str(i)) for i in range(1000)])
    assert len(bed.client.list("v1", "ConfigMap", namespace)) == 1000


def test_namespaces_go(bed):
    name = bed.namespace()
    bed.client.create(config_map(name, "one"))
    bed.forget()
    until(lambda: name not in {n["metadata"]["name"] for n in bed.client.list("v1", "Namespace")}, "the namespace gone")


def test_nothing_leads_out(bed):
    assert subprocess.run(["ip", "route", "get", "192.0.2.1"], capture_output=True, check=False).returncode != 0
    assert os.readlink("/proc/thread-self/ns/net") != os.readlink(f"/proc/{os.getppid()}/ns/net")


def test_violence(own_cluster):
    """What can be done to a cluster; one start for all of it."""
    cluster = own_cluster
    namespace = cluster.namespace()
    one = cluster.client.create(config_map(namespace, "one", a="1"))
    revision = one["metadata"]["resourceVersion"]

    watch = cluster.client.watch("v1", "ConfigMap", namespace, resourceVersion=revision)
    cluster.apiserver.pause()
    with pytest.raises(TimeoutError):
        cluster.client_as(timeout=1).raw("GET", "/readyz")
    cluster.apiserver.resume()
    cluster.wait_ready()

    for i in range(10):
        cluster.client.create(config_map(namespace, f"more{i}"))
    assert cluster.compact() > int(revision)
    cluster.restart_apiserver()
    assert list(watch)[-1]["object"]["metadata"]["name"] == "more9"  # then it ended with the server
    assert cluster.client.get("v1", "ConfigMap", namespace, "one")["data"] == {"a": "1"}
    event = cluster.client.watch("v1", "ConfigMap", namespace, resourceVersion=revision).next()
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)

    before = cluster.client
    cluster.replace_authority()
    cluster.client.get("v1", "ConfigMap", namespace, "one")
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        before.connection()
