"""The command line as its users and scripts rely on it: what is printed where, and exit codes."""
import json
import re
import subprocess

import pytest
import yaml

from harness import paths

GOOD = """\
apiVersion: getambassador.io/v3alpha1
kind: Listener
metadata: {name: http, namespace: default}
spec: {port: 8080, protocol: HTTP, securityModel: XFP, hostBinding: {namespace: {from: ALL}}}
---
apiVersion: getambassador.io/v3alpha1
kind: Host
metadata: {name: any, namespace: default}
spec: {hostname: "*", requestPolicy: {insecure: {action: Route}}}
---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {name: quote, namespace: default}
spec: {hostname: "*", prefix: /quote/, service: "127.0.0.1:9001"}
"""
# A key of this test alone; what must be told about it is only that it is there.
SECRET_TEXT = "c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWU="
FINDING = re.compile(r"^(?P<path>[^:]+):(?P<line>\d+): (?P<severity>error|warning|notice): (?P<kind>\w+) "
                     r"(?P<object>[^ :]+): (?:(?P<field>[\w.\-\[\]/:]+): )?(?P<message>.+)$")


def emissary(*arguments, cwd=None, timeout=120):
    return subprocess.run([paths.emissary(), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, cwd=cwd, check=False)


@pytest.fixture
def good(tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD)
    return tmp_path


def test_check_of_good_objects_says_nothing_wrong(good):
    done = emissary("check", good)
    assert done.returncode == 0, done
    assert " error: " not in done.stdout


def test_check_takes_files_and_folders_together(tmp_path):
    first, *rest = GOOD.split("---\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "listener.yaml").write_text(first)
    (tmp_path / "sub" / "rest.yaml").write_text("---\n".join(rest))
    assert emissary("check", tmp_path / "listener.yaml", tmp_path / "sub").returncode == 0


def test_check_names_file_line_object_and_field(good):
    (good / "bad.yaml").write_text("\n\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata:\n  name: slow\n  namespace: edge\n"
                                   "spec:\n  hostname: '*'\n  prefix: /slow/\n  service: 127.0.0.1:9001\n  timeout_ms: 3s\n")
    done = emissary("check", ".", cwd=good)
    assert done.returncode == 1
    errors = [m for m in map(FINDING.match, done.stdout.splitlines()) if m and m["severity"] == "error"]
    assert [(m["path"].removeprefix("./"), m["line"], m["kind"], m["object"], m["field"]) for m in errors] == [
        ("bad.yaml", "12", "Mapping", "edge/slow", "spec.timeout_ms")], done.stdout


def test_check_as_json(good):
    (good / "bad.yaml").write_text(GOOD.split("---\n")[2].replace("quote", "nameless").replace('prefix: /nameless/, ', ""))
    done = emissary("check", good, "--output", "json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["errors"] == 1
    finding, = [f for f in told["findings"] if f["severity"] == "error"]
    assert finding["path"].endswith("bad.yaml")
    assert (finding["kind"], finding["namespace"], finding["name"], finding["field"]) == ("Mapping", "default", "nameless", "spec.prefix")
    assert finding["line"] > 0 and finding["message"]


def test_check_of_a_file_that_does_not_parse(tmp_path):
    (tmp_path / "broken.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: [\n")
    done = emissary("check", tmp_path)
    assert done.returncode == 1
    assert re.search(r"broken\.yaml:\d+: error: ", done.stdout), done.stdout


def test_check_tells_of_an_object_defined_twice(good):
    (good / "second.yaml").write_text(GOOD.split("---\n")[2].replace("9001", "9002"))
    done = emissary("check", good)
    assert done.returncode == 1
    assert re.search(r"second\.yaml:\d+: error: Mapping default/quote: .*good\.yaml", done.stdout), done.stdout


def test_warnings_do_not_fail_a_check(good):
    (good / "warn.yaml").write_text("apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\nspec: {}\n")
    done = emissary("check", good)
    assert done.returncode == 0
    assert " warning: " in done.stdout and "Gadget" in done.stdout, done.stdout


@pytest.mark.parametrize("output", ["envoy", "ir"])
def test_compile_is_a_function_of_the_objects(good, tmp_path_factory, output):
    documents = GOOD.split("---\n")
    shuffled = tmp_path_factory.mktemp("shuffled")
    for number, document in enumerate(reversed(documents)):
        (shuffled / f"{number}.yaml").write_text(document)
    first, second = (emissary("compile", folder, "--output", output) for folder in (good, shuffled))
    assert first.returncode == second.returncode == 0, first.stderr
    assert json.loads(first.stdout) == json.loads(second.stdout)
    assert first.stdout == second.stdout


def test_compile_shape(good):
    done = emissary("compile", good, "--output", "envoy")
    told = json.loads(done.stdout)
    assert {"listeners", "routes", "clusters", "endpoints", "secrets"} <= set(told)
    assert [listener["address"]["socket_address"]["port_value"] for listener in told["listeners"]] == [8080]
    assert len(told["clusters"]) == 2  # and the administration server's, of the built-in Mappings


def test_compile_sees_the_settings_of_run(good, monkeypatch):
    monkeypatch.setenv("AMBASSADOR_HEALTHCHECK_BIND_PORT", "9877")
    told = json.loads(emissary("compile", good, "--output", "envoy").stdout)
    assert any('"port_value": 9877' in json.dumps(cluster) for cluster in told["clusters"])


def test_compile_with_errors_prints_what_is_left(good):
    (good / "bad.yaml").write_text(GOOD.split("---\n")[2].replace("quote", "other").replace("prefix: /other/, ", ""))
    done = emissary("compile", good, "--output", "envoy")
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["clusters"]) == 2
    assert "Mapping default/other" in done.stderr


@pytest.mark.parametrize("command", [("check",), ("check", "--output", "json"), ("compile", "--output", "envoy"), ("compile", "--output", "ir")])
def test_secrets_never_show(good, tmp_path, command):
    """Neither usable ones nor broken ones, wherever an error message might quote them."""
    from harness.certs import Authority
    authority = Authority(tmp_path / "authority")
    config = tmp_path / "config"
    config.mkdir()
    (config / "good.yaml").write_text(GOOD.replace('hostname: "*", requestPolicy', 'hostname: "*", tlsSecret: {name: good}, requestPolicy'))
    (config / "secrets.yaml").write_text(authority.render(f"""\
apiVersion: v1
kind: Secret
metadata: {{name: good}}
type: kubernetes.io/tls
data: {{tls.crt: "${{CERT:a.com}}", tls.key: "${{KEY:a.com}}"}}
---
apiVersion: v1
kind: Secret
metadata: {{name: bad}}
type: kubernetes.io/tls
data: {{tls.crt: "{SECRET_TEXT}", tls.key: "{SECRET_TEXT}!!"}}
---
apiVersion: v1
kind: Secret
metadata: {{name: worse}}
stringData: ["{SECRET_TEXT}"]
"""))
    with open(authority.leaf("a.com")[1], encoding="ascii") as file:
        key = file.read()
    done = emissary(command[0], config, *command[1:])
    shown = done.stdout + done.stderr
    assert "secret-that-nobody-may-see" not in shown and SECRET_TEXT not in shown
    for line in key.splitlines():
        assert line.startswith("-----") or line not in shown
    import base64
    assert base64.b64encode(key.encode()).decode()[20:60] not in shown


def test_version():
    done = emissary("version")
    assert done.returncode == 0
    pinned = re.search(r"^ENVOY_VERSION=(.*)$", (paths.ROOT / "deps" / "versions.env").read_text(), re.M)[1]
    assert pinned in done.stdout
    assert re.search(r"\d+\.\d+", done.stdout)


def test_version_of_the_envoy_that_would_be_started(tmp_path):
    patched = tmp_path / "envoy"
    patched.write_text("#!/bin/sh\necho; echo \"$0  version: abc/1.40.1-acme/Clean/RELEASE/BoringSSL\"\n")
    patched.chmod(0o755)
    assert emissary("version", "--envoy", patched).stdout.splitlines()[-1] == f"Envoy 1.40.1-acme: {patched}"
    real = paths.envoy()
    said = subprocess.run([real, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split("/")
    assert f"Envoy {said[-4]}: {real}" in emissary("version", "--envoy", real).stdout
    gone = emissary("version", "--envoy", tmp_path / "none")
    assert gone.returncode == 0 and "Envoy none: " in gone.stdout


@pytest.mark.parametrize("legacy", [False, True])
def test_crds(legacy):
    done = emissary("crds", *["--legacy"] * legacy)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    kinds = {crd["spec"]["names"]["kind"]: crd for crd in yaml.safe_load_all(done.stdout)}
    assert len(kinds) == 14
    assert [v["name"] for v in kinds["Mapping"]["spec"]["versions"]] == (["v1", "v2", "v3alpha1"] if legacy else ["v3alpha1"])
    assert emissary("crds", *["--legacy"] * legacy).stdout == done.stdout


@pytest.mark.parametrize("command", [
    ["explain", ".", "--", "GET", "http://a/"], ["diff", ".", "."], ["convert", "--from", "ingress-nginx", "."]])
def test_commands_of_later_versions_say_so(command, tmp_path):
    done = emissary(*command, cwd=tmp_path)
    assert done.returncode == 2
    assert "not in this version" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("command", [
    [], ["nonsense"], ["check"], ["check", "/does/not/exist"], ["check", ".", "--output", "xml"],
    ["compile", ".", "--output", "nonsense"], ["run", "--config-dir", ".", "--admin-address", "nonsense"],
    ["run", "--config-dir", ".", "--envoy-concurrency", "many"]])
def test_usage_errors(command, tmp_path):
    done = emissary(*command, cwd=tmp_path)
    assert done.returncode == 2, done
    assert done.stderr and done.stdout == ""


def test_help():
    done = emissary("--help")
    assert done.returncode == 0
    for command in ("run", "check", "compile", "crds", "version"):
        assert command in done.stdout


def test_a_missing_envoy_is_told(good):
    done = emissary("run", "--config-dir", good, "--envoy", good / "no-such-envoy", timeout=60)
    assert done.returncode == 1
    assert "no-such-envoy" in done.stderr
