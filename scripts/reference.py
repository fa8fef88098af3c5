#!/usr/bin/env python3
"""docs/reference/ out of api/: a page a kind, and one of what they share. `--check` writes nothing and fails where a page is not
what it would be."""
import argparse
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "reference"
VERSIONS = ["v1", "v2", "v3alpha1"]
EFFECT = {None: "", "later": "not yet", "none": "no effect"}


def read(name):
    return yaml.safe_load((ROOT / "api" / f"{name}.yaml").read_text())


SHAPES = read("shapes")


def with_shape(field):
    return {**SHAPES.get(field.get("use"), {}), **field}


def has_fields(field):
    return "fields" in field or any(has_fields(field[key]) for key in ("items", "values") if key in field)


def linked(field):
    """The shape that has a place of its own on the shared page."""
    name = field.get("use")
    return name if name and has_fields(SHAPES[name]) else None


def type_of(field):
    kind = field["type"]
    if kind == "array":
        kind = "list of " + {"any": "anything", "object": "objects", "array": "lists"}.get(field["items"]["type"], field["items"]["type"] + "s")
        choices = field["items"].get("enum")
    else:
        if kind == "object" and "values" in field:
            of = with_shape(field["values"])["type"]
            kind = "map of " + {"any": "anything", "object": "objects", "array": "lists"}.get(of, of + "s")
        choices = field.get("enum") or field.get("known")
    kind = {"any": "map" if "fields" in field else "anything"}.get(kind, kind)
    if name := linked(field):
        kind = f"[{kind}](shared.md#{name.lower()})"
    if choices:
        kind += ": " + ", ".join(f"`{choice}`" if choice != "" else '""' for choice in choices)
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None or high is not None:
        kind += f" from {low} to {high}" if high is not None else f", at least {low}"
    return kind + (", required" if field.get("required") else "")


def said(field):
    out = ("Deprecated. " if field.get("deprecated") else "") + field["description"]
    if "also" in field:
        out += f" May also be written `{field['also']}`."
    legacy = field.get("legacy")
    if legacy == "absent":
        out += " Not in v1 and v2."
    elif isinstance(legacy, dict) and "name" in legacy:
        out += f" In v1 and v2, `{legacy['name']}`."
    return out.replace("|", "\\|").replace("*", "\\*")


def rows(fields, prefix="", effect=None):
    for name, written in fields.items():
        field = with_shape(written)
        here = effect or field.get("effect")
        yield f"| `{prefix}{name}` | {type_of(field)} | {said(field)} | {EFFECT[here]} |"
        if not linked(written):
            yield from below(field, prefix + name, here)


def below(field, path, effect):
    if "items" in field:
        yield from below(with_shape(field["items"]), path + "[]", effect)
    elif "values" in field:
        yield from below(with_shape(field["values"]), path + ".*", effect)
    else:
        yield from rows(field.get("fields", {}), path + ".", effect)


def table(lines):
    return ["| field | type | what it does | in this version |", "| --- | --- | --- | --- |", *lines]


def page(kind):
    file = read(kind)
    versions = VERSIONS[VERSIONS.index(file["since"]):]
    lines = [f"# {kind}", "", file["description"], ""]
    if file.get("effect"):
        lines += [{"later": "**Not acted on in this version.**", "none": "**Without effect.**"}[file["effect"]], ""]
    lines += [f"For kubectl: `{file['plural']}`, " + ", ".join(f"`{name}`" for name in file["short"]) +
              f". API versions of `getambassador.io`: {', '.join(versions)}.", "", "## spec", ""]
    lines += table(rows(file["spec"]))
    lines += ["", "## status", "", "What [every kind](shared.md#status) has" + (", and:" if "status" in file else "."), ""]
    if "status" in file:
        lines += table(rows(file["status"])) + [""]
    return lines


def shared():
    lines = ["# What several kinds have", ""]
    for name in sorted(name for name, shape in SHAPES.items() if has_fields(shape)):
        shape = SHAPES[name]
        lines += [f"## {name}", ""] + ([said(shape), ""] if "description" in shape else [])
        fields = below(shape, "", shape.get("effect"))
        lines += table(re.sub(r"^\| `(\[\]|\.\*)?\.", "| `", row) for row in fields) + [""]  # not what they stand in
    return lines + ["## status", "", "The gateway writes it, to every kind.", ""] + table(rows(read("status"))) + [""]


def text(lines):
    return "\n".join(lines).rstrip() + "\n"


def pages():
    kinds = sorted(path.stem for path in (ROOT / "api").glob("*.yaml") if path.stem not in ("shapes", "status"))
    index = ["# Reference", "", "The kinds of `getambassador.io`, as `make reference` writes them out of [api/](../../api/). `kubectl explain mapping.spec` says the",
             "same where the CustomResourceDefinitions are installed. A field whose last column is empty is acted on.", "", "| kind | what it is |", "| --- | --- |"]
    index += [f"| [{kind}]({kind}.md) | {read(kind)['description']} |" for kind in kinds]
    index += ["", "[What several kinds have](shared.md)"]
    return {"README.md": text(index), "shared.md": text(shared()), **{f"{kind}.md": text(page(kind)) for kind in kinds}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = pages()
    there = {path.name: path.read_text() for path in PAGES.glob("*")}
    changed = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    if check:
        if changed:
            sys.exit(f"docs/reference is not what api/ says ({', '.join(changed)}): run make reference")
        return
    PAGES.mkdir(exist_ok=True)
    for name in changed:
        if name in wanted:
            (PAGES / name).write_text(wanted[name])
        else:
            (PAGES / name).unlink()


if __name__ == "__main__":
    main()
