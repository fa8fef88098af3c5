#!/usr/bin/env python3
"""Does anything fail while the configuration changes?

Keep-alive HTTP/1.1 and HTTP/2 clients and WebSockets, in clear and over TLS, ask without pause while Mappings are added, changed
and deleted, certificates rotate, endpoints change and the control plane is killed. Counted: failed requests, connections that
the gateway closed (also politely), wrong answers (of another version or backend than the configuration said), resources that
Envoy refused. Prints one JSON object; exit 0 when all of these are zero and every change became visible.

    nodrop.py                    a short run
    nodrop.py --full             200 Mappings, 50 certificates, 20 kills, 100 endpoint changes
    nodrop.py --kills 100 --mappings 0 --certificates 0 --endpoints 0

Runs in a network namespace of its own (needs root, or user namespaces)."""
import argparse
import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import backends, certs, client, gateway, netns  # noqa: E402
from nodrop import load as loads  # noqa: E402

HOST = "load.test"
FULL = {"mappings": 200, "certificates": 50, "kills": 20, "endpoints": 100}
SHORT = {"mappings": 40, "certificates": 10, "kills": 4, "endpoints": 20}
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
spec: {clusterIP: 10.96.0.1, ports: [{port: 80, targetPort: 9080}]}
"""
SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: load}
type: kubernetes.io/tls
data: {tls.crt: "${CERT:load.test#N}", tls.key: "${KEY:load.test#N}"}
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


class Run:
    def __init__(self, options, work):
        self.options = options
        self.authority = certs.Authority(work / "certs")
        self.manifests = gateway.Manifests(work / "config", self.authority)
        self.gateway = gateway.Gateway(work, self.manifests.folder, concurrency=options.concurrency)
        self.load = loads.Load(self.authority, HOST, options.pause)
        self.unseen = []
        self.changes = 0
        self.refused = 0.0

    async def prepare(self):
        for name, address in VERSIONS.items():
            await backends.start(name, address)
        for name, address in PODS.items():
            await backends.start(name, f"{address}:{PODS_PORT}")
        self.manifests.write("base.yaml", BASE)
        self.manifests.write("secret.yaml", SECRET.replace("#N", "#0"))
        self.manifests.write("slice.json", endpoint_slice(["pod0", "pod1"]))
        self.gateway.start()
        await self.gateway.wait_ready()
        self.pods = loads.Expected("/pods/x", ["pod0", "pod1"])
        self.load.paths += [loads.Expected("/stable/x", ["v0"]), self.pods]
        self.load.start(self.options.connections)
        await self.settle("the first configuration", self.load.paths)

    async def settle(self, phase, expecteds):
        self.load.counts.phase = phase
        self.unseen += [f"{phase}: {path}" for path in await self.load.settle(expecteds, gateway.DEADLINE)]
        self.changes += len(expecteds)

    async def change_mappings(self, count):
        """Each is added, changed (another backend) and deleted, a few at a time, which clients see as 404, v0, v1, 404."""
        for start in range(0, count, BATCH):
            numbers = range(start, min(start + BATCH, count))
            paths = {n: loads.Expected(f"/m{n}/x", [loads.NOT_FOUND]) for n in numbers}
            self.load.paths += paths.values()
            for version in ("v1", f"v{2 + start // BATCH % 2}", None):
                self.load.counts.phase = f"Mappings {start}…"
                for number, expected in paths.items():
                    expected.begin([version or loads.NOT_FOUND])
                    if version:
                        self.manifests.write(f"m{number}.json", mapping(number, version))
                    else:
                        self.manifests.delete(f"m{number}.json")
                await self.settle(f"Mappings {start}… {version or 'deleted'}", list(paths.values()))
            for expected in paths.values():
                self.load.paths.remove(expected)

    async def change_endpoints(self, count):
        turns = [["pod2", "pod3"], ["pod0"], ["pod1", "pod2"], ["pod3"], ["pod0", "pod1"]]
        for number in range(count):
            pods = turns[number % len(turns)]
            self.load.counts.phase = f"endpoints {number}"
            self.pods.begin(pods)
            self.manifests.write("slice.json", endpoint_slice(pods))
            await self.settle(f"endpoints {number}", [self.pods])

    async def rotate_certificates(self, count):
        """New connections see the old or the new certificate, and only the new one once it was seen. Those of the load, which
        were made with older certificates, stay."""
        for number in range(1, count + 1):
            self.load.counts.phase = f"certificate {number}"
            old, new = (self.authority.der(f"{HOST}#{n}") for n in (number - 1, number))
            self.manifests.write("secret.yaml", SECRET.replace("#N", f"#{number}"))
            await self.certificate(number, old, new)
            self.changes += 1

    async def certificate(self, number, old, new):
        end = time.monotonic() + gateway.DEADLINE
        seen = 0
        while seen < 5:  # in a row; one old one after a new one is wrong
            got = await self.handshake()
            if got == new:
                seen += 1
            elif got and (seen or got != old):
                self.load.counts.fault("wrong", f"certificate {number}: another one was shown")
            if time.monotonic() > end:
                self.unseen.append(f"certificate {number}")
                return
            await asyncio.sleep(0)

    async def handshake(self):
        """The certificate that a new connection is shown."""
        try:
            connection = await self.load.connect("http/1.1 tls")
        except (OSError, client.ConnectionClosed) as error:
            self.load.counts.fault("failed", f"handshake: {error}")
            return None
        connection.close()
        return connection.certificate

    async def kill_control_plane(self, count):
        """Killed, it is started again, takes up where it was, and follows changes made meanwhile."""
        for number in range(count):
            self.load.counts.phase = f"kill {number}"
            self.refused += await asyncio.to_thread(self.gateway.metric, "emissary_xds_nacks_total")
            pid = self.gateway.control_plane()
            expected = loads.Expected("/killed/x", [loads.NOT_FOUND if number == 0 else f"v{(number - 1) % 4}"])
            self.load.paths.append(expected)
            os.kill(pid, signal.SIGKILL)
            version = f"v{number % 4}"
            expected.begin([version])
            self.manifests.write("killed.json", mapping("killed", version).replace("/mkilled/", "/killed/"))
            await self.settle(f"kill {number}", [expected])
            await self.gateway.wait_ready()
            if self.gateway.control_plane() == pid:
                raise RuntimeError("the killed control plane is still there")
            self.load.paths.remove(expected)

    async def run(self):
        await self.prepare()
        try:
            await self.change_mappings(self.options.mappings)
            await self.rotate_certificates(self.options.certificates)
            await self.change_endpoints(self.options.endpoints)
            await self.kill_control_plane(self.options.kills)
            self.load.check()
        finally:
            await self.load.stop()
        self.refused += self.gateway.metric("emissary_xds_nacks_total")
        code = await self.gateway.stop()
        counts = self.load.counts
        return {"changes": self.changes, "requests": dict(counts.requests), "failed": counts.failed, "closed": counts.closed,
                "wrong": counts.wrong, "refused": self.refused, "unseen": self.unseen, "exit_code": code, "faults": counts.faults}


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help=f"the defaults become {FULL}")
    for name, default in SHORT.items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"default {default}")
    parser.add_argument("--connections", type=int, default=2, help="of each of four kinds (default 2)")
    parser.add_argument("--concurrency", type=int, default=2, help="Envoy's threads (default 2)")
    parser.add_argument("--pause", type=float, default=0.002, help="seconds between a client's requests (default 0.002)")
    parser.add_argument("--work", type=pathlib.Path, help="folder for configuration and log (default: a temporary one)")
    options = parser.parse_args(arguments)
    for name, default in (FULL if options.full else SHORT).items():
        if getattr(options, name) is None:
            setattr(options, name, default)
    return options


def main():
    options = parse(sys.argv[1:])
    if not netns.inside():
        sys.exit(subprocess.run(netns.command("nodrop.nodrop", *sys.argv[1:]), env=netns.environment(), check=False).returncode)
    netns.enter()
    with tempfile.TemporaryDirectory(prefix="nodrop.") as temporary:
        result = asyncio.run(Run(options, options.work or pathlib.Path(temporary)).run())
    print(json.dumps(result, indent=1, ensure_ascii=False))
    bad = result["failed"] or result["closed"] or result["wrong"] or result["refused"] or result["unseen"] or result["exit_code"]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
