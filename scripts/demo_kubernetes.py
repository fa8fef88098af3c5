"""The process behind scripts/demo-kubernetes: the tests' cluster, two instances of the gateway, sample backends, and ports of this
machine's loopback that lead to them. Ends on SIGTERM."""
import asyncio
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import yaml

from harness import bed, paths
from harness.cluster import Cluster
from harness.gateway import eventually, http_get
from harness.instance import Instance

EXAMPLES = paths.ROOT / "examples" / "kubernetes"
RBAC = paths.ROOT / "deploy" / "rbac" / "cluster.yaml"
# Sample backends: at the Service's cluster IP, since no node's kube-proxy leads from there to Pods; and at Pods' addresses.
BACKENDS = (("quote", "10.96.0.20", 80), ("cart-1", "10.77.1.1", 9080), ("cart-2", "10.77.1.2", 9080))
MONTH = 30 * 24 * 3600


class Demo:
    def __init__(self, state):
        self.state = state
        self.cluster = Cluster(state / "cluster")
        self.instances = []

    def kubectl(self, *arguments, **named):
        print("+ kubectl", *arguments, flush=True)
        print(self.cluster.kubectl(*arguments, **named), flush=True)

    def start(self):
        self.cluster.start()
        (self.state / "kubeconfig").touch(0o600)
        os.rename(self.cluster.kubeconfig(server="https://127.0.0.1:16443"), self.state / "kubeconfig")
        for name, address, port in BACKENDS:
            self.cluster.backend(name, address, port)
        crds = subprocess.run([paths.emissary(), "crds"], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.kubectl("apply", "--server-side", "-f", "-", stdin=crds)
        self.kubectl("wait", "--for=condition=Established", "crd", "--all")
        account = self.account()
        kubeconfig = account.kubeconfig(account.token(MONTH))
        for number in (1, 2):
            one = Instance(self.cluster, self.state, kubeconfig, f"instance-{number}", arguments=["--namespace", account.namespace])
            self.instances.append(one)
            self.run(one)
        self.kubectl("create", "secret", "tls", "quickstart-cert", "--cert", self.state / "tls.crt", "--key", self.state / "tls.key")
        (self.state / "tls.key").unlink()
        self.kubectl("apply", "-f", EXAMPLES)

    def account(self):
        """The ServiceAccount that the manifests for a cluster make."""
        of = {document["kind"]: document["metadata"] for document in yaml.safe_load_all(RBAC.read_text()) if document}
        where = of["ServiceAccount"]["namespace"]
        self.cluster.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": where}})
        self.kubectl("apply", "-f", RBAC)
        return self.cluster.account(where, of["ServiceAccount"]["name"])

    def run(self, instance):
        instance.start()
        (self.state / f"{instance.name}.pid").write_text(f"{instance.process.pid}\n")

    def serve_on(self):
        """What ended is started again, as a node does."""
        for process in (self.cluster.etcd, self.cluster.apiserver, self.cluster.controllers):
            process.check()
        for instance in self.instances:
            if instance.process.poll() is not None:
                print(f"{instance.name} ended with {instance.process.returncode}; it is started again", flush=True)
                self.run(instance)

    async def stop(self):
        await asyncio.gather(*(instance.stop() for instance in self.instances))
        self.cluster.stop()


async def forward(port, network, address, there):
    """A port of this machine's loopback, into a network."""
    async def copy(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.write_eof()

    async def accept(reader, writer):
        try:
            inside = await asyncio.to_thread(network.run, socket.create_connection, (address, there), 5)
            inside.setblocking(False)
            far_reader, far_writer = await asyncio.open_connection(sock=inside)
            await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
            far_writer.close()
        except OSError:
            pass  # it is not there at present
        finally:
            writer.close()

    await asyncio.start_server(accept, "127.0.0.1", port)


async def answered(url):
    async def probe():
        status, text = await asyncio.to_thread(http_get, url)
        return None if status == 200 else f"{status} {text}"
    if complaint := await eventually(probe):
        raise RuntimeError(f"{url}: {complaint}")


async def main(state):
    demo = Demo(state)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await asyncio.to_thread(demo.start)
    await forward(16443, demo.cluster.network, bed.API, bed.API_PORT)
    for number, instance in enumerate(demo.instances):
        for first, address, there in ((8080, instance.address, 8080), (8443, instance.address, 8443), (8877, "127.0.0.1", 8877)):
            await forward(first + number, instance.network, address, there)
        await instance.wait_ready()
        for path in ("/quote/", "/cart/"):
            await answered(f"http://127.0.0.1:{8080 + number}{path}")
    (state / "ready").touch()
    begin = time.monotonic()
    while not ended.is_set():
        demo.serve_on()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(ended.wait(), 1)
    print(f"ends after {time.monotonic() - begin:.0f} s", flush=True)
    await demo.stop()


if __name__ == "__main__":
    asyncio.run(main(pathlib.Path(sys.argv[1])))
