"""The kinds of change that the nothing-dropped tester makes, each so that clients can tell before from after.

A phase is a function of the run and of how many changes to make. What drains by Envoy's nature (a changed Listener, a removed
Host's own connections) is not among them."""
import asyncio
import collections
import json
import os
import signal
import time

from harness import backends, client, gateway, objects
from nodrop import load as loads

HOST = "load.test"
VERSIONS = {f"v{n}": f"10.77.3.{10 + n}:9080" for n in range(4)}
PODS = {f"pod{n}": f"10.77.3.{20 + n}" for n in range(4)}
PODS_PORT = 9080
BATCH = 5

BASE = """
apiVersion: getambassador.io/v3alpha1
kind: Listener
metadata: {name: http}
spec: {port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
---
apiVersion: getambassador.io/v3alpha1
kind: Listener
metadata: {name: https}
spec: {port: 8443, protocol: HTTPS, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
---
apiVersion: getambassador.io/v3alpha1
kind: Host
metadata: {name: load}
spec:
  hostname: load.test
  tlsSecret: {name: load}
  tls: {alpn_protocols: "h2,http/1.1"}
  requestPolicy: {insecure: {action: Route}}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: stable}
spec: {hostname: load.test, prefix: /stable/, service: "10.77.3.10:9080"}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: websocket}
spec: {hostname: load.test, prefix: /ws/, service: "10.77.3.10:9080", allow_upgrade: [websocket]}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: pods}
spec: {hostname: load.test, prefix: /pods/, service: pods, resolver: endpoint}
---
apiVersion: v1
kind: Service
metadata: {name: pods}
spec: {clusterIP: 10.96.0.77, ports: [{port: 80, targetPort: 9080}]}
"""
SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: load}
type: kubernetes.io/tls
data: {tls.crt: "${CERT:load.test#N}", tls.key: "${KEY:load.test#N}"}
"""

HOST_OF = """
---
apiVersion: getambassador.io/v3alpha1
kind: Host
metadata: {name: NAME}
spec: {hostname: NAME, tlsSecret: {name: NAME}}
"""
CONTEXT = """
apiVersion: getambassador.io/v3alpha1
kind: TLSContext
metadata: {name: upstream}
spec: {min_tls_version: MIN, sni: tls.test}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: contexts}
spec: {hostname: load.test, prefix: /contexts/, service: "https://10.77.3.30:9443", tls: upstream}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: again}
spec: {clusterIP: ADDRESS, ports: [{port: 9080}]}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: services}
spec: {hostname: load.test, prefix: /services/, service: "again:9080"}
"""
TLS_BACKEND = "10.77.3.30:9443"
LINES = {f"lines{n}": f"10.77.3.{40 + n}:9080" for n in range(2)}
TCP_CONTEXT = """
apiVersion: getambassador.io/v3alpha1
kind: TLSContext
metadata: {name: tcp}
spec: {hosts: [tcp.test, stays.test], secret: tcp}
---
apiVersion: getambassador.io/v3alpha1
kind: TCPMapping
metadata: {name: stays}
spec: {port: 8443, host: stays.test, service: "10.77.3.40:9080"}
"""


def mapping(number, version):
    return json.dumps({"apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping", "metadata": {"name": f"m{number}"},
                       "spec": {"hostname": HOST, "prefix": f"/m{number}/", "service": VERSIONS[version]}})


def endpoint_slice(pods):
    return json.dumps({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "pods-1", "labels": {"kubernetes.io/service-name": "pods"}},
        "ports": [{"port": PODS_PORT}],
        "endpoints": [{"addresses": [PODS[pod]], "conditions": {"ready": True}} for pod in pods]})


async def mappings(run, count):
    """Each is added, changed (another backend) and deleted, a few at a time, which clients see as 404, v0, v1, 404."""
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        paths = {n: loads.Expected(f"/m{n}/x", [loads.NOT_FOUND]) for n in numbers}
        run.load.paths += paths.values()
        for version in ("v1", f"v{2 + start // BATCH % 2}", None):
            run.load.counts.phase = f"Mappings {start}…"
            for number, expected in paths.items():
                expected.begin([version or loads.NOT_FOUND])
                if version:
                    run.manifests.write(f"m{number}.json", mapping(number, version))
                else:
                    run.manifests.delete(f"m{number}.json")
            await run.settle(f"Mappings {start}… {version or 'deleted'}", list(paths.values()))
        for expected in paths.values():
            run.load.paths.remove(expected)


async def endpoints(run, count):
    turns = [["pod2", "pod3"], ["pod0"], ["pod1", "pod2"], ["pod3"], ["pod0", "pod1"]]
    for number in range(count):
        pods = turns[number % len(turns)]
        run.load.counts.phase = f"endpoints {number}"
        run.pods.begin(pods)
        run.manifests.write("slice.json", endpoint_slice(pods))
        await run.settle(f"endpoints {number}", [run.pods])


async def certificates(run, count):
    """New connections see the old or the new certificate, and only the new one once it was seen. Those of the load, which
    were made with older certificates, stay."""
    for number in range(1, count + 1):
        run.load.counts.phase = f"certificate {number}"
        old, new = (run.authority.der(f"{HOST}#{n}") for n in (number - 1, number))
        run.manifests.write("secret.yaml", SECRET.replace("#N", f"#{number}"))
        await new_certificate(run, number, old, new)
        run.changes += 1


async def new_certificate(run, number, old, new):
    end = time.monotonic() + gateway.DEADLINE
    seen = 0
    while seen < 5:  # in a row; one old one after a new one is wrong
        got = await handshake(run)
        if got == new:
            seen += 1
        elif got and (seen or got != old):
            run.load.counts.fault("wrong", f"certificate {number}: another one was shown")
        if time.monotonic() > end:
            run.unseen.append(f"certificate {number}")
            return
        await asyncio.sleep(0)


async def handshake(run):
    """The certificate that a new connection is shown."""
    try:
        connection = await run.load.connect("http/1.1 tls")
    except (OSError, client.ConnectionClosed) as error:
        run.load.counts.fault("failed", f"handshake: {error}")
        return None
    connection.close()
    return connection.certificate


async def kills(run, count):
    """Killed, it is started again, takes up where it was, and follows changes made meanwhile."""
    for number in range(count):
        run.load.counts.phase = f"kill {number}"
        run.refused += await asyncio.to_thread(run.gateway.metric, "emissary_xds_nacks_total")
        pid = run.gateway.control_plane()
        expected = loads.Expected("/killed/x", [loads.NOT_FOUND if number == 0 else f"v{(number - 1) % 4}"])
        run.load.paths.append(expected)
        os.kill(pid, signal.SIGKILL)
        version = f"v{number % 4}"
        expected.begin([version])
        run.manifests.write("killed.json", mapping("killed", version).replace("/mkilled/", "/killed/"))
        await run.settle(f"kill {number}", [expected])
        await run.gateway.wait_ready()
        if run.gateway.control_plane() == pid:
            raise RuntimeError("the killed control plane is still there")
        run.load.paths.remove(expected)


async def outages(run, count):
    """The API server is gone for a while, and restarted; a change made at its return is followed."""
    for number in range(count):
        run.load.counts.phase = f"outage {number}"
        path = loads.Expected(f"/moutage{number}/x", [loads.NOT_FOUND])
        run.load.paths.append(path)
        await asyncio.to_thread(run.cluster.apiserver.end)
        await asyncio.sleep(run.options.outage)
        await asyncio.to_thread(run.cluster.apiserver.start)
        await asyncio.to_thread(run.cluster.wait_ready)
        path.begin(["v1"])
        back = time.monotonic()
        run.manifests.write(f"outage{number}.json", mapping(f"outage{number}", "v1"))
        await run.settle(f"outage {number}", [path])
        run.caught_up.append(round(time.monotonic() - back, 2))
        run.load.paths.remove(path)


async def crowd(run, count):
    """So many Mappings at once that they are still being made when the first are served, and gone at one stroke."""
    if not count:
        return
    run.load.counts.phase = "crowd"
    last = loads.Expected(f"/mcrowd{count - 1}/x", [loads.NOT_FOUND])
    run.load.paths.append(last)
    def of(host):
        return f"crowd{host}.test"
    things = [objects.host("default", f"crowd{n}", of(n), "Redirect") for n in range(-(-count // 100))]
    things += [objects.mapping("default", f"crowd{n}", "nobody", hostname=of(n // 100)) for n in range(count - 1)]
    things.append(objects.mapping("default", f"crowd{count - 1}", VERSIONS["v1"], f"/mcrowd{count - 1}/", hostname=HOST))
    api = run.cluster.client
    await asyncio.to_thread(api.many, api.create, things[:-1])
    last.begin(["v1"])
    await asyncio.to_thread(api.create, things[-1])
    await run.settle("crowd", [last])
    await asyncio.to_thread(api.many, api.delete, things[:-1])
    last.begin([loads.NOT_FOUND])
    await asyncio.to_thread(api.delete, things[-1])
    await run.settle("crowd, gone", [last])
    run.load.paths.remove(last)


def canary(weights):
    return json.dumps({"kind": "List", "apiVersion": "v1", "items": [
        {"apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping", "metadata": {"name": f"canary-{version}"},
         "spec": {"hostname": HOST, "prefix": "/weights/", "service": VERSIONS[version], "weight": weight}}
        for version, weight in weights.items()]})


async def weights(run, count):
    turns = [{"v0": 100, "v1": 0, "v2": 0}, {"v0": 0, "v1": 50, "v2": 50}, {"v0": 100}, {"v1": 100, "v0": 0}]
    answers = [[name for name, weight in turn.items() if weight] for turn in turns]
    await run.follow("weights", [(answers[n % 4], canary(turns[n % 4])) for n in range(count)],
                     lambda text: run.manifests.write("weights.json", text))


async def renames(run, count):
    """Another name, and so that it shows another backend."""
    def write(number):
        text = mapping("x", f"v{number % 4}").replace("/mx/", "/renames/").replace('"mx"', f'"renamed-{number}"')
        run.manifests.write("renames.json", text)
    await run.follow("renames", [([f"v{n % 4}"], n) for n in range(count)], write)


async def reorders(run, count):
    """Two Mappings for one path, of which now the one and now the other comes first. One alone changes: with equal precedences, as an
    API server would have them for a moment, they were one group."""
    def write(first):
        items = [json.loads(mapping(name, version)) for name, version in (("first", "v0"), ("second", "v1"))]
        for item, precedence in zip(items, (2, 3 if first == 1 else 1)):
            item["spec"].update(prefix="/reorders/", precedence=precedence)
        run.manifests.write("reorders.json", json.dumps({"kind": "List", "apiVersion": "v1", "items": items}))
    await run.follow("reorders", [([f"v{n % 2}"], n % 2) for n in range(count)], write)


def new_host(name):
    return SECRET.replace("name: load", f"name: {name}").replace("load.test#N", name) + HOST_OF.replace("NAME", name)


async def hosts(run, count):
    """Hosts come and go; what they serve is asked on connections of their own, and the load's stay."""
    for number in range(count):
        name = f"host{number}.test"
        run.load.counts.phase = f"Host {name}"
        run.manifests.write("host.yaml", new_host(name))
        run.manifests.write("host-mapping.json", mapping("of-host", "v3").replace(HOST, name))

        async def served():
            try:
                connection = await client.connect(run.load.address, 8443, False, run.authority.client_context(False), name)
                response = await connection.request("GET", "/mof-host/x", name, scheme="https")
                connection.close()
            except (OSError, client.ConnectionClosed) as error:
                return str(error)
            return None if response.status == 200 else f"status {response.status}"
        if complaint := await gateway.eventually(served):
            run.unseen.append(f"Host {name}: {complaint}")
        run.changes += 1
        if number % 3 == 2:
            before = await run.generation()
            run.manifests.delete("host.yaml")
            await run.acknowledged("Host removed", before)


