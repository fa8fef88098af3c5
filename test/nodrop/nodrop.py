#!/usr/bin/env python3
"""Does anything fail while the configuration changes?

Keep-alive HTTP/1.1 and HTTP/2 clients and WebSockets, in clear and over TLS, ask without pause while one kind of change after
another is made (phases.py has them) and the control plane is killed. Counted: failed requests, connections that
the gateway closed (also politely), wrong answers (of another version or backend than the configuration said), resources that
Envoy refused. Prints one JSON object; exit 0 when all of these are zero and every change became visible.

    nodrop.py                    a short run
    nodrop.py --full             200 Mappings, 50 certificates, 20 kills, 100 endpoint changes and so on
    nodrop.py --only kills --kills 100
    nodrop.py --cluster          with a real API server, which is gone now and then, in place of a folder of manifests

Runs in a network namespace of its own (needs root, or user namespaces)."""
import argparse
import asyncio
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import backends, certs, client, gateway, kube, netns, objects  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.instance import Instance  # noqa: E402
from nodrop import load as loads, phases  # noqa: E402
from nodrop.phases import HOST, PODS, PODS_PORT, VERSIONS, endpoint_slice  # noqa: E402



class Applied:
    """What gateway.Manifests is for a folder: "files", whose objects are at the API server."""

    def __init__(self, client, authority):
        self.client, self.authority = client, authority
        self.files = {}

    def write(self, name, text):
        things = list(kube.objects(self.authority.render(text)))
        for thing in things:
            thing["metadata"].setdefault("namespace", "default")
            self.client.apply(thing)
        self.delete(name, things)
        self.files[name] = things

    def delete(self, name, kept=()):
        identity = lambda thing: (thing["kind"], thing["metadata"]["name"])  # noqa: E731
        kept = {identity(thing) for thing in kept}
        for thing in self.files.pop(name, ()):
            if identity(thing) not in kept:
                self.client.delete(thing)


class Run:
    def __init__(self, options, work, cluster=None):
        self.options, self.cluster = options, cluster
        self.authority = certs.Authority(work / "certs")
        if cluster:
            cluster.install_crds(objects.crds())
            self.manifests = Applied(cluster.client, self.authority)
            self.gateway = Instance(cluster, work, cluster.kubeconfig(), concurrency=options.concurrency)
        else:
            self.manifests = gateway.Manifests(work / "config", self.authority)
            self.gateway = gateway.Gateway(work, self.manifests.folder, concurrency=options.concurrency)
        self.load = loads.Load(self.authority, HOST, options.pause, self.gateway.address if cluster else "127.0.0.1")
        self.unseen, self.caught_up = [], []
        self.changes = 0
        self.refused = 0.0

    async def prepare(self):
        for name, address in VERSIONS.items():
            await backends.start(name, address)
        for name, address in PODS.items():
            await backends.start(name, f"{address}:{PODS_PORT}")
        await backends.start("tls", phases.TLS_BACKEND, "https", self.authority)
        self.manifests.write("base.yaml", phases.BASE)
        self.manifests.write("secret.yaml", phases.SECRET.replace("#N", "#0"))
        self.manifests.write("slice.json", endpoint_slice(["pod0", "pod1"]))
        self.gateway.start()
        await self.gateway.wait_ready()
        self.pods = loads.Expected("/pods/x", ["pod0", "pod1"])
        self.load.paths += [loads.Expected("/stable/x", ["v0"]), self.pods]
        self.load.start(self.options.connections)
        await self.settle("the first configuration", self.load.paths)

    async def follow(self, phase, answers, write):
        """Make each of `answers` ([(backends, what write() is given)]) true in turn, on a path that is asked all the time."""
        expected = None
        for number, (names, content) in enumerate(answers):
            if expected is None:
                expected = loads.Expected(f"/{phase}/x", [loads.NOT_FOUND])
                self.load.paths.append(expected)
            self.load.counts.phase = f"{phase} {number}"
            expected.begin(names)
            write(content)
            await self.settle(f"{phase} {number}", [expected])
        if expected:
            self.load.paths.remove(expected)

    async def acknowledged(self, phase, before):
        """Wait until Envoy answered in full a configuration later than `before`, for changes that no answer shows."""
        async def probe():
            metrics = await asyncio.to_thread(self.gateway.metrics)
            acked, published = metrics["emissary_config_acked_generation"], metrics["emissary_config_generation"]
            return None if acked == published > before else f"{acked} of {published}, after {before}"
        if complaint := await gateway.eventually(probe):
            self.unseen.append(f"{phase}: {complaint}")
        self.changes += 1

    async def generation(self):
        return (await asyncio.to_thread(self.gateway.metrics))["emissary_config_generation"]

    async def settle(self, phase, expecteds):
        self.load.counts.phase = phase
        self.unseen += [f"{phase}: {path}" for path in await self.load.settle(expecteds, gateway.DEADLINE)]
        self.changes += len(expecteds)

    async def run(self):
        await self.prepare()
        try:
            for name, phase in phases.ALL.items():
                wanted = name in self.options.only if self.options.only else phase.where in ("either", "cluster" if self.cluster else "folder")
                if wanted:
                    await phase.run(self, getattr(self.options, name))
            self.load.check()
        finally:
            await self.load.stop()
        self.refused += self.gateway.metric("emissary_xds_nacks_total")
        code = await self.gateway.stop()
        counts = self.load.counts
        return {"changes": self.changes, "requests": dict(counts.requests), "failed": counts.failed, "closed": counts.closed,
                "wrong": counts.wrong, "refused": self.refused, "unseen": self.unseen, "exit_code": code, "faults": counts.faults, **({"caught_up_s": self.caught_up} if self.cluster else {})}


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="many of each")
    parser.add_argument("--only", action="append", choices=phases.ALL, help="this phase alone; may be repeated")
    for name, phase in phases.ALL.items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"{phase.what} (default {phase.short}, --full {phase.full})")
    parser.add_argument("--cluster", action="store_true", help="with a real API server")
    parser.add_argument("--outage", type=float, default=60, help="seconds without one (default 60)")
    parser.add_argument("--connections", type=int, default=2, help="of each of four kinds (default 2)")
    parser.add_argument("--concurrency", type=int, default=2, help="Envoy's threads (default 2)")
    parser.add_argument("--pause", type=float, default=0.002, help="seconds between a client's requests (default 0.002)")
    parser.add_argument("--work", type=pathlib.Path, help="folder for configuration and log (default: a temporary one)")
    options = parser.parse_args(arguments)
    for name, phase in phases.ALL.items():
        if getattr(options, name) is None:
            setattr(options, name, phase.full if options.full else phase.short)
    return options


def in_cluster(options, work):
    cluster = Cluster(work / "cluster").start()
    try:
        with cluster.network.entered():
            return asyncio.run(Run(options, work, cluster).run())
    finally:
        cluster.stop()


def main():
    options = parse(sys.argv[1:])
    if not netns.inside():
        sys.exit(subprocess.run(netns.command("nodrop.nodrop", *sys.argv[1:]), env=netns.environment(), check=False).returncode)
    netns.enter()
    with tempfile.TemporaryDirectory(prefix="nodrop.") as temporary:
        work = options.work or pathlib.Path(temporary)
        result = in_cluster(options, work) if options.cluster else asyncio.run(Run(options, work).run())
    print(json.dumps(result, indent=1, ensure_ascii=False))
    bad = result["failed"] or result["closed"] or result["wrong"] or result["refused"] or result["unseen"] or result["exit_code"]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
