"""Proxies in front of the API server that do it wrong. Both run in the cluster's network, in a thread; a test steers them from
its own. Each has `url`, for Bed.kubeconfig(server=…), and `port`, at the API server's address, so its certificate fits.

    proxy = TcpProxy(bed)                   # TLS and HTTP/2 pass through it untouched
    proxy.stall(); proxy.go_on(); proxy.cut(); proxy.refusing = True; proxy.delay = 0.5; proxy.cut_after = 100_000

    proxy = HttpProxy(bed)                  # ends TLS, speaks HTTP/1.1 on both sides, sees every request
    proxy.on("GET /api/v1/services[?].*watch=", lines=lambda number, line: [line, line])
    proxy.on("GET", answer=answer(429, "slow", retry_after=1), times=2)

A clause of `lines` answers what goes out for the number-th line of the body (of a watch: an event), nothing where it is dropped;
None ends the body in good order, `raise Cut` the connection in the midst of it."""
import asyncio
import contextlib
import json
import re
import ssl

from . import bed as beds
from .backends import echo


class Cut(Exception):
    """End the connection with a reset."""


class Proxy:
    def __init__(self, bed, tls=None):
        self.bed = bed
        self.refusing = False  # connections are reset as soon as they are made
        self.open = set()
        self.accepted = 0
        self.server = bed.run(asyncio.start_server(self._accept, beds.API, 0, ssl=tls))
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"https://{beds.API}:{self.port}"

    async def _accept(self, reader, writer):
        self.accepted += 1
        self.open.add(writer)
        try:
            if not self.refusing:
                await self._serve(reader, writer)
        except (Cut, OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open.discard(writer)
            writer.transport.abort()

    def cut(self):
        """Reset all connections there are."""
        async def now():
            for writer in list(self.open):
                writer.transport.abort()
        self.bed.run(now())

    def close(self):
        self.server.get_loop().call_soon_threadsafe(self.server.close)
        self.cut()


class TcpProxy(Proxy):
    def __init__(self, bed):
        self.delay = 0.0  # seconds that each piece waits
        self.cut_after = None  # bytes of answers after which a connection is reset
        self.passed = 0  # bytes of answers, of all connections
        self._moving = asyncio.Event()
        self._moving.set()
        super().__init__(bed)

    def stall(self):
        """Connections are accepted and stay, nothing passes."""
        self.server.get_loop().call_soon_threadsafe(self._moving.clear)

    def go_on(self):
        self.server.get_loop().call_soon_threadsafe(self._moving.set)

    async def _serve(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection(beds.API, beds.API_PORT)
        try:
            both = [asyncio.create_task(self._pass(reader, up_writer, False)), asyncio.create_task(self._pass(up_reader, writer, True))]
            _, pending = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
        finally:
            up_writer.transport.abort()

    async def _pass(self, reader, writer, answers):
        count = 0
        while piece := await reader.read(65536):
            await self._moving.wait()
            if self.delay:
                await asyncio.sleep(self.delay)
            if answers:
                count += len(piece)
                self.passed += len(piece)
                if self.cut_after is not None and count > self.cut_after:
                    writer.write(piece[:len(piece) - (count - self.cut_after)])
                    await writer.drain()
                    return
            writer.write(piece)
            await writer.drain()


def status(code, message, reason=""):
    """A Status object, as the API server says what is wrong."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "message": message, "reason": reason}


def error_event(code, message, reason=""):
    """The line of a watch that tells of an error."""
    return json.dumps({"type": "ERROR", "object": status(code, message, reason)}).encode() + b"\n"


def answer(code, message, reason="", retry_after=None):
    """A whole answer that never reaches the API server."""
    headers = {"content-type": "application/json"}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    return code, headers, json.dumps(status(code, message, reason)).encode()


class Rule:
    def __init__(self, match, answer, lines, times):
        self.match, self.answer, self.lines, self.left = re.compile(match), answer, lines, times
        self.hits = 0


class HttpProxy(Proxy):
    def __init__(self, bed):
        self.rules = []
        self.requests = []  # (method, target, headers), in the order in which they came
        self.upstream = ssl.create_default_context(cafile=bed.authority.ca)
        tls = bed.authority.server_context(beds.API)
        tls.set_alpn_protocols(["http/1.1"])
        super().__init__(bed, tls)

    def on(self, match, answer=None, lines=None, times=None):
        """For requests whose "METHOD /path?query" begins with this regular expression; of several rules the last. `times`: for so
        many only. `answer`: (status, headers, body), or Cut. The rule tells its `hits`."""
        rule = Rule(match, answer, lines, times)
        self.rules.insert(0, rule)
        return rule

    def clear(self):
        self.rules = []

    def _rule(self, request):
        for rule in self.rules:
            if rule.left != 0 and rule.match.match(f"{request.method} {request.target}"):
                rule.hits += 1
                rule.left = None if rule.left is None else rule.left - 1
                return rule
        return Rule("", None, None, None)

    async def _serve(self, reader, writer):
        while request := await echo.read_request(reader):
            body = await reader.readexactly(int(request.headers.get("content-length", 0)))
            self.requests.append((request.method, request.target, request.headers))
            rule = self._rule(request)
            if rule.answer is Cut:
                raise Cut
            if rule.answer:
                code, headers, text = rule.answer
                self._head(writer, code, {**headers, "content-length": len(text)})
                writer.write(text)
                await writer.drain()
            else:
                await self._forward(request, body, rule, writer)

    @staticmethod
    def _head(writer, code, headers):
        lines = [f"HTTP/1.1 {code} X", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    async def _forward(self, request, body, rule, writer):
        up_reader, up_writer = await asyncio.open_connection(beds.API, beds.API_PORT, ssl=self.upstream, limit=1 << 26)
        try:
            # Without compression: what is changed must be seen.
            passed = {n: v for n, v in request.headers.items() if n not in ("connection", "accept-encoding", "expect")}
            lines = [f"{request.method} {request.target} HTTP/1.1", "connection: close", *(f"{n}: {v}" for n, v in passed.items())]
            up_writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
            head = (await up_reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:] if line)}
            chunked = "chunked" in headers.pop("transfer-encoding", "")
            length = int(headers.pop("content-length", 0))
            headers.pop("connection", None)
            self._head(writer, head[0].split(" ")[1], {**headers, "transfer-encoding": "chunked"})
            number = 0
            async for line in _lines(_chunks(up_reader) if chunked else _once(up_reader, length)):
                number += 1
                out = rule.lines(number, line) if rule.lines else [line]
                if out is None:
                    break
                for piece in out:
                    writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if piece else b"")
                await writer.drain()
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        finally:
            up_writer.transport.abort()


async def _once(reader, length):
    yield await reader.readexactly(length)


async def _chunks(reader):
    with contextlib.suppress(asyncio.IncompleteReadError):
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)


async def _lines(pieces):
    """Whole lines; the last may lack its end."""
    rest = []
    async for piece in pieces:
        *whole, last = piece.split(b"\n")
        for line in whole:
            yield b"".join(rest) + line + b"\n"
            rest = []
        rest.append(last)
    if text := b"".join(rest):
        yield text
