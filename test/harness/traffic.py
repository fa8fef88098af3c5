"""Run one traffic case, inside its own namespaces: `python -m harness.traffic CASE WORK` (started through netns.command()).

A case is a folder: manifests/*.yaml (rendered: ${CERT:name}, ${KEY:name}) and case.yaml:

  backends:                      # default: none
    a: 10.77.0.11:8080           # or {address: 10.77.0.11:8080, kind: http | https | h2c | h2 | tcp | tls,
                                 # certificate: name, client_certificate: true}; see backends.py
  dns: {name: [addresses]}       # what a name server of the case's own answers
  environment: {NAME: value}     # of `emissary run`
  arguments: [--flag]            # of `emissary run`
  without: [category/name]       # extensions that this Envoy is to lack
  requests: [REQUEST...]         # must hold as soon as the gateway is ready
  log: [regex]                   # a line of the log each, matched whole: eventually, after all requests and steps
  envoy: {stats: [regex]}        # lines of an answer of Envoy's admin server, each found: eventually, at the end. For what no request
                                 # can show, such as a limit far away: {"config_dump": ['"per_connection_buffer_limit_bytes": 4096']}
  steps:                         # then, in order
    - name: what happens
      write: {file: text}        # into the config folder
      replace: {file: {old text: new text}}
      delete: [file]
      requests: [REQUEST...]     # must hold eventually, and then once more, each

  REQUEST:
    url: https://a.com:8443/p/x  # connects to 127.0.0.1 (or `address`); the name becomes SNI and, without port, Host
                                 # tcp://a.com:9000 and tls://a.com:9000 send `body` as one line to a backend of kind tcp or tls
    method: GET     headers: {n: v}     body: text     host: as sent     sni: as sent     http: 1 | 2 | 1.0     verify: false
    tls: "1.2" | "1.3"           # the only version that the client speaks
    ciphers: NAME     curve: NAME  # the only ones (of TLS 1.2) that the client takes, in OpenSSL's names
    client_certificate: name     # shown to the server
    proxy: [1 | 2, 203.0.113.9]  # a PROXY protocol header of this version goes ahead, with this source
    websocket: [messages]        # upgrade, then each must come back
    repeat: 1                    # sent so often over one connection (tcp, tls: each its own); each answer must be as expected
    keep: name                   # the connection is made once, and must serve all requests that give this name
    expect:
      status: 200                # or `refused: true`: no connection, or it is closed without an answer
      backend: a                 # which backend answered; [a, b] any of them
      method, path, host, body_bytes, line:  what the backend saw
      saw: {header: value}       # null: it must not have seen the header
      saw_like: {header: regex}  # the whole of what it saw
      headers: {name: value}     # of the answer; null: must be absent
      spelt: [X-Name]            # HTTP/1: headers that the answer must have, in just this case
      body: text                 # the whole body of the answer
      certificate: name          # of the server, as in ${CERT:name}
      alpn: h2                   # what TLS agreed on; null: nothing
      share: {a: [low, high]}    # of `repeat` requests, how many each backend must have answered
      copies: {b: [low, high]}   # how many requests b gets besides, once all have arrived
"""
import argparse
import asyncio
import collections
import pathlib
import re
import ssl
import sys
import traceback
import urllib.parse

import yaml

from . import backends, certs, client, dns, gateway, netns

REQUEST_KEYS = {"url", "method", "headers", "body", "host", "sni", "http", "verify", "tls", "ciphers", "curve",
                "client_certificate", "websocket", "repeat", "keep", "address", "expect", "name", "proxy"}
TLS_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
EXPECT_KEYS = {"status", "refused", "backend", "method", "path", "host", "body_bytes", "line", "saw", "saw_like", "headers", "spelt",
               "body", "certificate", "share", "copies", "alpn"}
CASE_KEYS = {"backends", "dns", "environment", "arguments", "without", "requests", "log", "envoy", "steps"}
STEP_KEYS = {"name", "write", "replace", "delete", "requests"}


def refuse_unknown(where, given, known):
    """A misspelt expectation would never fail."""
    if unknown := set(given) - known:
        raise ValueError(f"{where}: unknown keys {sorted(unknown)}")


def compare(complaints, what, want, got):
    if isinstance(want, list):
        if got not in want:
            complaints.append(f"{what}: expected one of {want!r}, got {got!r}")
    elif want != got:
        complaints.append(f"{what}: expected {want!r}, got {got!r}")


