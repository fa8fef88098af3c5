"""The image as a Deployment: its Pods run on a node of tests, behind clients that follow the Service's endpoints."""
import asyncio
import contextlib
import os
import random
import signal
import time

import pytest
import yaml

from harness import client, objects, paths
from harness.bed import DEADLINE, rule, until
from harness.node import Endpoints, Node

IMAGE = "registry.test/emissary:1"
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: gateway}
spec:
  selector: {app: gateway}
  ports: [{name: http, port: 80, targetPort: http}, {name: admin, port: 8877, targetPort: admin}]
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway}
spec:
  replicas: 2
  selector: {matchLabels: {app: gateway}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  template:
    metadata: {labels: {app: gateway}}
    spec:
      serviceAccountName: emissary
      terminationGracePeriodSeconds: 90
      securityContext: {runAsUser: 8888, runAsNonRoot: true}
      volumes: [{name: tmp, emptyDir: {}}]
      containers:
        - name: emissary
          image: registry.test/emissary:1
          env:
            - {name: AMBASSADOR_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
            - {name: AMBASSADOR_SINGLE_NAMESPACE, value: "YES"}
            - {name: ENVOY_CONCURRENCY, value: "1"}
            - {name: EMISSARY_GRACE_SECONDS, value: "80"}
          ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 8877}]
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
          livenessProbe: {httpGet: {path: /ambassador/v0/check_alive, port: admin}, periodSeconds: 2}
          readinessProbe: {httpGet: {path: /ambassador/v0/check_ready, port: admin}, periodSeconds: 1}
"""
# As upstream's chart writes it: a root that can be written, and no folder of its own for what is temporary.
UPSTREAMS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway}
spec:
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway, product: aes, profile: main}}
    spec:
      serviceAccountName: gateway
      securityContext: {runAsUser: 8888}
      volumes: [{name: ambassador-pod-info, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}]
      containers:
        - name: emissary-ingress
          image: registry.test/emissary:1
          env:
            - {name: HOST_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
            - {name: AMBASSADOR_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
          ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 8877}]
          securityContext: {allowPrivilegeEscalation: false}
          volumeMounts: [{name: ambassador-pod-info, mountPath: /tmp/ambassador-pod-info, readOnly: true}]
          livenessProbe: {httpGet: {path: /ambassador/v0/check_alive, port: admin}, periodSeconds: 3}
          readinessProbe: {httpGet: {path: /ambassador/v0/check_ready, port: admin}, periodSeconds: 3}
"""


@pytest.fixture
def nodes(engine, gateway_image, tmp_path):
    """nodes(bed, namespace): a node of that namespace."""
    made = []
    def make(bed, namespace):
        made.append(Node(bed, engine, tmp_path, {IMAGE: gateway_image}, [namespace]))
        return made[-1]
    yield make
    for one in made:
        one.close()
        print(one.logs())


@pytest.fixture
def node(bed, namespace, nodes):
    return nodes(bed, namespace)


@pytest.fixture
def gateway(bed, namespace, node):
    """The Deployment's Endpoints, once both Pods are ready."""
    bed.install_crds(objects.crds())
    rights = (paths.ROOT / "deploy/rbac/namespaced.yaml").read_text()
    for place in "kind: Namespace\nmetadata:\n  name: {}", "namespace: {}", "resourceNames: [{}]":
        rights = rights.replace(place.format("emissary"), place.format(namespace))
    bed.client.apply(rights)
    with deployed(bed, namespace, DEPLOYMENT) as endpoints:
        yield endpoints


@contextlib.contextmanager
def deployed(bed, namespace, deployment, replicas=2):
    bed.client.apply(objects.listener(namespace))
    bed.client.apply(objects.host(namespace))
    for name in "first", "second":
        bed.service(namespace, name, [bed.backend(name)])
    bed.client.apply(objects.mapping(namespace, "first", "first", timeout_ms=0, allow_upgrade=["websocket"]))
    for thing in map(yaml.safe_load, (deployment, SERVICE)):
        thing["metadata"]["namespace"] = namespace
        bed.client.create(thing)
    bed.kubectl("scale", "--namespace", namespace, "deployment/gateway", f"--replicas={replicas}")
    endpoints = Endpoints(bed, namespace, "gateway", "http")
    until(lambda: len(endpoints.ready) == replicas, f"{replicas} Pods ready")
    try:
        yield endpoints
    finally:
        endpoints.close()


async def ask(where, path, connection=None):
    own = connection is None
    connection = connection or await client.connect(*where)
    try:
        return await asyncio.wait_for(connection.request("GET", path, "any.test"), DEADLINE)
    finally:
        if own:
            connection.close()


class Load:
    """Clients that go wherever the Service is ready, each with one request at a time."""

    def __init__(self, endpoints):
        self.endpoints, self.answered, self.failed, self.over = endpoints, 0, [], False
        self.tasks = [asyncio.create_task(one) for one in [*(self.fresh() for _ in range(4)), *(self.kept() for _ in range(4)),
                                                                *(self.kept(http2=True) for _ in range(2))]]

    async def one(self, where, connection=None):
        try:
            answer = await ask(where, "/first/", connection)
            if answer.json().get("backend") != "first":
                self.failed.append(f"{time.monotonic():.2f} {where}: {answer.status} {answer.body!r}")
            self.answered += 1
            return True
        except (OSError, asyncio.TimeoutError, client.ConnectionClosed) as error:
            self.failed.append(f"{time.monotonic():.2f} {where}: {error!r}")
            return False

    async def fresh(self):
        """A connection a request."""
        while not self.over:
            await self.one(random.choice(self.endpoints.ready))
            await asyncio.sleep(0.005)

    async def kept(self, http2=False):
        """A connection for as long as the other side keeps it; what it announces is heeded."""
        while not self.over:
            where = random.choice(self.endpoints.ready)
            connection = await client.connect(*where, http2=http2)
            while not self.over and not connection.closed_by_peer and await self.one(where, connection):
                await asyncio.sleep(0.005)
            connection.close()

    async def end(self):
        self.over = True
        await asyncio.gather(*self.tasks)


