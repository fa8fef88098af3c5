"""What the benchmarks share: a real Envoy on a given xDS socket, the floor server, a client that asks again and again, and how figures
are printed. All times are CLOCK_MONOTONIC, which every process of the machine shares."""
import json
import math
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

from harness import paths

DEADLINE = 120.0
NANO = 1e9


# ---- figures

def figure(bench, measure, values, unit, **extra):
    """Print one JSON line: the median of `values` (or the single value) with its spread."""
    values = sorted(values if isinstance(values, (list, tuple)) else [values])
    line = {"bench": bench, "measure": measure, "value": round(statistics.median(values), 4), "unit": unit}
    if len(values) > 1:
        line |= {"min": round(values[0], 4), "p99": round(percentile(values, 0.99), 4), "max": round(values[-1], 4),
                 "repetitions": len(values)}
    line |= extra
    line["load"] = round(os.getloadavg()[0], 2)
    print(json.dumps(line), flush=True)
    return line["value"]


def percentile(ordered, part):
    """The smallest value that at least `part` of all do not exceed."""
    return ordered[math.ceil(len(ordered) * part) - 1]


# ---- processes

def cpu_ms(pid):
    """CPU the living threads of a process have used, in milliseconds, exact to the scheduler's clock."""
    total = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((thread / "schedstat").read_text().split()[0])
        except OSError:  # ended meanwhile
            continue
    return total / 1e6


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no VmRSS of {pid}")


class Child:
    """A process of the bench, ended with the `with` block."""

    def __init__(self, command, log, **options):
        with open(log, "ab") as file:
            self.process = subprocess.Popen([*map(str, command)], stderr=file, **{"stdout": file, **options})
        self.log, self.pid = log, self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def check(self):
        if self.process.poll() is not None:
            tail = pathlib.Path(self.log).read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.process.args[0]} ended with {self.process.returncode}:\n{tail}")


class Floor(Child):
    """bench/floor.cc, serving `files` on `socket_path`."""

    def __init__(self, binary, socket_path, files, log):
        super().__init__([binary, socket_path, *files], log, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.nacks = []
        self.wait("serving")

    def wait(self, event):
        """The next event of that name; refusals by Envoy are collected on the way."""
        for line in self.process.stdout:
            told = json.loads(line)
            if told["event"] == "nack":
                self.nacks.append(told)
            if told["event"] == event:
                return told
        self.process.wait()
        self.check()
        raise RuntimeError("floor: its output ended")

    def prepare(self, file):
        self.process.stdin.write(f"prepare {file}\n")
        self.wait("prepared")

    def push(self):
        """Returns without waiting; pushed() reads what was sent."""
        self.process.stdin.write("push\n")

    def pushed(self):
        return self.wait("pushed")


class Envoy(Child):
    """The real Envoy with delta ADS from a Unix socket, set up as the product does: deferred stats, no periodic flush."""

    def __init__(self, work, ads_socket, admin_port, concurrency=1, arguments=(), bootstrap=None):
        self.admin = f"http://127.0.0.1:{admin_port}"
        self.started = time.monotonic_ns()
        config = json.dumps(bootstrap or bootstrap_for(ads_socket, admin_port))
        super().__init__([paths.envoy(), "--config-yaml", config, "-l", "warn", "--disable-hot-restart", "--concurrency", concurrency,
                          *arguments], pathlib.Path(work) / "envoy.log", stdout=subprocess.DEVNULL)

    def stats(self, pattern):
        with urllib.request.urlopen(f"{self.admin}/stats?format=json&filter={pattern}", timeout=60) as answer:
            return {s["name"]: s["value"] for s in json.load(answer)["stats"] if "value" in s}


def bootstrap_for(ads_socket, admin_port):
    from_ads = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
    return {
        "node": {"id": "bench", "cluster": "bench"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}},
        "dynamic_resources": {
            "ads_config": {"api_type": "DELTA_GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": True,
                           "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}]},
            "cds_config": from_ads, "lds_config": from_ads},
        "static_resources": {"clusters": [{
            "name": "xds", "type": "STATIC", "connect_timeout": "1s",
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}}}},
            "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [
                {"endpoint": {"address": {"pipe": {"path": str(ads_socket)}}}}]}]}}]},
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
        "stats_flush_on_admin": True,
    }


# ---- the client

class Client:
    """One keep-alive connection, asked in a loop: what a user sees of a change. Connects anew when it was closed."""

    def __init__(self, port, address="127.0.0.1"):
        self.address, self.port = address, port
        self.socket = None

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def get(self, path, authority):
        """The whole response as bytes; b"" when there was none."""
        try:
            if self.socket is None:
                self.socket = socket.create_connection((self.address, self.port), 10)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.sendall(f"GET {path} HTTP/1.1\r\nhost: {authority}\r\n\r\n".encode())
            return self._response()
        except OSError:
            self.close()
            return b""

    def _response(self):
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        at = data.lower().find(b"content-length: ", 0, end)
        length = int(data[at + 16:data.index(b"\r", at)]) if at >= 0 else 0
        while len(data) < end + 4 + length:
            data += self._receive()
        if b"connection: close" in data[:end]:
            self.close()
        return data

    def _receive(self):
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionResetError("closed")
        return got

    def until(self, path, authority, wanted, pause=0.0002, deadline=DEADLINE):
        """Ask until the response contains `wanted`; when that was (ns). The pause leaves the processors to what is measured."""
        end = time.monotonic() + deadline
        while True:
            response = self.get(path, authority)
            got = time.monotonic_ns()
            if wanted in response:
                return got
            if time.monotonic() > end:
                raise RuntimeError(f"{authority}{path}: no {wanted!r} within {deadline} s; the last answer: {response[:300]!r}")
            time.sleep(pause)


def say(text):
    print(text, file=sys.stderr, flush=True)
