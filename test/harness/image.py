"""The image as tests look at it: built of the programs under test, and read without an engine."""
import hashlib
import io
import json
import os
import subprocess
import tarfile

from . import paths


def build(archive, work, arguments=(), environment=None, **named):
    """By `make image`'s script. What it printed."""
    environment = {**os.environ, "EMISSARY_BINARY": str(paths.emissary()), "ENVOY": str(paths.envoy()), **(environment or {})}
    command = [paths.ROOT / "scripts" / "image", "--out", archive, "--work", work, *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **named)
    if done.returncode != 0:
        raise RuntimeError(f"scripts/image: {done.stdout}")
    return done.stdout


class Image:
    """What an OCI archive holds, each blob compared with its digest."""

    def __init__(self, archive):
        self.archive = tarfile.open(archive)
        index = json.load(self.archive.extractfile("index.json"))
        self.digest = index["manifests"][0]["digest"]
        self.manifest = json.loads(self.blob(index["manifests"][0]))
        self.config = json.loads(self.blob(self.manifest["config"]))
        self.sizes = {layer["annotations"]["org.opencontainers.image.title"]: layer["size"] for layer in self.manifest["layers"]}

    def blob(self, descriptor):
        kind, name = descriptor["digest"].split(":")
        content = self.archive.extractfile(f"blobs/{kind}/{name}").read()
        assert hashlib.new(kind, content).hexdigest() == name and len(content) == descriptor["size"], descriptor
        return content

    def files(self):
        """{path: (what tar knows, content or None)} of all layers; contents of small files alone."""
        found = {}
        for layer in self.manifest["layers"]:
            with tarfile.open(fileobj=io.BytesIO(self.blob(layer))) as tar:
                for info in tar:
                    small = info.isfile() and info.size < 1 << 20
                    found[info.name] = info, tar.extractfile(info).read() if small else None
        return found
