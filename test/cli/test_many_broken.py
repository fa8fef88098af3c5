"""Five hundred objects, twenty-five of them broken in twenty-five ways: `check` names each with file, line and field, and nothing
else; `compile` uses the 475 that are good."""
import json
import subprocess

from harness import paths

API = "getambassador.io/v3alpha1"
TOTAL = 500
PER_FILE = 20
# Good objects besides Mappings, so that Mappings are not alone.
FRAME = [
    ("Listener", "http", ["port: 8080", "protocol: HTTP", "securityModel: XFP", "hostBinding:", "  namespace: {from: ALL}"]),
    ("Host", "any", ["hostname: '*'", "requestPolicy: {insecure: {action: Route}}"]),
]
MAPPING = ["hostname: '*'", "prefix: /NAME/", "service: 10.77.0.11:9080"]


def changed(old, new):
    """A good Mapping's lines with one of them replaced by others; the broken line is the last of the new ones."""
    lines = [line if line != old else new for line in MAPPING]
    return "Mapping", [part for line in lines for part in (line if isinstance(line, list) else [line])]


def added(*lines):
    return "Mapping", [*MAPPING, *lines]



# (what the object is, lines of its spec), the field named, and the text of the line named. None: any line of the object, where the
# field is not written, or where what is wrong shows only beside the other objects.
BROKEN = [
    (changed("prefix: /NAME/", []), "spec.prefix", None),
    (changed("service: 10.77.0.11:9080", []), "spec.service", None),
    (changed("prefix: /NAME/", ["prefix: ''"]), "spec.prefix", "prefix: ''"),
    (changed("prefix: /NAME/", ["prefix: 12"]), "spec.prefix", "prefix: 12"),
    (changed("prefix: /NAME/", ["prefix: '/NAME/('", "prefix_regex: true"]), "spec.prefix", "prefix: '/NAME/('"),
    (changed("service: 10.77.0.11:9080", ["service: [10.77.0.11]"]), "spec.service", "service: [10.77.0.11]"),
    (changed("service: 10.77.0.11:9080", ["service: 10.77.0.11:99999"]), "spec.service", None),
    (added("timeout_ms: 3s"), "spec.timeout_ms", "timeout_ms: 3s"),
    (added("weight: heavy"), "spec.weight", "weight: heavy"),
    (added("precedence: '1'"), "spec.precedence", "precedence: '1'"),
    (added("prefix_exact: maybe"), "spec.prefix_exact", "prefix_exact: maybe"),
    (added("headers: [x-a]"), "spec.headers", "headers: [x-a]"),
    (added("headers:", "  x-a: {exact: b}"), "spec.headers.x-a", "x-a: {exact: b}"),
    (added("regex_headers:", "  x-a: '['"), "spec.regex_headers.x-a", "x-a: '['"),
    (added("method: [GET]"), "spec.method", "method: [GET]"),
    (added("host: x*"), "spec.host", None),
    (added("resolver: nope"), "spec.resolver", None),
    (added("allow_upgrade: websocket"), "spec.allow_upgrade", "allow_upgrade: websocket"),
    (added("regex_rewrite: {pattern: '(', substitution: a}"), "spec.regex_rewrite.pattern", "regex_rewrite: {pattern: '(', substitution: a}"),
    (("Listener", ["port: 99999", "protocol: HTTP", "securityModel: XFP", "hostBinding: {namespace: {from: ALL}}"]), "spec.port", "port: 99999"),
    (("Listener", ["port: 8081", "protocol: HTTP", "securityModel: SAFE", "hostBinding: {namespace: {from: ALL}}"]), "spec.securityModel",
     "securityModel: SAFE"),
    (("Listener", ["port: 8082", "protocol: HTTP", "securityModel: XFP"]), "spec.hostBinding", None),
    (("Listener", ["port: 8083", "protocol: SPDY", "securityModel: XFP", "hostBinding: {namespace: {from: ALL}}"]), "spec.protocol",
     "protocol: SPDY"),
    (("Host", ["hostname: NAME.test", "requestPolicy: {insecure: {action: Explode}}"]), "spec.requestPolicy.insecure.action",
     "requestPolicy: {insecure: {action: Explode}}"),
    (("Host", ["hostname: NAME.test", "tlsSecret: {name: none}", "tls:", "  min_tls_version: v9"]), "spec.tls.min_tls_version",
     "min_tls_version: v9"),
]


