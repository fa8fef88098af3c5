"""Nothing is left of a cluster when those who use it are gone, in whatever way they went."""
import os
import pathlib
import re
import subprocess
import sys

from harness import paths
from harness.bed import until

SHARED = "from harness import shared_bed; network = shared_bed.join(__import__('sys').argv[1]).network"
OWN = "from harness.cluster import Cluster; network = Cluster(__import__('sys').argv[1]).start().network"
STAY = "; print(flush=True); __import__('time').sleep(600)"


def user(program, folder):
    """A process that has such a cluster."""
    process = subprocess.Popen([sys.executable, "-c", program + STAY, folder], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(paths.TEST)})
    assert process.stdout.readline() == b"\n"
    return process


def programs(folder):
    """Those of the cluster in this folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if os.fsencode(folder) in line and b"setpriv" not in line and re.search(rb"/(etcd|kube-apiserver|kube-controller-manager)\0", line):
            found.append(line)
    return found


def test_a_cluster_of_its_own(root, tmp_path):
    one = user(OWN, tmp_path)
    until(lambda: len(programs(tmp_path)) == 3, "its programs run")
    one.kill()
    until(lambda: not programs(tmp_path), "its programs are gone")


def test_a_shared_cluster(root, tmp_path):
    first, second = user(SHARED, tmp_path), user(SHARED, tmp_path)
    until(lambda: len(programs(tmp_path)) == 3, "its programs run")
    first.kill()
    first.wait()
    third = user(SHARED, tmp_path)
    for one in (second, third):
        assert len(programs(tmp_path)) == 3
        one.kill()
        one.wait()
    until(lambda: not programs(tmp_path), "its programs are gone")
    user(SHARED, tmp_path).kill()  # and another may begin in the same folder
    until(lambda: not programs(tmp_path), "the second cluster's programs are gone")
