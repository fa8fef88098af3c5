"""The extensions that an Envoy has, and those that the control plane looks for."""
import http.client
import json
import pathlib
import re
import socket
import subprocess
import tempfile
import time

from . import paths


def looked_for():
    """As src/ir/envoy_build.cc names them: "category/name"."""
    return set(re.findall(r'"(envoy\.[a-z_.]+/[\w.]+)"', (paths.ROOT / "src" / "ir" / "envoy_build.cc").read_text()))


def listed(envoy, patience=60):
    """{"category/name": its types}, as the Envoy itself lists them."""
    with tempfile.TemporaryDirectory() as folder:
        admin, bootstrap = pathlib.Path(folder) / "admin", pathlib.Path(folder) / "bootstrap.json"
        bootstrap.write_text(json.dumps({"admin": {"address": {"pipe": {"path": str(admin)}}}}))
        process = subprocess.Popen([envoy, "-c", bootstrap, "--disable-hot-restart", "-l", "error"])
        try:
            node = json.loads(ask(admin, "/server_info", time.monotonic() + patience))["node"]
        finally:
            process.kill()
            process.wait()
    return {f"{one['category']}/{one['name']}": one["type_urls"] for one in node["extensions"]}


def ask(path, target, end):
    while True:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
                continue
            connection.settimeout(max(end - time.monotonic(), 0.1))
            client = http.client.HTTPConnection("envoy")
            client.sock = connection
            client.request("GET", target)
            return client.getresponse().read()
