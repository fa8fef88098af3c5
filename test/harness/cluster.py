"""A Kubernetes cluster without nodes: etcd, kube-apiserver and a few of kube-controller-manager's controllers, as processes in a
network namespace. Ready in some seconds. All ends with the program that started it."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

from . import bed, certs, kube, paths
from .network import Network

ETCD = "http://127.0.0.1:2379"
SERVER_NAMES = f"subjectAltName=IP:{bed.API},IP:{bed.GATE},IP:10.96.0.1,IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc"
CONTROLLERS = ("endpointslice-controller,endpoints-controller,namespace-controller,serviceaccount-controller,"
               "garbage-collector-controller,deployment-controller,replicaset-controller,disruption-controller")
LOG_LINES = 30


class Process:
    """One of the cluster's programs; it can be ended and started again."""

    def __init__(self, network, log, *command):
        self.network, self.log, self.command = network, log, command
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = self.network.start(self.command, stdout=log, stderr=log)

    def end(self, how=signal.SIGTERM):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(how)
        try:
            self.process.wait(bed.DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def pause(self):
        """It accepts connections still, as the kernel does that for it, and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def check(self):
        if self.process.poll() is not None:
            tail = pathlib.Path(self.log).read_text(errors="replace").splitlines()[-LOG_LINES:]
            raise RuntimeError(f"{self.command[0]} ended with {self.process.returncode}:\n" + "\n".join(tail))


class Cluster(bed.Bed):
    """`apiserver`, `etcd`: further flags. Everything it writes lies in `work`."""

    def __init__(self, work, apiserver=(), etcd=()):
        work = pathlib.Path(work)
        (work / "log").mkdir(parents=True, exist_ok=True)
        super().__init__(work, Network())
        for addresses in (bed.PODS, bed.SERVICES):
            self.network.ip("addr", "add", addresses, "dev", "lo")
        self._keys()
        self.etcd = self._process("etcd", "--data-dir", work / "etcd", "--unsafe-no-fsync", "--listen-client-urls", ETCD,
                                  "--advertise-client-urls", ETCD, "--listen-peer-urls", "http://127.0.0.1:2380", *etcd)
        pki = work / "pki"
        # The aggregated groups that nobody has here, priorities among clients and the check of Pods' accounts are left out.
        self.apiserver = self._process(
            "kube-apiserver", "--etcd-servers", ETCD, "--bind-address", "0.0.0.0", "--secure-port", bed.API_PORT,
            "--advertise-address", bed.API, "--endpoint-reconciler-type", "none", "--service-cluster-ip-range", "10.96.0.0/16",
            "--tls-cert-file", pki / "server.crt", "--tls-private-key-file", pki / "server.key", "--client-ca-file", pki / "clients.crt",
            "--token-auth-file", pki / "tokens.csv", "--authorization-mode", "RBAC", "--service-account-issuer", bed.ISSUER,
            "--service-account-key-file", pki / "account.pub", "--service-account-signing-key-file", pki / "account.key",
            "--disable-admission-plugins", "ServiceAccount", "--enable-priority-and-fairness=false", "--max-requests-inflight", 2000,
            "--max-mutating-requests-inflight", 1000, "--profiling=false",
            "--shutdown-watch-termination-grace-period", "5s", *apiserver)  # else it would wait a minute for watches to end
        self.controllers = self._process(
            "kube-controller-manager", "--kubeconfig", work / "admin.kubeconfig", "--leader-elect=false", "--secure-port", 0,
            "--service-account-private-key-file", pki / "account.key", "--root-ca-file", pki / "clients.crt", "--controllers", CONTROLLERS,
            "--kube-api-qps", 200, "--kube-api-burst", 400, "--concurrent-namespace-syncs", 10)

    def _process(self, name, *flags):
        return Process(self.network, self.work / "log" / f"{name}.log", paths.kubernetes() / name, *flags)

    def _keys(self):
        pki = self.work / "pki"
        pki.joinpath("tokens.csv").write_text(f"{bed.ADMIN_TOKEN},admin,admin,system:masters\n")
        shutil.copyfile(self.authority.ca, pki / "clients.crt")
        openssl = ["openssl", "genrsa", "-out", pki / "account.key", "2048"], ["openssl", "rsa", "-in", pki / "account.key", "-pubout", "-out",
                                                                               pki / "account.pub"]
        for command in openssl:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.renew_certificate()
        self._admin_kubeconfig()

    def _admin_kubeconfig(self):
        os.rename(self.kubeconfig(), self.work / "admin.kubeconfig")

    # ---- life

    def start(self):
        self.etcd.start()
        self.apiserver.start()
        self.wait_ready()
        self.controllers.start()
        return self

    def ready(self):
        for process in (self.etcd, self.apiserver):
            process.check()
        return self.client.raw("GET", "/readyz") == (200, b"ok")

    def wait_ready(self):
        bed.until(self.ready, f"the API server ready; its log is in {self.work / 'log'}")

    def restart_apiserver(self):
        """On the same data; what it had in memory is lost, so older resourceVersions are too."""
        self.apiserver.end()
        self.apiserver.start()
        self.wait_ready()

    def stop(self):
        """Nothing of it is used again, so it is not asked politely."""
        for process in (self.controllers, self.apiserver, self.etcd):
            process.end(signal.SIGKILL)
        self.network.close()
        shutil.rmtree(self.work / "etcd", ignore_errors=True)

    # ---- violence

    def compact(self):
        """Forget all of etcd's history. The API server keeps recent events by itself; restart_apiserver() takes those too."""
        def ask(path, body):
            command = ["curl", "-sS", "--fail-with-body", "-d", body, ETCD + path]
            done = self.network.run(subprocess.run, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                raise RuntimeError(f"etcd: {done.stdout}")
            return kube.json.loads(done.stdout)
        revision = ask("/v3/kv/range", '{"key": "AA=="}')["header"]["revision"]
        ask("/v3/kv/compaction", f'{{"revision": "{revision}", "physical": true}}')
        return int(revision)

    def renew_certificate(self):
        """Another serving certificate, of the authority that now is; the server takes it up by itself, for new connections."""
        pki = self.work / "pki"
        new = self.authority.issue(str(pki / "new.crt"), str(pki / "new.key"), "/CN=kube-apiserver", SERVER_NAMES, "extendedKeyUsage=serverAuth")
        for file, name in zip(new, ("server.crt", "server.key")):
            os.rename(file, pki / name)

    def replace_authority(self):
        """Another authority signs the serving certificate from now on, and what is issued by it. Kubeconfigs made before do not
        trust it; client certificates of before are good still."""
        pki = self.work / "pki"
        self.authority = certs.Authority(str(pki / f"authority-{self.number()}"))
        with open(pki / "clients.crt", "a", encoding="ascii") as clients:
            clients.write(pathlib.Path(self.authority.ca).read_text())
        self.renew_certificate()
        self.client = self.client_as({"authorization": "Bearer " + bed.ADMIN_TOKEN})
        self._admin_kubeconfig()
        bed.until(self.ready, "the API server shows its new certificate")
        self.controllers.end()
        self.controllers.start()


def measure():
    """How long a start takes: `python -m harness.cluster WORK`."""
    import sys
    begin = time.monotonic()
    cluster = Cluster(sys.argv[1]).start()
    print(f"ready after {time.monotonic() - begin:.1f} s")
    cluster.stop()


if __name__ == "__main__":
    measure()
