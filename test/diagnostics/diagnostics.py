"""Diagnostics of a running `emissary run` with a real Envoy. `python -m diagnostics.diagnostics SCENARIO WORK`, inside its own
namespaces (started through netns.command())."""
import asyncio
import base64
import html.parser
import json
import pathlib
import urllib.parse
import urllib.request

from harness import backends, certs, client, gateway, manifests
from harness.scenario import expect, main

LOCAL, REMOTE = "http://127.0.0.1:8877", "http://10.77.0.1:8877"  # the peer of the second has that very address
DIAG = "/ambassador/v0/diag/"
KEYS = {"system", "envoy_status", "loginfo", "notices", "errors", "route_info", "groups", "cluster_info", "cluster_stats",
        "ambassador_services", "ambassador_resolvers", "ambassador_elements", "envoy_elements", "source_map", "tlscontexts",
        "active_elements", "ambassador_resources", "envoy_resources", "banner_content"}
MARKER = "HUSH-" + "d2h5LWRvLXlvdS1sb29r"

BASICS = manifests.front() + """---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: shop}
spec: {hostname: "*", prefix: /shop/, service: "10.77.0.11:9080"}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: cart, namespace: edge}
spec: {hostname: "*", prefix: /shop/cart/, service: "10.77.0.12:9080"}
"""
HOSTILE = """
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: pay, namespace: edge}
spec: {hostname: "*", prefix: /pay/, service: pay, resolver: nope}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: evil, labels: {"x": "y"}}
spec: {hostname: "*", prefix: '/"><script>alert(1)</script>/', service: "<script>alert(2)</script>", headers: {x-h: "</td><script>"}}
"""
MODULE = """
apiVersion: getambassador.io/v3alpha1
kind: Module
metadata: {name: ambassador}
spec: {config: {diagnostics: {enabled: false, allow_non_local: %s}}}
"""


