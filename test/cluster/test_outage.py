"""The API server goes, loses its history, is another: what is served goes on, and what changed meanwhile is caught up with."""
import json
import os
import signal

import pytest

from harness import isolated, objects
from harness.cluster import Cluster


def test_nothing_is_dropped_without_an_api_server(tmp_path):
    """Under load, through changes of each kind, and through a minute without it."""
    size = ["--outage", os.environ.get("EMISSARY_TEST_OUTAGE", "60"), "--crowd", os.environ.get("EMISSARY_TEST_CROWD", "10000")]
    result = json.loads(isolated.run("nodrop.nodrop", "--cluster", "--work", tmp_path, *size, work=tmp_path, timeout=1800))
    assert all(result["requests"].values()), result


@pytest.fixture
def ours(own_cluster, instance):
    """A cluster of the test's own, a namespace in it, and a gateway that serves it."""
    own_cluster.install_crds(objects.crds())
    site = own_cluster.namespace()
    own_cluster.client.apply(objects.listener(site))
    own_cluster.client.apply(objects.host(site))
    return own_cluster, site, instance(own_cluster, own_cluster.kubeconfig(), namespace=site).up()


def serve(cluster, site, name):
    cluster.service(site, name, [cluster.backend(name)])
    return cluster.client.apply(objects.mapping(site, name, name))


def test_history_is_lost_while_it_is_gone(ours):
    cluster, site, one = ours
    gone = serve(cluster, site, "gone")
    serve(cluster, site, "stays")
    one.answers("/gone/", "gone")
    # Frozen, the gateway sees nothing of what happens; then nobody remembers it.
    pid = one.control_plane()
    os.kill(pid, signal.SIGSTOP)
    serve(cluster, site, "new")
    cluster.client.delete(gone)
    cluster.compact()
    cluster.restart_apiserver()
    os.kill(pid, signal.SIGCONT)
    one.answers("/new/", "new")
    one.answers("/gone/", 404)
    one.answers("/stays/", "stays")


def test_another_certificate(ours):
    """Of the same authority: seen with the next connection."""
    cluster, site, one = ours
    serve(cluster, site, "before")
    one.answers("/before/", "before")
    cluster.renew_certificate()
    cluster.restart_apiserver()
    serve(cluster, site, "after")
    one.answers("/after/", "after")


def test_a_start_waits_for_the_api_server(ours, instance):
    cluster, site, one = ours
    serve(cluster, site, "cart")
    cluster.apiserver.end()
    late = instance(cluster, cluster.kubeconfig(), namespace=site)
    late.start()
    assert late.ask("/ambassador/v0/check_ready")[0] != 200
    one.answers("/cart/", "cart")
    cluster.apiserver.start()
    cluster.wait_ready()
    late.answers("/cart/", "cart")


def test_a_kind_goes_and_comes_back(ours):
    cluster, site, one = ours
    serve(cluster, site, "cart")
    one.answers("/cart/", "cart")
    crd = cluster.client.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", name="mappings.getambassador.io")
    cluster.client.delete(crd)
    one.answers("/cart/", 404)
    cluster.install_crds(objects.crds())
    serve(cluster, site, "again")
    one.answers("/again/", "again")
    one.answers("/cart/", 404)


def test_kinds_that_come_later(own_cluster, instance):
    """First the gateway, then the CustomResourceDefinitions: it is ready, and then serves."""
    site = own_cluster.namespace()
    one = instance(own_cluster, own_cluster.kubeconfig(), namespace=site).up()
    own_cluster.install_crds(objects.crds())
    own_cluster.client.apply(objects.listener(site))
    own_cluster.client.apply(objects.host(site))
    serve(own_cluster, site, "cart")
    one.answers("/cart/", "cart")


def test_connections_that_are_taken_leave_of(root, tmp_path, instance):
    """GOAWAY, which balances clients over several servers: at one of fifty requests, as often as the server can be told to."""
    cluster = Cluster(tmp_path / "cluster", apiserver=["--goaway-chance=0.02"])
    try:
        with cluster.start().network.entered():
            cluster.install_crds(objects.crds())
            site = cluster.namespace()
            cluster.client.apply(objects.listener(site))
            cluster.client.apply(objects.host(site))
            one = instance(cluster, cluster.kubeconfig(), namespace=site)
            for number in range(5):
                one.up()
                serve(cluster, site, f"cart{number}")
                one.answers(f"/cart{number}/", f"cart{number}")
                one.kill()
    finally:
        cluster.stop()
