"""One size and shape, end to end, in a namespace of its own: `python -m change SHAPE MAPPINGS PER_HOST CHANGES BINARIES`. Product and
floor run side by side, each with an Envoy of its own; every change is made to both in turn, so that what else the machine does meets
both. Prints figures."""
import asyncio
import os
import pathlib
import sys
import tempfile
import time

import rig
from harness import gateway, netns
from manifests import BACKEND_PORT, LISTENER, Shape

PORT, FLOOR_PORT, FLOOR_ADMIN = 8080, 8090, 9902
STARTS = 3
PAUSE = 0.01  # between two changes: acknowledgements, logs and garbage of the one do not count as the other's


class Product:
    """`emissary run` on a config folder. The client sees the change's way from the rename of one file."""

    def __init__(self, work, shape):
        self.work, self.shape = work, shape
        self.config = work / "config"
        shape.write(self.config)
        (self.config / "listener.yaml").write_text(LISTENER.format(port=PORT))
        self.client = rig.Client(PORT)
        self.gateway = None

    def start(self):
        """Milliseconds until the last route answers."""
        last = self.shape.mappings - 1
        self.gateway = gateway.Gateway(self.work, self.config)
        start = time.monotonic_ns()
        self.gateway.start()
        answered = self.client.until(self.shape.prefix(last), self.shape.authority(last), b"200 OK", pause=0.005)
        return (answered - start) / 1e6

    def settle(self):
        asyncio.run(self.gateway.wait_ready())
        self.pid = self.gateway.control_plane()
        self.envoy = next(pid for pid, line in self.gateway.children().items() if line.split(" ")[0].endswith("/envoy"))

    def stop(self):
        self.client.close()
        asyncio.run(self.gateway.stop())

    def write(self, name, text):
        """The rename, and when it was."""
        beside = self.work / "next.yaml"
        beside.write_text(text)
        start = time.monotonic_ns()
        os.rename(beside, self.config / name)
        return start

    def sent(self):
        metrics = self.gateway.metrics()
        def total(name):
            return sum(v for n, v in metrics.items() if n.split("{")[0] == name)
        return {"resources": total("emissary_xds_resources_sent_total"), "bytes": total("emissary_xds_bytes_sent_total"),
                "nacks": total("emissary_xds_nacks_total"),
                "evaluations": total("emissary_compile_evaluations_total")}


class Bare:
    """The floor on the same manifests, compiled beforehand; only its Listener's port differs."""

    def __init__(self, work, shape, binaries, changes):
        self.work, self.shape, self.client = work, shape, rig.Client(FLOOR_PORT)
        manifests = shape.write(work / "config")
        (work / "listener.yaml").write_text(LISTENER.format(port=FLOOR_PORT))
        files = []
        for number, (_, text) in enumerate(changes):
            files.append(work / f"change-{number}.yaml")
            files[-1].write_text(text)
        with rig.Child([binaries / "prepare", work, work / "listener.yaml", *manifests, "--", *files], work / "prepare.log") as prepare:
            prepare.process.wait()
            if prepare.process.returncode != 0:
                prepare.check()
        self.server = rig.Floor(binaries / "floor", work / "ads", [work / "start.bin"], work / "floor.log")
        self.envoy = None

    def start(self):
        last = self.shape.mappings - 1
        self.envoy = rig.Envoy(self.work, self.work / "ads", FLOOR_ADMIN)
        answered = self.client.until(self.shape.prefix(last), self.shape.authority(last), b"200 OK", pause=0.005)
        return (answered - self.envoy.started) / 1e6

    def stop(self):
        self.envoy.__exit__()
        self.client.close()

    def end(self):
        self.stop()
        self.server.__exit__()