async def get(path, base=LOCAL, headers=None):
    """(status, headers, text)"""
    def ask():
        request = urllib.request.Request(base + path, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()
    return await asyncio.to_thread(ask)


async def get_json(query, source="", **headers):
    status, _, text = await get(DIAG + urllib.parse.quote(source, safe="") + query, headers=headers)
    expect(status == 200, f"{source}{query}: {status} {text}")
    return json.loads(text)


async def until(query, wanted, what):
    """Eventually the answer to `query` is as `wanted` says; that answer."""
    found = None
    async def probe():
        nonlocal found
        found = await get_json(query)
        return None if wanted(found) else json.dumps(found)
    complaint = await gateway.eventually(probe)
    expect(complaint is None, f"{what}: {complaint}")
    return found


async def send(path, times):
    connection = await client.connect("127.0.0.1", 8080)
    try:
        for _ in range(times):
            await connection.request("GET", path, "l.test")
    finally:
        connection.close()


class Page(html.parser.HTMLParser):
    """Tags, links and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text, self.loads = set(), [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            if name == "href" and tag == "a":
                self.links.append(value)
            elif name in ("href", "src"):
                self.loads.append(value)

    def handle_data(self, data):
        self.text += data


async def shape(one):
    """Every key, each alone by its filter, routes in their order, details by all three names, patches, and 404."""
    everything = await get_json("?json=true")
    expect(set(everything) == KEYS, f"keys: {set(everything) ^ KEYS}")
    expect(everything["errors"] == [], f"errors: {everything['errors']}")
    expect(everything["envoy_status"]["alive"] and everything["envoy_status"]["ready"], f"{everything['envoy_status']}")
    for key in KEYS - {"system", "envoy_status", "cluster_stats", "cluster_info", "route_info"}:  # without clocks in them
        expect(await get_json(f"?json=true&filter={key}") == everything[key], f"filter={key} differs from the whole")
    expect(await get_json("?filter=nonsense") is None, "an unknown key is null")
    routes = await get_json("?json=true&filter=route_info", **{"X-Forwarded-Proto": "https", "Host": "gw.test"})
    ours = [r["key"] for r in routes if "shop" in r["prefix"]]
    expect(ours == ["https://gw.test/shop/cart/", "https://gw.test/shop/"], f"{ours}")
    for route in routes:
        for source in ("grp-" + route["_group_id"], route["_source"], route["clusters"][0]["name"]):
            found = await get_json("?json=true", source)
            expect(found["source"] == source and "grp-" + route["_group_id"] in found["groups"], f"{source}: {found}")
            status, _, _ = await get(DIAG + source)
            expect(status == 200, f"the page of {source}: {status}")
    for path in (DIAG + "nope", DIAG + "grp-0", DIAG + "shop", "/ambassador/v0/diagnosis", "/ambassador/v0/"):
        status, _, _ = await get(path)
        expect(status == 404, f"{path}: {status}")
    patch = await get_json("?json=true&patch_client=me")
    expect({p["path"] for p in patch} == {"/" + key for key in KEYS}, f"the first patch: {[p['path'] for p in patch]}")
    one.manifests.write("more.yaml", HOSTILE)
    await until("?filter=errors", lambda errors: len(errors) == 2, "two errors")
    changed = {p["path"].split("/")[1] for p in await get_json("?json=true&patch_client=me")}
    expect({"errors", "route_info", "ambassador_elements"} <= changed <= KEYS, f"the second patch: {changed}")


async def errors(one):
    """A broken Mapping: its error is there with its key, counted at once, and gone with its cause."""
    one.manifests.write("more.yaml", HOSTILE)
    found = await until("?filter=errors", lambda errors: len(errors) == 2, "two errors")
    expect([e[0] for e in found] == ["evil.default.1", "pay.edge.1"], f"{found}")
    expect('"nope" is unknown' in found[1][1], f"{found}")
    expect(one.metric("ambassador_diagnostics_errors") == 2, "the metric counts them")
    elements = await get_json("?json=true&filter=ambassador_elements", "pay.edge.1")
    expect(elements["pay.edge.1"]["objects"]["Mapping pay"]["active"] is False, f"{elements}")
    one.manifests.write("broken.yaml", "{")
    found = await until("?filter=errors", lambda errors: len(errors) == 3, "a file that does not parse")
    expect(found[0][0] == "" and "broken.yaml" in found[0][1], f"{found[0]}")
    one.manifests.delete("broken.yaml")
    one.manifests.delete("more.yaml")
    await until("?filter=errors", lambda errors: errors == [], "no errors any more")


async def pages(one):
    """Pages hold no tag of a user's, load nothing from elsewhere, and their links lead somewhere."""
    one.manifests.write("more.yaml", HOSTILE)
    await until("?filter=errors", lambda errors: len(errors) == 2, "two errors")
    status, headers, text = await get(DIAG)
    expect(status == 200 and headers["content-type"].startswith("text/html"), f"{status} {headers}")
    page = Page(text)
    for wanted in ("Emissary Diagnostic Overview", "CONFIGURATION ERRORS (2)", "/shop/cart/", "<script>alert(2)</script>", "Colours"):
        expect(wanted in page.text, f"the page lacks {wanted!r}")
    expect("script" not in page.tags, "a script got through")
    expect(page.loads == ["../favicon.ico"], f"it loads {page.loads}")
    followed = [link for link in page.links if link.startswith("./")]
    expect(len(followed) >= 5, f"links: {page.links}")
    for link in followed:
        status, _, text = await get(DIAG + link.removeprefix("./"))
        expect(status == 200, f"{link}: {status}")
        expect("script" not in Page(text).tags, f"a script got through in {link}")
    status, headers, text = await get("/ambassador/v0/favicon.ico")
    expect(status == 200 and headers["content-type"] == "image/svg+xml" and "<svg" in text, f"{status} {headers}")
    status, _, text = await get("/debug")
    expect(status == 200 and set(json.loads(text)) == {"timers", "values"}, f"{status} {text}")


async def health(one):
    """Colours follow what the backends answered."""
    def color(routes):
        return {r["_source"]: (r["clusters"][0]["_hcolor"], r["clusters"][0]["_hmetric"]) for r in routes}
    await until("?filter=route_info", lambda r: color(r)["shop.default.1"] == ("grey", "waiting"), "no requests yet")
    await send("/shop/status/200", 15)
    await send("/shop/status/404", 2)
    await send("/shop/status/503", 3)
    await send("/shop/cart/status/500", 4)
    found = await until("?filter=route_info", lambda r: color(r)["cart.edge.1"] == ("red", 0), "red")
    expect(color(found)["shop.default.1"] == ("yellow", 85), f"{color(found)}")
    await send("/shop/", 80)
    await until("?filter=route_info", lambda r: color(r)["shop.default.1"] == ("green", 97), "green")
    stats = (await get_json("?filter=cluster_stats"))["cluster_10_77_0_11_9080_default"]
    told = {key: stats[key] for key in ("valid", "upstream_ok", "upstream_4xx", "upstream_5xx", "healthy_members", "total_members")}
    expect(told == {"valid": True, "upstream_ok": 97, "upstream_4xx": 2, "upstream_5xx": 3, "healthy_members": 1, "total_members": 1},
           f"{told}")


async def who(one):
    """Local is who comes from this machine by the socket; the Module decides about the others."""
    forged = {"X-Ambassador-Diag-IP": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"}
    for path in ("/_internal/v0/ping", "/_internal/v0/features"):
        expect((await get(path))[0] == 200, f"{path} from here")
        expect((await get(path, REMOTE, forged))[0] == 403, f"{path} from elsewhere")
    expect((await get("/_internal/v0/ping"))[2] == "ACK\n", "ping")
    expect(json.loads((await get("/_internal/v0/features"))[2])["mapping_count"] >= 2, "features")
    expect((await get(DIAG, REMOTE))[0] == 200, "diagnostics are enabled unless the Module says otherwise")
    through = await get(DIAG + "?filter=errors", "http://127.0.0.1:8080")
    expect((through[0], through[2]) == (200, "[]\n"), f"through Envoy: {through}")
    expect((await get(DIAG + "?loglevel=debug", REMOTE, forged))[0] == 403, "the log level is not for everybody")
    expect((await get(DIAG + "?loglevel=debug"))[0] == 200, "but for us")
    expect(await get_json("?filter=loginfo") == {"all": "debug"}, "Envoy's log level")
    expect(one.metric('ambassador_log_level{level="debug"}') == 1, "the metric of the log level")
    await get(DIAG + "?loglevel=warning")
    expect(await get_json("?filter=loginfo") == {"all": "warning"}, "Envoy's log level, back")

    async def closed():
        statuses = [(await get(path, REMOTE, forged))[0] for path in (DIAG, DIAG + "?json=true", DIAG + "shop.default.1")]
        return None if statuses == [404, 404, 404] else f"{statuses}"
    one.manifests.write("module.yaml", MODULE % "false")
    expect((complaint := await gateway.eventually(closed)) is None, f"open to others: {complaint}")
    expect((await get(DIAG))[0] == 200, "still open to this machine")
    one.manifests.write("module.yaml", MODULE % "true")
    async def opened():
        status, _, _ = await get(DIAG, REMOTE)
        return None if status == 200 else f"{status}"
    expect((complaint := await gateway.eventually(opened)) is None, f"closed though allowed: {complaint}")


async def secrets(one):
    """Nothing of a Secret shows anywhere: neither of one in use nor of one that is broken, nor what tools write beside it."""
    secret = """
apiVersion: v1
kind: Secret
metadata: {name: %s, annotations: {kubectl.kubernetes.io/last-applied-configuration: "%s"}, labels: {note: "%s"}}
type: kubernetes.io/tls
data: {tls.crt: "${CERT:s.test}", tls.key: "%s"}
---
"""
    hidden = base64.b64encode(("-----BEGIN PRIVATE KEY-----\n" + MARKER + "\n-----END PRIVATE KEY-----\n").encode()).decode()
    host = """
apiVersion: getambassador.io/v3alpha1
kind: Host
metadata: {name: %s, annotations: {note: "%s"}}
spec: {hostname: %s.test, tlsSecret: {name: %s}}
---
"""
    text = secret % ("good", MARKER, MARKER, "${KEY:s.test}") + secret % ("bad", MARKER, MARKER, hidden)
    text += host % ("s", MARKER, "s", "good") + host % ("t", MARKER, "t", "bad")
    tls = "apiVersion: getambassador.io/v3alpha1\nkind: Listener\nmetadata: {name: tls}\n"
    tls += "spec: {port: 8443, protocol: HTTPS, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}\n"
    one.manifests.write("secrets.yaml", text + tls)
    contexts = await until("?filter=tlscontexts", lambda found: found, "a Host that terminates TLS")
    expect(contexts[0]["secret_info"] == {"secret": "good", "namespace": "default"}, f"{contexts}")
    key = pathlib.Path(one.manifests.authority.leaf("s.test")[1]).read_text().splitlines()[1]
    everything = await get_json("?json=true")
    expect([e[0] for e in everything["errors"]] == ["t.default.1"], f"{everything['errors']}")
    sources = [*everything["ambassador_resources"], *everything["groups"], *everything["cluster_info"]]
    paths = ["/metrics", "/debug", "/_internal/v0/features", DIAG, DIAG + "?json=true", DIAG + "?json=true&patch_client=x"]
    paths += [DIAG + urllib.parse.quote(source) + query for source in sources for query in ("", "?json=true")]
    for path in paths:
        status, _, answer = await get(path)
        expect(status == 200, f"{path}: {status}")
        for hushed in (MARKER, base64.b64encode(MARKER.encode()).decode()[:-3], hidden, key, "PRIVATE KEY"):
            expect(hushed not in answer, f"{path} tells of a Secret")
    for name in ("good.default.1", "bad.default.1"):
        expect((await get(DIAG + name))[0] == 404, f"{name} has a page")
    expect(MARKER not in one.log.read_text(), "the log tells of a Secret")


SCENARIOS = {f.__name__: f for f in (shape, errors, pages, health, who, secrets)}


async def run(scenario, work):
    await backends.start("a", "10.77.0.11:9080")
    await backends.start("b", "10.77.0.12:9080")
    manifests = gateway.Manifests(work / "config", certs.Authority(work / "certs"))
    manifests.write("all.yaml", BASICS)
    one = gateway.Gateway(work, manifests.folder, ["--admin-address", "0.0.0.0:8877"])
    one.manifests = manifests
    one.start()
    await one.wait_ready()
    await SCENARIOS[scenario](one)
    expect(await one.stop() == 0, "exit code")


if __name__ == "__main__":
    main(run)
