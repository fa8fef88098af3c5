"""As whom the gateway speaks to the API server, and whom it takes for it: each way to say so, and what is replaced while it runs."""
import base64
import pathlib

import pytest

from harness import objects
from harness.bed import rule, until
from harness.fault_proxy import HttpProxy, TcpProxy

READ = [rule("getambassador.io", "*", "get list watch"), rule("core", "services secrets endpoints", "get list watch"),
        rule("discovery.k8s.io", "endpointslices", "get list watch"), rule("networking.k8s.io", "ingresses", "get list watch")]


def serve(bed, site, name):
    bed.service(site, name, [bed.backend(name)])
    bed.client.apply(objects.mapping(site, name, name))


def plugin(folder, file):
    """A user of a kubeconfig: a program that tells the token in `file`, which it says is good for ever."""
    program = folder / "plugin"
    program.write_text('#!/bin/sh\nprintf \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}\' "$(cat "$1")"\n')
    program.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program), "args": [str(file)], "interactiveMode": "Never"}}


def certificate(bed, site, inline):
    """That of a user who may read there."""
    name = f"user-{bed.number()}"
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name, "namespace": site}}
    bed.client.create({**head, "kind": "Role", "rules": READ})
    bed.client.create({**head, "kind": "RoleBinding", "subjects": [{"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}],
                       "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}})
    files = dict(zip(("client-certificate", "client-key"), bed.certificate(name)))
    if inline:
        return {name + "-data": base64.b64encode(pathlib.Path(file).read_bytes()).decode() for name, file in files.items()}
    return files


@pytest.mark.parametrize("way", ["token", "token file", "certificate", "certificate files", "plugin", "pod"])
def test_each_way(bed, site, instance, tmp_path, way):
    serve(bed, site, "cart")
    account = bed.account(site, "emissary", READ)
    token = tmp_path / "token"
    token.write_text(account.token() + "\n")
    if way == "pod":
        one = instance(bed, pod=account.pod_files(), namespace=site)
    elif way.startswith("certificate"):
        one = instance(bed, bed.kubeconfig(certificate(bed, site, way == "certificate")), namespace=site)
    else:
        user = {"token": {"token": account.token()}, "token file": {"tokenFile": str(token)}, "plugin": plugin(tmp_path, token)}[way]
        one = instance(bed, bed.kubeconfig(user), namespace=site)
    one.up().answers("/cart/", "cart")


@pytest.mark.parametrize("way", ["token file", "plugin", "pod"])
def test_a_token_is_replaced(bed, site, instance, tmp_path, way):
    """The account is made anew, so that what was issued for it before is worth nothing; then connections break."""
    proxy = TcpProxy(bed)
    account = bed.account(site, "emissary", READ)
    token = tmp_path / "token"
    token.write_text(account.token())
    if way == "pod":
        folder = account.pod_files()
        token = folder / "token"
        one = instance(bed, pod=folder, namespace=site, environment={"KUBERNETES_SERVICE_PORT": str(proxy.port)})
    else:
        user = {"tokenFile": str(token)} if way == "token file" else plugin(tmp_path, token)
        one = instance(bed, bed.kubeconfig(user, server=proxy.url), namespace=site)
    serve(bed, site, "cart")
    one.up().answers("/cart/", "cart")
    before = account.client(token.read_text())
    bed.client.delete({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "emissary", "namespace": site}})
    bed.account(site, "emissary")
    until(lambda: before.raw("GET", "/api")[0] == 401, "the server does not take the token any more")
    proxy.cut()
    serve(bed, site, "quote")
    token.write_text(account.token())
    one.answers("/quote/", "quote")
    one.answers("/cart/", "cart")
    proxy.close()


def test_an_expired_token_is_waited_out(bed, site, instance):
    """It is not ready, and not gone either."""
    proxy = HttpProxy(bed)
    serve(bed, site, "cart")
    account = bed.account(site, "emissary", READ)
    folder = account.pod_files(account.token(seconds=-3600))
    one = instance(bed, pod=folder, namespace=site, environment={"KUBERNETES_SERVICE_PORT": str(proxy.port)})
    one.start()
    until(lambda: len(proxy.requests) > 3, "the gateway asks, and asks again")
    assert one.ask("/ambassador/v0/check_ready")[0] == 503
    (folder / "token").write_text(account.token())
    one.answers("/cart/", "cart")
    proxy.close()


def test_another_authority(own_cluster, instance):
    """The server's certificate is of another authority from now on, and the file that a Pod has says so."""
    own_cluster.install_crds(objects.crds())
    site = own_cluster.namespace()
    own_cluster.client.apply(objects.listener(site))
    own_cluster.client.apply(objects.host(site))
    account = own_cluster.account(site, "emissary", READ)
    folder = account.pod_files()
    one = instance(own_cluster, pod=folder, namespace=site)
    serve(own_cluster, site, "cart")
    one.up().answers("/cart/", "cart")
    own_cluster.replace_authority()
    own_cluster.restart_apiserver()
    serve(own_cluster, site, "quote")
    one.answers("/cart/", "cart")
    (folder / "ca.crt").write_text(pathlib.Path(own_cluster.authority.ca).read_text())
    one.answers("/quote/", "quote")
