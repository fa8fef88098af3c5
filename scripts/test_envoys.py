#!/usr/bin/env python3
"""`make test-envoys`: the traffic cases and the check of the API against every pinned Envoy, or those named. A run of all writes the table
of docs/envoys.md."""
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

import envoy_pins
from envoy_api import ROOT

sys.path.insert(0, str(ROOT / "test"))
from harness import envoy_extensions  # noqa: E402

PAGE = ROOT / "docs" / "envoys.md"
BEGIN, END = "<!-- make test-envoys writes this table -->\n", "<!-- end -->\n"


def run(version, binary, jobs):
    """(passed, all) traffic cases, and whether everything else passed too."""
    report = ROOT / "build" / "reports" / "envoys" / f"{version}.xml"
    print(f"=== Envoy {version}", flush=True)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "test/traffic", "test/envoy_api", "-n", jobs, "--junitxml", report], cwd=ROOT,
                          env={**os.environ, "EMISSARY_TEST_ENVOY": binary}, check=False)
    cases = [case for case in xml.etree.ElementTree.parse(report).iter("testcase") if case.get("name").startswith("test_case[")]
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return len(cases) - len(bad), len(cases), done.returncode == 0


def row(version, binary, passed, cases):
    lacking = sorted(name.partition("/")[2] for name in envoy_extensions.looked_for() - envoy_extensions.listed(binary).keys())
    withheld = [f"`{name}`" for name in lacking]
    if envoy_pins.numbers(version) < (1, 40):
        withheld.append("`health_checks` but the first")
    withheld = ", ".join(withheld) or "nothing"
    return f"| {version} | {passed} of {cases} | {withheld} |\n"


def main(wanted):
    pinned = [envoy_pins.current_pin(envoy_pins.CURRENT.read_text())[0],
              *(pin[0] for pin in envoy_pins.other_pins(envoy_pins.OTHERS.read_text()))]
    pinned.sort(key=envoy_pins.numbers)
    table, good = "| Envoy | traffic cases passed | withheld |\n| --- | --- | --- |\n", True
    for version in wanted or pinned:
        binary = envoy_pins.binary(version)
        passed, cases, all_passed = run(version, binary, os.environ.get("TEST_JOBS", "3"))
        table += row(version, binary, passed, cases)
        good = good and all_passed
    print(table, end="")
    if not wanted:
        page = PAGE.read_text()
        PAGE.write_text(re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: BEGIN + table + END, page, flags=re.S))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
