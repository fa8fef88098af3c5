#!/usr/bin/env python3
"""Take Envoy's API out of the Envoy binary itself.

Protobuf's generated C++ keeps every .proto it was made from as a serialised FileDescriptorProto in the
program's read-only data. This finds them all and writes them as one FileDescriptorSet, in dependency
order, ready for `protoc --descriptor_set_in`. So the API that the control plane is built with is, to the
field, the API of the Envoy it is shipped with, and there is one version to pin.

Usage: envoy_descriptors.py ENVOY_BINARY OUTPUT_FILE
"""
import mmap
import re
import sys

START = re.compile(rb"\x0a([\x08-\x7f])([a-z][A-Za-z0-9_./-]*\.proto)")
# FileDescriptorProto: field number -> wire type. Serialised in ascending order of number.
FIELDS = {1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2, 9: 2, 10: 0, 11: 0, 12: 2, 14: 0}


def varint(data, at):
    value = shift = 0
    while shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
    raise ValueError("varint too long")


def parse(data, start):
    """Read one FileDescriptorProto: (name, dependencies, bytes), or None where there is none."""
    at, last, name, deps, package = start, 0, None, [], False
    end = start
    while at < len(data):
        try:
            tag, body = varint(data, at)
            number, wire = tag >> 3, tag & 7
            if FIELDS.get(number) != wire or number < last or (number == 1 and name):
                break
            if wire == 2:
                size, body = varint(data, body)
                if body + size > len(data) or size > 4 << 20:
                    break
                value = data[body : body + size]
                at = body + size
                if number == 1:
                    name = value.decode()
                elif number == 3:
                    deps.append(value.decode())
                elif number == 2:
                    package = True
            else:
                _, at = varint(data, body)
        except (ValueError, IndexError, UnicodeDecodeError):
            break
        last, end = number, at
    if not name or not package or end - start < len(name) + 8:
        return None
    return name, deps, bytes(data[start:end])


def extract(data):
    files = {}
    for hit in START.finditer(data):
        if hit.group(1)[0] != len(hit.group(2)):
            continue
        found = parse(data, hit.start())
        if found and len(found[2]) > len(files.get(found[0], (None, b""))[1]):
            files[found[0]] = (found[1], found[2])
    return files


def in_order(files):
    done, order = set(), []

    def visit(name, trail=()):
        if name in done:
            return
        if name not in files:
            raise SystemExit(f"{name} (imported by {trail[-1] if trail else '?'}) is not in the binary")
        for dep in files[name][0]:
            visit(dep, (*trail, name))
        done.add(name)
        order.append(name)

    for name in sorted(files):
        visit(name)
    return order


def encode_varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def main(binary, output):
    with open(binary, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
        files = extract(data)
    with open(output, "wb") as out:
        for name in in_order(files):
            body = files[name][1]
            out.write(b"\x0a" + encode_varint(len(body)) + body)
    print(f"{len(files)} files")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
