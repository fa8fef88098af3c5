"""The conversion webhook in a test's cluster: replicas of `emissary webhook` as "pods" behind the Service that CRDs name, with the
permissions that deploy/webhook/ grants and no others."""
import contextlib
import pathlib
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import yaml

from . import bed as beds
from . import kube, paths

NAMESPACE, NAME, SECRET = "emissary-system", "emissary-apiext", "emissary-ingress-webhook-ca"
MANIFEST = paths.ROOT / "deploy/webhook/webhook.yaml"
PORT, PROBES = 8443, 8080
V1, V2, V3 = (f"getambassador.io/{version}" for version in ("v1", "v2", "v3alpha1"))


def mapping(version, name, **spec):
    return {"apiVersion": version, "kind": "Mapping", "metadata": {"name": name, "namespace": "default"},
            "spec": {"prefix": f"/{name}/", "service": name, **spec}}


class Replica:
    def __init__(self, site, name, environment=None):
        self.site, self.bed, self.name = site, site.bed, name
        self.address = self.bed.address()
        self.log = site.work / f"{name}.log"
        self.environment = environment or {}
        self.process = None

    def start(self):
        command = [paths.emissary(), "webhook", NAME, "--crd-label-selector", "app.kubernetes.io/part-of=emissary-ingress", "--kubeconfig",
                   self.site.kubeconfig, "--https-address", f"{self.address}:{PORT}", "--probe-address", f"{self.address}:{PROBES}"]
        environment = {"PATH": "/usr/bin:/bin", "POD_NAMESPACE": NAMESPACE, "AES_LOG_LEVEL": "debug", **self.environment}
        with open(self.log, "ab") as log:
            self.process = self.bed.network.start(command, stdout=log, stderr=log, env=environment)
        return self

    def probe(self, what):
        try:
            with urllib.request.urlopen(f"http://{self.address}:{PROBES}/probes/{what}", timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def metrics(self):
        """{series: value}, as told now."""
        with urllib.request.urlopen(f"http://{self.address}:{PROBES}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

    def ready(self):
        return self.probe("ready") == 200

    def up(self):
        self.start()
        beds.until(self.ready, f"{self.name} ready; its log is {self.log}")
        return self

    def certificate(self):
        """What it shows, PEM."""
        context = ssl._create_unverified_context()  # noqa: S323
        with socket.create_connection((self.address, PORT), 10) as plain, context.wrap_socket(plain, server_hostname=NAME) as connection:
            return ssl.DER_cert_to_PEM_cert(connection.getpeercert(True))

    def end(self):
        """As a rolling update does; its exit status."""
        self.process.terminate()
        return self.process.wait(beds.DEADLINE)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Site:
    """What deploy/webhook/ applies, in a cluster that is the test's own. replica(): one more, which route() leads to."""

    def __init__(self, bed, work):
        self.bed, self.work = bed, pathlib.Path(work)
        self.work.mkdir(exist_ok=True)
        self.replicas = []
        for thing in kube.objects(MANIFEST.read_text()):
            bed.client.apply(thing)  # of the Deployment nothing comes, where nobody runs Pods
        self.kubeconfig = bed.account(NAMESPACE, NAME).kubeconfig()

    def replica(self, **named):
        self.replicas.append(Replica(self, f"webhook-{len(self.replicas) + 1}", **named))
        return self.replicas[-1]

    def route(self, *replicas):
        self.bed.service(NAMESPACE, NAME, [replica.address for replica in replicas], port=PORT, service_port=443)

    def crds(self, *flags, storage="v3alpha1"):
        """Those that `emissary crds` prints; or as upstream's are, where v2 is what is stored."""
        text = subprocess.run([paths.emissary(), "crds", *flags], check=True, stdout=subprocess.PIPE, text=True).stdout
        crds = list(kube.objects(text))
        for crd in crds:
            versions = crd["spec"]["versions"]
            for version in versions:
                version["storage"] = len(versions) == 1 or version["name"] == storage
        return yaml.safe_dump_all(crds)

    def secret(self):
        return self.bed.client.get("v1", "Secret", NAMESPACE, SECRET)

    def close(self):
        for replica in self.replicas:
            replica.kill()


@contextlib.contextmanager
def site(cluster, work):
    """The CRDs of all versions, and one replica, `first`, that converts them."""
    site = Site(cluster, work / "webhook")
    try:
        cluster.client.apply(site.crds("--legacy"))  # they name a webhook that is not there yet, and nobody to trust
        site.first = site.replica().start()
        site.route(site.first)
        beds.until(site.first.ready, f"ready; {site.first.log}")
        cluster.install_crds(site.crds("--legacy"))
        yield site
    finally:
        site.close()
        for replica in site.replicas:
            print(f"--- the end of {replica.log}:", *replica.log.read_text(errors="replace").splitlines()[-10:], sep="\n")
