"""The CustomResourceDefinitions that `emissary crds` prints, on a real API server: they are taken, they refuse what they should and
nothing else, and nothing is changed in what they take."""
import json
import re
import subprocess

import pytest
import yaml

from harness import kube, objects, paths
from harness.bed import CRD

GROUP, VERSION = "getambassador.io", "getambassador.io/v3alpha1"
NAMES = {"AuthService": "authsvc", "ConsulResolver": "consulres", "DevPortal": "dp", "Host": "ho", "KubernetesEndpointResolver": "kepres",
         "KubernetesServiceResolver": "ksvcres", "Listener": "lsn", "LogService": "logsvc", "Mapping": "map", "Module": "mod",
         "RateLimitService": "rlsvc", "TCPMapping": "tcpmap", "TLSContext": "tlsctx", "TracingService": "tracesvc"}


@pytest.fixture
def crds(bed):
    bed.install_crds(objects.crds())
    return bed


def expect_healthy(cluster, versions):
    crds = [crd for crd in cluster.client.list(*CRD) if crd["spec"]["group"] == GROUP]
    assert sorted(crd["spec"]["names"]["kind"] for crd in crds) == sorted(NAMES)
    for crd in crds:
        name = crd["metadata"]["name"]
        conditions = {c["type"]: c["status"] for c in crd["status"]["conditions"]}
        assert conditions.pop("Established") == conditions.pop("NamesAccepted") == "True", (name, crd["status"])
        assert conditions == {}, (name, crd["status"])  # as NonStructuralSchema, or KubernetesAPIApprovalPolicyConformant
        assert crd["status"]["acceptedNames"]["shortNames"] == [NAMES[crd["spec"]["names"]["kind"]]]
        assert crd["status"]["storedVersions"] == ["v3alpha1"]
        assert len(crd["spec"]["versions"]) in versions


def test_kubectl_applies_them(own_cluster):
    """As README says, from nothing; then with the older versions, then without them again. Each time all that was asked for is
    there: the server has dropped nothing of a schema."""
    for flags, versions in ((), {1}), (("--legacy",), {1, 2, 3}), ((), {1}):
        text = objects.crds(*flags)
        own_cluster.kubectl("apply", "--server-side", "-f", "-", stdin=text)
        own_cluster.kubectl("wait", "--for=condition=Established", "crd", "--selector=app.kubernetes.io/part-of=emissary-ingress")
        for crd in kube.objects(text):
            there = own_cluster.client.get(*CRD, name=crd["metadata"]["name"])["spec"]
            asked = crd["spec"]
            assert asked.pop("preserveUnknownFields") is False and "preserveUnknownFields" not in there
            assert there == asked
        expect_healthy(own_cluster, versions)


def test_they_take_the_place_of_upstreams(own_cluster):
    """Which were put there by somebody else, with v2 as what is stored and a webhook. kubectl does nothing by halves on the way."""
    theirs = list(kube.objects(objects.crds("--legacy")))
    for crd in theirs:
        if "webhook" in crd["spec"]["conversion"]:
            crd["spec"]["conversion"]["webhook"]["clientConfig"]["service"].update(name="their-apiext", namespace="theirs")
        for version in crd["spec"]["versions"]:
            version["storage"] = version["name"] == ("v2" if len(crd["spec"]["versions"]) > 1 else "v3alpha1")
            version.pop("additionalPrinterColumns")
        own_cluster.client.apply(crd, manager="helm")
    ready = "wait", "--for=condition=Established", "crd", "--selector=app.kubernetes.io/part-of=emissary-ingress"
    own_cluster.kubectl(*ready)

    def apply(*flags, crds=()):
        return own_cluster.kubectl("apply", "--server-side", *flags, "-f", "-", stdin=objects.crds(*crds))

    with pytest.raises(RuntimeError, match="conflict"):
        apply()
    with pytest.raises(RuntimeError, match="storedVersions.*v2"):
        apply("--force-conflicts")
    apply("--force-conflicts", crds=["--legacy"])
    own_cluster.kubectl(*ready)
    for crd in kube.objects(objects.crds("--legacy")):
        there = own_cluster.client.get(*CRD, name=crd["metadata"]["name"])
        assert there["spec"]["conversion"] == crd["spec"]["conversion"]
        assert [v["name"] for v in there["spec"]["versions"] if v["storage"]] == ["v3alpha1"]
        assert there["status"]["storedVersions"][-1] == "v3alpha1"


# ---- what is taken

