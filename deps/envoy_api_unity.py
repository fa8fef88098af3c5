#!/usr/bin/env python3
"""Pack generated .pb.cc files into N compilation units of about equal size. Each file's statics get a name
of their own, since protobuf gives every file the same ones.

Usage: envoy_api_unity.py INCLUDE_DIR OUTPUT_DIR N
"""
import os
import sys

STATICS = ["schemas", "file_default_instances"]


def main(include, output, count):
    files = []
    for folder, _, names in os.walk(include):
        for name in names:
            if name.endswith(".cc"):
                path = os.path.join(folder, name)
                files.append((os.path.getsize(path), os.path.relpath(path, include)))
    units = [[0, []] for _ in range(int(count))]
    for size, path in sorted(files, reverse=True):
        unit = min(units, key=lambda u: u[0])
        unit[0] += size
        unit[1].append(path)
    serial = 0
    for index, (_, paths) in enumerate(units):
        with open(os.path.join(output, f"unit{index:02}.cc"), "w") as out:
            for path in paths:
                serial += 1
                for word in STATICS:
                    out.write(f"#define {word} {word}_{serial}\n")
                out.write(f'#include "{path}"\n')
                for word in STATICS:
                    out.write(f"#undef {word}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
