#!/usr/bin/env python3
"""What the charts hold of elsewhere: the CRDs (of `emissary crds`) and, in their READMEs, the tables of their values.yaml. `--check`
writes nothing and fails where something is not what it would be."""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHART, CRDS = ROOT / "deploy" / "chart", ROOT / "deploy" / "chart-crds"
BEGIN, END = "<!-- values: written by scripts/chart.py -->\n", "<!-- end of values -->\n"


def crds(*flags):
    binary = os.environ.get("EMISSARY_BINARY", ROOT / "build" / "emissary")
    return subprocess.run([binary, "crds", *flags], check=True, stdout=subprocess.PIPE, text=True).stdout


def described(text):
    """(path, comment) of each key of a values.yaml that has a comment "# -- …" above it."""
    above, path = None, []
    for line in text.splitlines():
        if match := re.match(r" *# -- (.*)", line):
            above = match[1]
        elif match := re.match(r"( *)([\w-]+):", line):
            path = path[:len(match[1]) // 2] + [match[2]]
            if above is not None:
                yield tuple(path), above
            above = None


def shown(value):
    """As YAML on one line, short."""
    if value in ("", None):
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return "`" + (text if len(text) <= 60 else text[:57] + "…") + "`"


def table(chart):
    text = (chart / "values.yaml").read_text()
    values = yaml.safe_load(text)
    rows = ["| value | default | what |", "| --- | --- | --- |"]
    for path, comment in described(text):
        default = values
        for key in path:
            default = default[key]
        rows.append(f"| `{'.'.join(path)}` | {shown(default)} | {comment} |")
    return "\n".join(rows) + "\n"


def readme(chart):
    before, rest = (chart / "README.md").read_text().split(BEGIN)
    return before + BEGIN + "\n" + table(chart) + "\n" + END + rest.split(END)[1]


def files():
    return {CHART / "charts" / "crds" / "crds" / "crds.yaml": crds(), CRDS / "files" / "crds.yaml": crds("--legacy"),
            **{chart / "README.md": readme(chart) for chart in (CHART, CRDS)}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'not up to date: make chart' if check else 'written'}")
        if not check:
            path.write_text(files()[path])
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
