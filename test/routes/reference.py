"""Random tables of Mappings, random requests, and which Mapping must answer: written from the documentation of Mappings, one route
after the other, and knowing nothing of the program under test."""
import dataclasses
import re

SEGMENTS = ["a", "A", "b", "ab", "api", "Api", "v1", "v2", "users", "x-1", "a.b", "a%2Fb", "%C3%A4", "~", "svc-01", "svc-02", "svc-10"]
REGEXES = ["/api/[a-z]+/.*", "/(a|b)/.*", "/a/.*|/b/.*", ".*/users", "/svc-[0-9]+/?", "(?i)/api/.*", "/api/v1(/users)?", "/[^/]+",
           "/ab?/.*", "/svc-0[12]/.+", "^/v1/.*$", "/a\\.b/.*", "/.{3}"]
HEADERS = ["b", "c"]
CHANGES = [  # of a path
    lambda random, p: p + random.choice(SEGMENTS),
    lambda random, p: p.rstrip("/") + "/" + random.choice(SEGMENTS),
    lambda random, p: p + random.choice(["/../b", "/./a", "/%2e%2e/a", "/../../../..", "%00", "%zz", ";v=1", "\\a"]),
    lambda random, p: p.replace("/", "//", 1),
    lambda random, p: p.replace("a", "%61", 1),
    lambda random, p: p[0] + p[1:].replace("/", "%2f", 1),
    lambda random, p: p if "%" in p else p.swapcase(),
    lambda random, p: p[:-1] or "/",
    lambda random, p: "/" + p,
    lambda random, p: p,
]


@dataclasses.dataclass
class Mapping:
    name: str
    hostname: str
    prefix: str
    kind: str = "prefix"  # prefix, exact, regex
    case_sensitive: bool = True
    precedence: int = 0
    method: str | None = None
    header: str | None = None  # value of x-a
    header_regex: str | None = None  # of x-b
    query: str | None = None  # value of q
    weight: int | None = None

    def spec(self):
        """As YAML reads JSON."""
        spec = {"hostname": self.hostname, "prefix": self.prefix, "service": "10.77.0.11:9080", "rewrite": "", "host_rewrite": self.name}
        if self.kind != "prefix":
            spec["prefix_" + self.kind] = True
        if not self.case_sensitive:
            spec["case_sensitive"] = False
        if self.precedence:
            spec["precedence"] = self.precedence
        if self.method:
            spec["method"] = self.method
        if self.header:
            spec["headers"] = {"x-a": self.header}
        if self.header_regex:
            spec["regex_headers"] = {"x-b": self.header_regex}
        if self.query:
            spec["query_parameters"] = {"q": self.query}
        if self.weight is not None:
            spec["weight"] = self.weight
        return spec

    def group(self):
        return (self.hostname, self.prefix, self.kind, self.case_sensitive, self.precedence, self.method, self.header, self.header_regex,
                self.query)

    def order(self):
        matches = [("x-a", self.header, 0), ("x-b", self.header_regex, 1), (":authority", self.hostname, 0), (":method", self.method, 0)]
        headers = [(name, value, regex) for name, value, regex in matches if value]
        weight = sum(len(name) + len(value) + regex for name, value, regex in headers)
        query = [f"q-{self.query}"] if self.query else []
        return [self.precedence, len(self.prefix), weight, 1 + len(self.query) if self.query else 0, self.prefix,
                ["GET"] + [f"{name}-{value}" for name, value, _ in headers] + query]

    def takes(self, request, path):
        path, _, query = path.partition("?")
        text = self.prefix
        if not self.case_sensitive and self.kind != "regex":
            path, text = path.lower(), text.lower()
        found = {"prefix": path.startswith(text), "exact": path == text,
                 "regex": self.kind == "regex" and re.fullmatch(text, path) is not None}[self.kind]
        parameters = dict(reversed([part.partition("=")[::2] for part in query.split("&")]))
        return (found and self.method in (None, request.method) and self.header in (None, request.headers.get("x-a"))
                and self.query in (None, parameters.get("q"))
                and (self.header_regex is None or re.fullmatch(self.header_regex, request.headers.get("x-b", "-")) is not None))