class Case:
    def __init__(self, folder, work):
        self.folder, self.work = pathlib.Path(folder), pathlib.Path(work)
        self.spec = yaml.safe_load((self.folder / "case.yaml").read_text())
        refuse_unknown("case", self.spec, CASE_KEYS)
        self.authority = certs.Authority(self.work / "certs")
        self.manifests = gateway.Manifests(self.work / "config", self.authority)
        self.gateway = gateway.Gateway(self.work, self.manifests.folder, list(map(str, self.spec.get("arguments", []))),
                                       self.spec.get("environment"))
        self.gateway.without = self.spec.get("without", [])
        self.kept = {}

    async def run(self):
        if "dns" in self.spec:
            await dns.serve(self.spec["dns"])
        for name, place in self.spec.get("backends", {}).items():
            place = {"address": place} if isinstance(place, str) else place
            await backends.start(name, **place, authority=self.authority)
        for file in sorted((self.folder / "manifests").glob("*")):
            self.manifests.write(file.name, file.read_text())
        self.gateway.start()
        await self.gateway.wait_ready()
        complaints = []
        for request in self.spec.get("requests", []):
            complaints += await self.check(request)
        if complaints:
            return complaints
        for step in self.spec.get("steps", []):
            refuse_unknown("step", step, STEP_KEYS)
            if complaints := await self.step(step):
                return complaints
        if complaints := await self.log() or await self.asked():
            return complaints
        if refused := self.gateway.metric("emissary_xds_nacks_total"):
            return [f"Envoy refused {refused:.0f} resources"]
        for connection in self.kept.values():  # the gateway would wait for them
            connection.close()
        if (code := await self.gateway.stop()) != 0:
            return [f"`emissary run` ended with {code} after SIGTERM"]
        return []

    async def log(self):
        """What the log must hold and does not. Envoy writes its access log about once a second."""
        async def probe():
            lines = self.gateway.log.read_text(errors="replace").splitlines()
            return [f"no line of the log is {wanted}" for wanted in self.spec.get("log", [])
                    if not any(re.fullmatch(wanted, line) for line in lines)] or None
        return await gateway.eventually(probe) or []

    async def asked(self):
        """What Envoy's admin server must tell and does not."""
        async def probe():
            complaints = []
            for path, patterns in self.spec.get("envoy", {}).items():
                _, text = await asyncio.to_thread(gateway.http_get, f"http://{gateway.ENVOY_ADMIN}/{path}")
                complaints += [f"Envoy's /{path}: nothing is {wanted}" for wanted in patterns if not re.search(wanted, text)]
            return complaints or None
        return await gateway.eventually(probe) or []

    async def step(self, step):
        for name, text in step.get("write", {}).items():
            self.manifests.write(name, text)
        for name, changes in step.get("replace", {}).items():
            text = (self.folder / "manifests" / name).read_text()
            for old, new in changes.items():
                if old not in text:
                    raise ValueError(f"{name} does not hold {old!r}")
                text = text.replace(old, new)
            self.manifests.write(name, text)
        for name in step.get("delete", []):
            self.manifests.delete(name)
        complaints = []
        for request in step["requests"]:
            async def probe():
                found = await self.check(request)
                return found or None
            if found := await gateway.eventually(probe):
                complaints += found
        for request in [] if complaints else step["requests"]:
            complaints += await self.check(request)
        return [f"step {step['name']!r}: {c}" for c in complaints]

    async def check(self, request):
        """What is wrong with the answers to `request`."""
        refuse_unknown("request", request, REQUEST_KEYS)
        expect = request["expect"]
        refuse_unknown("expect", expect, EXPECT_KEYS)
        complaints = []
        before = backends.answered.copy()
        try:
            responses = await asyncio.wait_for(self.send(request), gateway.DEADLINE)
        except (client.ConnectionClosed, ConnectionError, ssl.SSLError, asyncio.TimeoutError) as error:
            if not expect.get("refused"):
                complaints.append(f"{type(error).__name__}: {error}")
        else:
            if expect.get("refused"):
                complaints.append(f"expected no answer, got {responses[0].status}")
            else:
                self.judge(expect, responses, complaints)
                complaints += await self.copies(expect.get("copies", {}), before)
        where = f"{request.get('name', '')} {request.get('method', 'GET')} {request['url']} host={request.get('host', '')}".strip()
        return [f"{where}: {c}" for c in complaints]

    @staticmethod
    async def copies(expected, before):
        """Copies are sent while nobody waits for them."""
        for name, (low, high) in expected.items():
            async def arrived():
                got = backends.answered[name] - before[name]
                return None if got >= low else [f"{name} got {got} requests, expected {low} to {high}"]
            if found := await gateway.eventually(arrived):
                return found
            if (got := backends.answered[name] - before[name]) > high:
                return [f"{name} got {got} requests, expected {low} to {high}"]
        return []

    def judge(self, expect, responses, complaints):
        for response in responses:
            self.judge_one(expect, response, complaints)
            if len(complaints) > 5:
                break
        if "share" in expect:
            counts = collections.Counter(r.json().get("backend") for r in responses)
            for backend, (low, high) in expect["share"].items():
                if not low <= counts[backend] <= high:
                    complaints.append(f"{backend} answered {counts[backend]} of {len(responses)}, expected {low} to {high}")

    def judge_one(self, expect, response, complaints):
        told = response.json()
        compare(complaints, "status", expect.get("status", 200), response.status)
        for key in ("backend", "method", "path", "host", "body_bytes", "line"):
            if key in expect:
                compare(complaints, key, expect[key], told.get(key))
        for name, want in expect.get("saw", {}).items():
            compare(complaints, f"the backend's header {name}", want, told.get("headers", {}).get(name))
        for name, want in expect.get("saw_like", {}).items():
            if not re.fullmatch(want, got := told.get("headers", {}).get(name) or ""):
                complaints.append(f"the backend's header {name}: {got!r} is not like {want!r}")
        for name, want in expect.get("headers", {}).items():
            compare(complaints, f"header {name}", want, response.header(name))
        if "body" in expect:
            compare(complaints, "body", expect["body"], response.body.decode(errors="replace"))
        for name in expect.get("spelt", []):
            if name not in response.spelt:
                complaints.append(f"no header is written {name}: {response.spelt}")
        if "alpn" in expect:
            compare(complaints, "ALPN", expect["alpn"], response.alpn)
        if "certificate" in expect and response.certificate != self.authority.der(expect["certificate"]):
            complaints.append(f"certificate is not {expect['certificate']}")

    async def send(self, request):
        url = urllib.parse.urlsplit(request["url"])
        host = re.match(r"//([^/:]*)", request["url"].split(":", 1)[1])[1]  # with its case, which urlsplit drops
        if url.scheme in ("tcp", "tls"):
            return [await self.exchange(request, url, host) for _ in range(request.get("repeat", 1))]
        connection = await self.connection(request, url, host)
        if str(request.get("http")) == "1.0":
            connection.version = "1.0"
        target = url.path + (f"?{url.query}" if url.query else "")
        authority = request.get("host", host)
        headers = [(n, v) for n, v in request.get("headers", {}).items()]
        try:
            if "websocket" in request:
                return [await self.websocket(connection, target, authority, headers, request["websocket"])]
            return [await connection.request(request.get("method", "GET"), target, authority, headers,
                                             request.get("body", "").encode(), url.scheme)
                    for _ in range(request.get("repeat", 1))]
        finally:
            self.leave(request, connection)

    async def exchange(self, request, url, host):
        connection = await self.connection(request, url, host)
        try:
            return await connection.request(request.get("body", "hello"))
        finally:
            self.leave(request, connection)

    async def connection(self, request, url, host):
        if kept := self.kept.get(request.get("keep")):
            return kept
        http2 = str(request.get("http", 1)) == "2"
        context = self.client_context(request, http2) if url.scheme in ("https", "tls") else None
        made = await client.connect(request.get("address", "127.0.0.1"), url.port, http2, context, request.get("sni", host),
                                    client.proxy_header(*request["proxy"]) if "proxy" in request else b"",
                                    client.Lines if url.scheme in ("tcp", "tls") else None)
        if "keep" in request:
            self.kept[request["keep"]] = made
        return made

    @staticmethod
    def leave(request, connection):
        if "keep" not in request:
            connection.close()

    def client_context(self, request, http2):
        context = self.authority.client_context(http2)
        if request.get("verify") is False:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if "tls" in request:
            context.minimum_version = context.maximum_version = TLS_VERSIONS[request["tls"]]
        if "ciphers" in request:
            context.set_ciphers(request["ciphers"])
        if "curve" in request:
            context.set_ecdh_curve(request["curve"])
        if "client_certificate" in request:
            context.load_cert_chain(*self.authority.leaf(request["client_certificate"]))
        return context

    @staticmethod
    async def websocket(connection, target, authority, headers, messages):
        """The response, with what the backend told in the first message as its body."""
        response, socket = await client.WebSocket.upgrade(connection, target, authority, headers)
        if socket:
            response.body = await socket.receive() or b""
            for message in messages:
                await socket.send(message.encode())
                if (back := await socket.receive()) != message.encode():
                    raise client.ConnectionClosed(f"sent {message!r} over the WebSocket, got back {back!r}")
        return response


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("case")
    arguments.add_argument("work")
    options = arguments.parse_args()
    netns.enter()
    try:
        complaints = asyncio.run(Case(options.case, options.work).run())
    except Exception:  # whatever went wrong, the log of the gateway belongs to the report
        complaints = [traceback.format_exc()]
    print("\n".join(complaints))
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
