"""A small raw HTTP client: it sends exactly what it is told (any Host, SNI, path) and reports exactly what came back.

A connection carries one request at a time. `closing` says that the server announced, politely, the end of the connection
(`connection: close`, GOAWAY); ConnectionClosed that it ended without an answer."""
import asyncio
import base64
import dataclasses
import json
import os
import socket
import struct

import h2.config
import h2.connection
import h2.events
import h2.exceptions


class ConnectionClosed(Exception):
    pass


@dataclasses.dataclass
class Response:
    status: int
    headers: list  # (lower-case name, value), in order
    body: bytes
    certificate: bytes | None = None  # DER of the server's leaf
    spelt: list = dataclasses.field(default_factory=list)  # HTTP/1: names of headers, with their case
    alpn: str | None = None  # the protocol that TLS agreed on

    def header(self, name):
        values = [v for n, v in self.headers if n == name]
        return ", ".join(values) if values else None

    def json(self):
        """What examples/backends/echo.py answered; {} for any other body."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


class Connection:
    """Common to both protocols; made by connect()."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.closing = False
        tls = writer.get_extra_info("ssl_object")
        self.certificate = tls.getpeercert(binary_form=True) if tls else None
        self.alpn = tls.selected_alpn_protocol() if tls else None

    def close(self):
        self.writer.close()

    @property
    def closed_by_peer(self):
        return self.closing or self.reader.at_eof()


class Http1(Connection):
    version = "1.1"

    async def request(self, method, target, authority, headers=(), body=b"", scheme="http"):
        lines = [f"{method} {target} HTTP/{self.version}", f"host: {authority}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body or method in ("POST", "PUT"):
            lines.append(f"content-length: {len(body)}")
        try:
            self.writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
            await self.writer.drain()
            status, answer = await self._head()
            while 100 <= status < 200 and status != 101:
                status, answer = await self._head()
            payload = b"" if method == "HEAD" or status in (101, 204, 304) else await self._body(answer)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ConnectionClosed(str(error)) from error
        response = Response(status, answer, payload, self.certificate, self.spelt, self.alpn)
        self.closing |= (response.header("connection") or "").lower() == "close"
        return response

    async def _head(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers, self.spelt = [], []
        for line in head[1:]:
            if line:
                name, _, value = line.partition(":")
                headers.append((name.lower(), value.strip()))
                self.spelt.append(name)
        return int(head[0].split(" ")[1]), headers

    async def _body(self, headers):
        values = dict(headers)
        if "chunked" in values.get("transfer-encoding", ""):
            chunks = []
            while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
                chunks.append(await self.reader.readexactly(size))
                await self.reader.readexactly(2)
            await self.reader.readuntil(b"\r\n")
            return b"".join(chunks)
        if "content-length" in values:
            return await self.reader.readexactly(int(values["content-length"]))
        self.closing = True
        return await self.reader.read()


class _Patient(h2.connection.H2Connection):
    """At GOAWAY no stream begins any more; those up to the last one that it names go on. The library would give up at once."""

    def _receive_goaway_frame(self, frame):
        event = h2.events.ConnectionTerminated()
        event.error_code, event.last_stream_id = frame.error_code, frame.last_stream_id
        return [], [event]


class Http2(Connection):
    def __init__(self, reader, writer):
        super().__init__(reader, writer)
        self.h2 = _Patient(h2.config.H2Configuration(client_side=True, header_encoding="utf-8", normalize_outbound_headers=False))
        self.h2.initiate_connection()

    async def request(self, method, target, authority, headers=(), body=b"", scheme="http"):
        try:
            stream = self.h2.get_next_available_stream_id()
            fields = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", target)]
            self.h2.send_headers(stream, fields + [(n.lower(), str(v)) for n, v in headers], end_stream=not body)
            if body:
                self.h2.send_data(stream, body, end_stream=True)
            return await self._answer(stream)
        except (h2.exceptions.ProtocolError, ConnectionError) as error:
            raise ConnectionClosed(str(error)) from error

    async def _answer(self, stream):
        response = Response(0, [], b"", self.certificate, alpn=self.alpn)
        while True:
            self.writer.write(self.h2.data_to_send())
            await self.writer.drain()
            data = await self.reader.read(65536)
            if not data:
                raise ConnectionClosed("end of the connection")
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.ConnectionTerminated):
                    self.closing = True
                    if event.last_stream_id < stream:
                        raise ConnectionClosed(f"GOAWAY, code {event.error_code}")
                elif getattr(event, "stream_id", None) != stream:
                    continue
                elif isinstance(event, h2.events.ResponseReceived):
                    response.headers = [(n, v) for n, v in event.headers if not n.startswith(":")]
                    response.status = int(dict(event.headers)[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    response.body += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, h2.events.StreamReset):
                    raise ConnectionClosed(f"stream reset, code {event.error_code}")
                elif isinstance(event, h2.events.StreamEnded):
                    self.writer.write(self.h2.data_to_send())
                    return response


class Lines(Connection):
    """Raw TCP or TLS to a backend that answers lines."""

    async def request(self, line):
        try:
            self.writer.write(line.encode() + b"\n")
            await self.writer.drain()
            answer = await self.reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ConnectionClosed(str(error)) from error
        return Response(200, [], answer, self.certificate)


def proxy_header(version, source, destination="127.0.0.1", source_port=5555, destination_port=80):
    """The PROXY protocol's head, as a load balancer sends it before anything else."""
    if str(version) == "1":
        return f"PROXY TCP4 {source} {destination} {source_port} {destination_port}\r\n".encode()
    addresses = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack(">HH", source_port, destination_port)
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", 0x21, 0x11, len(addresses)) + addresses


async def connect(address, port, http2=False, context=None, sni=None, before=b"", protocol=None):
    """`context`: an SSLContext for TLS; the server's name is checked against `sni`. `before`: bytes that go ahead of TLS. `protocol`:
    another Connection than HTTP's."""
    try:
        where = {"host": address, "port": port}
        if before:
            plain = socket.create_connection((address, port), timeout=10)
            plain.sendall(before)
            plain.setblocking(False)
            where = {"sock": plain}
        reader, writer = await asyncio.open_connection(**where, ssl=context, server_hostname=sni if context else None, limit=1 << 20)
    except ConnectionResetError as error:  # what a TLS server does that has no certificate for the name
        raise ConnectionClosed(str(error)) from error
    return (protocol or (Http2 if http2 else Http1))(reader, writer)


class WebSocket:
    """Over an HTTP/1.1 connection that `upgrade` switched."""

    def __init__(self, connection):
        self.reader, self.writer = connection.reader, connection.writer

    @staticmethod
    async def upgrade(connection, target, authority, headers=()):
        """(response, WebSocket or None when it was not 101)."""
        key = base64.b64encode(os.urandom(16)).decode()
        response = await connection.request("GET", target, authority, [
            ("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-version", "13"),
            ("sec-websocket-key", key), *headers])
        return response, WebSocket(connection) if response.status == 101 else None

    async def send(self, payload, opcode=1):
        mask = os.urandom(4)
        size = len(payload)
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | size) if size < 126 else struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
        self.writer.write(head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload)))
        await self.writer.drain()

    async def receive(self):
        """Payload of the next message; None when the peer closed."""
        try:
            first, size = await self.reader.readexactly(2)
            if size == 126:
                size, = struct.unpack(">H", await self.reader.readexactly(2))
            elif size == 127:
                size, = struct.unpack(">Q", await self.reader.readexactly(8))
            payload = await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return None if first & 0x0F == 8 else payload
