"""Sample backends inside the test's own event loop: the demo's echo server (cleartext or TLS), the same answers over HTTP/2,
as gRPC servers speak it (these answer gRPC's health checks too), and lines over raw TCP or TLS. What TLS was like stands among
the headers that a backend tells: x-tls-sni, x-tls-version, x-tls-alpn, x-tls-client (the common name of the client's certificate)."""
import asyncio
import collections
import json
import ssl
import sys

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from . import paths

sys.path.insert(0, str(paths.ROOT / "examples" / "backends"))
import echo  # noqa: E402  (the demo's backend is the tests' backend)

answered = collections.Counter()  # requests, by the backend's name
_describe = echo.describe


def _counting(name, request, size):
    answered[name] += 1
    return _describe(name, request, size)


echo.describe = _counting


class _H2Server(asyncio.Protocol):
    def __init__(self, name):
        self.name = name
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.requests = {}  # stream -> [headers, size of the body]

    def connection_made(self, transport):
        self.transport = transport
        self.tls = describe_tls(transport)
        self.h2.initiate_connection()
        transport.write(self.h2.data_to_send())

    def data_received(self, data):
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError:  # not HTTP/2: what such a server does with it
            self.transport.close()
            return
        for event in events:
            if isinstance(event, h2.events.RequestReceived):
                self.requests[event.stream_id] = [dict(event.headers), 0]
            elif isinstance(event, h2.events.DataReceived):
                self.requests[event.stream_id][1] += len(event.data)
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self._answer(event.stream_id)
        self.transport.write(self.h2.data_to_send())

    def _answer(self, stream):
        headers, size = self.requests.pop(stream)
        request = echo.Request(headers[":method"], headers[":path"],
                               {"host": headers[":authority"], **{n: v for n, v in headers.items() if n[0] != ":"}, **self.tls})
        body = json.dumps({**echo.describe(self.name, request, size), "protocol": "h2c"}).encode()
        fields = [(":status", "200"), ("x-backend", self.name)]
        if headers.get("content-type", "").startswith("application/grpc"):
            if headers[":path"] == "/grpc.health.v1.Health/Check":
                body = b"\x08\x01"  # SERVING
            self.h2.send_headers(stream, fields + [("content-type", "application/grpc")])
            self.h2.send_data(stream, b"\0" + len(body).to_bytes(4, "big") + body)
            self.h2.send_headers(stream, [("grpc-status", "0")], end_stream=True)
            return
        self.h2.send_headers(stream, fields + [("content-type", "application/json")])
        self.h2.send_data(stream, body, end_stream=True)


def _lines(name):
    """Each line is answered by one of JSON: the backend's name, and the line. An empty one ends it, as that of an HTTP request."""
    async def handle(reader, writer):
        try:
            while line := (await reader.readline()).decode("latin-1").strip():
                writer.write(json.dumps({"backend": name, "line": line, "headers": describe_tls(writer)}).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError, ValueError):
            pass  # the peer went away, or the loop ends
        finally:
            writer.close()

    return handle


def describe_tls(transport):
    tls = transport.get_extra_info("ssl_object")
    if tls is None:
        return {}
    subject = dict(pair for name in (tls.getpeercert() or {}).get("subject", ()) for pair in name)
    told = {"x-tls-sni": getattr(tls, "asked_for", None), "x-tls-version": tls.version(), "x-tls-alpn": tls.selected_alpn_protocol(),
            "x-tls-client": subject.get("commonName")}
    return {name: value for name, value in told.items() if value}


def tls_context(authority, certificate, http2, clients):
    context = authority.server_context(certificate, http2)
    context.sni_callback = lambda tls, name, _: setattr(tls, "asked_for", name)
    if clients:
        context.load_verify_locations(authority.ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def _spelt(reader, writer):
    """Tells how the name of the request's X-Spelt-So was written, and writes one of its own in an odd way."""
    try:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
            names = [line.partition(":")[0] for line in head.split("\r\n")[1:]]
            seen = "".join(n for n in names if n.lower() == "x-spelt-so")
            writer.write(f"HTTP/1.1 200 OK\r\nX-MY-Answer: 1\r\nx-seen: {seen}\r\ncontent-length: 0\r\n\r\n".encode())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def start(name, address, kind="http", authority=None, certificate=None, client_certificate=False):
    """`address` "IP:PORT"; `kind` http, https, h2c, h2 (over TLS), spelt, tcp or tls (lines). With TLS: `certificate` is the name it is
    for (default: `name`.test, from `authority`), `client_certificate` says that clients must show one of that authority."""
    host, _, port = address.rpartition(":")
    if kind == "spelt":
        return await asyncio.start_server(_spelt, host, int(port))
    context = tls_context(authority, certificate or name + ".test", kind == "h2", client_certificate) if kind in ("https", "h2", "tls") else None
    if kind in ("h2c", "h2"):
        return await asyncio.get_running_loop().create_server(lambda: _H2Server(name), host.strip("[]"), int(port), ssl=context)
    if kind in ("tcp", "tls"):
        return await asyncio.start_server(_lines(name), host.strip("[]"), int(port), ssl=context)
    return await echo.serve(name, host.strip("[]"), int(port), ssl=context, tell=describe_tls)
