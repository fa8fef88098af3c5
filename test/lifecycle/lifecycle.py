"""The life of `emissary run`: starts, crashes of its parts, shutdown. `python -m lifecycle.lifecycle SCENARIO WORK`, inside its own
namespaces (started through netns.command())."""
import asyncio
import json
import os
import pathlib
import random
import signal

from harness import backends, certs, client, gateway, manifests
from harness.scenario import expect, main

A, B = "10.77.0.11:9080", "10.77.0.12:9080"


class Instance:
    """One gateway with a folder of its own."""

    def __init__(self, work, authority, name="one", port=8080, backend=A, arguments=(), environment=None, admin=gateway.ADMIN):
        self.work = work / name
        self.work.mkdir()
        self.port = port
        self.manifests = gateway.Manifests(self.work / "config", authority)
        self.manifests.write("all.yaml", manifests.everything_to(backend, port))
        self.gateway = gateway.Gateway(self.work, self.manifests.folder, arguments, environment, admin=admin)
        self.gateway.log = work / "emissary.log"

    async def start(self):
        self.gateway.start()
        await self.gateway.wait_ready()

    async def get(self, path="/"):
        connection = await client.connect("127.0.0.1", self.port)
        try:
            return await connection.request("GET", path, "l.test")
        finally:
            connection.close()

    async def serves(self, backend):
        """Eventually: requests are answered by `backend`."""
        async def probe():
            try:
                answer = await asyncio.wait_for(self.get(), 10)
            except (OSError, asyncio.TimeoutError, client.ConnectionClosed) as error:
                return str(error)
            return None if answer.json().get("backend") == backend else f"{answer.status} {answer.body!r}"
        expect((complaint := await gateway.eventually(probe)) is None, f"not served by {backend}: {complaint}")

    def envoy(self):
        pids = [pid for pid, line in self.gateway.children().items() if line.split(" ")[0].endswith("/envoy")]
        expect(len(pids) == 1, f"one Envoy expected: {self.gateway.children()}")
        return pids[0]

    def leftovers(self):
        return [str(path) for path in (self.work / "tmp").iterdir()]


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def all_gone(pids):
    async def probe():
        left = [pid for pid in pids if alive(pid)]
        return f"still there: {left}" if left else None
    return await gateway.eventually(probe)


async def drain(work, authority):
    """SIGTERM: not ready at once, a request under way is answered, exit code 0, no process and no file left."""
    one = Instance(work, authority)
    await one.start()
    pids = list(one.gateway.children())
    under_way = asyncio.create_task(one.get("/delay/1500"))
    async def arrived():
        text = await asyncio.to_thread(gateway.http_get, "http://127.0.0.1:8001/stats?filter=ingress_http.downstream_rq_active")
        return None if ": 1" in text[1] else text[1]
    expect(await gateway.eventually(arrived) is None, "the request never arrived")
    one.gateway.process.send_signal(signal.SIGTERM)
    async def unready():
        status, _ = await asyncio.to_thread(gateway.http_get, f"http://{gateway.ADMIN}/ambassador/v0/check_ready")
        return None if status != 200 else "still ready"
    expect(await gateway.eventually(unready) is None, "ready while it drains")
    answer = await under_way
    expect(answer.status == 200, f"the request under way got {answer.status}")
    expect(await asyncio.to_thread(one.gateway.process.wait, gateway.DEADLINE) == 0, f"exit code {one.gateway.process.returncode}")
    expect((left := await all_gone(pids)) is None, left)
    expect(not one.leftovers(), f"files left: {one.leftovers()}")


async def killed_supervisor(work, authority):
    """kill -9 of `emissary run`: its children end too; the next start works as if nothing had been."""
    one = Instance(work, authority)
    await one.start()
    pids = list(one.gateway.children())
    expect(len(pids) >= 2, f"children: {pids}")
    one.gateway.process.kill()
    one.gateway.process.wait()
    expect((left := await all_gone(pids)) is None, left)
    await one.start()
    await one.serves("a")
    expect(await one.gateway.stop() == 0, "exit code")


