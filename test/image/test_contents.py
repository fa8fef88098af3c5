"""What is in the image, read out of the archive; no engine is needed."""
import json
import os
import re
import shutil
import stat
import subprocess

import pytest

from harness import image, paths

# The control plane with its libraries, compressed: what the image may weigh beyond Envoy.
MOST = 20_000_000
TOOLS = r"(ba|da|z|k)?sh|busybox|perl.*|python.*|apt.*|dpkg.*|rpm|curl|wget|openssl|ldd|ldconfig|env|su|sudo|mount|setpriv"


@pytest.fixture(scope="module")
def built(archive):
    return image.Image(archive)


@pytest.fixture(scope="module")
def files(built):
    return built.files()


def test_two_programs_and_nothing_to_break_in_with(files):
    programs = {path for path, (info, _) in files.items() if info.isfile() and info.mode & 0o111 and ".so" not in path}
    assert programs == {"usr/bin/emissary", "usr/bin/envoy"}
    assert not [path for path, (info, _) in files.items() if not info.isdir() and re.fullmatch(TOOLS, path.rpartition("/")[2])]
    assert not [path for path in files if path.startswith(("usr/lib/python", "usr/share/perl", "usr/lib/apt"))]
    assert not [path for path, (info, _) in files.items() if info.mode & 0o6000], "no set-user-id"
    writable = {path for path, (info, _) in files.items() if info.mode & 0o022 and not info.issym()}
    assert writable == {"tmp", "ambassador"}
    assert {(info.uid, info.gid) for path, (info, _) in files.items() if path != "ambassador"} == {(0, 0)}
    assert not [path for path, (_, content) in files.items() if content and path[:8] != "usr/lib/" and b"PRIVATE KEY" in content]


def test_how_it_starts(built):
    config = built.config["config"]
    assert config["User"] == "8888:0"
    assert config["Entrypoint"] == ["/usr/bin/emissary", "run"] and "Cmd" not in config
    assert {"8080/tcp", "8443/tcp", "8877/tcp"} == set(config["ExposedPorts"])
    told = {name.rpartition(".")[2]: value for name, value in config["Labels"].items() if name.startswith("org.opencontainers.image.")}
    ours = subprocess.run([paths.emissary(), "version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[1]
    assert told["title"] == "emissary" and told["licenses"] == "Apache-2.0" and told["version"] == ours
    assert re.fullmatch("[0-9a-f]{40}|unknown", told["revision"]) and told["created"] == built.config["created"]


def test_no_heavier_than_allowed(built):
    sections = subprocess.run(["readelf", "--sections", "--wide", paths.emissary()], stdout=subprocess.PIPE, text=True, check=True).stdout
    if ".symtab" in sections:
        pytest.skip("of a release: this program has its symbols")
    assert built.sizes["libraries"] + built.sizes["emissary"] <= MOST, built.sizes


def test_authorities_are_those_of_debian(files):
    bundle = files["etc/ssl/certs/ca-certificates.crt"][1].decode()
    count = bundle.count("BEGIN CERTIFICATE")
    assert count == bundle.count("END CERTIFICATE\x2d\x2d\x2d\x2d\x2d\n") and count > 100


def test_list_of_contents(archive, files):
    text = files["usr/share/doc/emissary/sbom.spdx.json"][1]
    assert text == archive.with_name("emissary-image.spdx.json").read_bytes()
    told = json.loads(text)
    assert told["spdxVersion"] == "SPDX-2.3" and told["dataLicense"] == "CC0-1.0" and told["SPDXID"] == "SPDXRef-DOCUMENT"
    assert told["documentNamespace"].startswith("urn:uuid:") and told["creationInfo"]["creators"]
    packages = {entry["SPDXID"]: entry for entry in told["packages"]}
    assert len(packages) == len(told["packages"]) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name) for name in packages)
    for entry in packages.values():
        assert entry["versionInfo"] and entry["downloadLocation"] and entry["filesAnalyzed"] is False
    for one in told["relationships"]:
        assert {one["spdxElementId"], one["relatedSpdxElement"]} <= {*packages, "SPDXRef-DOCUMENT"}
    names = {entry["name"] for entry in packages.values()}
    assert {"emissary", "envoy", "libc6", "libgrpc29", "ca-certificates"} <= names
    # Every package is told, by dpkg's own record too, and its licence is there.
    recorded = {path.rpartition("/")[2] for path in files if path.startswith("var/lib/dpkg/status.d/")}
    assert recorded <= names and {f"usr/share/doc/{name}/copyright" for name in recorded} <= set(files)
    assert {path for path, (info, _) in files.items() if info.isfile() and path.startswith("usr/lib/x86_64")} and recorded


def test_the_same_again(archive, built, tmp_path):
    """From nothing that the first build left, under another clock and other habits. Envoy alone, if its layer is the same before it
    is compressed, is not compressed again: that takes seconds."""
    again, work = tmp_path / "again.tar", tmp_path / "work"
    work.mkdir()
    kept = max((archive.parent / "work").glob("*.gz"), key=lambda path: path.stat().st_size)
    os.link(kept, work / kept.name)
    image.build(again, work, environment={"TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "TMPDIR": str(tmp_path)}, umask=0o077)
    assert image.Image(again).digest == built.digest
    assert again.read_bytes() == archive.read_bytes()


def test_another_envoy(tmp_path):
    """Any Envoy's binary can be shipped; one that is none is refused."""
    with pytest.raises(RuntimeError, match="does not tell its version"):
        image.build(tmp_path / "none.tar", tmp_path / "work", environment={"ENVOY": shutil.which("true")})


def test_as_a_folder(files, tmp_path):
    """What the Dockerfile copies is what the archive holds."""
    folder = tmp_path / "root"
    folder.mkdir()
    image.build(tmp_path / "unused.tar", tmp_path / "work", ["--root", folder], umask=0o077)
    def seen(path):
        told = path.lstat()
        content = os.readlink(path) if path.is_symlink() else told.st_size if path.is_file() else None
        return stat.S_IFMT(told.st_mode), path.is_symlink() or stat.S_IMODE(told.st_mode), told.st_uid, told.st_gid, content
    def wanted(info):
        kind, content = (stat.S_IFLNK, info.linkname) if info.issym() else (stat.S_IFDIR, None) if info.isdir() else (stat.S_IFREG, info.size)
        return kind, info.issym() or info.mode, info.uid, info.gid, content
    assert {str(path.relative_to(folder)): seen(path) for path in folder.rglob("*")} == {path: wanted(info) for path, (info, _) in files.items()}


def test_dockerfile(engine, built, tmp_path):
    """Its last stage says what `make image` says."""
    (tmp_path / "build" / "image").mkdir(parents=True)
    (tmp_path / "build" / "image" / "marker").touch()
    revision = built.config["config"]["Labels"]["org.opencontainers.image.revision"]
    engine.podman("build", "--quiet", "--pull=never", "--isolation", "chroot", "--layers=false", "--build-context", f"build={tmp_path / 'build'}",
                  "--build-arg", f"REVISION={revision}", "-f", paths.ROOT / "deploy/image/Dockerfile", "-t", "localhost/dockerfile:test", tmp_path)
    made = json.loads(engine.podman("inspect", "localhost/dockerfile:test"))[0]["Config"]
    config = built.config["config"]
    for key in ("User", "Entrypoint", "Env", "ExposedPorts", "StopSignal", "WorkingDir"):
        assert made[key] == config[key], key
    labels = {name: value for name, value in made["Labels"].items() if not name.startswith("io.buildah")}
    assert labels.items() <= config["Labels"].items() and len(labels) >= 5
