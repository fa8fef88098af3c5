"""Requests as fast as one Envoy worker answers them, by wrk."""
import re
import subprocess

import rig

SECONDS = 4


def throughput(envoy, port, path, authority="any"):
    """(requests/s, Envoy's CPU microseconds a request). Raises when an answer was no success."""
    before = rig.cpu_ms(envoy.pid)
    told = subprocess.run(["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-H", f"Host: {authority}", f"http://127.0.0.1:{port}{path}"],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    used = rig.cpu_ms(envoy.pid) - before
    if "Non-2xx" in told:
        raise RuntimeError(told)
    requests = int(re.search(r"(\d+) requests in", told)[1])
    return float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1]), used * 1000 / requests