class Talk:
    """A WebSocket through one Pod, which goes on until told to end."""

    @staticmethod
    async def begin(where):
        made = Talk()
        made.connection = await client.connect(*where)
        response, made.socket = await client.WebSocket.upgrade(made.connection, "/first/", "any.test")
        assert response.status == 101
        assert b"first" in await made.socket.receive()
        return made

    async def echo(self, text):
        await self.socket.send(text)
        return await asyncio.wait_for(self.socket.receive(), DEADLINE)

    def end(self):
        self.connection.close()


async def soon(probe, what):
    return await asyncio.to_thread(until, probe, what)


def test_rolled_under_load(bed, namespace, node, gateway):
    asyncio.run(rolled(bed, namespace, node, gateway))


async def rolled(bed, namespace, node, endpoints):
    old = list(endpoints.ready)
    names = {pod.name for pod in node.pods.values()}
    load = Load(endpoints)
    talks = [await Talk.begin(where) for where in old]
    slow = [asyncio.create_task(ask(where, "/first/delay/7000")) for where in old]
    begin = time.monotonic()
    bed.kubectl("rollout", "restart", "--namespace", namespace, "deployment/gateway")
    await soon(lambda: len(endpoints.ready) == 2 and not set(old) & set(endpoints.ready), "two others ready")
    # Those that go are asked to by now; what is under way through them goes on.
    for talk in talks:
        assert await talk.echo(b"still here") == b"still here"
    assert [(await one).json()["backend"] for one in slow] == ["first", "first"]
    for talk in talks:
        assert await talk.echo(b"and still") == b"and still"
        talk.end()
    await soon(lambda: names <= set(node.ended), "both gone")
    assert {name: node.ended[name] for name in names} == {name: {"emissary": 0} for name in names}
    rolled_after = time.monotonic() - begin
    # A third joins: it has the Mapping that the others have.
    begin = time.monotonic()
    bed.kubectl("scale", "--namespace", namespace, "deployment/gateway", "--replicas=3")
    before = set(endpoints.ready)
    await soon(lambda: len(endpoints.ready) == 3, "a third Pod ready")
    third, = set(endpoints.ready) - before
    assert (await ask(third, "/first/")).json()["backend"] == "first"
    joined_after = time.monotonic() - begin
    # What is applied reaches all.
    bed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(objects.mapping(namespace, "second", "second")))
    for where in endpoints.ready:
        await follows(where, "/second/", "second")
    await load.end()
    print(f"rolled after {rolled_after:.1f} s, a third joined after {joined_after:.1f} s; {load.answered} requests, {len(load.failed)} failed")
    assert load.answered > 100 and not load.failed, load.failed[:20]


async def follows(where, path, backend):
    """Eventually."""
    end, last = time.monotonic() + DEADLINE, None
    while time.monotonic() < end:
        try:
            last = await ask(where, path)
            if last.json().get("backend") == backend:
                return
        except (OSError, asyncio.TimeoutError, client.ConnectionClosed) as error:
            last = error
        await asyncio.sleep(0.02)
    raise AssertionError(f"{where}: {path} not answered by {backend}: {last}")


def test_in_the_place_of_upstreams(own_cluster, nodes):
    """The bare image, under CRDs, a Role and a Deployment of upstream's shape: it serves and follows."""
    bed, namespace = own_cluster, "emissary"
    bed.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    bed.install_crds(objects.crds_shaped_as_upstreams())
    read = "get list watch"
    bed.account(namespace, "gateway", cluster_rules=[
        rule("apiextensions.k8s.io", "customresourcedefinitions", read + " delete"),
        rule("core", "namespaces services secrets configmaps endpoints", read),
        rule("getambassador.io gateway.getambassador.io", "*", read + " update patch create delete"), rule("getambassador.io", "mappings/status", "update"),
        rule("extensions networking.k8s.io", "ingresses ingressclasses", read), rule("networking.k8s.io", "ingresses/status", "update")])
    node = nodes(bed, namespace)
    with deployed(bed, namespace, UPSTREAMS) as endpoints:
        asyncio.run(replaced(bed, namespace, node, endpoints))


async def replaced(bed, namespace, node, endpoints):
    for where in endpoints.ready:
        await follows(where, "/first/", "first")
    bed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(objects.mapping(namespace, "second", "second")))
    for where in endpoints.ready:
        await follows(where, "/second/", "second")
    # A gateway that dies is started again by the node, and is ready again.
    dead = next(iter(node.pods.values()))
    os.kill(dead.containers["emissary-ingress"].container.process("emissary run"), signal.SIGKILL)
    await soon(lambda: dead.containers["emissary-ingress"].restarts == 1, "it is started again")
    await follows((dead.address, 8080), "/second/", "second")
    await soon(lambda: dead.containers["emissary-ingress"].ready and len(endpoints.ready) == 2, "both are ready again")