async def killed_envoy(work, authority):
    """kill -9 of Envoy: it alone is started again and gets the whole configuration."""
    one = Instance(work, authority)
    await one.start()
    control_plane, envoy = one.gateway.control_plane(), one.envoy()
    os.kill(envoy, signal.SIGKILL)
    await one.serves("a")
    expect(one.envoy() != envoy, "the same Envoy")
    expect(one.gateway.control_plane() == control_plane, "the control plane was restarted too")
    await one.gateway.wait_ready()
    one.manifests.write("all.yaml", manifests.everything_to(B))
    await one.serves("b")
    expect(await one.gateway.stop() == 0, "exit code")
    expect(not one.leftovers(), f"files left: {one.leftovers()}")


async def side_by_side(work, authority):
    """Two instances on one machine, with ports of their own, do not disturb one another."""
    one = Instance(work, authority)
    admin = "127.0.0.1:18877"
    two = Instance(work, authority, "two", 18080, B, ["--admin-address", admin, "--envoy-admin-port", "18001"],
                   {"AMBASSADOR_READY_PORT": "18006"}, admin)
    await one.start()
    await two.start()
    await one.serves("a")
    await two.serves("b")
    expect(await one.gateway.stop() == 0, "exit code of the first")
    await two.serves("b")
    await two.gateway.wait_ready()
    expect(await two.gateway.stop() == 0, "exit code of the second")
    expect(not one.leftovers() + two.leftovers(), "files left")


async def storm(work, authority):
    """Two hundred quick edits of Mappings, files and good and bad forms mixed: in the end exactly the last state is served."""
    one = Instance(work, authority)
    await one.start()
    dice = random.Random(7)
    state, broken = {}, set()
    def write(number, backend):
        one.manifests.write(f"m{number}.yaml", f"""
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {{name: m{number}}}
spec: {{hostname: "*", prefix: /m{number}/, rewrite: "", service: "{A if backend == 'a' else B}"}}
""")
        state[number] = backend
        broken.discard(number)
    for _ in range(200):
        number = dice.randrange(12)
        turn = dice.random()
        if turn < 0.2 and number in state:
            one.manifests.delete(f"m{number}.yaml")
            del state[number]
            broken.discard(number)
        elif turn < 0.3 and number in state:
            one.manifests.write(f"m{number}.yaml", "kind: [broken")
            broken.add(number)
        else:
            write(number, dice.choice("ab"))
        if dice.random() < 0.3:
            await asyncio.sleep(0)
    for number in sorted(broken):  # what such a file holds depends on which forms of it were read
        write(number, "b")
    async def probe():
        for number in range(12):
            answer = await one.get(f"/m{number}/x")
            want = (state.get(number, "a"), f"/m{number}/x")  # without its Mapping "/" serves it, by a
            got = (answer.json().get("backend"), answer.json().get("path"))
            if want != got:
                return f"m{number}: expected {want}, got {got}"
        return None
    expect((complaint := await gateway.eventually(probe)) is None, complaint)
    expect(one.gateway.metric("emissary_xds_nacks_total") == 0, "Envoy refused something")
    expect(await one.gateway.stop() == 0, "exit code")


async def log(work, authority):
    """Away from a terminal every line is a JSON object that tells when, how grave and what; a finding names its object. Only
    Envoy's access log is text."""
    one = Instance(work, authority)
    await one.start()
    one.manifests.write("bad.yaml", """
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: bad, namespace: edge}
spec: {hostname: "*", service: "10.77.0.11:9080"}
""")
    async def told():
        return None if "edge/bad" in one.gateway.log.read_text() else "not told"
    expect(await gateway.eventually(told) is None, "the log does not name the broken object")
    await one.serves("a")
    expect(await one.gateway.stop() == 0, "exit code")
    for line in one.gateway.log.read_text().splitlines():
        if line.startswith("ACCESS "):
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = {}
        expect(record.get("level") in ("debug", "info", "notice", "warning", "error", "critical") and record.get("message")
               and record.get("time"), f"not a record: {line}")


SCENARIOS = {f.__name__: f for f in (drain, killed_supervisor, killed_envoy, side_by_side, storm, log)}


async def run(scenario, work):
    await backends.start("a", A)
    await backends.start("b", B)
    await SCENARIOS[scenario](work, certs.Authority(work / "certs"))


if __name__ == "__main__":
    main(run)
