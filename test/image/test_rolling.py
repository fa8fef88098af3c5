"""The image as a Deployment: its Pods run on a node of tests, behind clients that follow the Service's endpoints."""
import asyncio
import contextlib
import random
import time

import pytest
import yaml

from harness import client, objects, paths
from harness.bed import DEADLINE, until
from harness.node import Endpoints, Node

IMAGE = "registry.test/emissary:1"
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
      terminationGracePeriodSeconds: 30
      securityContext: {runAsUser: 8888, runAsNonRoot: true}
      volumes: [{name: tmp, emptyDir: {}}]
      containers:
        - name: emissary
          image: registry.test/emissary:1
          env:
            - {name: AMBASSADOR_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
            - {name: AMBASSADOR_SINGLE_NAMESPACE, value: "YES"}
            - {name: ENVOY_CONCURRENCY, value: "1"}
          ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 8877}]
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
          livenessProbe: {httpGet: {path: /ambassador/v0/check_alive, port: admin}, periodSeconds: 2}
          readinessProbe: {httpGet: {path: /ambassador/v0/check_ready, port: admin}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: gateway}
spec:
  selector: {app: gateway}
  ports: [{name: http, port: 80, targetPort: http}, {name: admin, port: 8877, targetPort: admin}]
"""


@pytest.fixture
def node(bed, namespace, engine, gateway_image, tmp_path):
    made = Node(bed, engine, tmp_path, {IMAGE: gateway_image}, [namespace])
    yield made
    made.close()
    print(made.logs())


@pytest.fixture
def gateway(bed, namespace, node):
    """The Deployment's Endpoints, once both Pods are ready."""
    bed.install_crds(objects.crds())
    bed.client.apply((paths.ROOT / "deploy/rbac/namespaced.yaml").read_text().replace("namespace: emissary", f"namespace: {namespace}")
                     .replace("kind: Namespace\nmetadata:\n  name: emissary", f"kind: Namespace\nmetadata:\n  name: {namespace}"))
    with deployed(bed, namespace, 2) as endpoints:
        yield endpoints


@contextlib.contextmanager
def deployed(bed, namespace, replicas):
    bed.client.apply(objects.listener(namespace))
    bed.client.apply(objects.host(namespace))
    for name in "first", "second":
        bed.service(namespace, name, [bed.backend(name)])
    bed.client.apply(objects.mapping(namespace, "first", "first", timeout_ms=0, allow_upgrade=["websocket"]))
    for thing in yaml.safe_load_all(DEPLOYMENT):
        thing["metadata"]["namespace"] = namespace
        if thing["kind"] == "Deployment":
            thing["spec"]["replicas"] = replicas
        bed.client.create(thing)
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
        self.tasks = [asyncio.create_task(one) for one in [*(self.fresh() for _ in range(4)), *(self.kept() for _ in range(4))]]

    async def one(self, where, connection=None):
        try:
            answer = await ask(where, "/first/", connection)
            if answer.json().get("backend") != "first":
                self.failed.append(f"{time.monotonic():.2f} {where}: {answer.status} {answer.body!r}")
            self.answered += 1
        except (OSError, asyncio.TimeoutError, client.ConnectionClosed) as error:
            self.failed.append(f"{time.monotonic():.2f} {where}: {error!r}")

    async def fresh(self):
        """A connection a request."""
        while not self.over:
            await self.one(random.choice(self.endpoints.ready))
            await asyncio.sleep(0.005)

    async def kept(self):
        """A connection for as long as the other side keeps it; what it announces is heeded."""
        while not self.over:
            where = random.choice(self.endpoints.ready)
            connection = await client.connect(*where)
            while not self.over and not connection.closed_by_peer:
                await self.one(where, connection)
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


def restart(bed, namespace):
    deployment = bed.client.get("apps/v1", "Deployment", namespace, "gateway")
    bed.client.patch(deployment, {"spec": {"template": {"metadata": {"annotations": {"restarted": str(bed.number())}}}}})


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
    restart(bed, namespace)
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
    bed.client.patch(bed.client.get("apps/v1", "Deployment", namespace, "gateway"), {"spec": {"replicas": 3}})
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
    end = time.monotonic() + DEADLINE
    while (answer := await ask(where, path)).json().get("backend") != backend:
        assert time.monotonic() < end, f"{where}: {answer.status}"
        await asyncio.sleep(0.02)
