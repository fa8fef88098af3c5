"""A running cluster, as tests use it: who may do what, namespaces, addresses, backends, kubectl. cluster.py starts one.

It lies in a network namespace. All of 10.77.0.0/16 is local in there, for "pods"; the API server is at 10.77.0.1. So is 10.96.0.0/16, of
which Services get their cluster IPs; those that service() made lead to their endpoints. Gateways have namespaces of their own
(instance.py), at addresses of 10.78.0.0/16, whence they reach all that."""
import asyncio
import base64
import contextlib
import fcntl
import json
import pathlib
import random
import subprocess
import threading
import time

from . import backends, certs, kube, paths

API, API_PORT = "10.77.0.1", 6443
PODS, SERVICES, GATE = "10.77.0.1/16", "10.96.0.1/16", "10.78.0.1"
BACKEND_PORT = 9080
ADMIN_TOKEN = "test-admin"
ISSUER = "https://kubernetes.default.svc"
SHORTEST_TOKEN = 600  # seconds: what TokenRequest accepts
DEADLINE = 60
CRD = "apiextensions.k8s.io/v1", "CustomResourceDefinition"


def until(probe, what, deadline=DEADLINE, pause=0.02):
    """Call `probe` until it answers something true, which is returned. ApiError and OSError count as no."""
    end = time.monotonic() + deadline
    while True:
        why = None
        try:
            if found := probe():
                return found
        except (kube.ApiError, OSError) as error:
            why = error
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {deadline} s" + (f": {why}" if why else ""))
        time.sleep(pause)


def rule(groups, resources, verbs):
    """Of a Role: each a text of words; "core" is the group without a name."""
    groups = ["" if group == "core" else group for group in groups.split()]
    return {"apiGroups": groups, "resources": resources.split(), "verbs": verbs.split()}


