#!/usr/bin/env python3
"""Would the traffic cases notice if a field were missing from what Envoy gets?

Once, each case runs on the binary of the preset `mutation`, which tells the fields that it generates. Then, field by field, the
binary leaves that one out, and the cases that generate it run until one fails. Prints a line a field and the share of noticed
ones; exit 0 when it reaches --least percent. Fields that no answer can show are named, with the reason, in UNSEEN.

    mutation.py BINARY [--least 90] [--jobs 2] [--match TEXT]"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import netns, paths  # noqa: E402

CASES = sorted(p.parent for p in (paths.TEST / "traffic" / "cases").glob("*/case.yaml"))
# Generated on purpose, and yet no request tells whether they are there.
UNSEEN = {
    "envoy.config.accesslog.v3.AccessLog.name": "names alone",
    "envoy.config.core.v3.RuntimeUInt32.runtime_key": "Envoy's API asks for one; nothing sets it",
    "envoy.config.core.v3.ConfigSource.resource_api_version": "Envoy's API asks for V3, the only one there is",
    "envoy.config.route.v3.RouteConfiguration.name": "names alone",
}
DEADLINE = os.environ.get("EMISSARY_MUTATION_DEADLINE", "15")  # seconds that a case waits for what may never come


def run(case, binary, environment, timeout=120):
    """Whether the case holds; one that does not end does not."""
    with tempfile.TemporaryDirectory(prefix="mutation.") as work:
        command = netns.command("harness.traffic", case, work)
        variables = {**netns.environment(), "EMISSARY_BINARY": str(binary), **environment}
        try:
            return subprocess.run(command, env=variables, capture_output=True, timeout=timeout).returncode == 0
        except subprocess.TimeoutExpired:
            return False


def survey(binary, jobs):
    """{field: cases that generate it}, the cases with the fewest fields first: what they test is this field."""
    with tempfile.TemporaryDirectory(prefix="mutation.") as folder, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        files = {case: pathlib.Path(folder) / case.name for case in CASES}
        held = list(pool.map(lambda case: run(case, binary, {"EMISSARY_MUTATION_SEEN": str(files[case])}), CASES))
        if not all(held):
            sys.exit(f"fail unchanged: {[case.name for case, ok in zip(CASES, held) if not ok]}")
        seen = {case: set(file.read_text().split()) if file.exists() else set() for case, file in files.items()}
    fields = {}
    for case in sorted(CASES, key=lambda case: len(seen[case])):
        for field in seen[case]:
            fields.setdefault(field, []).append(case)
    return fields


def noticed(field, cases, binary):
    """The case that fails without the field. First those that few fields lead to, since they were made for it."""
    for case in cases:
        if not run(case, binary, {"EMISSARY_MUTATION_DROP": field, "EMISSARY_TEST_DEADLINE": DEADLINE}):
            return case
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--least", type=float, default=90)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--match", action="append", metavar="TEXT", help="only fields whose names hold this, or another one given so")
    options = parser.parse_args()
    binary = options.binary.resolve()
    fields = {f: c for f, c in survey(binary, options.jobs).items() if f not in UNSEEN and any(text in f for text in options.match or [""])}
    survivors = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda field: (field, noticed(field, fields[field], binary)), sorted(fields))
        for field, case in results:
            print(f"{'noticed ' if case else 'SURVIVED'} {field} {case.name if case else ''}", flush=True)
            if not case:
                survivors.append(field)
    share = 100 * (len(fields) - len(survivors)) / max(1, len(fields))
    print(f"mutation: {len(fields)} fields, {len(survivors)} unnoticed, {share:.1f} % noticed")
    sys.exit(0 if share >= options.least else 1)


if __name__ == "__main__":
    main()
