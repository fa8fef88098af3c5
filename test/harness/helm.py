"""The real helm, and the charts of this tree."""
import os
import subprocess
import tempfile

import yaml

from . import kube, paths

CHART, CRDS = paths.ROOT / "deploy" / "chart", paths.ROOT / "deploy" / "chart-crds"


class HelmError(Exception):
    pass


def helm(*arguments, network=None, kubeconfig=None, values=None):
    """What it printed. `values`: a dict, or a text of YAML. With a `network` it runs in there."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": os.environ["PATH"], "KUBECONFIG": str(kubeconfig or "/dev/null")}
        command = [paths.kubernetes() / "helm", *map(str, arguments)]
        if values is not None:
            command += ["--values", "-"]
            values = values if isinstance(values, str) else yaml.safe_dump(values)
        start = network.start if network else subprocess.Popen
        process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        output, errors = process.communicate(values)
    if process.returncode != 0:
        raise HelmError(errors.strip())
    return output


def template(values=None, chart=CHART, release="gateway", namespace="edge", flags=()):
    """The objects of a release, as a text of YAML."""
    return helm("template", release, chart, "--namespace", namespace, *flags, values=values if values is not None else {})


def rendered(*arguments, **named):
    """The same as dicts, by (kind, name)."""
    return {(thing["kind"], thing["metadata"]["name"]): thing for thing in kube.objects(template(*arguments, **named))}


def release(bed, namespace, *arguments, values=None):
    """helm as the administrator of a cluster of tests."""
    return helm(*arguments, "--namespace", namespace, network=bed.network, kubeconfig=bed.work / "admin.kubeconfig", values=values)
