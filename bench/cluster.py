"""A cluster with a real API server: `python -m cluster SHAPE MAPPINGS PER_HOST CHANGES BINARIES`. Product and floor each have an Envoy of
their own. The floor of a change is the same write seen by a bare watch, which has the bare xDS server push what was prepared; of a
start, the bare lists and then Envoy's own start; of statuses, a client that patches the same objects. Prints figures."""
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import rig
from harness import kube, netns, paths
from harness.cluster import Cluster
from harness.instance import Instance
from manifests import BACKEND_PORT, LISTENER, Shape

PORT, FLOOR_PORT, FLOOR_ADMIN = 8080, 8090, 9902
V3 = "getambassador.io/v3alpha1"
LISTED = "/apis/getambassador.io/v3alpha1/mappings", "/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices"
STATUSES, WRITERS = 1000, 16
STARTS = 3
PAUSE = 0.03  # between two changes: acknowledgements and statuses of the one do not count as the other's


def ms(begin, end=None):
    return ((end or time.monotonic_ns()) - begin) / 1e6


def page_through(client, path):
    """A bare list: its bytes, of which nothing is read but where the next page is."""
    size, more = 0, ""
    while True:
        status, body = client.raw("GET", f"{path}?limit=500" + (f"&continue={more}" if more else ""))
        if status != 200:
            raise RuntimeError(f"{path}: {status} {body[:300]}")
        size += len(body)
        found = re.search(rb'"continue":"([^"]+)"', body[:500])
        if not found:
            return size
        more = found[1].decode()


def list_all(client):
    begin = time.monotonic_ns()
    with concurrent.futures.ThreadPoolExecutor(len(LISTED)) as pool:
        sizes = list(pool.map(lambda path: page_through(client, path), LISTED))
    return ms(begin), sum(sizes)


def fill(client, shape):
    """The shape's objects, at the API server."""
    def objects(text):
        for thing in kube.objects(text):
            if thing["kind"] == "Service":
                del thing["spec"]["clusterIP"]  # the server's to choose
            yield thing
    with tempfile.TemporaryDirectory() as folder:
        files = [each for path in shape.write(folder) for each in ([path] if path.is_file() else sorted(path.rglob("*.yaml")))]
        things = [thing for file in files for thing in objects(file.read_text())]
    client.many(client.create, [*objects(LISTENER.format(port=PORT)), *things])


class Product:
    def __init__(self, cluster, work, shape):
        self.shape = shape
        self.instance = Instance(cluster, work, cluster.kubeconfig())
        self.client = rig.Client(PORT, self.instance.address)

    def start(self):
        """Milliseconds until it is ready."""
        begin = time.monotonic_ns()
        self.instance.up()
        ready = ms(begin)
        last = self.shape.mappings - 1
        self.client.until(self.shape.prefix(last), self.shape.authority(last), b"200 OK")
        self.pid = self.instance.control_plane()
        return ready

    def stop(self):
        self.client.close()
        self.instance.process.send_signal(signal.SIGTERM)
        self.instance.process.wait()


class Bare:
    """The floor: what was prepared is pushed when a bare watch sees the write."""

    def __init__(self, cluster, work, shape, binaries, changes):
        self.work, self.shape, self.client = work, shape, rig.Client(FLOOR_PORT)
        manifests = shape.write(work / "config")
        (work / "listener.yaml").write_text(LISTENER.format(port=FLOOR_PORT))
        files = []
        for number, text in enumerate(changes):
            files.append(work / f"change-{number}.yaml")
            files[-1].write_text(text)
        subprocess.run([str(x) for x in (binaries / "prepare", work, work / "listener.yaml", *manifests, "--", *files)], check=True, stdout=subprocess.DEVNULL)
        self.server = rig.Floor(binaries / "floor", work / "ads", [work / "start.bin"], work / "floor.log")
        self.envoy = None
        self.armed = threading.Event()
        version = json.loads(cluster.client.raw("GET", LISTED[0] + "?limit=1")[1])["metadata"]["resourceVersion"]
        self.watch = cluster.client.watch(V3, "Mapping", resourceVersion=version)
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        try:
            while self.watch.response.readline():
                if self.armed.is_set():
                    self.armed.clear()
                    self.server.push()
        except (OSError, ValueError, AttributeError):  # as http.client has it
            return  # closed

    def start(self):
        last = self.shape.mappings - 1
        self.envoy = rig.Envoy(self.work, self.work / "ads", FLOOR_ADMIN)
        answered = self.client.until(self.shape.prefix(last), self.shape.authority(last), b"200 OK", pause=0.005)
        return (answered - self.envoy.started) / 1e6

    def end(self):
        self.watch.close()
        if self.envoy:
            self.envoy.__exit__()
        self.client.close()
        self.server.__exit__()


def rest(product):
    """Until no status is written any more: those of a start take their time."""
    before = None
    while (now := product.instance.metric("emissary_status_writes_total")) != before:
        before = now
        time.sleep(2)


