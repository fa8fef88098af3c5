"""A node for a cluster of tests: scheduler and kubelet of some namespaces. The containers of their Pods really run (engine.py), each Pod
in a network namespace at an address of its own; probes decide what EndpointSlices say of it.

Not here: images that are not named, limits of resources, changes of a mounted ConfigMap or Secret, logs through the API. A capability that
is added is ambient, unlike in Kubernetes."""
import contextlib
import http.client
import os
import select
import shutil
import signal
import socket
import threading
import time

from . import bed as beds
from . import kube, pod_spec
from .engine import Failed
from .network import Network

POLL = 0.05
BACKOFF = 0.2


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Node:
    """`images`: {as Pods name it: as the engine does}. `namespaces` are its own: each lies on one node of tests at most."""

    def __init__(self, bed, engine, work, images, namespaces):
        self.bed, self.engine, self.work, self.images = bed, engine, work, images
        self.name = f"node-{bed.number()}"
        self.pods, self.ended = {}, {}  # uid -> _Pod; Pod's name -> {container: exit status of its last run}
        self.stopping, self.watches = threading.Event(), []
        made = bed.client.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name, "labels": {"kubernetes.io/hostname": self.name}}})
        bed.to_delete.append(made)
        bed.client.patch(made, {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, "status")
        self.threads = [self.thread(self._follow, namespace) for namespace in namespaces]

    def thread(self, function, *arguments):
        """Living where the Pods can be reached."""
        made = threading.Thread(target=function, args=arguments, daemon=True)
        self.bed.network.run(made.start)
        return made

    def _follow(self, namespace):
        while not self.stopping.is_set():
            with contextlib.suppress(kube.ApiError, OSError, ValueError, http.client.HTTPException):
                path = self.bed.client.path("v1", "Pod", namespace)
                listed = self.bed.client.request("GET", path)
                for pod in listed["items"]:
                    self._take(pod)
                watch = self.bed.client.watch("v1", "Pod", namespace, resourceVersion=listed["metadata"]["resourceVersion"])
                self.watches.append(watch)
                with contextlib.closing(watch):
                    for event in watch:
                        if self.stopping.is_set() or event["type"] == "ERROR":
                            break
                        self._take(event["object"], event["type"] == "DELETED")
            self.stopping.wait(POLL)

    def _take(self, pod, gone=False):
        uid, spec = pod["metadata"]["uid"], pod["spec"]
        if not spec.get("nodeName") and not gone and "deletionTimestamp" not in pod["metadata"]:
            head = {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}
            where = self.bed.client.path("v1", "Pod", head["namespace"], head["name"], "binding")
            with contextlib.suppress(kube.ApiError):  # the event of it comes back
                self.bed.client.request("POST", where, {"apiVersion": "v1", "kind": "Binding", "metadata": head,
                                                        "target": {"apiVersion": "v1", "kind": "Node", "name": self.name}})
        elif spec.get("nodeName") == self.name:
            if uid not in self.pods and not gone:
                self.pods[uid] = _Pod(self, pod)
            if uid in self.pods and (gone or "deletionTimestamp" in pod["metadata"]):
                self.pods[uid].terminate(0 if gone else pod["metadata"].get("deletionGracePeriodSeconds", 30))

    def pod(self, name):
        """A Pod that runs here, by name."""
        return next(pod for pod in self.pods.values() if pod.name == name)

    def close(self):
        """What still runs is ended at once."""
        self.stopping.set()
        for watch in self.watches:
            cut(watch)
        for pod in list(self.pods.values()):
            pod.terminate(0)
        for pod in list(self.pods.values()):
            pod.thread.join(beds.DEADLINE)

    def logs(self, lines=60):
        """The ends of all containers' logs, requests apart."""
        def end(path):
            told = [line for line in path.read_text(errors="replace").splitlines() if not line.startswith("ACCESS ")]
            return "\n".join([f"--- the end of {path.stem}'s log:", *told[-lines:]])
        return "\n".join(end(path) for path in sorted(self.work.glob("*.log")))


class _Pod:
    """One thread that starts, watches and ends its containers, and a thread a probe."""

    def __init__(self, node, pod):
        self.node, self.pod, self.bed = node, pod, node.bed
        self.name, self.address = pod["metadata"]["name"], node.bed.address(pods=False)
        self.folder = node.work / self.name
        self.network = None
        self.kill_at = None  # the end of the grace
        self.containers = {one["name"]: _Run(self, one) for one in pod["spec"]["containers"]}
        self.told = None
        self.initialized = False
        self.thread = node.thread(self._live)

    def terminate(self, grace):
        end = time.monotonic() + grace
        self.kill_at = end if self.kill_at is None else min(end, self.kill_at)

    def _live(self):
        try:
            self._begin()
            while self.kill_at is None:
                for run in self.containers.values():
                    run.look()
                self.tell()
                time.sleep(POLL)
            self._end()
        finally:
            for run in self.containers.values():
                run.remove()
            if self.network:
                self.network.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            self.node.pods.pop(self.pod["metadata"]["uid"], None)

    def _begin(self):
        self.network = Network()
        self.bed.network.join(self.network, beds.GATE, self.address)
        self.network.ip("route", "add", "default", "via", beds.GATE)
        for one in self.pod["spec"].get("securityContext", {}).get("sysctls", ()):
            self.network.run(_write, "/proc/sys/" + one["name"].replace(".", "/"), one["value"])
        folders = None
        while folders is None and self.kill_at is None:
            try:
                folders = pod_spec.volumes(self.bed, self.pod, self.folder, self.address)
            except (pod_spec.NotYet, kube.ApiError):
                shutil.rmtree(self.folder, ignore_errors=True)
                self.tell()
                time.sleep(BACKOFF)
        self.folders = folders
        for one in self.pod["spec"].get("initContainers", ()):
            run = _Run(self, one, probed=False)
            while self.kill_at is None:
                run.look()
                if run.last is not None and run.last["exitCode"] == 0:
                    break
                self.tell()
                time.sleep(POLL)
            run.remove()
        self.initialized = True

    def _end(self):
        """Pre-stop hooks, the signal, and the end of the grace."""
        threads = [self.node.thread(run.stop) for run in self.containers.values()]
        while any(thread.is_alive() for thread in threads):
            self.tell()
            time.sleep(POLL)
        for run in self.containers.values():
            run.look(restart=False)
        self.node.ended[self.name] = {name: run.last and run.last["exitCode"] for name, run in self.containers.items()}
        self.tell()
        with contextlib.suppress(kube.ApiError, OSError):
            where = self.bed.client.path("v1", "Pod", self.pod["metadata"]["namespace"], self.name)
            self.bed.client.request("DELETE", where, {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0,
                                                      "preconditions": {"uid": self.pod["metadata"]["uid"]}})

    def phase(self):
        runs = self.containers.values()
        if all(run.container is None and run.done() for run in runs):
            return "Failed" if any(run.last["exitCode"] for run in runs) else "Succeeded"
        return "Running" if any(run.state.get("running") for run in runs) else "Pending"

    def tell(self):
        """The Pod's status, when it changed."""
        ready = self.initialized and all(run.ready for run in self.containers.values())
        condition = lambda kind, true: {"type": kind, "status": "True" if true else "False"}  # noqa: E731
        status = {"phase": self.phase(), "podIP": self.address, "podIPs": [{"ip": self.address}], "hostIP": beds.GATE, "hostIPs": [{"ip": beds.GATE}],
                  "conditions": [condition("PodScheduled", True), condition("Initialized", self.initialized), condition("ContainersReady", ready),
                                 condition("Ready", ready)],
                  "containerStatuses": [run.status() for run in self.containers.values()]}
        if status != self.told:
            with contextlib.suppress(kube.ApiError, OSError, http.client.HTTPException):
                self.bed.client.patch(self.pod, {"status": status}, "status")
                self.told = status


class _Run:
    """A container of a Pod: as often as it takes."""

    def __init__(self, pod, spec, probed=True):
        self.pod, self.spec, self.node, self.engine = pod, spec, pod.node, pod.node.engine
        self.container = self.main = None
        self.restarts, self.next = 0, 0.0
        self.state, self.last = {"waiting": {"reason": "ContainerCreating"}}, None
        self.started = self.passing = not probed
        self.ready = False

    def look(self, restart=True):
        """Start it, or see that it ended. Once it has run: an exit status of 0 is the end of what restarts on failure alone."""
        if self.container is None:
            if restart and not self.done() and time.monotonic() >= self.next:
                self._start()
            return
        if self.over():
            self._ended(self.container.wait())

    def done(self):
        """Whether it ended and is not started again."""
        policy = self.pod.pod["spec"].get("restartPolicy", "Always")
        return self.last is not None and (policy == "Never" or policy == "OnFailure" and self.last["exitCode"] == 0)

    def over(self, within=0.0):
        """Whether the container's first process has ended."""
        return self.main is None or bool(select.select([self.main], [], [], within)[0])

    def _start(self):
        image = self.node.images.get(self.spec["image"])
        if image is None:
            self.state = {"waiting": {"reason": "ErrImageNeverPull", "message": f"no image {self.spec['image']} on this node"}}
            return
        try:
            environment = pod_spec.environment(self.node.bed.client, self.pod.pod, self.spec, self.pod.address)
            named = pod_spec.options(self.pod.pod, self.spec, self.pod.folders, environment)
            name = f"{self.pod.name}-{self.spec['name']}-{self.restarts}"
            self.container = self.engine.run(image, *self.spec.get("args", ()), name=name, network=self.pod.network, **named)
        except (Failed, pod_spec.NotYet, kube.ApiError) as error:
            self.state = {"waiting": {"reason": "CreateContainerError", "message": str(error)}}
            self.next = time.monotonic() + BACKOFF
            return
        self.main = self.container.main()
        self.state = {"running": {"startedAt": now()}}
        self.log = self.node.work / f"{name}.log"
        probe = self.spec.get("startupProbe")
        self.started, self.passing = not probe, "readinessProbe" not in self.spec
        self.ready = self.started and self.passing
        self.node.thread(self._probe, self.container)

    def _ended(self, status):
        self.remove()
        self.ready = False
        self.last = {"exitCode": status, "finishedAt": now(), "reason": "Completed" if status == 0 else "Error"}
        self.state = {"terminated": self.last}
        self.restarts += 1
        self.next = time.monotonic() + min(BACKOFF * 2 ** min(self.restarts, 6), 10)

    def _probe(self, container):
        """All three, in one thread: the start's, then the two others, each as often as it says."""
        def due(kind):
            probe = self.spec.get(kind)
            return probe and {"probe": probe, "kind": kind, "next": time.monotonic() + probe.get("initialDelaySeconds", 0), "good": 0, "bad": 0}
        first = [one for one in [due("startupProbe")] if one]
        rest = None
        while self.container is container:
            if self.started and rest is None:
                rest = [one for one in (due("readinessProbe"), due("livenessProbe")) if one]
            for one in rest if self.started else first:
                if time.monotonic() >= one["next"]:
                    one["next"] = time.monotonic() + one["probe"].get("periodSeconds", 10)
                    self._answered(one, probed(one["probe"], self.pod.address, self.spec), container)
            time.sleep(POLL)

    def _answered(self, one, good, container):
        one["good"], one["bad"] = (one["good"] + 1, 0) if good else (0, one["bad"] + 1)
        enough = one["good"] >= one["probe"].get("successThreshold", 1)
        failed = one["bad"] >= one["probe"].get("failureThreshold", 3)
        if one["kind"] == "startupProbe" and enough:
            self.started = True
        elif one["kind"] == "readinessProbe" and (enough or failed):
            self.passing = enough
        elif failed and self.pod.kill_at is None:  # not alive, or never started
            one["bad"] = 0
            grace = self.pod.pod["spec"].get("terminationGracePeriodSeconds", 30)
            self.node.thread(self._stop, container, time.monotonic() + grace)
        self.ready = self.container is container and self.started and self.passing

    def stop(self):
        """As the Pod ends: its hook, then the signal, then the end of the grace."""
        container = self.container
        if container is None:
            return
        hook = self.spec.get("lifecycle", {}).get("preStop", {})
        if "sleep" in hook:
            time.sleep(min(hook["sleep"]["seconds"], max(0, self.pod.kill_at - time.monotonic())))
        elif "httpGet" in hook:
            probed(hook, self.pod.address, self.spec)
        elif "exec" in hook:
            self.engine.podman("exec", container.name, *hook["exec"]["command"], check=False)
        self._stop(container, None)

    def _stop(self, container, kill_at):
        # By its descriptor: podman may say that it failed although the signal came, and a second one would end all at once.
        with contextlib.suppress(OSError, TypeError):  # it has ended meanwhile, or before
            signal.pidfd_send_signal(self.main, signal.SIGTERM)
            killed = False
            while self.container is container and not self.over(POLL):
                if not killed and time.monotonic() > (kill_at or self.pod.kill_at):
                    signal.pidfd_send_signal(self.main, signal.SIGKILL)
                    killed = True

    def remove(self):
        container, self.container = self.container, None
        if container:
            self.log.write_text(container.logs())
            container.remove()
            if self.main is not None:
                os.close(self.main)

    def status(self):
        last = {"lastState": {"terminated": self.last}} if self.last and "terminated" not in self.state else {}
        return {"name": self.spec["name"], "image": self.spec["image"], "imageID": self.spec["image"], "ready": self.ready, "started": self.started,
                "restartCount": self.restarts, "state": self.state, **last}


def probed(probe, address, container):
    """Whether an httpGet or tcpSocket is answered as it should."""
    told = probe.get("httpGet") or probe["tcpSocket"]
    port = told["port"]
    if isinstance(port, str):
        port = next(one["containerPort"] for one in container.get("ports", ()) if one.get("name") == port)
    timeout = probe.get("timeoutSeconds", 1)
    with contextlib.suppress(OSError, http.client.HTTPException):
        if "tcpSocket" in probe:
            socket.create_connection((told.get("host", address), port), timeout).close()
            return True
        connection = http.client.HTTPConnection(told.get("host", address), port, timeout=timeout)
        with contextlib.closing(connection):
            headers = {one["name"]: one["value"] for one in told.get("httpHeaders", ())}
            connection.request("POST" if told.get("method") == "POST" else "GET", told.get("path", "/"), headers=headers)
            return 200 <= connection.getresponse().status < 400
    return False


def cut(watch):
    """Wake who waits for its next event."""
    with contextlib.suppress(OSError, AttributeError):
        watch.connection.sock.shutdown(socket.SHUT_RDWR)


def _write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Endpoints:
    """The addresses at which a Service is ready, live, as kube-proxy knows them: `ready` is [(address, port)]."""

    def __init__(self, bed, namespace, service, port=None):
        self.bed, self.namespace, self.service, self.port = bed, namespace, service, port
        self.ready, self.slices, self.closed = [], {}, False
        self.watch = None
        thread = threading.Thread(target=self._follow, daemon=True)
        bed.network.run(thread.start)

    def _follow(self):
        kind, selector = ("discovery.k8s.io/v1", "EndpointSlice", self.namespace), f"kubernetes.io/service-name={self.service}"
        while not self.closed:
            with contextlib.suppress(kube.ApiError, OSError, ValueError, AttributeError, http.client.HTTPException):
                self.watch = self.bed.client.watch(*kind, labelSelector=selector)  # begins with what there is
                self.slices = {}
                for event in self.watch:
                    if event["type"] == "ERROR":
                        break
                    name = event["object"]["metadata"]["name"]
                    self.slices.pop(name, None)
                    if event["type"] != "DELETED":
                        self.slices[name] = event["object"]
                    self.ready = [pair for one in self.slices.values() for pair in self._pairs(one)]
            time.sleep(POLL)

    def _pairs(self, part):
        ports = [port["port"] for port in part.get("ports") or () if self.port in (None, port.get("name"))]
        return [(address, port) for one in part.get("endpoints") or () if one["conditions"].get("ready") is not False
                for address in one["addresses"] for port in ports[:1]]

    def close(self):
        self.closed = True
        cut(self.watch)
