"""Requests as fast as one Envoy worker answers them, by wrk."""
import re
import subprocess

import rig

SECONDS = 4


def throughput(pid, port, path, authority="any", success=True):
    """(requests/s, CPU microseconds a request of the Envoy with that pid). Raises when answers are not, or are, of a 2xx status."""
    before = rig.cpu_ms(pid)
    told = subprocess.run(["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-H", f"Host: {authority}", f"http://127.0.0.1:{port}{path}"],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    used = rig.cpu_ms(pid) - before
    if ("Non-2xx" in told) == success:
        raise RuntimeError(told)
    requests = int(re.search(r"(\d+) requests in", told)[1])
    return float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1]), used * 1000 / requests