@dataclasses.dataclass
class Request:
    method: str
    target: str
    headers: dict
    absolute: bool = False  # http://HOST/TARGET


def answer(mappings, request, path):
    """Names of the Mappings one of which must answer; none: 404, as for OPTIONS *, which Envoy never routes."""
    if not path.startswith("/"):
        return []
    groups = {}
    for mapping in sorted(mappings, key=lambda m: m.name + ".default"):
        groups.setdefault(mapping.group(), []).append(mapping)
    first = {key: position for position, key in enumerate(groups)}
    order = sorted(groups, key=lambda key: (groups[key][0].order(), first[key]), reverse=True)
    for key in order:
        if groups[key][0].takes(request, path):
            return [m.name for m in groups[key] if m.weight != 0 or len(groups[key]) == 1]
    return []


def random_path(random, depth=4):
    return "/" + "/".join(random.choice(SEGMENTS) for _ in range(random.randint(0, depth))) + random.choice(["", "/"])


def random_mappings(random, host, count, first):
    paths = [random_path(random) for _ in range(count // 2)]
    odd = random.choice([0.3, 0.3, 1, 1.5])  # share of what a tree must copy into many lists
    out = []
    while len(out) < count:
        prefix = random.choice(paths).rstrip(random.choice(["", "/"])) or "/"
        mapping = Mapping(f"m{first + len(out)}", random.choice([host] * 15 + ["*"]), prefix)
        kind = random.random()
        if kind < 0.1 * odd:
            mapping.kind, mapping.prefix = "regex", random.choice(REGEXES)
        elif kind < 0.4:
            mapping.kind = "exact"
        if random.random() < 0.02:
            mapping.prefix, mapping.kind = "*", "exact"  # what OPTIONS * asks for
        if mapping.kind != "regex":
            mapping.case_sensitive = random.random() > 0.1 * odd
            if random.random() < 0.1:
                mapping.prefix = mapping.prefix.swapcase() if "%" not in mapping.prefix else mapping.prefix
        mapping.precedence = random.choice([0] * 12 + [1, 2, -1])
        mapping.method = random.choice([None] * 6 + ["GET", "POST"])
        mapping.header = random.choice([None] * 6 + HEADERS)
        mapping.header_regex = random.choice([None] * 9 + ["[bc]", "c.*"])
        mapping.query = random.choice([None] * 7 + ["1", "22"])
        out.append(mapping)
        if random.random() < 0.1 and len(out) < count:
            mapping.weight = random.choice([0, 30, 100])
            out.append(dataclasses.replace(mapping, name=f"m{first + len(out)}", weight=None if mapping.weight < 100 else 0))
    return out


def random_request(random, mappings):
    if random.random() < 0.02:
        return Request("OPTIONS", "*", {})
    path = random.choice(mappings).prefix if random.random() < 0.6 else random_path(random)
    if not path.startswith("/") or any(c in path for c in "[(*^\\"):
        path = random_path(random)
    for _ in range(random.randint(0, 2)):
        path = random.choice(CHANGES)(random, path)
    path += random.choice([""] * 4 + ["?", "?q=1", "?q=22&q=1", "?x=/api/v1/users", "?q", "?a=b&q=1", "?/../b", "??q=1"])
    headers = {}
    if random.random() < 0.4:
        headers["x-a"] = random.choice(HEADERS)
    if random.random() < 0.2:
        headers["x-b"] = random.choice(["b", "c", "cc", "d"])
    return Request(random.choice(["GET", "GET", "POST", "OPTIONS"]), path, headers, absolute=random.random() < 0.1)
