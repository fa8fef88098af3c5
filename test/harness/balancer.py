"""What nodes and clouds do for a Service."""
import asyncio
import contextlib
import itertools

from . import kube
from .bed import until
from .node import Endpoints


class Balancer:
    """At its cluster IP, or at an address of the cloud, the Service's ready Pods take turns."""

    def __init__(self, cluster, namespace, name, address=None):
        self.cluster, self.name = cluster, name
        service = until(lambda: self.service(namespace), "the Service")
        ports = service["spec"]["ports"]
        self.endpoints = [Endpoints(cluster, namespace, name, port.get("name")) for port in ports]
        for port, endpoints in zip(ports, self.endpoints):
            cluster.run(asyncio.start_server(self.pass_to(endpoints), address or service["spec"]["clusterIP"], port["port"]))
        if address:
            cluster.client.patch(service, {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}, "status")

    def service(self, namespace):
        with contextlib.suppress(kube.ApiError):
            return self.cluster.client.get("v1", "Service", namespace, self.name)

    @staticmethod
    def pass_to(endpoints):
        turn = itertools.count()
        async def copy(reader, writer):
            with contextlib.suppress(OSError):
                while piece := await reader.read(1 << 16):
                    writer.write(piece)
                    await writer.drain()
            writer.close()
        async def accept(reader, writer):
            ready = endpoints.ready
            if not ready:
                return writer.transport.abort()
            there = await asyncio.open_connection(*ready[next(turn) % len(ready)])
            await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))
        return accept

    def close(self):
        for one in self.endpoints:
            one.close()
