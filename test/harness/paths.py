"""Where things are. EMISSARY_BINARY and EMISSARY_TEST_ENVOY choose other binaries than the ones of this tree."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST = ROOT / "test"


def emissary():
    binary = pathlib.Path(os.environ.get("EMISSARY_BINARY", ROOT / "build" / "emissary")).resolve()
    if not binary.exists():
        raise FileNotFoundError(f"{binary} is missing: run `make build`, or set EMISSARY_BINARY")
    return binary


def envoy():
    """The path of the real Envoy; fetched once by deps/envoy.sh."""
    if "EMISSARY_TEST_ENVOY" not in os.environ:
        os.environ["EMISSARY_TEST_ENVOY"] = subprocess.run(
            [ROOT / "deps" / "envoy.sh"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return pathlib.Path(os.environ["EMISSARY_TEST_ENVOY"])


def kubernetes():
    """The folder with kube-apiserver, kube-controller-manager, kubectl, etcd and helm; built once by deps/kubernetes.sh."""
    if "EMISSARY_TEST_KUBERNETES" not in os.environ:
        os.environ["EMISSARY_TEST_KUBERNETES"] = subprocess.run(
            [ROOT / "deps" / "kubernetes.sh"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return pathlib.Path(os.environ["EMISSARY_TEST_KUBERNETES"])
