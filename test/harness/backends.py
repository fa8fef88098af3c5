"""Sample backends inside the test's own event loop: the demo's echo server (cleartext or TLS), and the same answers over
HTTP/2 without TLS, as gRPC servers speak it."""
import asyncio
import collections
import json
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
                               {"host": headers[":authority"], **{n: v for n, v in headers.items() if n[0] != ":"}})
        body = json.dumps({**echo.describe(self.name, request, size), "protocol": "h2c"}).encode()
        fields = [(":status", "200"), ("x-backend", self.name)]
        if headers.get("content-type", "").startswith("application/grpc"):
            self.h2.send_headers(stream, fields + [("content-type", "application/grpc")])
            self.h2.send_data(stream, b"\0" + len(body).to_bytes(4, "big") + body)
            self.h2.send_headers(stream, [("grpc-status", "0")], end_stream=True)
            return
        self.h2.send_headers(stream, fields + [("content-type", "application/json")])
        self.h2.send_data(stream, body, end_stream=True)


async def start(name, address, kind="http", authority=None):
    """`address` "IP:PORT"; `kind` http, https (certificate named `name`.test, from `authority`) or h2c."""
    host, _, port = address.rpartition(":")
    if kind == "h2c":
        return await asyncio.get_running_loop().create_server(lambda: _H2Server(name), host, int(port))
    context = authority.server_context(name + ".test") if kind == "https" else None
    return await echo.serve(name, host, int(port), ssl=context)
