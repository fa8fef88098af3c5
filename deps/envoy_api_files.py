#!/usr/bin/env python3
"""List the .proto files that the roots need, themselves included, without protobuf's own and those whose
C++ is only annotations.

Usage: envoy_api_files.py API.desc ROOTS_FILE
"""
import sys

from envoy_descriptors import parse, varint


def read_set(path):
    data = open(path, "rb").read()
    files, at = {}, 0
    while at < len(data):
        size, at = varint(data, at + 1)
        name, deps, _ = parse(data[at : at + size], 0)
        files[name] = deps
        at += size
    return files


def main(descriptor_set, roots):
    files, seen = read_set(descriptor_set), set()
    todo = [line.strip() for line in open(roots) if line.strip() and not line.startswith("#")]
    while todo:
        name = todo.pop()
        if name in seen or name.startswith("google/protobuf/"):
            continue
        if name not in files:
            raise SystemExit(f"{name} is not part of this Envoy's API")
        seen.add(name)
        todo += files[name]
    print("\n".join(sorted(seen)))


if __name__ == "__main__":
    main(*sys.argv[1:])