async def contexts(run, count):
    """A TLSContext that a Mapping originates with; its cluster changes, and what it serves goes on."""
    path = loads.Expected("/contexts/x", [loads.NOT_FOUND])
    run.load.paths.append(path)
    for number in range(count):
        run.load.counts.phase = f"TLSContext {number}"
        before = await run.generation()
        if number == 0:
            path.begin(["tls"])
        run.manifests.write("contexts.yaml", CONTEXT.replace("MIN", f"v1.{2 + number % 2}"))
        await run.acknowledged(f"TLSContext {number}", before)
        if number == 0:
            await run.settle("TLSContext", [path])
    run.load.paths.remove(path)


async def services(run, count):
    """A Service made again has another address."""
    def write(number):
        run.manifests.write("services.yaml", SERVICE.replace("ADDRESS", VERSIONS[f"v{number % 4}"].split(":")[0]))
    await run.follow("services", [([f"v{n % 4}"], n) for n in range(count)], write)


async def tcp(run, count):
    """A TCPMapping on the port of the Hosts comes, changes its target and goes. Its own connections may drain; the load's, and
    one through another TCPMapping, stay."""
    if not count:
        return
    for name, address in LINES.items():
        await backends.start(name, address, "tcp")
    run.manifests.write("tcp.yaml", SECRET.replace("name: load", "name: tcp").replace("load.test#N", "tcp.test") + "---" + TCP_CONTEXT)

    async def lines(name):
        context = run.authority.client_context()
        context.check_hostname = False
        return await client.connect(run.load.address, 8443, False, context, name, protocol=client.Lines)

    async def answers(name, want):
        """None when a new connection is answered by `want`; without it, when it is not answered."""
        try:
            connection = await lines(name)
            got = (await connection.request("x")).json()["backend"]
            connection.close()
        except (OSError, client.ConnectionClosed):
            got = None
        return None if got == want else f"{name} is answered by {got}, not {want}"

    async def seen(phase, name, want):
        run.load.counts.phase = phase
        if complaint := await gateway.eventually(lambda: answers(name, want)):
            run.unseen.append(f"{phase}: {complaint}")
        run.changes += 1

    await seen("tcp: the one that stays", "stays.test", "lines0")
    kept = await lines("stays.test")
    for number in range(count):
        want = [*LINES, None][number % 3]
        if want:
            run.manifests.write("tcp-mapping.json", json.dumps({
                "apiVersion": "getambassador.io/v3alpha1", "kind": "TCPMapping", "metadata": {"name": "tcp"},
                "spec": {"port": 8443, "host": "tcp.test", "service": LINES[want]}}))
        else:
            run.manifests.delete("tcp-mapping.json")
        await seen(f"tcp {number}", "tcp.test", want)
        try:
            await kept.request("x")
        except client.ConnectionClosed as error:
            run.load.counts.fault("closed", f"the connection through another TCPMapping: {error}")
            kept = await lines("stays.test")
    kept.close()


