"""The conversion webhook with a real API server, which reaches it as in any cluster: by the Service that the CRDs name, at its cluster
IP, trusting the authority that the webhook itself put into the CRDs."""
import base64
import contextlib
import datetime
import itertools
import subprocess
import threading

import pytest

from harness import kube, monitoring, paths, webhook
from harness.bed import CRD, until
from harness.webhook import V1, V2, V3, mapping

GROUP = "getambassador.io"


@pytest.fixture
def site(own_cluster, tmp_path):
    with webhook.site(own_cluster, tmp_path) as site:
        yield site


def test_the_webhook(site):
    """In this order, since they go on from each other in one cluster."""
    each_version_is_written_and_read_in_each(site)
    figures_tell_of_it(site)
    round_trips_lose_nothing(site)
    the_authority_is_renewed_and_nobody_notices(site)
    the_secret_is_deleted_and_nobody_notices(site)
    a_ca_bundle_of_somebody_else_is_mended(site)
    the_ready_probe_tells_the_truth(site)
    another_replica_takes_over(site)


def in_version(site, thing, version):
    metadata = thing["metadata"]
    return site.bed.client.get(version, thing["kind"], metadata["namespace"], metadata["name"])


@contextlib.contextmanager
def converting(site, lost=0):
    """Somebody reads by way of the webhook all the time; no read may fail, or as many as are `lost`. Connections to the webhook are the API server's to keep, so
    the reads go by many Mappings in a list and singly."""
    site.bed.client.apply(mapping(V3, "watched", hostname="a.com"))
    stop, failures, reads = threading.Event(), [], itertools.count()
    client = site.bed.client_as(dict(site.bed.client.credentials))

    def read():
        while not stop.is_set():
            next(reads)
            try:
                assert client.get(V2, "Mapping", "default", "watched")["spec"]["host"] == "a.com"
            except (kube.ApiError, OSError, AssertionError) as error:
                failures.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        stop.set()
        reader.join()
    assert len(failures) <= lost, failures[:3]
    assert next(reads) > 10


def trusted(site):
    """{CRD: caBundle}, of those with several versions."""
    crds = site.bed.client.list(*CRD, labelSelector="app.kubernetes.io/part-of=emissary-ingress")
    return {crd["metadata"]["name"]: base64.b64decode(crd["spec"]["conversion"]["webhook"]["clientConfig"].get("caBundle", "")).decode()
            for crd in crds if crd["spec"]["conversion"]["strategy"] == "Webhook"}


def authority(site):
    return base64.b64decode(site.secret()["data"]["tls.crt"]).decode()


def each_version_is_written_and_read_in_each(site):
    spec = {V1: {"host": "a.com", "tls": True}, V2: {"host": "a.com", "tls": True},
            V3: {"hostname": "a.com", "service": "https://cart", "v2ExplicitTLS": {"serviceScheme": "", "tls": "bool:true"}}}
    for written in spec:
        name = "w" + written.rsplit("/", 1)[1]
        made = site.bed.client.create(mapping(written, name, **{"service": "cart", **spec[written]}))
        for read in spec:
            got = in_version(site, made, read)
            assert got["apiVersion"] == read
            assert got["metadata"]["uid"] == made["metadata"]["uid"] and got["metadata"]["name"] == name
            expected = {"prefix": f"/{name}/", "service": "cart", **spec[read]}
            assert {key: value for key, value in got["spec"].items() if key != "ambassador_id"} == expected, (written, read)
    listed = {version: site.bed.client.list(version, "Mapping", "default") for version in spec}
    assert {version: len(items) for version, items in listed.items()} == dict.fromkeys(spec, 3)
    # kubectl's own way: a patch of the form that the object is not stored in.
    site.bed.kubectl("patch", "mappings.v2.getambassador.io", "wv3alpha1", "--type=merge", "-p", '{"spec": {"host": "b.com"}}')
    assert site.bed.client.get(V3, "Mapping", "default", "wv3alpha1")["spec"]["hostname"] == "b.com"


def figures_tell_of_it(site):
    figures = site.first.metrics()
    assert monitoring.metrics(webhook=True) <= {series.split("{")[0] for series in figures}
    converted = 'emissary_webhook_conversions_total{from="v2",result="converted",to="v3alpha1"}'
    assert figures[converted] > 0 and figures["emissary_webhook_review_seconds_count"] > 0
    assert not any(value for series, value in figures.items() if 'result="failed"' in series or "refused" in series)
    assert figures["emissary_webhook_crds"] == figures["emissary_webhook_crds_trusting"] == 13
    shown = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601"], input=site.first.certificate(), check=True, capture_output=True, text=True)
    end = datetime.datetime.fromisoformat(shown.stdout.strip().removeprefix("notAfter=").replace("Z", "+00:00"))
    assert figures["emissary_webhook_certificate_expiration_timestamp_seconds"] == end.timestamp()
    version = subprocess.run([paths.emissary(), "version"], check=True, capture_output=True, text=True).stdout
    assert any(series.startswith("emissary_webhook_info{") and series.split('"')[1] in version for series in figures)


# What comes back in another form of the same meaning once an object has gone by way of v2.
NORMALISED = {"spec.ambassador_id", "spec.hostname", "spec.host", "spec.host_regex", "spec.selector", "spec.mappingSelector", "spec.tag_headers", "spec.custom_tags"}


