"""The benchmarks (`make bench`): each figure is a JSON line on standard output. docs/benchmarks.md explains them."""
import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys

import inside
from harness import paths

ROOT = inside.BENCH.parent
SIZES = (1000, 5000, 10000)
PER_HOST = 100
CHANGES = 100
SPIKES = ("match_tree", "scoped_routes", "clusters")

# What a changed Mapping may cost at 5,000 Mappings over 50 Hosts.
TARGET = {"mappings": 5000, "per_host": PER_HOST}
LOOKUP = 1.2  # the last of many routes, in times of the last of few
VISIBLE_MS, TIMES_FLOOR, RESOURCES, BYTES, CPU_MS = 20, 2, 3, 64_000, 5


def emit(**line):
    print(json.dumps(line), flush=True)


def machine(emissary, envoy):
    def told(*command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT, check=False)
        return done.stdout.strip()
    models = [line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    emit(bench="machine", date=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
         commit=told("git", "describe", "--always", "--dirty"), processors=os.cpu_count(), processor=models[0] if models else "unknown",
         load=[round(x, 2) for x in os.getloadavg()], emissary=told(emissary, "version").splitlines()[0], envoy=told(envoy, "--version").split("version: ")[-1])


def engine(folder, shape, mappings, per_host):
    """The control plane's own share, in one process without Envoy."""
    command = [folder / "engine_bench", mappings, per_host, shape]
    return subprocess.run([*map(str, command)], stdout=sys.stdout, check=False).returncode == 0


def targets(figures):
    """Compare what was measured for TARGET; a figure that is missing is one that was not met."""
    def value(shape, measure):
        return next((f for f in figures if f["bench"] == "one_mapping" and f["measure"] == measure and f["shape"] == shape
                     and f["mappings"] == TARGET["mappings"] and f["per_host"] == TARGET["per_host"]), {"value": float("inf")})
    for shape in "ab":
        visible = value(shape, "visible")
        floor = value(shape, "floor_visible")["value"]
        emit(bench="target", shape=shape, measure="visible", value=visible["value"], floor=floor, unit="ms",
             met=visible["value"] <= VISIBLE_MS or visible["value"] <= TIMES_FLOOR * floor < float("inf"))
        for measure, limit in (("resources_sent", RESOURCES), ("bytes_sent", BYTES), ("control_plane_cpu", CPU_MS)):
            got = value(shape, measure)["value"]
            emit(bench="target", shape=shape, measure=measure, value=got, limit=limit, met=got <= limit)


def lookup_targets(figures, most):
    """A request for the last route of the longest table against one of the shortest."""
    for measure, worse in (("requests", -1), ("envoy_cpu_a_request", 1)):
        got = next((f["ratio"] ** worse for f in figures if (f["measure"], f["how"], f["layout"], f["mappings"]) ==
                    (measure, "proxied", "tree", most)), float("inf"))
        emit(bench="target", measure="lookup_" + measure, value=round(got, 2), unit="times worse than with 10 Mappings", met=got <= LOOKUP)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="1,000 Mappings only")
    arguments.add_argument("--only", metavar="SHAPE:MAPPINGS:PER_HOST", help="one configuration, such as b:5000:100")
    arguments.add_argument("--cluster", action="store_true", help="instead: with a real API server")
    arguments.add_argument("--changes", type=int, default=CHANGES, help="repetitions of each change")
    arguments.add_argument("--spikes", action="store_true", help="instead: what the decisions in docs/adr/ rest on")
    arguments.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build" / "release" / "bench", help="folder of the built benchmarks")
    options = arguments.parse_args()
    binaries = options.binaries.resolve()
    failed = []
    if options.spikes:
        failed = [name for name in SPIKES if inside.run(f"spikes.{name}", binaries)[0] != 0]
        sys.exit(f"failed: {failed}" if failed else 0)

    machine(paths.emissary(), paths.envoy())
    sizes = SIZES[:1] if options.quick else SIZES
    one_host = 1000 if options.quick else 5000
    runs = [(shape, size, PER_HOST) for size in sizes for shape in "ab"] + [("b", one_host, one_host)]
    if options.only:
        shape, mappings, per_host = options.only.split(":")
        runs = [(shape, int(mappings), int(per_host))]
    if options.cluster:
        runs = [("b", 1000, PER_HOST)] if options.quick else [("b", 5000, PER_HOST), ("b", 10000, PER_HOST)]
        if options.only:
            runs = [tuple(options.only.split(":"))]
        failed = [run for run in runs if inside.run("cluster", *run, options.changes, binaries)[0] != 0]
        sys.exit(f"failed: {failed}" if failed else 0)
    figures = []
    for run in runs:
        if not engine(binaries, *run):
            failed.append(("engine_bench", *run))
        code, measured = inside.run("change", *run, options.changes, binaries)
        figures += measured
        if code != 0:
            failed.append(run)
    if not options.only:
        counts = (10, 1000) if options.quick else (10, 100, 1000, 10000)
        code, lookups = inside.run("lookup", *counts)
        lookup_targets(lookups, counts[-1])
        if code != 0:
            failed.append("lookup")
    if not options.quick and not options.only:
        targets(figures)
    sys.exit(f"failed: {failed}" if failed else 0)


if __name__ == "__main__":
    main()
