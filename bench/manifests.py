"""The configurations that are measured: N Mappings, `per_host` of them a Host, each Mapping in a file of its own below folders of 100, so
that a change is one rename. Shapes: a, all Mappings to one Service; b, a Service each, endpoint resolver; c, a Service each, default
resolver."""
import dataclasses
import pathlib

BACKEND_PORT = 9080
FOLDER = 100

LISTENER = """apiVersion: getambassador.io/v3alpha1
kind: Listener
metadata: {{name: web, namespace: default}}
spec: {{port: {port}, protocol: HTTP, securityModel: XFP, hostBinding: {{namespace: {{from: ALL}}}}}}
"""
HOST = """---
apiVersion: getambassador.io/v3alpha1
kind: Host
metadata: {{name: h{i}, namespace: default}}
spec: {{hostname: h{i}.example.com, requestPolicy: {{insecure: {{action: Route}}}}}}
"""
MAPPING = """apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {{name: m{i}, namespace: default}}
spec: {{hostname: h{host}.example.com, prefix: {prefix}, service: "s{service}:80"{resolver}}}
"""
SERVICE = """---
apiVersion: v1
kind: Service
metadata: {{name: s{i}, namespace: default}}
spec: {{clusterIP: 10.77.100.1, ports: [{{port: 80, targetPort: {port}}}]}}
"""
SLICE = """apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: s{i}-x, namespace: default, labels: {{kubernetes.io/service-name: s{i}}}}}
addressType: IPv4
endpoints: [{{addresses: [{address}], conditions: {{ready: true}}}}]
ports: [{{port: {port}}}]
"""


@dataclasses.dataclass
class Shape:
    shape: str
    mappings: int
    per_host: int

    def tags(self):
        return {"shape": self.shape, "mappings": self.mappings, "per_host": self.per_host}

    def authority(self, i):
        return f"h{i // self.per_host}.example.com"

    def prefix(self, i, version=None):
        return f"/p{i}/" if version is None else f"/p{i}-v{version}/"

    def service(self, i):
        return 0 if self.shape == "a" else i

    def mapping(self, i, version=None):
        return MAPPING.format(i=i, host=i // self.per_host, prefix=self.prefix(i, version), service=self.service(i),
                              resolver=", resolver: endpoint" if self.shape != "c" else "")

    def slice(self, i, version=0):
        """Endpoints of the Service of Mapping i, at an address of that version."""
        return SLICE.format(i=self.service(i), address=self.address(version), port=BACKEND_PORT)

    @staticmethod
    def address(version):
        return f"10.77.{1 + version // 250}.{1 + version % 250}"

    def mapping_file(self, i):
        return f"mappings/{i // FOLDER:04d}/m{i}.yaml"

    def slice_file(self, i):
        i = self.service(i)
        return f"slices/{i // FOLDER:04d}/s{i}.yaml"

    def write(self, folder):
        """All but the Listener. Returns the paths."""
        folder = pathlib.Path(folder)
        files = {"hosts.yaml": "".join(HOST.format(i=i) for i in range(-(-self.mappings // self.per_host)))}
        services = range(1 if self.shape == "a" else self.mappings)
        files["services.yaml"] = "".join(SERVICE.format(i=i, port=BACKEND_PORT) for i in services)
        files |= {self.slice_file(i): self.slice(i) for i in services}
        files |= {self.mapping_file(i): self.mapping(i) for i in range(self.mappings)}
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return [folder / name for name in ("hosts.yaml", "services.yaml", "slices", "mappings")]
