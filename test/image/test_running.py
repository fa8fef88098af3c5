"""The image as an engine runs it: unprivileged, its root read-only, no capability but the one for low ports. The test lives in the container's
network, where its backends are."""
import asyncio
import os
import pathlib
import signal
import socket

import pytest

from harness import backends, certs, client, gateway, manifests
from harness.bed import DEADLINE
from harness.engine import flags
from harness.network import Network

HOME = "10.77.0.1"
A, B = 9080, 9081


class World:
    """A network with two backends, and the folder that a container in it follows."""

    def __init__(self, engine, image, work):
        self.engine, self.image, self.work, self.network = engine, image, work, Network()
        self.network.ip("addr", "add", f"{HOME}/16", "dev", "lo")
        self.authority = certs.Authority(work / "certs")
        work.chmod(0o755)
        self.containers = []

    def run(self, name, *arguments, port=8080, **options):
        folder = gateway.Manifests(self.work / name / "config", self.authority)
        container = self.engine.run(self.image, "--config-dir", "/config", *arguments, name=name, network=self.network,
                                    mounts=[(folder.folder, "/config", True)], **options)
        container.manifests, container.port = folder, port
        self.containers.append(container)
        self.lead(container, A)
        return container

    def lead(self, container, backend):
        container.manifests.write("all.yaml", manifests.everything_to(f"{HOME}:{backend}", container.port))

    async def get(self, container, path="/"):
        connection = await client.connect("127.0.0.1", container.port)
        try:
            return await asyncio.wait_for(connection.request("GET", path, "any.test"), DEADLINE)
        finally:
            connection.close()

    async def serves(self, container, backend):
        async def probe():
            try:
                answer = await self.get(container)
            except (OSError, asyncio.TimeoutError, client.ConnectionClosed) as error:
                return repr(error)
            return None if answer.json().get("backend") == backend else f"{answer.status} {answer.body!r}"
        complaint = await gateway.eventually(probe)
        assert complaint is None, f"{complaint}\n{container.logs()}"

    async def ready(self, wanted=True):
        async def probe():
            status, text = await asyncio.to_thread(gateway.http_get, f"http://{HOME}:8877/ambassador/v0/check_ready")
            return None if (status == 200) == wanted else text
        assert (complaint := await gateway.eventually(probe)) is None, complaint


@pytest.fixture
def world(engine, gateway_image, tmp_path):
    made = World(engine, gateway_image, tmp_path)
    try:
        with made.network.entered():
            yield made
    finally:
        for container in made.containers:
            print(f"--- the end of {container.name}'s log:", *container.logs().splitlines()[-60:], sep="\n")
            container.remove()
        made.network.close()


def status(pid):
    """What the kernel says of a process."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def confined(container, user, capabilities=0):
    for pid, line in container.processes().items():
        told = status(pid)
        assert set(told["Uid"].split()) == {str(user)} and set(told["Gid"].split()) == {"0"}, line
        assert int(told["CapEff"], 16) == capabilities and int(told["CapBnd"], 16) == capabilities, line
        assert told["NoNewPrivs"] == "1", line


async def restarted(container, word, before):
    """The pid of what took the place of a process that was killed."""
    async def probe():
        return None if [pid for pid, line in container.processes().items() if word in line and pid != before] else "not started again"
    assert (complaint := await gateway.eventually(probe)) is None, complaint


def test_serves_follows_recovers_and_drains(world):
    asyncio.run(life(world))


async def life(world):
    await backends.start("a", f"{HOME}:{A}")
    await backends.start("b", f"{HOME}:{B}")
    one = world.run("one", "--drain-delay", "1")
    await world.serves(one, "a")
    await world.ready()
    confined(one, 8888)
    assert len(one.processes()) == 3

    world.lead(one, B)
    await world.serves(one, "b")

    # Envoy serves on without the control plane, which takes up what it missed.
    control_plane = one.process("emissary control-plane")
    os.kill(control_plane, signal.SIGKILL)
    assert (await world.get(one)).json()["backend"] == "b"
    world.lead(one, A)
    await world.serves(one, "a")
    await restarted(one, "emissary control-plane", control_plane)

    envoy = one.process("/usr/bin/envoy")
    os.kill(envoy, signal.SIGKILL)
    await restarted(one, "/usr/bin/envoy", envoy)
    await world.serves(one, "a")
    await world.ready()
    confined(one, 8888)

    # The end: not ready at once, still accepting for a while, what is under way is answered.
    under_way = asyncio.create_task(world.get(one, "/delay/2500"))
    await under_way_at(1)
    one.kill("TERM")
    await world.ready(False)
    assert (await world.get(one)).status == 200
    assert (await under_way).status == 200
    assert await asyncio.to_thread(one.wait) == 0


async def under_way_at(count):
    async def probe():
        _, text = await asyncio.to_thread(gateway.http_get, "http://127.0.0.1:8001/stats?filter=ingress_http.downstream_rq_active")
        return None if f": {count}" in text else text
    assert (complaint := await gateway.eventually(probe)) is None, complaint


def test_any_user_and_a_low_port(world):
    """As OpenShift does it: a user id that nobody knows, in group 0. The end comes before a request is answered."""
    asyncio.run(low_port(world))


async def low_port(world):
    await backends.start("a", f"{HOME}:{A}")
    one = world.run("low", "--drain-delay", "0", "--grace", "2", port=80, user="1000670000:0", capabilities=["NET_BIND_SERVICE"])
    await world.serves(one, "a")
    confined(one, 1000670000, 1 << 10)
    under_way = asyncio.create_task(world.get(one, "/delay/60000"))
    await under_way_at(1)
    one.kill("TERM")
    assert await asyncio.to_thread(one.wait) == 3
    with pytest.raises((client.ConnectionClosed, OSError)):
        await under_way


def test_a_low_port_of_the_pods_network(world):
    """What Kubernetes offers to unprivileged users in place of a capability: the sysctl net.ipv4.ip_unprivileged_port_start."""
    world.network.run(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text, "80")
    asyncio.run(unprivileged(world))


async def unprivileged(world):
    await backends.start("a", f"{HOME}:{A}")
    one = world.run("unprivileged", "--drain-delay", "0", port=80)
    await world.serves(one, "a")
    confined(one, 8888)
    one.kill("TERM")
    assert await asyncio.to_thread(one.wait) == 0


def test_what_its_exit_tells(world):
    """Beside 0 and 3, above."""
    def ended(name, *arguments, **options):
        container = world.engine.run(world.image, "--config-dir", "/", *arguments, name=name, network=world.network, **options)
        world.containers.append(container)
        return container.wait(), container.logs()
    status, log = ended("no-envoy", "--envoy", "/missing")
    assert status == 1 and "/missing" in log
    status, log = ended("no-folder", tmpfs=())
    assert status == 1 and "set TMPDIR to a folder that we may write" in log
    with world.network.run(socket.create_server, ("0.0.0.0", 8877)):
        status, log = ended("taken")
        assert status == 1 and "8877" in log
    status, log = ended("usage", "--drain-delay", "never")
    assert status == 2 and "--drain-delay" in log


def test_its_version(engine, gateway_image):
    told = engine.podman("run", "--rm", "--network", "none", *flags(entrypoint=["/usr/bin/emissary"]), gateway_image, "version")
    assert "emissary " in told and "/usr/bin/envoy" in told
