"""Route matching: a linear list of routes against a match tree (a prefix map whose leaves are short lists), as the table grows. Prints
requests a second and Envoy's CPU a request for the last route of the table (one worker), and what an update costs.

A tree's choice is final: a path under a key is answered from that key's list alone."""
import pathlib
import tempfile

import rig
from harness import netns
from spikes import shapes
from spikes.load import throughput

PORT, ADMIN = 8080, 9901
LIST = 50  # routes a leaf
COUNTS = (10, 1000, 10000)
UPDATES = 15


def prefix(i):
    return f"/group{i // LIST}/route{i}/"


def tree(routes):
    lists = {}
    for i, route in enumerate(routes):
        lists.setdefault(f"/group{i // LIST}/", []).append(route)
    leaves = {key: {"action": {"name": "routes", "typed_config": {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteList", "routes": some}}} for key, some in lists.items()}
    path = {"name": "path", "typed_config": {"@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
                                             "header_name": ":path"}}
    return {"matcher": {"matcher_tree": {"input": path, "prefix_match_map": {"map": leaves}}}}


def table(count, layout, version):
    routes = [shapes.direct(prefix(i)) for i in range(count - 1)] + [shapes.direct(prefix(count - 1), version)]
    body = {"routes": routes} if layout == "list" else tree(routes)
    return shapes.route_configuration([{"name": "all", "domains": ["*"], **body}])


def measure(work, binary, count, layout):
    files = {v: shapes.write(work / f"{v}.json", [table(count, layout, v)]) for v in ("old", "new")}
    listener = shapes.write(work / "listener.json", [shapes.listener(PORT, shapes.rds())])
    tags = {"layout": layout, "routes": count}
    last = prefix(count - 1)
    with rig.Floor(binary, work / "ads", [listener, files["old"]], work / "floor.log") as floor, \
            rig.Envoy(work, work / "ads", ADMIN) as envoy:
        client = rig.Client(PORT)
        client.until(last, "any", b"old")
        requests, cpu = throughput(envoy.pid, PORT, last)
        rig.figure("spike.match_tree", "requests", requests, "1/s", **tags)
        rig.figure("spike.match_tree", "envoy_cpu_a_request", cpu, "us", **tags)
        visible, cost = [], []
        for i in range(UPDATES):
            version = ("new", "old")[i % 2]
            floor.prepare(files[version])
            before, start = rig.cpu_ms(envoy.pid), rig.time.monotonic_ns()
            floor.push()
            visible.append((client.until(last, "any", version.encode(), pause=0.0005) - start) / 1e6)
            cost.append(rig.cpu_ms(envoy.pid) - before)
            bytes_sent = floor.pushed()["bytes"]
        rig.figure("spike.match_tree", "update_visible", visible, "ms", bytes=bytes_sent, **tags)
        rig.figure("spike.match_tree", "update_envoy_cpu", cost, "ms", **tags)
        if floor.nacks:
            raise RuntimeError(floor.nacks)


def main(binaries):
    binary = pathlib.Path(binaries) / "floor"
    for count in COUNTS:
        for layout in ("list", "tree"):
            with tempfile.TemporaryDirectory() as work:
                measure(pathlib.Path(work), binary, count, layout)


if __name__ == "__main__":
    import sys
    netns.enter()
    main(sys.argv[1])
