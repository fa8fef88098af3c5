"""What networks and servers do between the gateway and the API server: after it, all is as if nothing had been."""
import re

import pytest

from harness import objects
from harness.bed import until
from harness.fault_proxy import Cut, HttpProxy, TcpProxy, answer, error_event

WATCH = "GET .*[?&]watch="
LIST = "GET /apis/getambassador.io/v3alpha1/.*/mappings[?](?!.*watch=)"


class Story:
    """Mappings that come, change and go; what must be served at the end."""

    def __init__(self, bed, site, proxy, one):
        self.bed, self.site, self.proxy, self.one = bed, site, proxy, one
        self.number = 0
        bed.service(site, "echo", [bed.backend("echo")])

    def change(self):
        """Three changes, of each kind one. Nobody waits for them."""
        self.number += 1
        n, client = self.number, self.bed.client
        client.create(objects.mapping(self.site, f"kept-{n}", "echo"))
        changed = client.create(objects.mapping(self.site, f"changed-{n}", "echo"))
        gone = client.create(objects.mapping(self.site, f"gone-{n}", "echo"))
        client.patch(changed, {"spec": {"prefix": f"/new-{n}/"}})
        client.delete(gone)

    def holds(self):
        """Eventually, of all changes so far."""
        for n in range(1, self.number + 1):
            self.one.answers(f"/kept-{n}/", "echo")
            self.one.answers(f"/new-{n}/", "echo")
            self.one.answers(f"/changed-{n}/", 404)
            self.one.answers(f"/gone-{n}/", 404)


@pytest.fixture(params=[TcpProxy, HttpProxy], ids=["http2", "http1"])
def any_proxy(bed, request):
    proxy = request.param(bed)
    yield proxy
    proxy.close()


@pytest.fixture
def http_proxy(bed):
    proxy = HttpProxy(bed)
    yield proxy
    proxy.close()


@pytest.fixture
def story(bed, site, instance):
    def begin(proxy):
        one = instance(bed, bed.kubeconfig(server=proxy.url), namespace=site).up()
        story = Story(bed, site, proxy, one)
        story.change()
        story.holds()
        return story
    return begin


def test_connections_are_cut(any_proxy, story):
    story = story(any_proxy)
    for _ in range(3):
        any_proxy.cut()
        story.change()
    story.holds()


def test_nobody_answers_for_a_while(any_proxy, story):
    story = story(any_proxy)
    any_proxy.refusing = True
    any_proxy.cut()
    story.change()
    tried = any_proxy.accepted
    until(lambda: any_proxy.accepted > tried + 2, "tries in vain")
    any_proxy.refusing = False
    story.change()
    story.holds()


def test_answers_end_in_the_midst(bed, any_proxy, story):
    story = story(any_proxy)
    any_proxy.cut_after = 20_000
    any_proxy.cut()
    for _ in range(5):
        story.change()
    any_proxy.cut_after = None
    any_proxy.cut()
    story.change()
    story.holds()


