"""What a container of a Pod is given: environment, files, rights; as kubelet works them out."""
import base64
import os
import re

from . import bed as beds
from . import kube

ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_.-][\w.-]*)\))")
DEFAULT_CAPABILITIES = ("CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SETFCAP").split()


class NotYet(Exception):
    """Something that the Pod names is not there; kubelet tries again."""


def field(pod, path, address):
    """What the downward API calls fieldRef."""
    if found := re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", path):
        return pod["metadata"].get(found[1], {}).get(found[2], "")
    if path in ("metadata.labels", "metadata.annotations"):
        return "\n".join(f'{key}="{value}"' for key, value in sorted(pod["metadata"].get(path[9:], {}).items()))
    known = {"metadata.name": pod["metadata"]["name"], "metadata.namespace": pod["metadata"]["namespace"], "metadata.uid": pod["metadata"]["uid"],
             "spec.nodeName": pod["spec"].get("nodeName", ""), "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
             "status.podIP": address, "status.podIPs": address, "status.hostIP": beds.GATE}
    return known[path]


def data(client, kind, namespace, name, optional=False):
    """{key: bytes} of a ConfigMap or Secret."""
    try:
        thing = client.get("v1", kind, namespace, name)
    except kube.ApiError as error:
        if error.status != 404:
            raise
        if optional:
            return {}
        raise NotYet(f"{kind} {namespace}/{name} is missing") from None
    if kind == "Secret":
        return {key: base64.b64decode(value) for key, value in thing.get("data", {}).items()}
    return {**{key: value.encode() for key, value in thing.get("data", {}).items()},
            **{key: base64.b64decode(value) for key, value in thing.get("binaryData", {}).items()}}


def environment(client, pod, container, address):
    namespace = pod["metadata"]["namespace"]
    out = {"KUBERNETES_SERVICE_HOST": beds.API, "KUBERNETES_SERVICE_PORT": str(beds.API_PORT)}
    for source in container.get("envFrom", ()):
        for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if key in source:
                found = data(client, kind, namespace, source[key]["name"], source[key].get("optional", False))
                out |= {source.get("prefix", "") + name: value.decode() for name, value in found.items()}
    for one in container.get("env", ()):
        value = one.get("value", "")
        source = one.get("valueFrom", {})
        if "fieldRef" in source:
            value = field(pod, source["fieldRef"]["fieldPath"], address)
        elif "resourceFieldRef" in source:
            limits = container.get("resources", {}).get("limits", {})
            value = str(limits.get(source["resourceFieldRef"]["resource"].removeprefix("limits."), ""))
        for kind, key in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            if key in source:
                found = data(client, kind, namespace, source[key]["name"], source[key].get("optional", False))
                if source[key]["key"] not in found:
                    if source[key].get("optional"):
                        break
                    raise NotYet(f"{kind} {namespace}/{source[key]['name']} has no {source[key]['key']}")
                value = found[source[key]["key"]].decode()
        else:
            out[one["name"]] = REFERENCE.sub(lambda found: "$" if found[1] == "$" else out.get(found[2], found[0]), value)
    return out


def token(client, pod, expires=3600, audience=None):
    asked = {"expirationSeconds": max(expires, beds.SHORTEST_TOKEN), "audiences": [audience] if audience else None,
             "boundObjectRef": None}
    if "serviceAccountName" in pod["spec"]:  # else admission, which is off here, would have written "default": the server would see another's Pod
        asked["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    where = client.path("v1", "ServiceAccount", pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName", "default"), "token")
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {k: v for k, v in asked.items() if v}}
    return client.request("POST", where, body)["status"]["token"].encode()


def chosen(found, items):
    """Under the names that `items` gives them, or their own."""
    if not items:
        return found
    return {item["path"]: found[item["key"]] for item in items if item["key"] in found}


def files(bed, pod, source, address):
    """{path: bytes} of a volume of this kind; None for an empty folder."""
    client, namespace = bed.client, pod["metadata"]["namespace"]
    if "projected" in source:
        out = {}
        for part in source["projected"]["sources"]:
            out |= files(bed, pod, part, address)
        return out
    if "serviceAccountToken" in source:
        told = source["serviceAccountToken"]
        return {told["path"]: token(client, pod, told.get("expirationSeconds", 3600), told.get("audience"))}
    if "configMap" in source:
        told = source["configMap"]
        if told["name"] == "kube-root-ca.crt":  # its controller does not run here
            return {"ca.crt": open(bed.authority.ca, "rb").read()}
        return chosen(data(client, "ConfigMap", namespace, told["name"], told.get("optional", False)), told.get("items"))
    if "secret" in source:
        told = source["secret"]
        name = told.get("secretName") or told["name"]
        return chosen(data(client, "Secret", namespace, name, told.get("optional", False)), told.get("items"))
    if "downwardAPI" in source:
        return {item["path"]: field(pod, item["fieldRef"]["fieldPath"], address).encode() for item in source["downwardAPI"].get("items", ())}
    if "emptyDir" in source:
        return None
    raise ValueError(f"a volume that tests do not know: {source}")


ACCOUNT = {"name": "the-service-account", "projected": {"sources": [
    {"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "kube-root-ca.crt"}},
    {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}}]}}


def volumes(bed, pod, folder, address):
    """{name: folder}, filled; with that of the ServiceAccount, which admission would have added."""
    group, out = pod["spec"].get("securityContext", {}).get("fsGroup"), {}
    for volume in [*pod["spec"].get("volumes", ()), ACCOUNT]:
        place = folder / volume["name"]
        place.mkdir(parents=True)
        content = files(bed, pod, volume, address)
        place.chmod(0o777 if content is None else 0o755)
        for path, text in (content or {}).items():
            target = place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
            target.chmod(0o644)
        if group is not None:
            os.chown(place, -1, group)
            place.chmod(0o2775 if content is None else 0o755)
        out[volume["name"]] = place
    return out


def options(pod, container, folders, environment_):
    """For engine.run(): how securityContext and mounts say that it is to run."""
    rights = {**{key: value for key, value in pod["spec"].get("securityContext", {}).items() if key in ("runAsUser", "runAsGroup")},
              **container.get("securityContext", {})}
    capabilities = rights.get("capabilities", {})
    dropped = {name.upper() for name in capabilities.get("drop", ())}
    kept = [] if "ALL" in dropped else [name for name in DEFAULT_CAPABILITIES if name not in dropped]
    mounts = [(folders[one["name"]] / one.get("subPath", ""), one["mountPath"], one.get("readOnly", False)) for one in container.get("volumeMounts", ())]
    if pod["spec"].get("automountServiceAccountToken", True) and not any(inside == ACCOUNT_FOLDER for _, inside, _ in mounts):
        mounts.append((folders[ACCOUNT["name"]], ACCOUNT_FOLDER, True))
    user = None
    if "runAsUser" in rights:
        user = str(rights["runAsUser"]) + (f":{rights['runAsGroup']}" if "runAsGroup" in rights else "")
    named = {"tmpfs": (), "read_only": rights.get("readOnlyRootFilesystem", False), "user": user, "mounts": mounts, "environment": environment_,
             "capabilities": sorted({*kept, *(name.upper() for name in capabilities.get("add", ()))}),
             "new_privileges": rights.get("allowPrivilegeEscalation", True)}
    if container.get("command"):
        named["entrypoint"] = container["command"]
    return named
