"""A small, fast client of the Kubernetes API for tests: JSON over connections that stay open, one a thread.

Objects are plain dicts. `path()` finds where one lies by asking the server, so that any kind it serves can be used."""
import base64
import concurrent.futures
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.parse

import yaml

RETRIES, RETRY_AFTER = 10, 1.0  # seconds: what servers write into Retry-After
THREADS = 8
MERGE, JSON_PATCH, APPLY = "application/merge-patch+json", "application/json-patch+json", "application/apply-patch+yaml"


class ApiError(Exception):
    def __init__(self, status, body):
        try:
            body = json.loads(body)
        except ValueError:
            body = {"message": body.decode(errors="replace") if isinstance(body, bytes) else str(body)}
        super().__init__(f"{status} {body.get('reason', '')}: {body.get('message', '')}")
        self.status, self.body, self.reason = status, body, body.get("reason", "")


def objects(text):
    """Those of a YAML text; a List stands for its items."""
    for document in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if document:
            yield from document["items"] if document.get("kind") == "List" else [document]


def secret(name, namespace, data, kind="Opaque"):
    encoded = {key: base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "type": kind, "data": encoded}


class Watch:
    """The events of a watch, as they come: iterate, or `next(timeout)` for one. After a timeout it is of no use any more."""

    def __init__(self, connection, response):
        self.connection, self.response = connection, response

    def __iter__(self):
        return self

    def __next__(self):
        line = self.response.readline()
        if not line:
            raise StopIteration
        return json.loads(line)

    def next(self, timeout=60):
        self.connection.sock.settimeout(timeout)
        return next(self)

    def until(self, wanted, timeout=60):
        """The first event that `wanted(type, object)`."""
        while event := self.next(timeout):
            if wanted(event["type"], event["object"]):
                return event

    def close(self):
        self.connection.close()


class Client:
    """`credentials`: headers such as {"authorization": "Bearer …"}; `certificate`: (certificate file, key file). Connections are
    made inside `network`, from wherever the calls come."""

    def __init__(self, network, host, port, ca, credentials=None, certificate=None, timeout=60):
        self.network, self.host, self.port, self.timeout = network, host, port, timeout
        self.credentials = credentials or {}
        self.context = ssl.create_default_context(cafile=ca)
        if certificate:
            self.context.load_cert_chain(*certificate)
        self._local = threading.local()
        self._found = {}  # (apiVersion, kind) -> (plural, namespaced)
        self._pool = None

    def connection(self):
        made = http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout)
        made.auto_open = 0  # a new one is made here, since it belongs in there
        plain = self.network.run(socket.create_connection, (self.host, self.port), self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.sock = self.context.wrap_socket(plain, server_hostname=self.host)
        return made

    def raw(self, method, path, body=None, content_type="application/json"):
        """(status, bytes). A connection that the server closed while it was idle is made anew, once."""
        headers = {**self.credentials, "accept": "application/json"}
        if body is not None:
            headers["content-type"] = content_type
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        reused = getattr(self._local, "connection", None)
        for connection in (reused, None) if reused else (None,):
            try:
                connection = connection or self.connection()
                self._local.connection = connection
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                return response.status, response.read()
            except (OSError, http.client.HTTPException):
                self._local.connection = None
                if connection is None or connection is not reused:
                    raise
                connection.close()

    def request(self, method, path, body=None, content_type="application/json"):
        """A kind just made may ask to come again, and is obeyed."""
        for _ in range(RETRIES):
            status, answer = self.raw(method, path, body, content_type)
            if status != 429 or b"initializing" not in answer:
                break
            time.sleep(RETRY_AFTER)
        if status >= 300:
            raise ApiError(status, answer)
        return json.loads(answer)

    def path(self, api_version, kind, namespace=None, name=None, subresource=None):
        """Where a kind lies, or one object of it."""
        root = "/api/v1" if api_version == "v1" else "/apis/" + api_version
        if (api_version, kind) not in self._found:
            for resource in self.request("GET", root)["resources"]:
                if "/" not in resource["name"]:
                    self._found[api_version, resource["kind"]] = resource["name"], resource["namespaced"]
            if (api_version, kind) not in self._found:
                raise ApiError(404, f"{api_version} has no {kind}")
        plural, namespaced = self._found[api_version, kind]
        parts = [root, *(["namespaces", namespace] if namespaced and namespace else []), plural, name, subresource]
        return "/".join(part for part in parts if part)

    def _of(self, thing, subresource=None, named=True):
        metadata = thing["metadata"]
        return self.path(thing["apiVersion"], thing["kind"], metadata.get("namespace", "default"), metadata["name"] if named else None, subresource)

    def get(self, api_version, kind, namespace=None, name=None):
        return self.request("GET", self.path(api_version, kind, namespace, name))

    def list(self, api_version, kind, namespace=None, **query):
        """Of all namespaces without one; `query` as labelSelector=, limit=."""
        where = self.path(api_version, kind, namespace)
        return self.request("GET", where + ("?" + urllib.parse.urlencode(query) if query else ""))["items"]

    def create(self, thing):
        return self.request("POST", self._of(thing, named=False), thing)

    def replace(self, thing, subresource=None):
        return self.request("PUT", self._of(thing, subresource), thing)

    def apply(self, thing, subresource=None, manager="test"):
        """Server-side apply of an object, or of all of a YAML text."""
        if isinstance(thing, str):
            return [self.apply(one, subresource, manager) for one in objects(thing)]
        where = self._of(thing, subresource) + f"?fieldManager={manager}&force=true"
        return self.request("PATCH", where, thing, APPLY)

    def patch(self, thing, patch, subresource=None):
        """A merge patch, or with a list a JSON patch, of what `thing` names."""
        return self.request("PATCH", self._of(thing, subresource), patch, JSON_PATCH if isinstance(patch, list) else MERGE)

    def delete(self, thing, missing_ok=False):
        try:
            return self.request("DELETE", self._of(thing))
        except ApiError as error:
            if not (missing_ok and error.status == 404):
                raise

    def watch(self, api_version, kind, namespace=None, **query):
        """From now on, or from resourceVersion=. A kind just made may take a moment to be watched: see established()."""
        where = self.path(api_version, kind, namespace) + "?" + urllib.parse.urlencode({"watch": "1", **query})
        connection = self.connection()
        connection.request("GET", where, headers=self.credentials)
        response = connection.getresponse()
        if response.status != 200:
            raise ApiError(response.status, response.read())
        return Watch(connection, response)

    def many(self, call, things):
        """`call(thing)` for each, on several connections at once: many(client.create, objects). The results, in order."""
        if self._pool is None:
            self._pool = concurrent.futures.ThreadPoolExecutor(THREADS)
        return list(self._pool.map(call, things))