def objects():
    """(kind, name, spec lines, what is wrong or None); the broken ones are spread evenly among the good ones."""
    every = TOTAL // len(BROKEN)
    for number in range(TOTAL):
        if number < len(FRAME):
            yield (*FRAME[number], None)
        elif number % every == every // 2:
            (kind, lines), field, text = BROKEN[number // every]
            yield kind, f"broken-{number}", lines, (field, text)
        else:
            yield "Mapping", f"good-{number}", MAPPING, None


def write(folder):
    """Writes the files; {(kind, name): (file, first line, last line, exact line or None, field)} of the broken ones."""
    expected, text, line = {}, [], 1
    for number, (kind, name, spec, wrong) in enumerate(objects()):
        file = f"objects-{number // PER_FILE:02}.yaml"
        document = [f"apiVersion: {API}", f"kind: {kind}", "metadata:", f"  name: {name}", "  namespace: edge", "spec:",
                    *("  " + part.replace("NAME", name) for part in spec), "---"]
        if wrong:
            field, wanted = wrong
            exact = None
            if wanted is not None:
                exact = line + [part.strip() for part in document].index(wanted.replace("NAME", name))
            expected[kind, name] = (file, line, line + len(document) - 1, exact, field)
        text += document
        line += len(document)
        if (number + 1) % PER_FILE == 0:
            (folder / file).write_text("\n".join(text) + "\n")
            text, line = [], 1
    return expected


def run(*arguments):
    return subprocess.run([paths.emissary(), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, check=False)


def test_check_names_every_broken_object_and_no_other(tmp_path):
    expected = write(tmp_path)
    assert len(expected) == len(BROKEN) == 25
    done = run("check", tmp_path, "--output", "json")
    assert done.returncode == 1, done.stderr
    errors = [f for f in json.loads(done.stdout)["findings"] if f["severity"] == "error"]
    complaints = []
    found = set()
    for error in errors:
        key = error["kind"], error["name"]
        if key not in expected:
            complaints.append(f"not broken: {error}")
            continue
        file, first, last, exact, field = expected[key]
        found.add(key)
        if not error["path"].endswith(file) or error["field"] != field:
            complaints.append(f"expected {file} and {field}: {error}")
        if exact is not None and error["line"] != exact or not first <= error["line"] <= last:
            complaints.append(f"expected line {exact or (first, last)}: {error}")
        if len(error["message"]) < 10:
            complaints.append(f"tells too little: {error}")
    complaints += [f"nothing said about {key}, {value}" for key, value in expected.items() if key not in found]
    assert not complaints, "\n".join(complaints)


def test_the_text_form_says_the_same(tmp_path):
    expected = write(tmp_path)
    lines = [line for line in run("check", tmp_path).stdout.splitlines() if ": error: " in line]
    for (kind, name), (file, _, _, exact, field) in expected.items():
        place = f"{tmp_path / file}:{exact or ''}"
        assert any(line.startswith(place) and f": error: {kind} edge/{name}: {field}: " in line for line in lines), (place, field, lines)
    assert len(lines) >= len(expected)


def test_the_good_ones_are_used(tmp_path):
    expected = write(tmp_path)
    done = run("compile", tmp_path, "--output", "envoy")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    text = json.dumps(told["routes"])
    good = [name for _, name, _, wrong in objects() if name.startswith("good-")]
    assert len(good) == TOTAL - len(expected) - len(FRAME)
    assert [name for name in good if f'"/{name}/' not in text] == []
    assert [listener["address"]["socket_address"]["port_value"] for listener in told["listeners"]] == [8080]