def corpus(*versions):
    """(file, object): every object of ours, of these API versions, in the manifests of the other suites and of the examples."""
    for folder in ("test/golden", "test/traffic", "examples"):
        for file in sorted((paths.ROOT / folder).rglob("*.y*ml")):
            if "manifests" not in file.parts and folder != "examples":
                continue
            try:
                documents = list(kube.objects(file.read_text()))
            except (yaml.YAMLError, UnicodeDecodeError):
                continue
            for document in documents:
                ours = isinstance(document, dict) and document.get("apiVersion") in versions and document.get("kind") in NAMES
                if ours and (document.get("metadata") or {}).get("name"):
                    yield file, document


def changes(before, after, where="spec"):
    """The paths at which two trees differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            if before.get(name) is not None or after.get(name) is not None:  # null is absent
                yield from changes(before.get(name), after.get(name), f"{where}.{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after)):
            yield from changes(*pair, f"{where}[{number}]")
    elif before != after:
        yield where


def findings(things, file):
    """What `emissary check` tells of them, by name: {name: [(severity, field, message)]}."""
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))
    done = subprocess.run([paths.emissary(), "check", "--output", "json", file], stdout=subprocess.PIPE, text=True, check=False)
    told = {}
    for finding in json.loads(done.stdout)["findings"]:
        told.setdefault(finding["name"], []).append((finding["severity"], finding["field"], finding["message"]))
    return told


# What files may hold and objects of an API server, as of upstream's, may not: forms of other API versions mostly.
ONLY_IN_FILES = [re.compile(pattern) for pattern in (
    r"spec\..*add_(request|response)_headers\.[^.]+",  # a text in place of {value: …}
    r"spec\.cors\.(origins|methods|headers|exposed_headers)",  # a text in place of a list
    r"spec\.idle_timeout_ms",  # of a TCPMapping: a number
    r"spec\.hostBinding\.namespace\.from",  # in small letters
    r"spec\.health_checks\[\d+\]\.health_check\.grpc\.upstream_name",  # left out
    r"spec\.error_response_overrides\[\d+\]\.\w+",  # of a Mapping, where they have no effect
)]


def same_part(one, other):
    """One of two fields is the other, or lies in it."""
    return any(long == short or re.match(re.escape(short) + r"[.\[]", long) for long, short in ((one, other), (other, one)))


def test_manifests_are_taken_unchanged(crds, namespace, tmp_path):
    """But for fields that are none, which the server drops, and the program tells of. Where the server refuses one, the program
    tells of an error in the same field."""
    things, files = [], {}
    for file, thing in corpus(VERSION):
        spec = {name: value for name, value in (thing.get("spec") or {}).items() if name != "ambassador_id"}  # of foreign ones nothing is told
        name = f"thing-{len(things)}"
        files[name] = f"{file.relative_to(paths.ROOT)}: {thing['kind']} {thing['metadata']['name']}"
        things.append({"apiVersion": VERSION, "kind": thing["kind"], "metadata": {"name": name, "namespace": namespace}, "spec": spec})
    assert {thing["kind"] for thing in things} >= {"Host", "Listener", "Mapping", "Module", "TCPMapping", "TLSContext"}
    told = findings(things, tmp_path / "all.json")

    def take(thing):
        name = thing["metadata"]["name"]
        known = told.get(name, [])
        try:
            made = crds.client.create(thing)
        except kube.ApiError as error:
            assert error.status == 422, error
            wrong = [field for severity, field, _ in known if severity == "error"]
            return [f"{files[name]}: {cause}" for cause in error.body["details"]["causes"]
                    if not any(form.fullmatch(cause["field"]) for form in ONLY_IN_FILES)
                    and not any(same_part(cause["field"], field) for field in wrong)]
        unknown = {field for _, field, message in known if "is not a known field" in message}
        return [f"{files[name]}: {path} is changed" for path in changes(thing["spec"], made["spec"]) if path not in unknown]

    surprises = [surprise for found in crds.client.many(take, things) for surprise in found]
    assert not surprises, "\n".join(surprises)


def every_field(schema):
    """A value with all that the schema has."""
    if "enum" in schema:
        return schema["enum"][-1]
    of_type = schema.get("type")
    if of_type == "object" or (of_type is None and "properties" in schema):
        if "additionalProperties" in schema:
            return {"some-name": every_field(schema["additionalProperties"])}
        fields = {name: every_field(below) for name, below in schema.get("properties", {}).items()} or {"any": [{"thing": None}, 1.5]}
        return dict(list(fields.items())[:schema.get("maxProperties", len(fields))])
    if of_type == "array":
        return [every_field(schema["items"])]
    if of_type == "string":
        return {"date-time": "2026-01-02T03:04:05Z"}.get(schema.get("format"), "https://" if "://" in schema.get("pattern", "") else "5xx")
    return {"integer": schema.get("minimum", 7), "boolean": True, None: {"any": ["thing", {"at": "all"}]}}[of_type]


def test_no_field_is_dropped_or_filled_in(crds, namespace):
    for crd in kube.objects(objects.crds()):
        kind = crd["spec"]["names"]["kind"]
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        thing = {"apiVersion": VERSION, "kind": kind, "metadata": {"name": "full", "namespace": namespace}, "spec": every_field(schema["spec"])}
        made = crds.client.create(thing)
        assert made["spec"] == thing["spec"] and "status" not in made
        status = every_field(schema["status"])
        assert status["conditions"] and status["state"] and status["reason"]
        crds.client.patch(thing, {"status": status, "spec": {"ambassador_id": ["x"]}}, "status")
        made = crds.client.get(VERSION, kind, namespace, "full")
        assert made["status"] == status and made["spec"] == thing["spec"], kind
        generation = made["metadata"]["generation"]
        crds.client.patch(thing, {"spec": {"ambassador_id": ["x"]}, "status": None})
        made = crds.client.get(VERSION, kind, namespace, "full")
        assert made["status"] == status and made["metadata"]["generation"] == generation + 1, kind


# ---- what is refused

MAPPING = {"prefix": "/", "service": "cart"}
LISTENER = {"port": 8080, "protocol": "HTTP", "securityModel": "XFP", "hostBinding": {"namespace": {"from": "ALL"}}}
REFUSED = [
    ("AuthService", {}, "auth_service: Required"),
    ("AuthService", {"auth_service": "a", "include_body": {"max_bytes": 1}}, "include_body.allow_partial: Required"),
    ("AuthService", {"auth_service": "a", "include_body": {"allow_partial": True}}, "include_body.max_bytes: Required"),
    ("AuthService", {"auth_service": "a", "proto": "tcp"}, "proto: Unsupported"),
    ("AuthService", {"auth_service": "a", "v2ExplicitTLS": {"tls": "yes"}}, "v2ExplicitTLS.tls: Unsupported"),
    ("DevPortal", {"naming_scheme": "x"}, "naming_scheme: Unsupported"),
    ("DevPortal", {"search": {"type": "x"}}, "search.type: Unsupported"),
    ("Host", {"hostname": 5}, "must be of type string"),
    ("Host", {"requestPolicy": {"insecure": {"action": "redirect"}}}, "action: Unsupported"),
    ("Host", {"previewUrl": {"type": "x"}}, "previewUrl.type: Unsupported"),
    ("Host", {"ambassador_id": "default"}, "must be of type array"),
    ("Listener", {**LISTENER, "port": 0}, "should be greater than or equal to 1"),
    ("Listener", {**LISTENER, "port": 65536}, "should be less than or equal to 65535"),
    ("Listener", {**LISTENER, "port": None}, "port: Required"),
    ("Listener", {**LISTENER, "securityModel": None}, "securityModel: Required"),
    ("Listener", {**LISTENER, "securityModel": "xfp"}, "securityModel: Unsupported"),
    ("Listener", {**LISTENER, "hostBinding": None}, "hostBinding: Required"),
    ("Listener", {**LISTENER, "protocol": "http"}, "protocol: Unsupported"),
    ("Listener", {**LISTENER, "protocolStack": ["TLS", "QUIC"]}, "protocolStack\\[1\\]: Unsupported"),
    ("LogService", {"driver": "udp"}, "driver: Unsupported"),
    ("Mapping", {"service": "a"}, "prefix: Required"),
    ("Mapping", {"prefix": "/"}, "service: Required"),
    ("Mapping", {**MAPPING, "timeout_ms": "3s"}, "must be of type integer"),
    ("Mapping", {**MAPPING, "headers": {"x-a": True}}, "must be of type string"),
    ("Mapping", {**MAPPING, "redirect_response_code": 305}, "redirect_response_code: Unsupported"),
    ("Mapping", {**MAPPING, "retry_policy": {"retry_on": "always"}}, "should match"),
    ("Mapping", {**MAPPING, "circuit_breakers": [{"priority": "low"}]}, "priority: Unsupported"),
    ("Mapping", {**MAPPING, "load_balancer": {}}, "policy: Required"),
    ("Mapping", {**MAPPING, "load_balancer": {"policy": "random"}}, "policy: Unsupported"),
    ("Mapping", {**MAPPING, "load_balancer": {"policy": "maglev", "cookie": {}}}, "cookie.name: Required"),
    ("Mapping", {**MAPPING, "health_checks": []}, "should have at least 1 items"),
    ("Mapping", {**MAPPING, "health_checks": [{}]}, "health_check: Required"),
    ("Mapping", {**MAPPING, "health_checks": [{"health_check": {}}]}, "should have at least 1 properties"),
    ("Mapping", {**MAPPING, "health_checks": [{"health_check": {"http": {"path": "/"}, "grpc": {"upstream_name": ""}}}]}, "must have at most 1"),
    ("Mapping", {**MAPPING, "health_checks": [{"health_check": {"http": {}}}]}, "http.path: Required"),
    ("Mapping", {**MAPPING, "health_checks": [{"health_check": {"grpc": {}}}]}, "upstream_name: Required"),
    ("Mapping", {**MAPPING, "health_checks": [{"health_check": {"http": {"path": "/", "expected_statuses": [{"min": 99, "max": 200}]}}}]}, "min in body"),
    ("Mapping", {**MAPPING, "health_checks": [{"health_check": {"http": {"path": "/", "expected_statuses": [{"min": 200, "max": 600}]}}}]}, "max in body"),
    ("Mapping", {**MAPPING, "health_checks": [{"health_check": {"http": {"path": "/", "expected_statuses": [{"min": 200}]}}}]}, "max: Required"),
    ("Mapping", {**MAPPING, "error_response_overrides": []}, "should have at least 1 items"),
    ("Mapping", {**MAPPING, "error_response_overrides": [{"body": {}}]}, "on_status_code: Required"),
    ("Mapping", {**MAPPING, "error_response_overrides": [{"on_status_code": 404}]}, "body: Required"),
    ("Mapping", {**MAPPING, "error_response_overrides": [{"on_status_code": 399, "body": {}}]}, "greater than or equal to 400"),
    ("Mapping", {**MAPPING, "labels": {"d": [{"a": [], "b": []}]}}, "must have at most 1"),
    ("Mapping", {**MAPPING, "labels": {"d": [{}]}}, "should have at least 1"),
    ("Mapping", {**MAPPING, "labels": {"d": [{"g": [{}]}]}}, "should have at least 1"),
    ("Mapping", {**MAPPING, "labels": {"d": [{"g": [{"generic_key": {}}]}]}}, "generic_key.value: Required"),
    ("Mapping", {**MAPPING, "labels": {"d": [{"g": [{"request_headers": {"key": "k"}}]}]}}, "header_name: Required"),
    ("Mapping", {**MAPPING, "labels": {"d": [{"g": [{"request_headers": {"header_name": "k"}}]}]}}, "key: Required"),
    ("Mapping", {**MAPPING, "labels": {"d": [{"g": [{"remote_address": {}}]}]}}, "key: Required"),
    ("Mapping", {**MAPPING, "labels": {"d": [{"g": [{"source_cluster": {"key": "other"}}]}]}}, "key: Unsupported"),
    ("Mapping", {**MAPPING, "labels": {"d": [{"g": ["tenant"]}]}}, "must be of type object"),
    ("Mapping", {**MAPPING, "add_request_headers": {"x": {"value": "v", "v2Representation": "x"}}}, "v2Representation: Unsupported"),
    ("Mapping", {**MAPPING, "v2ExplicitTLS": {"serviceScheme": "ftp://"}}, "should match"),
    ("Module", {}, "config: Required"),
    ("Module", {"config": ["x"]}, "must be of type object"),
    ("RateLimitService", {}, "service: Required"),
    ("TCPMapping", {"service": "a"}, "port: Required"),
    ("TCPMapping", {"port": 1}, "service: Required"),
    ("TCPMapping", {"port": 1, "service": "a", "idle_timeout_ms": 5}, "must be of type string"),
    ("TracingService", {"driver": "zipkin"}, "service: Required"),
    ("TracingService", {"service": "a"}, "driver: Required"),
    ("TracingService", {"driver": "x", "service": "a"}, "driver: Unsupported"),
    ("TracingService", {"driver": "zipkin", "service": "a", "custom_tags": [{}]}, "tag: Required"),
    ("TracingService", {"driver": "zipkin", "service": "a", "custom_tags": [{"tag": "t", "literal": {}}]}, "literal.value: Required"),
    ("TracingService", {"driver": "zipkin", "service": "a", "custom_tags": [{"tag": "t", "environment": {}}]}, "environment.name: Required"),
    ("TracingService", {"driver": "zipkin", "service": "a", "custom_tags": [{"tag": "t", "request_header": {}}]}, "request_header.name: Required"),
    ("TracingService", {"driver": "zipkin", "service": "a", "config": {"collector_endpoint_version": "x"}}, "collector_endpoint_version: Unsupported"),
    ("TracingService", {"driver": "zipkin", "service": "a", "config": {"propagation_modes": ["x"]}}, "propagation_modes\\[0\\]: Unsupported"),
]


def test_what_is_refused(crds, namespace):
    def refuse(case):
        kind, spec, why = case
        thing = {"apiVersion": VERSION, "kind": kind, "metadata": {"generateName": "bad-", "namespace": namespace, "name": ""}, "spec": spec}
        try:
            crds.client.create(thing)
            return case, "taken"
        except kube.ApiError as error:
            return None if error.status == 422 and re.search(why, str(error)) else (case, str(error))

    assert [found for found in crds.client.many(refuse, REFUSED) if found] == []


TAKEN = [
    ("Mapping", {**MAPPING, "outlier_detection": "text"}), ("Mapping", {**MAPPING, "outlier_detection": {"consecutive_5xx": 3}}),
    ("Mapping", {**MAPPING, "weight": -1, "timeout_ms": 0, "priority": "whatever", "dns_type": "bogus", "rewrite": ""}),
    ("Mapping", {**MAPPING, "retry_policy": {"retry_on": " 5xx, reset ,connect-failure", "num_retries": 3}}),
    ("Mapping", {**MAPPING, "modules": [{"a": [1]}, {}], "envoy_override": {"x": {"y": None}}}),
    ("Mapping", {**MAPPING, "add_request_headers": {"a": {}, "b": {"value": "", "append": False, "v2Representation": "null"}}}),
    ("Listener", {**LISTENER, "protocol": "UDP", "l7Depth": -1}), ("Listener", {**LISTENER, "hostBinding": {}}),
    ("Host", {}), ("Host", {"tls": {"min_tls_version": "v9"}}), ("TLSContext", {}), ("TLSContext", {"max_tls_version": "TLS1.3"}),
    ("Module", {"config": {}}), ("Module", {"config": {"anything": {"at": ["all", 1, None, {"x": 1.5}]}}}),
    ("KubernetesServiceResolver", {}), ("ConsulResolver", {}), ("DevPortal", {}), ("LogService", {}),
]


def test_what_is_taken(crds, namespace):
    """Where the program has more to say, but upstream's schema takes it."""
    def take(case):
        kind, spec = case
        thing = {"apiVersion": VERSION, "kind": kind, "metadata": {"generateName": "good-", "namespace": namespace, "name": ""}, "spec": spec}
        return list(changes(spec, crds.client.create(thing)["spec"]))

    assert crds.client.many(take, TAKEN) == [[] for _ in TAKEN]


