"""The proxies that do it wrong do it in the way that is asked of them."""
import http.client
import json

import pytest

from harness import bed as beds
from harness import kube
from harness.fault_proxy import Cut, HttpProxy, TcpProxy, answer, error_event

ADMIN = {"authorization": "Bearer " + beds.ADMIN_TOKEN}


def through(bed, proxy, timeout=60):
    return kube.Client(bed.network, beds.API, proxy.port, bed.authority.ca, ADMIN, timeout=timeout)


def config_map(namespace, name):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": {"a": "x" * 1000}}


def test_tcp(bed, namespace):
    proxy = TcpProxy(bed)
    client = through(bed, proxy)
    client.create(config_map(namespace, "one"))
    bed.kubectl("get", "configmaps", "-n", namespace, kubeconfig=bed.kubeconfig(server=proxy.url))

    watch = client.watch("v1", "ConfigMap", namespace)
    proxy.stall()
    bed.client.create(config_map(namespace, "two"))
    with pytest.raises(TimeoutError):
        through(bed, proxy, timeout=0.2).connection()
    proxy.go_on()
    assert [watch.next()["object"]["metadata"]["name"] for _ in range(2)] == ["one", "two"]

    proxy.cut()
    with pytest.raises((OSError, StopIteration, http.client.HTTPException)):
        watch.next()
    proxy.cut_after = 10_000
    whole = [config_map(namespace, f"more{i}") for i in range(20)]
    bed.client.many(bed.client.create, whole)
    with pytest.raises((OSError, http.client.HTTPException)):
        through(bed, proxy).list("v1", "ConfigMap", namespace)
    proxy.cut_after, proxy.refusing = None, True
    with pytest.raises((OSError, http.client.HTTPException)):
        through(bed, proxy).list("v1", "ConfigMap", namespace)
    proxy.refusing = False
    assert len(through(bed, proxy).list("v1", "ConfigMap", namespace)) == 22
    proxy.close()


def test_http(bed, namespace):
    proxy = HttpProxy(bed)
    client = through(bed, proxy)
    client.create(config_map(namespace, "one"))
    bed.kubectl("get", "configmaps", "-n", namespace, kubeconfig=bed.kubeconfig(server=proxy.url))

    rule = proxy.on("GET .*/configmaps", answer=answer(429, "slow down", "TooManyRequests", retry_after=3), times=2)
    for _ in range(2):
        with pytest.raises(kube.ApiError) as error:
            client.list("v1", "ConfigMap", namespace)
        assert error.value.status == 429
    assert len(client.list("v1", "ConfigMap", namespace)) == 1
    assert rule.hits == 2

    proxy.on("GET .*watch=1", lines=lambda number, line: {1: [line, line], 2: [], 3: [error_event(410, "too old", "Expired")]}.get(number))
    watch = client.watch("v1", "ConfigMap", namespace)
    for i in range(3):
        bed.client.create(config_map(namespace, f"more{i}"))
    assert [e["object"].get("code") or e["object"]["metadata"]["name"] for e in (watch.next(), watch.next(), watch.next())] == ["one", "one", 410]
    bed.client.create(config_map(namespace, "last"))
    assert list(watch) == []

    def halve(number, line):
        if number == 2:
            raise Cut
        return [line[:len(line) // 2]]
    proxy.on("GET .*watch=1", lines=halve)
    with pytest.raises((json.JSONDecodeError, OSError, http.client.HTTPException)):
        client.watch("v1", "ConfigMap", namespace).next()
    proxy.clear()
    proxy.on("GET", answer=Cut)
    with pytest.raises((OSError, http.client.HTTPException)):
        client.list("v1", "ConfigMap", namespace)
    proxy.clear()
    assert len(client.list("v1", "ConfigMap", namespace)) == 5
    assert any(method == "GET" and "watch=1" in target for method, target, _ in proxy.requests)
    proxy.close()
