"""Clients under constant load that know what each answer must be, and count everything else.

What may be answered changes while a test runs. `Expected` holds the answers of one path in the order in which they were made
true. A change begins (old and new answers are right), is observed by a client (only the new one is right for it: its connection
belongs to one of Envoy's threads), and is settled once every client observed it (only the new one is right for anyone)."""
import asyncio
import collections
import random
import time

from harness import client

NOT_FOUND = "404"


class Expected:
    """One path. An answer is a set of names of backends, or {NOT_FOUND}. Consecutive answers have no name in common."""

    def __init__(self, path, first):
        self.path = path
        self.answers = [frozenset(first)]
        self.settled = 0
        self.seen = collections.defaultdict(int)  # client -> index

    def begin(self, answer):
        answer = frozenset(answer)
        if answer & self.answers[-1]:
            raise ValueError("the new answer must be told from the old one")
        self.answers.append(answer)

    def floor(self, who):
        """The oldest answer that may still be given to a request that `who` sends now."""
        return max(self.settled, self.seen[who])

    def judge(self, who, floor, answer):
        """None when right, else what was expected."""
        for index in range(len(self.answers) - 1, floor - 1, -1):
            if answer in self.answers[index]:
                self.seen[who] = max(self.seen[who], index)
                return None
        return [sorted(a) for a in self.answers[floor:]]

    def settle_if(self, everyone):
        latest = len(self.answers) - 1
        if all(self.seen[who] == latest for who in everyone):
            self.settled = latest
        return self.settled == latest


class Counts:
    """What happened; `phase` is told with each fault."""

    KEEP = 30

    def __init__(self):
        self.phase = "start"
        self.requests = collections.Counter()  # by kind of client
        self.failed = self.closed = self.wrong = 0
        self.faults = []

    def fault(self, which, text):
        setattr(self, which, getattr(self, which) + 1)
        if len(self.faults) < self.KEEP:
            self.faults.append(f"{which} during {self.phase}: {text}")


class Load:
    """`paths` is shared with the scenario, which adds Expected to it; those in `hot` are asked more often."""

    def __init__(self, authority, host, pause, address="127.0.0.1"):
        self.authority, self.host, self.pause, self.address = authority, host, pause, address
        self.counts = Counts()
        self.paths, self.hot = [], []
        self.clients, self.tasks = [], []
        self.stopping = False

    def start(self, connections):
        for kind in ("http/1.1", "http/1.1 tls", "http/2", "http/2 tls"):
            for number in range(connections):
                who = f"{kind} {number}"
                self.clients.append(who)
                self.tasks.append(asyncio.create_task(self._requests(kind, who)))
        for kind in ("websocket", "websocket tls"):
            self.tasks.append(asyncio.create_task(self._websocket(kind)))

    async def stop(self):
        self.stopping = True
        for task in self.tasks:
            await asyncio.wait_for(task, 30)  # and raise what ended it, if anything did

    def check(self):
        """A client that ended early would count no faults."""
        for task in self.tasks:
            if task.done():
                task.result()
                raise RuntimeError("a client ended early")

    async def connect(self, kind):
        tls = kind.endswith("tls")
        http2 = kind.startswith("http/2")
        context = self.authority.client_context(http2) if tls else None
        return await client.connect(self.address, 8443 if tls else 8080, http2, context, self.host)

    async def _requests(self, kind, who):
        connection = None
        while not self.stopping:
            if connection is None:
                connection = await self._reconnect(kind, who)
                continue
            expected = random.choice(self.hot if self.hot and random.random() < 0.7 else self.paths)
            floor = expected.floor(who)
            try:
                scheme = "https" if kind.endswith("tls") else "http"
                response = await asyncio.wait_for(connection.request("GET", expected.path, self.host, scheme=scheme), 15)
            except (client.ConnectionClosed, asyncio.TimeoutError) as error:
                self.counts.fault("failed", f"{who} {expected.path}: {type(error).__name__} {error}")
                connection.close()
                connection = None
                continue
            self.counts.requests[kind] += 1
            self._judge(who, expected, floor, response)
            if connection.closed_by_peer:
                self.counts.fault("closed", who)
                connection.close()
                connection = None
            await asyncio.sleep(self.pause)
        if connection:
            connection.close()

    async def _reconnect(self, kind, who):
        try:
            return await self.connect(kind)
        except (OSError, client.ConnectionClosed) as error:
            self.counts.fault("failed", f"{who} connecting: {error}")
            await asyncio.sleep(self.pause)

    def _judge(self, who, expected, floor, response):
        if response.status == 404:
            answer = NOT_FOUND
        elif response.status == 200:
            answer = response.json().get("backend")
        else:
            self.counts.fault("failed", f"{who} {expected.path}: status {response.status} {response.body[:120]!r}")
            return
        if (right := expected.judge(who, floor, answer)) is not None:
            self.counts.fault("wrong", f"{who} {expected.path}: answered {answer}, expected {right}")

    async def _websocket(self, kind):
        """One connection for the whole run: each message must come back."""
        number = 0
        socket = None
        while not self.stopping:
            if socket is None:
                socket = await self._upgrade(kind)
                continue
            number += 1
            message = f"message {number}".encode()
            try:
                await socket.send(message)
                back = await asyncio.wait_for(socket.receive(), 15)
            except (OSError, asyncio.TimeoutError) as error:
                back = None
                self.counts.fault("failed", f"{kind}: {type(error).__name__} {error}")
            if back != message:
                self.counts.fault("closed" if back is None else "wrong", f"{kind}: sent {message}, got {back}")
                socket.writer.close()
                socket = None
            self.counts.requests[kind] += 1
            await asyncio.sleep(self.pause * 5)
        if socket:
            socket.writer.close()

    async def _upgrade(self, kind):
        try:
            connection = await self.connect(kind)
            response, socket = await client.WebSocket.upgrade(connection, "/ws/", self.host)
        except (OSError, client.ConnectionClosed) as error:
            response, socket = error, None
        if socket is None:
            self.counts.fault("failed", f"{kind}: upgrade: {response}")
            await asyncio.sleep(0.1)
        else:
            await socket.receive()  # the backend's greeting
        return socket

    async def settle(self, expecteds, deadline):
        """Wait until every client observed the latest answer of each; the paths that some client never did."""
        self.hot = list(expecteds)
        end = time.monotonic() + deadline
        while not all([expected.settle_if(self.clients) for expected in expecteds]):
            self.check()
            if time.monotonic() > end:
                break
            await asyncio.sleep(0.002)
        self.hot = []
        return [e.path for e in expecteds if not e.settle_if(self.clients)]
