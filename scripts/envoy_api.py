#!/usr/bin/env python3
"""What of Envoy's API the generated configuration uses, held against what an Envoy binary itself says of its API.

  envoy_api.py lacks ENVOY FILE...     what the configuration in FILEs uses and this Envoy does not have, or has deprecated (but for
                                       what deps/envoy_deprecated.txt excuses)
  envoy_api.py changes OLD NEW FILE... how what they use differs between two Envoys

A FILE holds what `emissary compile --output envoy` prints, or Envoy's bootstrap as JSON. Exit 1 where there is something to say."""
import json
import mmap
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "deps"))
from envoy_descriptors import extract, varint  # noqa: E402

ROOTS = {
    "listeners": "envoy.config.listener.v3.Listener",
    "routes": "envoy.config.route.v3.RouteConfiguration",
    "scoped_routes": "envoy.config.route.v3.ScopedRouteConfiguration",
    "clusters": "envoy.config.cluster.v3.Cluster",
    "endpoints": "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "secrets": "envoy.extensions.transport_sockets.tls.v3.Secret",
}
BOOTSTRAP = "envoy.config.bootstrap.v3.Bootstrap"
MESSAGE, ENUM = 11, 14  # FieldDescriptorProto.Type
# Of FieldOptions and EnumValueOptions: protobuf's own mark, and Envoy's annotations for "refused unless asked for".
DEPRECATED_FIELD, DISALLOWED_FIELD = 3, 189503207
DEPRECATED_VALUE, DISALLOWED_VALUE = 1, 70100853
RULES = 1071  # of protoc-gen-validate: what values a field may have


def fields(data):
    """(number, value) of a serialised message; a value is a number or bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        wire = tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            size = 8 if wire == 1 else 4
            value, at = data[at : at + size], at + size
        yield tag >> 3, value


def collect(data):
    out = {}
    for number, value in fields(data):
        out.setdefault(number, []).append(value)
    return out


def text(message, number):
    return message.get(number, [b""])[0].decode()


class Api:
    """The messages and enums that a binary was built with: {"pkg.Message.field": its form}."""

    def __init__(self, binary):
        self.messages, self.members = {}, {}
        with open(binary, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
            files = extract(data)
        for _, body in files.values():
            file = collect(body)
            package = text(file, 2)
            for message in file.get(4, []):
                self._message(package, collect(message))
            for enum in file.get(5, []):
                self._enum(package, collect(enum))

    def _message(self, scope, message):
        name = f"{scope}.{text(message, 1)}"
        of = self.messages[name] = {}
        self.members[name] = {"is": "message"}
        for field in map(collect, message.get(2, [])):
            options = collect(field.get(8, [b""])[0])
            form = {"is": "field", "number": field[3][0], "type": field.get(5, [0])[0], "of": text(field, 6).lstrip("."),
                    "list": field.get(4, [1])[0] == 3,
                    "deprecated": bool({DEPRECATED_FIELD, DISALLOWED_FIELD} & options.keys()),
                    "rules": b"".join(sorted(options.get(RULES, []))).hex()}
            of[text(field, 1)] = self.members[f"{name}.{text(field, 1)}"] = form
        for nested in message.get(3, []):
            self._message(name, collect(nested))
        for enum in message.get(4, []):
            self._enum(name, collect(enum))

    def _enum(self, scope, enum):
        name = f"{scope}.{text(enum, 1)}"
        for value in map(collect, enum.get(2, [])):
            options = collect(value.get(3, [b""])[0])
            self.members[f"{name}.{text(value, 1)}"] = {"is": "value", "number": value.get(2, [0])[0],
                                                        "deprecated": bool({DEPRECATED_VALUE, DISALLOWED_VALUE} & options.keys())}


class Uses:
    """Walks configuration as JSON along an API; `names` is all of its messages, fields and enum values that it met, `types` those
    messages that stood in an Any."""

    def __init__(self, api):
        self.api, self.names, self.types = api, set(), set()

    def file(self, path):
        document = json.loads(pathlib.Path(path).read_text())
        if "static_resources" in document:
            return self.message(BOOTSTRAP, document)
        for key, resources in document.items():
            for resource in resources:
                self.message(ROOTS[key], resource)

    def message(self, name, value):
        if name == "google.protobuf.Any":
            name = value["@type"].rpartition("/")[2]
            value = {key: inner for key, inner in value.items() if key != "@type"}
            self.types.add(name)
        if name.startswith("google.protobuf."):
            return
        self.names.add(name)
        known = self.api.messages.get(name)
        if known is None or not isinstance(value, dict):
            return
        for key, inner in value.items():
            self.names.add(f"{name}.{key}")
            if key in known:
                self.field(known[key], inner)

    def field(self, form, value):
        entry = self.api.messages.get(form["of"], {})
        if form["list"] and isinstance(value, dict):  # a map
            values, form = value.values(), entry["value"]
        else:
            values = value if isinstance(value, list) else [value]
        for one in values:
            if form["type"] == MESSAGE:
                self.message(form["of"], one)
            elif form["type"] == ENUM and isinstance(one, str):
                self.names.add(f"{form['of']}.{one}")


def unknown(api, names):
    return sorted(names - api.members.keys() - newer().keys())


def deprecated(api, names):
    return sorted(name for name in names if api.members.get(name, {}).get("deprecated"))


def reasons(file):
    """{name: why}"""
    lines = (ROOT / "deps" / file).read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if not line.startswith("#"))


def excused():
    return reasons("envoy_deprecated.txt")


def newer():
    return reasons("envoy_newer.txt")


def lacks(api, names):
    """Complaints about names that the API does not have, or advises against."""
    return ([f"{name} is not known" for name in unknown(api, names)] +
            [f"{name} is deprecated" for name in deprecated(api, names) if name not in excused()])


def changes(old, new, names):
    """How what is used differs."""
    out = []
    for name in sorted(names):
        before, after = old.members.get(name), new.members.get(name)
        if before == after:
            continue
        if before is None or after is None:
            out.append(f"{name} {'is new' if before is None else 'is gone'}")
            continue
        words = {"deprecated": "is deprecated now" if after.get("deprecated") else "is not deprecated any more",
                 "rules": "takes other values"}
        out += [f"{name} {words.get(key, 'has another form')}" for key in before if before[key] != after[key]]
    return out


def used(api, files):
    uses = Uses(api)
    for path in files:
        uses.file(path)
    return uses.names


def main(command, *arguments):
    if command == "lacks":
        envoy, *files = arguments
        api = Api(envoy)
        said = lacks(api, used(api, files))
    elif command == "changes":
        old, new = Api(arguments[0]), Api(arguments[1])
        said = changes(old, new, used(old, arguments[2:]) | used(new, arguments[2:]))
    else:
        raise SystemExit(__doc__)
    print("".join(line + "\n" for line in said), end="")
    return 1 if said else 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
