"""Clusters shared by Mappings with equal upstream settings, against a cluster a Mapping: how long a new Envoy needs until the last
route answers, and its memory then."""
import pathlib
import sys
import tempfile

import rig
from harness import netns
from spikes import shapes

PORT, ADMIN = 8080, 9901
PER_HOST = 100
COUNTS = (1000, 10000)
ROUNDS = 3


def resources(count, shared):
    def cluster(i):
        return "shared" if shared else f"cluster{i}"
    out = [shapes.listener(PORT, shapes.rds())]
    for i in range(1 if shared else count):
        out += shapes.eds_cluster(cluster(i))
    hosts = [shapes.virtual_host(f"h{h}.example.com", [
        {"match": {"prefix": f"/p{i}/"}, "route": {"cluster": cluster(i), "prefix_rewrite": "/", "timeout": "3s"}}
        for i in range(h * PER_HOST, (h + 1) * PER_HOST)]) for h in range(count // PER_HOST)]
    return out + [shapes.route_configuration(hosts)]


def measure(work, binary, count, shared):
    files = [shapes.write(work / "all.json", resources(count, shared))]
    started, cpu, memory = [], [], []
    with rig.Floor(binary, work / "ads", files, work / "floor.log") as floor:
        for _ in range(ROUNDS):
            with rig.Envoy(work, work / "ads", ADMIN) as envoy:
                client = rig.Client(PORT)
                answered = client.until(f"/p{count - 1}/", f"h{count // PER_HOST - 1}.example.com", b"200 OK", pause=0.005)
                started.append((answered - envoy.started) / 1e6)
                cpu.append(rig.cpu_ms(envoy.pid))
                memory.append(rig.resident_mib(envoy.pid))
                client.close()
        if floor.nacks:
            raise RuntimeError(floor.nacks)
    tags = {"clusters": "by settings" if shared else "by Mapping", "mappings": count}
    rig.figure("spike.clusters", "start", started, "ms", **tags)
    rig.figure("spike.clusters", "start_envoy_cpu", cpu, "ms", **tags)
    rig.figure("spike.clusters", "envoy_memory", memory, "MiB", **tags)


def main(binaries):
    binary = pathlib.Path(binaries) / "floor"
    with rig.Child([sys.executable, "-m", "backend", 9080], "/dev/null"):
        for count in COUNTS:
            for shared in (True, False):
                with tempfile.TemporaryDirectory() as work:
                    measure(pathlib.Path(work), binary, count, shared)


if __name__ == "__main__":
    netns.enter()
    main(sys.argv[1])