OLDER = [
    ("Mapping", {**MAPPING, "tls": tls, "ambassador_id": ids}) for tls in (True, False, "", "up") for ids in ("blue", ["blue", "green"])] + [
    ("Mapping", {**MAPPING, "host": "*.a.com", "host_regex": False, "headers": {"x-a": "1", "x-b": True, "x-c": False}}),
    ("Mapping", {**MAPPING, "query_parameters": {"q": True, "p": "1"}, "regex_headers": {"x": ".*"}}),
    ("Mapping", {**MAPPING, "add_request_headers": {"a": "text", "b": {"value": "v", "append": False}}, "remove_response_headers": "x-a"}),
    ("Mapping", {**MAPPING, "remove_request_headers": ["x-a"], "cors": {"origins": "http://a,http://b", "methods": "GET", "headers": ["x"]}}),
    ("Mapping", {**MAPPING, "labels": {"d": [{"g": ["remote_address", "tenant", {"generic_key": "v", "v3Key": "k"}, {"k": {"header": "x-k"}}]}]}}),
    ("Mapping", {**MAPPING, "v3StatsName": "s", "v3health_checks": [{"health_check": {"http": {"path": "/"}}}]}),
    ("AuthService", {"auth_service": "a", "tls": True, "v3StatsName": "s", "v3CircuitBreakers": [{"max_requests": 3}]}),
    ("RateLimitService", {"service": "a", "tls": False, "v3GRPC": {"use_resource_exhausted_code": True}}),
    ("LogService", {"service": "a", "v3ProtocolVersion": "v3"}), ("TLSContext", {"v3CRLSecret": "c", "ambassador_id": "x"}),
    ("TCPMapping", {"port": 1, "service": "a", "tls": True, "v3StatsName": "s"}),
    ("TracingService", {"driver": "zipkin", "service": "a", "tag_headers": ["x"], "config": {"v3PropagationModes": ["B3"]}}),
    ("Host", {"ambassadorId": ["x"], "selector": {"matchLabels": {"a": "b"}}, "tls": {"v3CRLSecret": "c"}}),
]


