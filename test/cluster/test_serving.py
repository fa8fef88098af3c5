"""Objects at the API server, requests through the gateway that follows them."""
from harness import certs, kube, objects
from harness.bed import until


def serve(bed, site, name, **spec):
    """A backend, its Service and a Mapping to it."""
    bed.service(site, name, [bed.backend(name)])
    return bed.client.apply(objects.mapping(site, name, name, **spec))


def test_a_mapping_comes_changes_and_goes(bed, site, instance):
    one = instance(bed, bed.kubeconfig(), namespace=site).up()
    cart = serve(bed, site, "cart")
    one.answers("/cart/", "cart")
    bed.client.patch(cart, {"spec": {"prefix": "/basket/"}})
    one.answers("/basket/", "cart")
    one.answers("/cart/", 404)
    bed.client.delete(cart)
    one.answers("/basket/", 404)


def test_endpoints_are_followed(bed, site, instance):
    one = instance(bed, bed.kubeconfig(), namespace=site).up()
    serve(bed, site, "one", resolver="kubernetes-endpoint")
    one.answers("/one/", "one")
    bed.service(site, "one", [bed.backend("another")])
    one.answers("/one/", "another")
    bed.service(site, "one", [])
    one.answers("/one/", 503)


def test_pods_become_endpoints(bed, site, instance):
    one = instance(bed, bed.kubeconfig(), namespace=site).up()
    bed.client.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "pods", "namespace": site},
                      "spec": {"selector": {"app": "pods"}, "ports": [{"port": 80, "targetPort": 9080}]}})
    bed.client.apply(objects.mapping(site, "pods", "pods", resolver="endpoint"))
    one.answers("/pods/", 503)
    bed.pod(site, "pod-1", bed.backend("pod-1"), {"app": "pods"})
    one.answers("/pods/", "pod-1")


def test_a_certificate_comes_later_and_changes(bed, site, instance, tmp_path):
    authority = certs.Authority(str(tmp_path / "certs"))
    def pair(number):
        certificate, key = authority.issue(str(tmp_path / f"{number}.crt"), str(tmp_path / f"{number}.key"), f"/CN=cert-{number}",
                                           "subjectAltName=DNS:tls.test", "extendedKeyUsage=serverAuth")
        read = lambda path: open(path, "rb").read()  # noqa: E731
        return kube.secret("tls", site, {"tls.crt": read(certificate), "tls.key": read(key)}, "kubernetes.io/tls")
    one = instance(bed, bed.kubeconfig(), namespace=site).up()
    bed.client.apply(objects.listener(site, "tls", 8443, "HTTPS"))
    bed.client.apply(objects.host(site, "tls", "tls.test", tlsSecret={"name": "tls"}))
    serve(bed, site, "quote")
    one.answers("/quote/", "quote")
    secret = bed.client.create(pair(1))
    one.answers("/quote/", "quote", "tls.test", port=8443, context=authority.client_context(False))
    bed.client.delete(secret)
    bed.client.create(pair(2))
    one.answers("/quote/", "quote", "tls.test", port=8443, context=authority.client_context(False))


def test_annotations_count(bed, site, instance):
    one = instance(bed, bed.kubeconfig(), namespace=site).up()
    annotation = "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nname: noted\nhostname: '*'\nprefix: /noted/\nservice: noted\n"
    bed.service(site, "noted", [bed.backend("noted")], head={"annotations": {"getambassador.io/config": annotation}})
    one.answers("/noted/", "noted")
    bed.service(site, "noted", [bed.backend("noted")], head={"annotations": {"getambassador.io/config": annotation.replace("/noted/", "/other/")}})
    one.answers("/other/", "noted")
    one.answers("/noted/", 404)


def test_two_instances_and_a_restart_end_the_same(bed, site, instance):
    first = instance(bed, bed.kubeconfig(), namespace=site).up()
    second = instance(bed, bed.kubeconfig(), namespace=site).up()
    serve(bed, site, "cart")
    for one in (first, second):
        one.answers("/cart/", "cart")
    first.kill()
    quote = serve(bed, site, "quote")
    second.answers("/quote/", "quote")
    first.up()
    first.answers("/quote/", "quote")
    second.kill()
    bed.client.delete(quote)
    first.answers("/quote/", 404)
    first.answers("/cart/", "cart")


def test_a_bad_object_hurts_nobody_and_is_told(bed, site, instance):
    one = instance(bed, bed.kubeconfig(), namespace=site).up()
    bed.client.apply(objects.mapping(site, "bad", "bad", prefix="(", prefix_regex=True))
    serve(bed, site, "good")
    one.answers("/good/", "good")
    def told():
        status, text = one.ask("/ambassador/v0/diag/?json=true&filter=errors")
        return status == 200 and f"bad.{site}" in text
    until(told, "the mistake in diagnostics")
