"""Cleartext chains with many Hosts: one RouteConfiguration against scoped routes, one RouteConfiguration a Host. Prints what one changed
route costs, and what the product's scope key (src/generate/http_connection_manager.cc) costs a request that Envoy answers itself and one
that a backend (another Envoy) answers. One worker."""
import pathlib
import tempfile

import rig
from harness import netns
from spikes import shapes
from spikes.load import throughput

PORT, ADMIN, BACKEND = 8080, 9901, 9080
PER_HOST = 100
COUNTS = (1000, 5000)
UPDATES = 30
ROUNDS = 3
HEADER = "x-emissary-scope"

LOWER_CASE = f"""function envoy_on_request(h)
  local headers = h:headers()
  headers:replace('{HEADER}', string.lower(headers:get('{HEADER}')))
  h:clearRouteCache()
end
"""
WILDCARD = f"""function envoy_on_request(h)
  h:route()
  if h:virtualHost():metadata():get('found') == nil then
    local headers = h:headers()
    headers:replace('{HEADER}', string.match(headers:get('{HEADER}'), '^[^ ]* ') .. '*')
    h:clearRouteCache()
  end
end
"""


def host(i):
    return f"h{i}.example.com"


def lua(code):
    return {"@type": shapes.EXTENSION + "filters.http.lua.v3.Lua", "default_source_code": {"inline_string": code}}


def lower_case_filter():
    """Skipped when the authority holds no capital, which the matcher sees without entering Lua."""
    authority = {"name": "authority", "typed_config": {"@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
                                                       "header_name": ":authority"}}
    plain = {"not_matcher": {"single_predicate": {"input": authority, "value_match": {
        "safe_regex": {"google_re2": {}, "regex": ".*[A-Z].*"}}}}}
    skip = {"name": "skip", "typed_config": {"@type": shapes.EXTENSION + "filters.common.matcher.action.v3.SkipFilter"}}
    return {"name": "lower_case", "typed_config": {
        "@type": shapes.EXTENSION + "common.matching.v3.ExtensionWithMatcher",
        "extension_config": {"name": "lower_case", "typed_config": lua(LOWER_CASE)},
        "xds_matcher": {"matcher_list": {"matchers": [{"predicate": plain, "on_match": {"action": skip}}]}}}}


def wildcard_filter():
    return {"name": "emissary.scope", "typed_config": lua(WILDCARD)}