def starts(cluster, product, bare):
    ours, lists, envoys, cpu = [], [], [], []
    for number in range(STARTS):
        if number:
            product.stop()
            bare.envoy.__exit__()
            bare.client.close()
        ours.append(product.start())
        cpu.append(rig.cpu_ms(product.pid))
        lists.append(list_all(cluster.client)[0])
        envoys.append(bare.start())
    tags = product.shape.tags()
    rig.figure("cluster_start", "floor_lists", lists, "ms", **tags)
    rig.figure("cluster_start", "floor_envoy", envoys, "ms", **tags)
    floor = sorted(a + b for a, b in zip(lists, envoys))[STARTS // 2]
    rig.figure("cluster_start", "ready", ours, "ms", ratio=round(sorted(ours)[STARTS // 2] / floor, 2), floor=round(floor, 1),
               control_plane_cpu_ms=round(sorted(cpu)[STARTS // 2]), **tags)
    rest(product)
    rig.figure("cluster_memory", "control_plane", rig.resident_mib(product.pid), "MiB", **tags)


def changes(cluster, product, bare, picked):
    """Each is written twice: for the product, and, while the product is stopped, back and again for the floor."""
    shape, ours, floor, cpu = product.shape, [], [], []
    def write(i, version):
        thing = next(kube.objects(shape.mapping(i, version)))
        begin = time.monotonic_ns()
        cluster.client.patch(thing, {"spec": {"prefix": thing["spec"]["prefix"]}})
        return begin
    for number, i in enumerate(picked):
        used = rig.cpu_ms(product.pid)
        begin = write(i, number)
        ours.append(ms(begin, product.client.until(shape.prefix(i, number), shape.authority(i), b"200 OK")))
        time.sleep(PAUSE)
        cpu.append(rig.cpu_ms(product.pid) - used)
        write(i, None)
        product.client.until(shape.prefix(i, number), shape.authority(i), b"404 Not Found")
        time.sleep(PAUSE)
        os.kill(product.pid, signal.SIGSTOP)
        bare.server.prepare(bare.work / f"change-{number}.bin")
        bare.armed.set()
        begin = write(i, number)
        floor.append(ms(begin, bare.client.until(shape.prefix(i, number), shape.authority(i), b"200 OK")))
        os.kill(product.pid, signal.SIGCONT)
        product.client.until(shape.prefix(i, number), shape.authority(i), b"200 OK")
        time.sleep(PAUSE)
    tags = shape.tags()
    median = rig.figure("cluster_change", "floor_visible", floor, "ms", **tags)
    rig.figure("cluster_change", "visible", ours, "ms", ratio=round(sorted(ours)[len(ours) // 2] / median, 2), **tags)
    rig.figure("cluster_change", "control_plane_cpu", cpu, "ms", **tags)


def statuses(cluster, product):
    """Mappings that name a resolver which is not there; it is made, and all become right."""
    names = [f"status-{i}" for i in range(STATUSES)]
    head = {"apiVersion": V3, "kind": "Mapping"}
    def state_of(thing):
        return next((c["status"] for c in thing.get("status", {}).get("conditions", ()) if c["type"] == "Programmed"), None)
    def await_state(wanted):
        """Of all of them; when the last was seen."""
        listed = json.loads(cluster.client.raw("GET", LISTED[0] + "?labelSelector=bench%3Dstatus")[1])
        left = {thing["metadata"]["name"] for thing in listed["items"] if state_of(thing) != wanted}
        watch = cluster.client.watch(V3, "Mapping", resourceVersion=listed["metadata"]["resourceVersion"], labelSelector="bench=status")
        for event in watch if left else ():
            if state_of(event["object"]) == wanted:
                left.discard(event["object"]["metadata"]["name"])
            if not left:
                break
        watch.close()
        return time.monotonic_ns()
    cluster.client.many(cluster.client.create, [
        {**head, "metadata": {"name": name, "namespace": "default", "labels": {"bench": "status"}},
         "spec": {"hostname": "h0.example.com", "prefix": f"/{name}/", "service": "s0:80", "resolver": "late"}} for name in names])
    await_state("False")
    begin = time.monotonic_ns()
    cluster.client.create({"apiVersion": V3, "kind": "KubernetesEndpointResolver", "metadata": {"name": "late", "namespace": "default"}, "spec": {}})
    ours = ms(begin, await_state("True"))
    product.stop()
    status = cluster.client.get(V3, "Mapping", "default", names[0])["status"]
    for condition in status["conditions"]:
        condition["message"] += " "
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        begin = time.monotonic_ns()
        list(pool.map(lambda name: cluster.client.apply({**head, "metadata": {"name": name, "namespace": "default"}, "status": status}, "status", "bench"), names))
        floor = ms(begin)
    rig.figure("cluster_status", "floor_patches", floor, "ms", objects=STATUSES, writers=WRITERS)
    rig.figure("cluster_status", "all_right", ours, "ms", ratio=round(ours / floor, 2), objects=STATUSES)


def main(shape, mappings, per_host, count, binaries):
    shape = Shape(shape, int(mappings), int(per_host))
    picked = [k * 53 % (shape.mappings - 1) for k in range(int(count))]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for each in ("cluster", "product", "floor"):
            (work / each).mkdir()
        cluster = Cluster(work / "cluster").start()
        with cluster.network.entered(), rig.Child([sys.executable, "-m", "backend", BACKEND_PORT], "/dev/null"):
            cluster.install_crds(subprocess.run([paths.emissary(), "crds"], check=True, stdout=subprocess.PIPE, text=True).stdout)
            fill(cluster.client, shape)
            product = Product(cluster, work / "product", shape)
            bare = Bare(cluster, work / "floor", shape, pathlib.Path(binaries), [shape.mapping(i, k) for k, i in enumerate(picked)])
            try:
                starts(cluster, product, bare)
                changes(cluster, product, bare, picked)
                rig.figure("cluster_memory", "control_plane_after", rig.resident_mib(product.pid), "MiB", **shape.tags())
                statuses(cluster, product)
            except BaseException:
                rig.say(product.instance.log.read_text(errors="replace")[-3000:])
                raise
            finally:
                bare.end()
                product.instance.close()
                cluster.stop()


if __name__ == "__main__":
    netns.enter()
    main(*sys.argv[1:])
