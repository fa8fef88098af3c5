"""The gateway in a cluster: `emissary run` with its Envoy. Each has a network namespace of its own, since all serve
the same Listeners and two Envoys on one port would share it silently; a cable leads to the cluster's. So its ports are the usual
ones at an address of its own, which the test reaches."""
import asyncio
import functools
import pathlib
import subprocess

from . import bed as beds
from . import client, gateway
from .network import Network

POD_FILES = "/run/secrets/kubernetes.io/serviceaccount"


# Its own view of /run, which ends with it. In a plain chroot nothing can be mounted privately: there the root is bound to a folder,
# which makes a mount of it, and entered.
POD = f"""
set -e
files=$1 root=$2; shift 2
if [ -n "$root" ]; then
  mkdir -p "$root"
  mount --rbind / "$root"
  mount --make-rprivate "$root"
fi
mount -t tmpfs none "$root/run"
mkdir -p "$root{POD_FILES}"
mount --bind "$files" "$root{POD_FILES}"
exec ${{root:+chroot "$root"}} "$@"
"""


@functools.cache
def mounts_privately():
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


class Instance(gateway.Gateway):
    """`kubeconfig`: that file; or `pod`, the folder of Account.pod_files(): it finds what a Pod finds. `namespace`: it looks at that
    one alone, as suits a cluster that others use too; else at all."""

    def __init__(self, bed, work, kubeconfig=None, name="one", namespace=None, pod=None, arguments=(), environment=None, concurrency=1):
        work = pathlib.Path(work) / name
        work.mkdir(parents=True)
        if namespace:
            arguments = ["--namespace", namespace, "--single-namespace", *arguments]
        if pod:
            environment = {"KUBERNETES_SERVICE_HOST": beds.API, "KUBERNETES_SERVICE_PORT": str(beds.API_PORT), **(environment or {})}
        super().__init__(work, None, arguments, environment, concurrency)
        self.bed, self.kubeconfig, self.pod, self.name = bed, kubeconfig, pod, name
        self.address = bed.address(pods=False)
        self.network = Network()
        bed.network.join(self.network, beds.GATE, self.address)
        self.network.ip("route", "add", "default", "via", beds.GATE)

    def source(self):
        return [] if self.pod else ["--kubeconfig", self.kubeconfig]

    def spawn(self, command, **named):
        if self.pod:
            apart, root = ([], "") if mounts_privately() else (["--propagation", "unchanged"], self.work / "root")
            command = ["unshare", "--mount", *apart, "sh", "-c", POD, "sh", self.pod, root, *command]
        return self.network.start(command, **named)

    def ask(self, path):
        return self.network.run(super().ask, path)

    def up(self):
        """Start it, until it is ready."""
        self.start()
        asyncio.run(self.wait_ready())
        return self

    def kill(self):
        """As a machine does that breaks. It may be started again."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.kill()
        self.network.close()

    async def request(self, path="/", host="any.test", port=8080, method="GET", headers=(), body=b"", context=None, http2=False):
        connection = await client.connect(self.address, port, http2, context, host if context else None)
        try:
            return await connection.request(method, path, host, headers, body, "https" if context else "http")
        finally:
            connection.close()

    def get(self, path="/", host="any.test", **named):
        return asyncio.run(asyncio.wait_for(self.request(path, host, **named), beds.DEADLINE))

    def answers(self, path, wanted, host="any.test", **named):
        """Eventually: `wanted` is the name of the backend that answers, or a status."""
        last = None
        def probe():
            nonlocal last
            try:
                answer = self.get(path, host, **named)
            except (OSError, TimeoutError, client.ConnectionClosed) as error:
                last = error
                return False
            last = answer.json().get("backend") if answer.status == 200 else answer.status
            return last == wanted
        try:
            beds.until(probe, f"{self.name}: {path} answered by {wanted}")
        except TimeoutError as error:
            raise AssertionError(f"{error}; last: {last}") from None
