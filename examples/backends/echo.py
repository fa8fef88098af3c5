#!/usr/bin/env python3
"""A backend that says what it was asked: an HTTP/1.1 server of the standard library alone.

    echo.py --name quote --listen 127.0.0.1:9001 [--listen ...]

Answers every request with JSON: its name, the method, path, host, headers (lower case; several values joined by ", ")
and the size of the body. In the path, anywhere: /status/N answers with that status, /delay/MS waits first, /bytes/N
adds N bytes of padding. A WebSocket upgrade is accepted; the first message tells the name, then each message is sent
back as it came. The tests import `serve` and run it inside their own event loop.
"""
import argparse
import asyncio
import base64
import hashlib
import json
import re
import signal
import struct

SPECIAL = re.compile(r"/(status|delay|bytes)/(\d+)")
MAX_BODY = 64 << 20


class Request:
    def __init__(self, method, target, headers):
        self.method = method
        self.target = target
        self.headers = headers


async def read_request(reader):
    """None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = {}
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            name = name.lower()
            value = value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Request(method, target, headers)


async def read_body(reader, headers):
    """Size of the body, which is thrown away."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        size = 0
        while True:
            chunk = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            await reader.readexactly(chunk + 2) if chunk else await reader.readuntil(b"\r\n")
            if chunk == 0:
                return size
            size += chunk
    left = size = min(int(headers.get("content-length", 0)), MAX_BODY)
    while left:
        left -= len(await reader.readexactly(min(left, 65536)))
    return size


def describe(name, request, size):
    return {"backend": name, "method": request.method, "path": request.target, "host": request.headers.get("host", ""),
            "headers": request.headers, "body_bytes": size}


def frame(opcode, payload):
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, size])
    elif size < 65536:
        head = bytes([0x80 | opcode, 126]) + struct.pack(">H", size)
    else:
        head = bytes([0x80 | opcode, 127]) + struct.pack(">Q", size)
    return head + payload


async def read_frame(reader):
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        size, = struct.unpack(">H", await reader.readexactly(2))
    elif size == 127:
        size, = struct.unpack(">Q", await reader.readexactly(8))
    mask = await reader.readexactly(4) if second & 0x80 else b"\0\0\0\0"
    data = await reader.readexactly(size)
    return first & 0x0F, bytes(b ^ mask[i & 3] for i, b in enumerate(data))


async def websocket(name, request, reader, writer):
    accept = base64.b64encode(hashlib.sha1(
        (request.headers.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                 b"sec-websocket-accept: " + accept + b"\r\n\r\n")
    writer.write(frame(1, json.dumps(describe(name, request, 0)).encode()))
    while True:
        await writer.drain()
        try:
            opcode, payload = await read_frame(reader)
        except asyncio.IncompleteReadError:
            return
        if opcode == 8:
            writer.write(frame(8, payload))
            await writer.drain()
            return
        writer.write(frame(10 if opcode == 9 else opcode, payload))


async def answer(name, request, size, writer):
    status, padding = 200, 0
    for what, number in SPECIAL.findall(request.target):
        if what == "status":
            status = int(number)
        elif what == "delay":
            await asyncio.sleep(int(number) / 1000)
        else:
            padding = min(int(number), MAX_BODY)
    told = describe(name, request, size)
    if padding:
        told["padding"] = "x" * padding
    body = json.dumps(told).encode() + b"\n"
    head = (f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            f"x-backend: {name}\r\n\r\n").encode()
    writer.write(head if request.method == "HEAD" else head + body)
    await writer.drain()


def handler(name, tell=None):
    async def handle(reader, writer):
        try:
            while request := await read_request(reader):
                if tell:
                    request.headers.update(tell(writer.transport))
                if request.headers.get("upgrade", "").lower() == "websocket":
                    await websocket(name, request, reader, writer)
                    return
                if "100-continue" in request.headers.get("expect", "").lower():
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await answer(name, request, await read_body(reader, request.headers), writer)
                if "close" in request.headers.get("connection", "").lower():
                    return
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the peer went away, or does not speak HTTP, or the loop ends
        finally:
            writer.close()

    return handle


async def serve(name, address, port, ssl=None, tell=None):
    """A running asyncio server; the caller closes it. `tell` gets the transport and gives headers to add to those it tells."""
    return await asyncio.start_server(handler(name, tell), address, port, ssl=ssl, backlog=1024)


async def run(name, addresses):
    for address in addresses:
        host, _, port = address.rpartition(":")
        await serve(name, host.strip("[]"), int(port))
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    await stop.wait()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--name", required=True)
    options.add_argument("--listen", required=True, action="append", metavar="IP:PORT")
    arguments = options.parse_args()
    asyncio.run(run(arguments.name, arguments.listen))
