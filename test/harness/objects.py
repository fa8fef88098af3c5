"""Objects of getambassador.io as tests in a cluster write them: plain dicts, with what matters to the test."""
import functools
import subprocess

import yaml

from . import kube, paths

V3 = "getambassador.io/v3alpha1"


@functools.cache
def crds(*flags):
    """What `emissary crds` prints."""
    return subprocess.run([str(paths.emissary()), "crds", *flags], check=True, stdout=subprocess.PIPE, text=True).stdout


def crds_shaped_as_upstreams():
    """The same in upstream's shape: Mappings and Hosts alone have a status, and that no conditions."""
    shaped = list(kube.objects(crds()))
    for crd in shaped:
        for version in crd["spec"]["versions"]:
            version.pop("additionalPrinterColumns", None)
            properties = version["schema"]["openAPIV3Schema"]["properties"]
            if crd["spec"]["names"]["kind"] in ("Mapping", "Host"):
                fields = ("state", "reason") if crd["spec"]["names"]["kind"] == "Mapping" else ("state", "errorReason", "tlsCertificateSource")
                properties["status"] = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
            else:
                properties.pop("status", None)
                version.pop("subresources", None)
    return yaml.safe_dump_all(shaped)


def make(kind, namespace, name, labels=None, **spec):
    metadata = {"name": name, "namespace": namespace, **({"labels": labels} if labels else {})}
    return {"apiVersion": V3, "kind": kind, "metadata": metadata, "spec": spec}


def listener(namespace, name="web", port=8080, protocol="HTTP", **spec):
    return make("Listener", namespace, name, **{"port": port, "protocol": protocol, "securityModel": "XFP",
                                                "hostBinding": {"namespace": {"from": "SELF"}}, **spec})


def host(namespace, name="any", hostname="*", insecure="Route", **spec):
    return make("Host", namespace, name, hostname=hostname, requestPolicy={"insecure": {"action": insecure}}, **spec)


def mapping(namespace, name, service, prefix=None, **spec):
    return make("Mapping", namespace, name, **{"hostname": "*", "prefix": prefix or f"/{name}/", "service": service, **spec})


def conditions(thing):
    """{type: condition} of an object as the server has it."""
    return {condition["type"]: condition for condition in thing.get("status", {}).get("conditions", ())}