def starts(product, bare):
    """Both started in turn, and left running."""
    ours, floor, cpu, floor_cpu = [], [], [], []
    for number in range(STARTS):
        if number:
            product.stop()
            bare.stop()
        ours.append(product.start())
        product.settle()
        cpu.append(rig.cpu_ms(product.pid))
        floor.append(bare.start())
        floor_cpu.append(rig.cpu_ms(bare.envoy.pid))
    tags = product.shape.tags()
    floor_median = rig.figure("start", "floor_until_last_route", floor, "ms", envoy_cpu_ms=round(sorted(floor_cpu)[STARTS // 2], 1), **tags)
    rig.figure("start", "until_last_route", ours, "ms", control_plane_cpu_ms=round(sorted(cpu)[STARTS // 2], 1),
               ratio=round(sorted(ours)[STARTS // 2] / floor_median, 2), **tags)
    rig.figure("memory", "control_plane", rig.resident_mib(product.pid), "MiB", **tags)
    rig.figure("memory", "envoy", rig.resident_mib(product.envoy), "MiB", **tags)
    rig.figure("memory", "floor_envoy", rig.resident_mib(bare.envoy.pid), "MiB", **tags)


def changes_of(product, bare, what, first, changes, wanted):
    """`changes`: (file, text); `wanted`: for each, the request (path, authority) and what its answer then holds. `first`: the
    number of the first of them among the floor's prepared files."""
    ours, floor, floor_bytes, cpu, floor_cpu, floor_envoy_cpu, envoy_cpu = ([] for _ in range(7))
    before = product.sent()
    for number, ((name, text), (path, authority, answer)) in enumerate(zip(changes, wanted)):
        used, envoy_used = rig.cpu_ms(product.pid), rig.cpu_ms(product.envoy)
        start = product.write(name, text)
        ours.append((product.client.until(path, authority, answer) - start) / 1e6)
        time.sleep(PAUSE)
        cpu.append(rig.cpu_ms(product.pid) - used)
        envoy_cpu.append(rig.cpu_ms(product.envoy) - envoy_used)

        bare.server.prepare(bare.work / f"change-{first + number}.bin")
        used, envoy_used = rig.cpu_ms(bare.server.pid), rig.cpu_ms(bare.envoy.pid)
        start = time.monotonic_ns()
        bare.server.push()
        floor.append((bare.client.until(path, authority, answer) - start) / 1e6)
        floor_bytes.append(bare.server.pushed()["bytes"])
        time.sleep(PAUSE)
        floor_cpu.append(rig.cpu_ms(bare.server.pid) - used)
        floor_envoy_cpu.append(rig.cpu_ms(bare.envoy.pid) - envoy_used)
    after = product.sent()
    per_change = {name: round((after[name] - before[name]) / len(changes), 2) for name in before}
    tags = product.shape.tags()
    floor_median = rig.figure(what, "floor_visible", floor, "ms", **tags)
    rig.figure(what, "visible", ours, "ms", ratio=round(sorted(ours)[len(ours) // 2] / floor_median, 2), **tags)
    rig.figure(what, "control_plane_cpu", cpu, "ms", **tags)
    rig.figure(what, "floor_cpu", floor_cpu, "ms", **tags)
    rig.figure(what, "envoy_cpu", envoy_cpu, "ms", **tags)
    rig.figure(what, "floor_envoy_cpu", floor_envoy_cpu, "ms", **tags)
    rig.figure(what, "resources_sent", per_change["resources"], "a change", **tags)
    rig.figure(what, "bytes_sent", per_change["bytes"], "a change", floor=round(sum(floor_bytes) / len(floor_bytes), 2), **tags)
    rig.figure(what, "evaluations", per_change["evaluations"], "a change", **tags)
    if after["nacks"] or bare.server.nacks:
        raise RuntimeError(f"Envoy refused something: product {after['nacks']}, floor {bare.server.nacks}")


def restarts(product):
    """kill -9 of the control plane: until a change made at that moment is live, and until all is acknowledged again. Each in a new
    gateway, since the supervisor waits longer after each crash."""
    connected, live, sent = [], [], []
    for number in range(STARTS):
        product.stop()
        product.start()
        product.settle()
        i, version = number, 90000 + number
        old = product.gateway.control_plane()
        start = time.monotonic_ns()
        os.kill(old, 9)
        name, text = product.shape.mapping_file(i), product.shape.mapping(i, version)
        product.write(name, text)  # arrives while nobody looks
        live.append((product.client.until(product.shape.prefix(i, version), product.shape.authority(i), b"200 OK") - start) / 1e6)
        asyncio.run(product.gateway.wait_ready())
        connected.append((time.monotonic_ns() - start) / 1e6)
        sent.append(product.sent()["resources"])
    rig.figure("restart", "change_live", live, "ms", **product.shape.tags())
    rig.figure("restart", "resources_sent", sent, "resources", **product.shape.tags())
    rig.figure("restart", "ready_again", connected, "ms", **product.shape.tags())


def main(shape, mappings, per_host, count, binaries):
    shape, count = Shape(shape, int(mappings), int(per_host)), int(count)
    # Spread over the Hosts; not the last Mapping, by which a start is seen.
    picked = [k * 53 % (shape.mappings - 1) for k in range(count)]
    routes = [(shape.mapping_file(i), shape.mapping(i, k)) for k, i in enumerate(picked)]
    route_answers = [(shape.prefix(i, k), shape.authority(i), b"200 OK") for k, i in enumerate(picked)]
    # Those of Mappings whose prefix stays as it was.
    still = [k * 41 % shape.mappings for k in range(count)]
    addressed = [(i, k) for k, i in enumerate(still) if i not in picked]
    slices = [(shape.slice_file(i), shape.slice(i, 1 + k)) for i, k in addressed] if shape.shape != "c" else []
    slice_answers = [(shape.prefix(i), shape.authority(i), b"x-called: " + shape.address(1 + k).encode() + b"\r") for i, k in addressed]
    with tempfile.TemporaryDirectory() as work, rig.Child([sys.executable, "-m", "backend", BACKEND_PORT], "/dev/null"):
        work = pathlib.Path(work)
        for each in ("product", "floor"):
            (work / each).mkdir()
        product = Product(work / "product", shape)
        bare = Bare(work / "floor", shape, pathlib.Path(binaries), routes + slices)
        try:
            starts(product, bare)
            changes_of(product, bare, "one_mapping", 0, routes, route_answers)
            if slices:
                changes_of(product, bare, "one_endpoint", len(routes), slices, slice_answers)
            rig.figure("memory", "control_plane_after", rig.resident_mib(product.pid), "MiB", **shape.tags())
            restarts(product)
        finally:
            product.stop()
            bare.end()


if __name__ == "__main__":
    netns.enter()
    main(*sys.argv[1:])