def scoped_listener(filters):
    mutation = {"@type": shapes.EXTENSION + "http.early_header_mutation.header_mutation.v3.HeaderMutation", "mutations": [{"append": {
        "header": {"key": HEADER, "value": "web %REQ(:AUTHORITY)%"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}]}
    routing = {"scoped_routes": {
        "name": "web", "rds_config_source": shapes.ADS, "scoped_rds": {"scoped_rds_config_source": shapes.ADS},
        "scope_key_builder": {"fragments": [{"header_value_extractor": {"name": HEADER, "index": 0, "element_separator": "\n"}}]}}}
    return shapes.listener(PORT, routing, filters,
                           early_header_mutation_extensions=[{"name": "scope_key", "typed_config": mutation}])


def route(prefix, version):
    if version == "proxied":
        return {"match": {"prefix": prefix}, "route": {"cluster": "backend"}}
    return shapes.direct(prefix, version)


def host_routes(i, version):
    found = {"metadata": {"filter_metadata": {"emissary.scope": {"found": True}}}}
    return shapes.virtual_host(host(i), [route(f"/p{i * PER_HOST + k}/", version) for k in range(PER_HOST)], **found)


def tables(layout, count, version, only_last=False):
    """All route configurations; `only_last`: those that a change of the last Host touches."""
    hosts = count // PER_HOST
    if layout == "flat":
        return [shapes.route_configuration([host_routes(i, version if i == hosts - 1 else "old") for i in range(hosts)])]
    chosen = [hosts - 1] if only_last else range(hosts)
    routes = [shapes.route_configuration([host_routes(i, version)], name=host(i), request_headers_to_remove=[HEADER]) for i in chosen]
    if only_last:
        return routes
    return routes + [shapes.typed("scope", {"name": host(i), "route_configuration_name": host(i),
                                            "key": {"fragments": [{"string_key": f"web {host(i)}"}]}}) for i in chosen]


LAYOUTS = {  # name: (layout of the tables, listener)
    "one RouteConfiguration": ("flat", lambda: shapes.listener(PORT, shapes.rds())),
    "scoped, no filter": ("scoped", lambda: scoped_listener([])),
    "scoped, lower-case filter": ("scoped", lambda: scoped_listener([lower_case_filter()])),
    "scoped, both filters": ("scoped", lambda: scoped_listener([lower_case_filter(), wildcard_filter()])),
}


class Setup:
    def __init__(self, work, binary, name, count, version="old"):
        self.work, self.last, self.version = work, host(count // PER_HOST - 1), version
        self.path = f"/p{count - PER_HOST}/"
        layout, listener = LAYOUTS[name]
        start = shapes.write(work / "start.json", [*shapes.eds_cluster("backend"), listener(), *tables(layout, count, version)])
        self.changes = {v: shapes.write(work / f"{v}.json", tables(layout, count, v, only_last=True)) for v in ("old", "new")}
        self.floor = rig.Floor(binary, work / "ads", [start], work / "floor.log")
        self.envoy = rig.Envoy(work, work / "ads", ADMIN)

    def __enter__(self):
        self.client = rig.Client(PORT)
        self.client.until(self.path, self.last, b"200 OK" if self.version == "proxied" else self.version.encode())
        return self

    def __exit__(self, *_):
        self.envoy.__exit__()
        self.floor.__exit__()
        if self.floor.nacks:
            raise RuntimeError(self.floor.nacks)


def updates(setup, name, count):
    visible, cost = [], []
    for i in range(UPDATES):
        version = ("new", "old")[i % 2]
        setup.floor.prepare(setup.changes[version])
        before, start = rig.cpu_ms(setup.envoy.pid), rig.time.monotonic_ns()
        setup.floor.push()
        visible.append((setup.client.until(setup.path, setup.last, version.encode()) - start) / 1e6)
        cost.append(rig.cpu_ms(setup.envoy.pid) - before)
        sent = setup.floor.pushed()
    tags = {"layout": name, "routes": count, "hosts": count // PER_HOST}
    rig.figure("spike.scoped_routes", "update_visible", visible, "ms", bytes=sent["bytes"], **tags)
    rig.figure("spike.scoped_routes", "update_envoy_cpu", cost, "ms", **tags)


def requests(binary, names, version):
    cpu = {name: [] for name in names}
    for _ in range(ROUNDS):  # in turns, so that a change of the machine's load meets all of them
        for name in names:
            with tempfile.TemporaryDirectory() as work, Setup(pathlib.Path(work), binary, name, 1000, version) as setup:
                cpu[name].append(throughput(setup.envoy.pid, PORT, setup.path, setup.last)[1])
    for name, values in cpu.items():
        rig.figure("spike.scoped_routes", "envoy_cpu_a_request", values, "us", layout=name, proxied=version == "proxied")


def main(binaries):
    binary = pathlib.Path(binaries) / "floor"
    requests(binary, LAYOUTS, "old")
    with tempfile.TemporaryDirectory() as work, rig.Envoy(work, None, ADMIN + 1, bootstrap=shapes.answering(BACKEND, ADMIN + 1)):
        requests(binary, LAYOUTS, "proxied")
    for count in COUNTS:
        for name in ("one RouteConfiguration", "scoped, both filters"):
            with tempfile.TemporaryDirectory() as work, Setup(pathlib.Path(work), binary, name, count) as setup:
                updates(setup, name, count)


if __name__ == "__main__":
    import sys
    netns.enter()
    main(sys.argv[1])