def test_older_versions_are_taken_as_written(own_cluster):
    """The webhook that converts is another's test: here the older version is what is stored."""
    crds = [crd for crd in kube.objects(objects.crds("--legacy")) if len(crd["spec"]["versions"]) > 1]
    for crd in crds:
        crd["spec"]["conversion"] = {"strategy": "None"}
        for version in crd["spec"]["versions"]:
            version["storage"] = version["name"] == "v2"
    own_cluster.install_crds(yaml.safe_dump_all(crds))
    forms = [(f"{GROUP}/v2", kind, spec) for kind, spec in OLDER]
    mistakes = "wrong", "never-was"
    forms += [(thing["apiVersion"], thing["kind"], thing.get("spec") or {}) for _, thing in corpus(f"{GROUP}/v1", f"{GROUP}/v2")
              if thing["metadata"]["name"] not in mistakes]
    assert len(forms) > len(OLDER)

    def take(form):
        version, kind, spec = form
        thing = {"apiVersion": version, "kind": kind, "metadata": {"generateName": "old-", "name": ""}, "spec": spec}
        return [f"{form}: {path} is changed" for path in changes(spec, own_cluster.client.create(thing)["spec"])]

    surprises = [surprise for found in own_cluster.client.many(take, forms) for surprise in found]
    assert not surprises, "\n".join(surprises)


