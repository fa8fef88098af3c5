"""The tables of docs/benchmarks.md from what bench/run.py printed: `python3 bench/table.py FIGURES`."""
import json
import pathlib
import sys

ROWS = [  # title, (bench, measure), (bench, measure) of its floor
    ("changed Mapping visible to a client, ms", ("one_mapping", "visible"), ("one_mapping", "floor_visible")),
    ("— CPU of the control plane, ms", ("one_mapping", "control_plane_cpu"), ("one_mapping", "floor_cpu")),
    ("— CPU of Envoy, ms", ("one_mapping", "envoy_cpu"), ("one_mapping", "floor_envoy_cpu")),
    ("— resources sent", ("one_mapping", "resources_sent"), None),
    ("— bytes sent", ("one_mapping", "bytes_sent"), None),
    ("— functions evaluated", ("one_mapping", "evaluations"), None),
    ("changed endpoint visible to a client, ms", ("one_endpoint", "visible"), ("one_endpoint", "floor_visible")),
    ("— CPU of the control plane, ms", ("one_endpoint", "control_plane_cpu"), ("one_endpoint", "floor_cpu")),
    ("— resources sent", ("one_endpoint", "resources_sent"), None),
    ("— bytes sent", ("one_endpoint", "bytes_sent"), None),
    ("start until the last route answers, ms", ("start", "until_last_route"), ("start", "floor_until_last_route")),
    ("memory of the control plane, MiB", ("memory", "control_plane_after"), None),
    ("memory of Envoy, MiB", ("memory", "envoy"), ("memory", "floor_envoy")),
    ("control plane killed: change live after, ms", ("restart", "change_live"), None),
    ("full compile, ms of CPU (engine alone)", ("engine", "full_compile_cpu"), None),
    ("one Mapping compiled, ms (engine alone)", ("engine", "one_mapping_changed"), None),
    ("one endpoint compiled, ms (engine alone)", ("engine", "one_endpoint_changed"), None),
    ("parsing all objects, ms of CPU (engine alone)", ("engine", "parse_cpu"), None),
    ("memory of the engine, MiB (engine alone)", ("engine", "engine_memory"), None),
]


def number(value):
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def cell(figures, floor):
    """Median; least and largest 1 % where there were repetitions; the floor's median behind a slash."""
    if not figures:
        return ""
    figure = sorted(figures, key=lambda f: f["value"])[len(figures) // 2]
    text = number(figure["value"])
    if "min" in figure:
        text += f" ({number(figure['min'])}–{number(figure['p99'])})"
    return f"{text} / {number(floor[0]['value'])}" if floor else text


def main(path):
    figures = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines() if line.startswith("{")]
    columns = list(dict.fromkeys((f["shape"], f["mappings"], f["per_host"]) for f in figures if "per_host" in f))
    figures = [f for f in figures if "per_host" in f]

    def of(name, column):
        return [f for f in figures if (f["bench"], f["measure"]) == name and (f["shape"], f["mappings"], f["per_host"]) == column]

    titles = [f"{shape}, {mappings:,}" + (", one Host" if per_host == mappings else "") for shape, mappings, per_host in columns]
    print("| |", " | ".join(titles), "|")
    print("| --- |", " | ".join("---" for _ in columns), "|")
    for title, name, floor in ROWS:
        print(f"| {title} |", " | ".join(cell(of(name, column), of(floor, column)) for column in columns), "|")


if __name__ == "__main__":
    main(*sys.argv[1:])