def changes(before, after, where="spec"):
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            if before.get(name) is not None or after.get(name) is not None:
                yield from changes(before.get(name), after.get(name), f"{where}.{name}")
    elif before != after:
        yield where


def round_trips_lose_nothing(site):
    """Objects of the golden cases: read in the other version, written back as read, and read in their own again."""
    corpus, seen = [], set()
    for file in sorted((paths.ROOT / "test/golden").rglob("manifests/*.y*ml")):
        with contextlib.suppress(Exception):  # some are broken on purpose
            for thing in kube.objects(file.read_text()):
                if thing.get("apiVersion") in (V1, V2, V3) and thing["kind"] != "Listener" and (spec := str(thing.get("spec"))) not in seen:
                    seen.add(spec)
                    corpus.append({"apiVersion": thing["apiVersion"], "kind": thing["kind"], "spec": thing.get("spec") or {},
                                   "metadata": {"name": f"thing-{len(corpus)}", "namespace": "default"}})
    corpus = corpus[::3]  # enough to see all kinds of fields
    client = site.bed.client

    def trip(thing):
        try:
            made = client.create(thing)
        except kube.ApiError as error:
            return None if error.status == 422 else [str(error)]  # wrong, as its golden case means it to be
        other = V2 if thing["apiVersion"] == V3 else V3
        there = in_version(site, made, other)
        try:
            client.replace(there)
        except kube.ApiError as error:
            # Of the wrong type in a form that only v2 leaves open.
            return [] if error.status == 422 and thing["apiVersion"] != V3 else [f"{thing}: {error}"]
        again = in_version(site, made, other)
        back = in_version(site, made, thing["apiVersion"])
        if back["spec"].get("v2ExplicitTLS") == {}:
            del back["spec"]["v2ExplicitTLS"]  # that is how a name of a TLSContext comes from v2
        lost = [path for path in changes(made["spec"], back["spec"]) if path not in NORMALISED]
        lost += changes(there["spec"], again["spec"])
        return [f"{thing['kind']} {thing['spec']}: {path}" for path in lost]

    results = client.many(trip, corpus)
    problems = [problem for result in results for problem in result or ()]
    assert not problems, "\n".join(problems[:20])
    assert sum(result is not None for result in results) > 50


def the_authority_is_renewed_and_nobody_notices(site):
    before = authority(site)
    assert set(trusted(site).values()) == {before}
    with converting(site):
        # One that ends in ten days, which somebody put there.
        work = site.work / "short"
        work.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", work / "key", "-out", work / "crt", "-days", "10",
                        "-subj", "/O=short", "-addext", "basicConstraints=critical,CA:TRUE"], check=True, capture_output=True)
        data = {name: base64.b64encode((work / file).read_bytes()).decode() for name, file in (("tls.crt", "crt"), ("tls.key", "key"))}
        site.bed.client.patch(site.secret(), {"data": data})
        until(lambda: authority(site) not in (before, (work / "crt").read_text()), "another authority")
        renewed = authority(site)
        # While it is changed both are trusted.
        until(lambda: all(renewed in bundle and before in bundle for bundle in trusted(site).values()), "both trusted")
        shown = site.first.certificate()
        until(lambda: site.first.certificate() != shown, "a certificate of the new authority")
        assert site.first.ready()
    assert len(trusted(site)) == 13


def the_secret_is_deleted_and_nobody_notices(site):
    before, shown = authority(site), site.first.certificate()
    with converting(site):
        site.bed.client.delete(site.secret())
        until(lambda: authority(site) != before, "another authority")
        until(lambda: site.first.certificate() != shown, "a certificate of the new authority")
        assert site.first.ready()


def a_ca_bundle_of_somebody_else_is_mended(site):
    name = f"mappings.{GROUP}"
    crd = site.bed.client.get(*CRD, name=name)
    wrong = base64.b64encode(open(site.bed.authority.ca, "rb").read()).decode()
    site.bed.client.patch(crd, {"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": wrong}}}}})
    until(lambda: authority(site) in trusted(site)[name], "trusted again")
    until(lambda: site.bed.client.list(V2, "Mapping", "default") is not None, "converted again")


def the_ready_probe_tells_the_truth(site):
    """One that may not mend anything only looks."""
    looker = site.replica(environment={"DISABLE_CA_MANAGEMENT": "1", "DISABLE_CRD_MANAGEMENT": "1"}).up()
    assert site.first.end() == 0
    name = f"hosts.{GROUP}"
    crd = site.bed.client.get(*CRD, name=name)
    site.bed.client.patch(crd, {"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": None}}}}})
    until(lambda: looker.probe("ready") == 500, "not ready")
    assert looker.probe("live") == 200
    site.first.start()
    until(looker.ready, "ready")
    assert looker.end() == 0


def another_replica_takes_over(site):
    second = site.replica().up()
    site.route(site.first, second)
    shown = second.certificate()
    with converting(site, lost=1):  # the one that it was about when it was killed
        site.route(second)  # as an API server's endpoints do, once the first is not ready
        site.first.kill()
        site.bed.client.delete(site.secret())
        until(lambda: site.secret() and second.certificate() != shown, "the second one keeps it now")
    site.first = second
