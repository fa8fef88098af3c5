"""A folder a case: cases/NAME/manifests/* → findings.txt (`check`), ir.json (`compile --output ir`), envoy.json (`compile --output
envoy`). `make golden` writes what the binary says now; the diff is the review.

A case without a Module gets one that switches the built-in Mappings off, which would stand in every virtual host of every file.

Manifests may hold ${CERT:name} and ${KEY:name}; the certificates are made for each run, and stand in the expected files under
these names again."""
import base64
import difflib
import json
import pathlib
import subprocess

import pytest

from harness import certs, paths

CASES = sorted(p.parent for p in pathlib.Path(__file__).parent.glob("cases/*/manifests"))
QUIET = """apiVersion: getambassador.io/v3alpha1
kind: Module
metadata: {name: ambassador}
spec: {config: {liveness_probe: {enabled: false}, readiness_probe: {enabled: false}, diagnostics: {enabled: false}}}
"""
FILES = {"findings.txt": ["check"], "ir.json": ["compile", "--output", "ir"], "envoy.json": ["compile", "--output", "envoy"]}


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("certs"))


def put_names_back(text, authority):
    for file, name in authority.names.items():
        pem = pathlib.Path(file).read_bytes()
        name = "${CERT:" + name + "}"
        for form in (json.dumps(pem.decode())[1:-1], pem.decode(), base64.b64encode(pem).decode()):
            text = text.replace(form, name)
    return text


def produce(arguments, folder, authority):
    done = subprocess.run([paths.emissary(), arguments[0], "manifests", *arguments[1:]], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done
    text = put_names_back(done.stdout, authority)
    if arguments[0] == "compile":
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    return text + f"exit {done.returncode}\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case, tmp_path, authority, request):
    (tmp_path / "manifests").mkdir()
    for file in (case / "manifests").iterdir():
        (tmp_path / "manifests" / file.name).write_text(authority.render(file.read_text()))
    if not any("kind: Module" in file.read_text() for file in (case / "manifests").iterdir()):
        (tmp_path / "manifests" / "zz-no-built-in-mappings.yaml").write_text(QUIET)
    differences = []
    for name, arguments in FILES.items():
        got = produce(arguments, tmp_path, authority)
        assert "PRIVATE KEY" not in got, f"a private key shows in {name}"
        expected = case / name
        if request.config.getoption("--rewrite-golden"):
            expected.write_text(got)
            continue
        want = expected.read_text() if expected.exists() else ""
        differences += difflib.unified_diff(want.splitlines(), got.splitlines(), f"{case.name}/{name}", "now", lineterm="")
    if differences:
        pytest.fail("\n".join(differences[:200]), pytrace=False)
