"""`emissary convert`: manifests of older API versions written anew, and what has nothing to convert left as it is."""
import subprocess

import pytest
import yaml

from harness import kube, paths

OLD = """\
# a comment of a document that stays
apiVersion: v1
kind: ConfigMap
metadata: {name: other}   # as it was
data: {a: "1"}
---
apiVersion: getambassador.io/v2
kind: Mapping
metadata: {name: cart, namespace: shop}
spec: {prefix: /cart/, service: cart, tls: true, host: a.com, headers: {x-b: true}}
--- # three
apiVersion: getambassador.io/v1
kind: TracingService
metadata: {name: trace}
spec: {service: zipkin:9411, driver: zipkin, tag_headers: [x-a], v3CustomTags: [{tag: t, literal: {value: v}}]}
"""
NEW = {
    "cart": {"prefix": "/cart/", "service": "https://cart", "hostname": "a.com", "regex_headers": {"x-b": ".*"},
             "v2BoolHeaders": ["x-b"], "v2ExplicitTLS": {"serviceScheme": "", "tls": "bool:true"}},
    "trace": {"service": "zipkin:9411", "driver": "zipkin", "custom_tags": [{"tag": "t", "literal": {"value": "v"}}]},
}


def convert(*arguments, text=None):
    return subprocess.run([paths.emissary(), "convert", *map(str, arguments)], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)


@pytest.fixture
def old(tmp_path):
    (tmp_path / "old.yaml").write_text(OLD)
    return tmp_path


def specs(text):
    return {thing["metadata"]["name"]: thing for thing in kube.objects(text)}


def test_older_versions_become_v3alpha1(old):
    done = convert(old)
    assert done.returncode == 0
    things = specs(done.stdout)
    for name, spec in NEW.items():
        assert things[name]["apiVersion"] == "getambassador.io/v3alpha1"
        assert things[name]["spec"] == spec
    assert done.stdout.startswith(OLD[:OLD.index("---")])  # comments and all
    path, line, rest = done.stderr.split(":", 2)
    assert path.endswith("old.yaml") and OLD.splitlines()[int(line) - 1].find("tag_headers") > 0
    assert rest.startswith(" warning: TracingService trace: spec.tag_headers: "), rest


def test_what_was_printed_prints_the_same(old):
    once = convert(old).stdout
    again = convert("-", text=once)
    assert (again.stdout, again.stderr, again.returncode) == (once, "", 0)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_and_back(old, version):
    there = convert(old).stdout
    back = convert("--to", version, "-", text=there)
    assert back.returncode == 0, back.stderr
    assert specs(back.stdout)["cart"]["apiVersion"] == f"getambassador.io/{version}"
    again = specs(convert("-", text=back.stdout).stdout)
    for name in NEW:
        assert again[name]["spec"].pop("ambassador_id") == ["default"]  # which older versions always spell out
    assert again == specs(there)


def test_lists_and_annotations():
    text = """\
apiVersion: v1
kind: List
items:
- {apiVersion: getambassador.io/v2, kind: Host, metadata: {name: h}, spec: {hostname: a.com, selector: {matchLabels: {a: b}}}}
- apiVersion: v1
  kind: Service
  metadata:
    name: s
    annotations:
      getambassador.io/config: |
        ---
        apiVersion: ambassador/v1
        kind: Mapping
        name: inner
        prefix: /inner/
        service: inner
        host: b.com
        ---
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        name: fine
        hostname: "*"
        prefix: /fine/
        service: fine
---
{"apiVersion": "getambassador.io/v2", "kind": "MappingList", "items": [{"metadata": {"name": "m"}, "spec": {"prefix": "/", "service": "m"}}]}
"""
    done = convert("-", text=text)
    assert (done.returncode, done.stderr) == (0, "")
    (first, mappings) = yaml.safe_load_all(done.stdout)
    host, service = first["items"]
    assert host["spec"]["mappingSelector"] == {"matchLabels": {"a": "b"}}
    inner, fine = yaml.safe_load_all(service["metadata"]["annotations"]["getambassador.io/config"])
    assert (inner["apiVersion"], inner["metadata"]["name"], inner["spec"]["hostname"]) == ("getambassador.io/v3alpha1", "inner", "b.com")
    assert fine["name"] == "fine" and fine["hostname"] == "*"
    assert mappings["apiVersion"] == "getambassador.io/v3alpha1" and mappings["items"][0]["spec"]["hostname"] == "*"
    assert convert("-", text=done.stdout).stdout == done.stdout


@pytest.mark.parametrize("text, told, left", [
    ("kind: [\n", ":2: error: ", ""),
    ("apiVersion: getambassador.io/v9\nkind: Mapping\nmetadata: {name: x}\n", ":1: error: Mapping x: apiVersion: ", "getambassador.io/v9"),
    ("apiVersion: getambassador.io/v1\nkind: Listener\nmetadata: {name: x}\n", ":1: error: Listener x: apiVersion: ", "getambassador.io/v1"),
])
def test_what_cannot_be_converted(tmp_path, text, told, left):
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "b.json").write_text('{"apiVersion": "getambassador.io/v2", "kind": "Module", "metadata": {"name": "ambassador"}, "spec": {"config": {}}}')
    (tmp_path / "c.txt").write_text("kind: [")
    done = convert(tmp_path)
    assert done.returncode == 1
    assert told in done.stderr, done.stderr
    assert left in done.stdout and "kind: Module" in done.stdout and "getambassador.io/v3alpha1" in done.stdout


def test_listeners_have_no_older_version(tmp_path):
    (tmp_path / "a.yaml").write_text("apiVersion: getambassador.io/v3alpha1\nkind: Listener\nmetadata: {name: x}\nspec: {port: 1}\n")
    done = convert("--to", "v2", tmp_path)
    assert done.returncode == 1 and "Listener does not exist in getambassador.io/v2" in done.stderr
    assert done.stdout == (tmp_path / "a.yaml").read_text()


def test_usage(tmp_path):
    assert convert().returncode == convert("--to", "v4", tmp_path).returncode == convert("/does/not/exist").returncode == 2
