"""Manifests of a folder, as texts."""

FRONT = """
apiVersion: getambassador.io/v3alpha1
kind: Listener
metadata: {name: http}
spec: {port: PORT, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
---
apiVersion: getambassador.io/v3alpha1
kind: Host
metadata: {name: any}
spec: {hostname: "*", requestPolicy: {insecure: {action: Route}}}
"""


def front(port=8080):
    """A port for cleartext of every host name."""
    return FRONT.replace("PORT", str(port))


def everything_to(backend, port=8080):
    """And all of it to one place, however long it takes."""
    return front(port) + f"""---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {{name: all}}
spec: {{hostname: "*", prefix: /, timeout_ms: 0, service: "{backend}"}}
"""
