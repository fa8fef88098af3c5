"""What finding its route costs a request, as the Mappings of one Host grow: `python -m lookup COUNT...`. Through the product, with one
Envoy worker; always the last route in order. `answered`: by Envoy itself (503, the upstream is not usable), so that little else is
measured; `proxied`: by the backend. `list`: the same without match trees. Rounds in turns over all tables, so that what else the
machine does meets all."""
import asyncio
import pathlib
import statistics
import sys
import tempfile

import rig
from harness import gateway, netns
from manifests import BACKEND_PORT, HOST, LISTENER
from spikes.load import throughput

PORT = 8080
ROUNDS = 3
AUTHORITY = "h0.example.com"
LAYOUTS = {"tree": {}, "list": {"EMISSARY_ROUTE_LIST_LIMIT": "1000000000"}}
MAPPING = """---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {{name: m{i}, namespace: default}}
spec: {{hostname: h0.example.com, prefix: {prefix}, service: "{service}"}}
"""
# The backend's address; the gateway's own, where no Mapping may lead.
SERVICES = {"proxied": f"10.77.100.1:{BACKEND_PORT}", "answered": "127.0.0.1:8877"}


def prefix(i):
    return f"/api/service-{i:05}/"  # of one length: the first is the last in order


def manifests(count, service):
    return LISTENER.format(port=PORT) + HOST.format(i=0) + "".join(
        MAPPING.format(i=i, prefix=prefix(i), service=service) for i in range(count))


class Table:
    def __init__(self, count, layout, how):
        self.count, self.layout, self.how = count, layout, how
        self.requests, self.cpu = [], []

    def round(self):
        with tempfile.TemporaryDirectory() as work:
            work = pathlib.Path(work)
            (work / "config").mkdir()
            (work / "config" / "all.yaml").write_text(manifests(self.count, SERVICES[self.how]))
            product = gateway.Gateway(work, work / "config", environment=LAYOUTS[self.layout])
            product.start()
            try:
                asyncio.run(product.wait_ready())
                client = rig.Client(PORT)
                client.until(prefix(0), AUTHORITY, b"200 OK" if self.how == "proxied" else b" 503 ")
                client.close()
                pid = next(pid for pid, line in product.children().items() if line.split(" ")[0].endswith("/envoy"))
                requests, cpu = throughput(pid, PORT, prefix(0), AUTHORITY, success=self.how == "proxied")
            finally:
                asyncio.run(product.stop())
        self.requests.append(requests)
        self.cpu.append(cpu)

    def print(self, least):
        """`least`: the same at the least count."""
        tags = {"how": self.how, "layout": self.layout, "mappings": self.count}
        for measure, values, base, unit in (("requests", self.requests, least.requests, "1/s"),
                                            ("envoy_cpu_a_request", self.cpu, least.cpu, "us")):
            ratio = statistics.median(values) / statistics.median(base)
            rig.figure("lookup", measure, values, unit, ratio=round(ratio, 2), **tags)


def main(counts):
    tables = [Table(count, layout, how) for how in SERVICES for layout in LAYOUTS for count in counts]
    with rig.Child([sys.executable, "-m", "backend", BACKEND_PORT], "/dev/null"):
        for _ in range(ROUNDS):
            for table in tables:
                table.round()
    for table in tables:
        table.print(next(t for t in tables if (t.how, t.layout) == (table.how, table.layout)))


if __name__ == "__main__":
    netns.enter()
    main([int(count) for count in sys.argv[1:]])
