"""Random tables of routes through the real Envoy: `python -m routes.routes SEED LIMIT WORK` (started through netns.command()).

Every Host has a random table. Each answer must come from the Mapping that the reference names, whether a virtual host is a list or
(more than LIMIT routes) a match tree. What Envoy makes of a path before it matches is asked of Envoy itself: the Host
plain.test has one Mapping, and its backend tells the path that it got."""
import argparse
import asyncio
import json
import os
import pathlib
import random
import subprocess
import sys

from harness import backends, certs, client, gateway, netns, paths

from . import reference

HOSTS, MAPPINGS, REQUESTS = 5, (25, 90), 200
PLAIN = "plain.test"
TRUSTING = 8081  # X-Forwarded-Proto counts: cleartext is redirected, "https" is served


def document(kind, name, spec):
    return "---\n" + json.dumps({"apiVersion": "getambassador.io/v3alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}) + "\n"


def listener(port, depth):
    return document("Listener", f"l{port}", {"port": port, "protocol": "HTTP", "securityModel": "XFP", "l7Depth": depth,
                                             "hostBinding": {"namespace": {"from": "ALL"}}})


def manifests(tables):
    out = listener(8080, 0) + listener(TRUSTING, 1)
    for i, host in enumerate([*tables, PLAIN]):
        out += document("Host", f"h{i}", {"hostname": host, "requestPolicy": {"insecure": {"action": action(host)}}})
    out += document("Mapping", "plain", reference.Mapping("plain", PLAIN, "/").spec() | {"precedence": 9})
    for mappings in tables.values():
        for mapping in mappings:
            out += document("Mapping", mapping.name, mapping.spec())
    return out


def action(host):
    return "Redirect" if host.startswith("secure") else "Route"


class Asker:
    """One connection, opened again when Envoy closed it (as after a request that is none)."""

    def __init__(self, port):
        self.port, self.connection = port, None

    async def ask(self, host, request, headers=None):
        """(status, what the backend told)."""
        if self.connection is None or self.connection.closed_by_peer:
            self.connection = await client.connect("127.0.0.1", self.port, False, None, None)
        target = f"http://{host}{request.target}" if request.absolute else request.target
        answer = await self.connection.request(request.method, target, host, list((request.headers | (headers or {})).items()))
        return answer.status, answer.json()


class Tester:
    def __init__(self, seed, tables):
        self.tables, self.random = tables, random.Random(seed + 1)
        self.seen = {}  # target -> (status, path) as plain.test has it
        self.everywhere = [m for mappings in tables.values() for m in mappings if m.hostname == "*"]
        self.asked = self.found = 0

    async def path(self, asker, request):
        if request.target == "*":
            return 404, "*"
        key = request.target, request.absolute
        if key not in self.seen:
            status, told = await asker.ask(PLAIN, reference.Request("GET", request.target, {}, request.absolute))
            self.seen[key] = status, told.get("path")
        return self.seen[key]

    async def host(self, host):
        plain, asker = Asker(8080), Asker(TRUSTING if action(host) == "Redirect" else 8080)
        mappings = [m for m in self.tables[host] if m.hostname == host] + self.everywhere
        complaints = []
        for _ in range(REQUESTS):
            request = reference.random_request(self.random, mappings)
            status, path = await self.path(plain, request)
            complaints += await self.one(host, asker, request, mappings, status, path)
        return complaints

    async def one(self, host, asker, request, mappings, status, path):
        forwarded = self.random.choice(["http", "https"]) if action(host) == "Redirect" else None
        got, told = await asker.ask(host, request, {"x-forwarded-proto": forwarded} if forwarded else None)
        if path is None:
            want, names = status, []  # Envoy refuses the path
        else:
            names = reference.answer(mappings, request, path)
            want = 301 if forwarded == "http" and path.startswith("/") else 200 if names and forwarded != "http" else 404
        self.asked += 1
        self.found += want == 200
        if got != want or (want == 200 and told.get("host") not in names):
            return [f"{host}: {request} as {path}: expected {want} {names}, got {got} {told.get('host')}"]
        return []


def trees(folder, environment):
    """How many virtual hosts are match trees."""
    text = subprocess.run([paths.emissary(), "compile", folder], env=os.environ | environment, stdout=subprocess.PIPE, check=True).stdout
    return sum("matcher" in host for table in json.loads(text)["routes"] for host in table["virtual_hosts"])


async def run(seed, limit, work):
    drawn, tables = random.Random(seed), {}
    for i in range(HOSTS):
        host = f"secure{i}.test" if i == HOSTS - 1 else f"open{i}.test"
        tables[host] = reference.random_mappings(drawn, host, drawn.randint(*MAPPINGS), 1000 * i)
    environment = {"EMISSARY_ROUTE_LIST_LIMIT": str(limit)}
    config = gateway.Manifests(work / "config", certs.Authority(work / "certs"))
    config.write("all.yaml", manifests(tables))
    await backends.start("echo", "10.77.0.11:9080")
    under_test = gateway.Gateway(work, config.folder, environment=environment)
    under_test.start()
    await under_test.wait_ready()
    tester = Tester(seed, tables)
    complaints = []
    for host in tables:
        complaints += await tester.host(host)
    if (count := trees(config.folder, environment)) < (2 if limit < 30 else 0) or (limit > 1000 and count):
        complaints.append(f"{count} virtual hosts are match trees: this tests something else")
    if tester.found < tester.asked / 4:
        complaints.append(f"only {tester.found} of {tester.asked} requests had a route")
    if refused := under_test.metric("emissary_xds_nacks_total"):
        complaints.append(f"Envoy refused {refused:.0f} resources")
    print(f"{tester.asked} requests, {tester.found} with a route, {len(tester.seen)} paths, {count} trees", file=sys.stderr)
    await under_test.stop()
    return complaints


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("seed", type=int)
    arguments.add_argument("limit", type=int)
    arguments.add_argument("work", type=pathlib.Path)
    options = arguments.parse_args()
    netns.enter()
    complaints = asyncio.run(run(options.seed, options.limit, options.work))
    print("\n".join(complaints[:20]))
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