# ---- kubectl

def test_columns(crds, namespace):
    def shown(kind, spec, status):
        thing = {"apiVersion": VERSION, "kind": kind, "metadata": {"name": "one", "namespace": namespace}, "spec": spec}
        crds.client.create(thing)
        crds.client.patch(thing, {"status": status}, "status")
        lines = crds.kubectl("get", kind.lower(), "-n", namespace).splitlines()
        assert re.fullmatch(r"\d+s", lines[1].split()[-1])
        return [re.split(r" {2,}", line.strip())[:-1] for line in lines]

    assert shown("Mapping", {"hostname": "a.com", "prefix": "/cart/", "service": "cart:8080"}, {"state": "Inactive", "reason": "it is wrong"}) == [
        ["NAME", "HOST", "PREFIX", "SERVICE", "STATE", "REASON"], ["one", "a.com", "/cart/", "cart:8080", "Inactive", "it is wrong"]]
    assert shown("Host", {"hostname": "a.com", "tlsSecret": {"name": "cert"}}, {"state": "Ready", "reason": "-"}) == [
        ["NAME", "HOSTNAME", "SECRET", "STATE", "REASON"], ["one", "a.com", "cert", "Ready", "-"]]
    assert shown("Listener", {**LISTENER, "protocolStack": ["TLS", "TCP"]}, {"state": "Running", "reason": "-"}) == [
        ["NAME", "PORT", "PROTOCOL", "STACK", "SECURITY", "STATE", "REASON"], ["one", "8080", "HTTP", '["TLS","TCP"]', "XFP", "Running", "-"]]
    assert shown("TCPMapping", {"port": 5671, "host": "mq.com", "service": "mq"}, {"state": "Running", "reason": "-"}) == [
        ["NAME", "PORT", "HOST", "SERVICE", "STATE", "REASON"], ["one", "5671", "mq.com", "mq", "Running", "-"]]


def test_names_and_category(crds, namespace):
    for kind, short in NAMES.items():
        assert crds.kubectl("get", short, "-n", namespace).startswith("No resources found"), kind
    crds.client.create({"apiVersion": VERSION, "kind": "Module", "metadata": {"name": "one", "namespace": namespace}, "spec": {"config": {}}})
    assert crds.kubectl("get", "ambassador-crds", "-n", namespace, "-o", "name").split() == ["module.getambassador.io/one"]
    described = crds.kubectl("explain", "mapping.spec.timeout_ms")
    assert "Milliseconds" in described and "<integer>" in described