class Account:
    """A ServiceAccount."""

    def __init__(self, bed, namespace, name):
        self.bed, self.namespace, self.name = bed, namespace, name
        self.subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}

    def allow(self, rules, namespace=None, everywhere=False):
        """A Role in `namespace` (its own if none is named), or a ClusterRole. What is bound, for the test to change or delete."""
        kind = "ClusterRole" if everywhere else "Role"
        name = f"{self.namespace}-{self.name}-{self.bed.number()}"
        metadata = {"name": name} if everywhere else {"name": name, "namespace": namespace or self.namespace}
        head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": metadata}
        role = self.bed.client.create({**head, "kind": kind, "rules": list(rules)})
        binding = self.bed.client.create({**head, "kind": kind + "Binding", "subjects": [self.subject],
                                          "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}})
        if everywhere:
            self.bed.to_delete += [role, binding]
        return role

    def token(self, seconds=3600):
        """From the API server; one that it would not give (too short, long expired) is signed here with its key. The server
        remembers for 10 s that a token was good."""
        account = self.bed.client.get("v1", "ServiceAccount", self.namespace, self.name)
        if seconds >= SHORTEST_TOKEN:
            asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": seconds}}
            where = self.bed.client.path("v1", "ServiceAccount", self.namespace, self.name, "token")
            return self.bed.client.request("POST", where, asked)["status"]["token"]
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": [ISSUER], "iat": now + min(seconds, 0) - 60, "nbf": now + min(seconds, 0) - 60, "exp": now + seconds,
                  "sub": f"system:serviceaccount:{self.namespace}:{self.name}",
                  "kubernetes.io": {"namespace": self.namespace, "serviceaccount": {"name": self.name, "uid": account["metadata"]["uid"]}}}
        encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")  # noqa: E731
        signed = b".".join(encode(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        sign = ["openssl", "dgst", "-sha256", "-sign", self.bed.work / "pki" / "account.key"]
        signature = subprocess.run(sign, input=signed, stdout=subprocess.PIPE, check=True).stdout
        return (signed + b"." + encode(signature)).decode()

    def kubeconfig(self, token=None, token_file=None, **named):
        """With its token in it, or the name of a file that holds one."""
        user = {"tokenFile": str(token_file)} if token_file else {"token": token or self.token()}
        return self.bed.kubeconfig(user, namespace=self.namespace, **named)

    def pod_files(self, token=None):
        """A folder of what a Pod finds at /var/run/secrets/kubernetes.io/serviceaccount."""
        folder = self.bed.work / f"pod-{self.bed.number()}"
        folder.mkdir()
        (folder / "ca.crt").write_text(pathlib.Path(self.bed.authority.ca).read_text())
        (folder / "namespace").write_text(self.namespace)
        (folder / "token").write_text(token or self.token())
        return folder

    def client(self, token=None):
        return self.bed.client_as({"authorization": "Bearer " + (token or self.token())})


class Bed:
    def __init__(self, work, network):
        self.work, self.network = pathlib.Path(work), network
        self.authority = certs.Authority(str(self.work / "pki"))
        self.client = self.client_as({"authorization": "Bearer " + ADMIN_TOKEN})
        self.to_delete = []
        self._loop = None
        self._behind = {}  # cluster IP -> (addresses, port)

    # ---- who

    def client_as(self, credentials=None, certificate=None, **named):
        return kube.Client(self.network, API, API_PORT, self.authority.ca, credentials, certificate, **named)

    def kubeconfig(self, user=None, server=f"https://{API}:{API_PORT}", ca=None, namespace="default"):
        """A file; `user` as in a kubeconfig, the administrator if none is given; `ca` a file."""
        ca = base64.b64encode(pathlib.Path(ca or self.authority.ca).read_bytes()).decode()
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "test",
                  "clusters": [{"name": "test", "cluster": {"server": server, "certificate-authority-data": ca}}],
                  "users": [{"name": "test", "user": user or {"token": ADMIN_TOKEN}}],
                  "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": namespace}}]}
        path = self.work / f"kubeconfig-{self.number()}"
        path.touch(0o600)
        path.write_text(json.dumps(config))
        return path

    def certificate(self, name, *groups):
        """(certificate, key) files of a user. For a kubeconfig: {"client-certificate": …, "client-key": …}."""
        stem = str(self.work / "pki" / f"user-{self.number()}")
        subject = "".join(f"/O={group}" for group in groups) + "/CN=" + name
        return self.authority.issue(stem + ".crt", stem + ".key", subject, "extendedKeyUsage=clientAuth")

    def account(self, namespace, name, rules=(), cluster_rules=()):
        """A ServiceAccount that may do this in its namespace, and that everywhere; one that is there already is used."""
        self.client.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}})
        account = Account(self, namespace, name)
        if rules:
            account.allow(rules)
        if cluster_rules:
            account.allow(cluster_rules, everywhere=True)
        return account

    # ---- what

    def number(self):
        """One that nobody else gets who uses this cluster."""
        with open(self.work / "numbers", "a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(".")
            return file.tell()

    def namespace(self, labels=None):
        """The name of a new one, which goes with the test."""
        made = self.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"t{self.number()}", "labels": labels or {}}})
        self.to_delete.append(made)
        return made["metadata"]["name"]

    def address(self, pods=True):
        """One that nobody else uses: of a pod (in this network, all are local already), or of a gateway."""
        number = self.number() + 255
        return f"10.{77 if pods else 78}.{number >> 8 & 255}.{number & 255}"

    def kubectl(self, *arguments, stdin=None, kubeconfig=None):
        """What it printed."""
        command = [paths.kubernetes() / "kubectl", "--kubeconfig", kubeconfig or self.work / "admin.kubeconfig", *arguments]
        process = self.network.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                     env={"HOME": str(self.work), "PATH": "/usr/bin:/bin"})
        output, _ = process.communicate(stdin)
        if process.returncode != 0:
            raise RuntimeError(f"kubectl {' '.join(map(str, arguments))}: {output.strip()}")
        return output

    def install_crds(self, text=None):
        """Those of a YAML text, else the product's own, until the server serves them."""
        if text is None:
            text = subprocess.run([paths.emissary(), "crds"], check=True, stdout=subprocess.PIPE, text=True).stdout
        crds = list(kube.objects(text))
        self.client.many(self.client.apply, crds)
        for crd in crds:
            self.established(crd["metadata"]["name"])

    def established(self, name):
        """Until a CRD is served: not only is it said to be, a watch works too."""
        def probe():
            crd = self.client.get(*CRD, name=name)
            if not any(c["type"] == "Established" and c["status"] == "True" for c in crd.get("status", {}).get("conditions") or ()):
                return False
            spec = crd["spec"]
            for version in spec["versions"]:
                if version["served"]:
                    self.client.watch(f"{spec['group']}/{version['name']}", spec["names"]["kind"]).close()
            return True
        until(probe, f"CRD {name} established")

    def service(self, namespace, name, addresses, port=BACKEND_PORT, head=None, service_port=80):
        """A Service without a selector, and the EndpointSlice that says where it is."""
        head = {"namespace": namespace, **(head or {})}
        service = self.client.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, **head},
                                     "spec": {"ports": [{"name": "http", "port": service_port, "targetPort": port}]}})
        self.client.apply({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                           "metadata": {"name": name + "-1", **head, "labels": {"kubernetes.io/service-name": name}},
                           "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
                           "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses]})
        self._lead(service["spec"]["clusterIP"], addresses, port, service_port)

    def pod(self, namespace, name, address, labels):
        """A Pod that is said to run: the controllers make EndpointSlices of it for a Service that selects it."""
        self.client.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}})  # Pods of none are left out
        pod = self.client.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels},
                                  "spec": {"nodeName": "node", "containers": [{"name": "main", "image": "none"}]}})
        self.client.patch(pod, {"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
                                           "conditions": [{"type": "Ready", "status": "True"}]}}, "status")
        return pod

    def _lead(self, cluster_ip, addresses, port, service_port):
        """What nodes do: connections to a cluster IP reach an endpoint, and are refused where there is none."""
        known = cluster_ip in self._behind
        self._behind[cluster_ip] = addresses, port

        async def copy(reader, writer):
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
                writer.write_eof()

        async def accept(reader, writer):
            with contextlib.suppress(OSError):
                there, number = self._behind[cluster_ip]
                if there:
                    far_reader, far_writer = await asyncio.open_connection(random.choice(there), number)
                    await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
                    far_writer.close()
            writer.transport.abort()

        if not known:
            self.run(asyncio.start_server(accept, cluster_ip, service_port))

    # ---- what runs in there

    def loop(self):
        """An event loop in a thread that lives in the network; run(coroutine) below."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self.network.run(thread.start)  # a thread begins where the one lives that starts it
        return self._loop

    def run(self, coroutine, timeout=DEADLINE):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop()).result(timeout)

    def backend(self, name, address=None, port=BACKEND_PORT, kind="http", **named):
        """A sample backend (backends.py) at an address of its own, which is returned. It goes on as long as this program."""
        address = address or self.address()
        self.run(backends.start(name, f"{address}:{port}", kind, **named))
        return address

    def forget(self):
        """Delete the namespaces and what else was made for a test; nobody waits for it."""
        for thing in reversed(self.to_delete):
            with contextlib.suppress(kube.ApiError, OSError):
                self.client.delete(thing, missing_ok=True)
        self.to_delete = []