# `where` it can be: in a "cluster", with a "folder" of manifests, or "either".
Phase = collections.namedtuple("Phase", "run short full what where", defaults=("either",))
ALL = {
    "mappings": Phase(mappings, 40, 200, "Mappings added, changed and deleted"),
    "weights": Phase(weights, 8, 60, "changes of a canary's weights", "folder"),  # an API server takes its members one by one
    "renames": Phase(renames, 6, 60, "renamed Mappings"),
    "reorders": Phase(reorders, 6, 60, "changes of the order of routes"),
    "hosts": Phase(hosts, 6, 30, "Hosts added, and every third removed"),
    "certificates": Phase(certificates, 10, 50, "rotated certificates"),
    "contexts": Phase(contexts, 4, 40, "changes of a TLSContext"),
    "endpoints": Phase(endpoints, 20, 100, "changes of endpoints"),
    "services": Phase(services, 6, 60, "Services made again", "folder"),
    "tcp": Phase(tcp, 6, 60, "TCPMappings added, changed and deleted on the port of the Hosts"),
    "kills": Phase(kills, 4, 20, "kills of the control plane"),
    "crowd": Phase(crowd, 10000, 10000, "Mappings that come and go together", "cluster"),
    "outages": Phase(outages, 1, 3, "times that the API server is gone", "cluster"),
}