@pytest.mark.parametrize("damage", [
    lambda number, line: [line[: len(line) // 2] + b"\n"],                            # cut in its midst
    lambda number, line: [line.replace(b'"metadata"', b'"metadata', 1)],              # no JSON
    lambda number, line: [line.replace(b'"name"', b'"nom"', 1)],                      # of nobody
    lambda number, line: [line.replace(b'"ADDED"', b'"CREATED"').replace(b'"MODIFIED"', b'"ALTERED"')],
    lambda number, line: [b"\xff\xfe\x00" + line],
    lambda number, line: [b"{}\n"],
    lambda number, line: [b"null\n"],
    lambda number, line: [b"\n", line],
    lambda number, line: [line, line, line],                                          # thrice
    lambda number, line: [error_event(410, "too old resource version")],
    lambda number, line: [error_event(500, "etcdserver: request timed out")],
    lambda number, line: [error_event(403, "not any more")],
    lambda number, line: None,
    lambda number, line: [],                                                          # lost: the end of the watch tells
], ids=["half", "no-json", "no-name", "no-type", "no-utf8", "empty", "null", "blank", "thrice", "gone", "error", "forbidden", "ends", "lost"])
def test_watches_are_damaged(http_proxy, story, damage):
    story = story(http_proxy)
    rule = http_proxy.on(WATCH + ".*|" + WATCH, lines=damage, times=8)
    http_proxy.cut()
    for _ in range(3):
        story.change()
    until(lambda: rule.hits > 0, "a damaged watch")
    http_proxy.clear()
    http_proxy.cut()
    story.change()
    story.holds()


def test_a_cut_within_an_event(http_proxy, story):
    story = story(http_proxy)
    http_proxy.on(WATCH, lines=cut, times=5)
    http_proxy.cut()
    story.change()
    story.holds()


@pytest.mark.parametrize("refusal", [
    answer(410, "too old", "Expired"), answer(429, "slow down", "TooManyRequests", retry_after=1), answer(500, "no leader"),
    answer(503, "not yet"), answer(401, "who?"), answer(504, "Too large resource version"), (200, {}, b"<html>welcome</html>"), Cut,
], ids=["410", "429", "500", "503", "401", "504", "portal", "cut"])
def test_requests_are_refused(http_proxy, story, refusal):
    story = story(http_proxy)
    rule = http_proxy.on("GET", answer=refusal, times=30)
    http_proxy.cut()
    story.change()
    until(lambda: rule.hits > 0, "a refused request")
    http_proxy.clear()
    story.change()
    story.holds()


def test_a_page_gets_too_old(bed, site, instance, http_proxy):
    """The token for the next page is not good any more: the list begins anew. Pages are for servers that stream no lists."""
    refused = http_proxy.on("GET .*sendInitialEvents=", answer=answer(422, "sendInitialEvents is forbidden for watch", "Invalid"))
    bed.service(site, "echo", [bed.backend("echo")])
    bed.client.many(bed.client.create, [objects.mapping(site, f"m{i}", "echo") for i in range(600)])
    rule = http_proxy.on("GET .*/mappings[?].*continue=", answer=answer(410, "the provided continue parameter is too old", "Expired"), times=1)
    one = instance(bed, bed.kubeconfig(server=http_proxy.url), namespace=site).up()
    assert rule.hits == 1
    assert refused.hits > 0
    one.answers("/m0/", "echo")
    one.answers("/m599/", "echo")


def cut(_number, _line):
    raise Cut


STREAMED = "GET .*/mappings[?].*sendInitialEvents="
PAGED = re.compile("/mappings[?].*limit=")


@pytest.mark.parametrize("damage", [
    None, lambda number, line: [line] if number < 3 else cut(number, line), lambda number, line: [line] if number < 3 else None,
    lambda number, line: [line if number != 3 else line[:len(line) // 2] + b"\n"],
    lambda number, line: [line if number != 3 else error_event(500, "no leader")],
], ids=["whole", "cut", "ends", "half", "error"])
def test_lists_come_as_streams(bed, site, instance, http_proxy, damage):
    """One that fails is followed by pages; nothing is served of half a list."""
    bed.service(site, "echo", [bed.backend("echo")])
    bed.client.many(bed.client.create, [objects.mapping(site, f"m{i}", "echo") for i in range(20)])
    rule = http_proxy.on(STREAMED, lines=damage, times=1)
    one = instance(bed, bed.kubeconfig(server=http_proxy.url), namespace=site).up()
    assert rule.hits == 1
    assert any(PAGED.search(target) for _, target, _ in http_proxy.requests) == bool(damage)
    for i in range(20):
        one.answers(f"/m{i}/", "echo")


def test_the_server_is_slow(bed, site, instance):
    proxy = TcpProxy(bed)
    proxy.delay = 0.1
    one = instance(bed, bed.kubeconfig(server=proxy.url), namespace=site).up()
    story = Story(bed, site, proxy, one)
    story.change()
    story.holds()
    proxy.close()
