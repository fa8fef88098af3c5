"""The charts, as helm renders them. A folder a case: cases/NAME/values.yaml → expected.yaml; `make golden` rewrites, the diff is the
review. Into a real API server they go in test/cluster/test_chart.py."""
import difflib
import importlib.util
import pathlib
import re
import shutil

import pytest
import yaml

from harness import helm, kube, monitoring, objects, paths

CASES = sorted(pathlib.Path(__file__).parent.glob("cases/*/values.yaml"))
RBAC = "rbac.authorization.k8s.io"


@pytest.mark.parametrize("chart", [helm.CHART, helm.CRDS], ids=lambda chart: chart.name)
def test_lint(chart):
    helm.helm("lint", "--strict", chart)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.parent.name)
def test_case(case, request):
    got = helm.template(case.read_text())
    assert list(kube.objects(got))
    expected = case.parent / "expected.yaml"
    if request.config.getoption("--rewrite-golden"):
        expected.write_text(got)
    wanted = expected.read_text() if expected.exists() else ""
    difference = difflib.unified_diff(wanted.splitlines(), got.splitlines(), "expected", "rendered", lineterm="")
    assert got == wanted, "\n".join(difference)


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    """notes(values): what is told at the end of an installation. Without a cluster helm tells only what is in a manifest."""
    chart = shutil.copytree(helm.CHART, tmp_path_factory.mktemp("chart") / "chart")
    show = '{{ dict "kind" "Notes" "metadata" (dict "name" "it") "text" (include (print .Template.BasePath "/NOTES.txt") .) | toYaml }}'
    (chart / "templates" / "notes.yaml").write_text(show)
    return lambda values: helm.rendered(values, chart)["Notes", "it"]["text"]


def pod(values):
    found = helm.rendered(values)
    workload = next(thing for (kind, _), thing in found.items() if kind in ("Deployment", "DaemonSet", "Pod"))
    spec = workload["spec"] if workload["kind"] == "Pod" else workload["spec"]["template"]["spec"]
    return spec, spec["containers"][0]


def variables(container):
    return {one["name"]: one.get("value") for one in container["env"]}


# ---- what they hold of elsewhere


def test_versions_are_the_programs():
    version = re.search(r'"(.*)"', (paths.ROOT / "src" / "base" / "version.h").read_text().split("kVersion")[1])[1]
    for chart in (helm.CHART, helm.CRDS):
        assert yaml.safe_load((chart / "Chart.yaml").read_text())["appVersion"] == version


def test_generated_files_are_up_to_date():
    spec = importlib.util.spec_from_file_location("chart", paths.ROOT / "scripts" / "chart.py")
    chart = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(chart)
    stale = [path for path, text in chart.files().items() if path.read_text() != text]
    assert not stale, "run `make chart`"


def test_every_value_is_described():
    """By a comment of its own, or of what it lies in."""
    spec = importlib.util.spec_from_file_location("chart", paths.ROOT / "scripts" / "chart.py")
    chart = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(chart)

    def bare(values, described, path=()):
        for key, value in values.items():
            here = (*path, key)
            if here not in described:
                yield from bare(value, described, here) if isinstance(value, dict) and value else [here]
    for folder in (helm.CHART, helm.CRDS):
        text = (folder / "values.yaml").read_text()
        described = {path for path, _ in chart.described(text)}
        assert not [path for path in bare(yaml.safe_load(text), described) if path != ("prometheusExporter", "enabled")]


def rules(things, *kinds):
    """What its roles grant, whatever their names."""
    found = [rule for thing in things if thing["kind"] in kinds for rule in thing["rules"]]
    return sorted(yaml.safe_dump(rule, sort_keys=True) for rule in found)


@pytest.mark.parametrize("single, file", [(False, "cluster.yaml"), (True, "namespaced.yaml")])
def test_permissions_are_those_of_deploy_rbac(single, file):
    plain = list(kube.objects((paths.ROOT / "deploy" / "rbac" / file).read_text()))
    values = {"scope": {"singleNamespace": single}, "ingressClassResource": {"enabled": False}}
    found = helm.rendered(values, namespace="emissary").values()
    for kind in ("Role", "ClusterRole"):
        assert rules(found, kind) == rules(plain, kind)
    bound = sorted(thing["kind"] for thing in plain if thing["apiVersion"].startswith(RBAC))
    assert sorted(thing["kind"] for thing in found if thing["apiVersion"].startswith(RBAC)) == bound
    # Nothing of the cluster's in a namespace of one's own.
    assert not single or all(thing["metadata"].get("namespace") == "emissary" for thing in found)


def test_the_webhook_is_that_of_deploy_webhook():
    plain = {(thing["kind"], thing["metadata"]["name"]): thing for thing in kube.objects((paths.ROOT / "deploy" / "webhook" / "webhook.yaml").read_text())}
    found = helm.rendered({"enableLegacyVersions": True}, chart=helm.CRDS, namespace="emissary-system")
    for kind in ("Role", "ClusterRole"):
        assert rules(found.values(), kind) == rules(plain.values(), kind)
    here, there = ([things[kind, "emissary-apiext"]["spec"] for kind in ("Service", "Deployment")] for things in (found, plain))
    assert here[0] == there[0]
    assert here[1]["selector"] == there[1]["selector"] and here[1]["replicas"] == there[1]["replicas"]
    containers = [deployment["template"]["spec"]["containers"][0] for deployment in (here[1], there[1])]
    for key in ("command", "args", "env", "ports", "startupProbe", "livenessProbe", "readinessProbe", "resources"):
        assert containers[0][key] == containers[1][key], key


def test_the_webhook_is_scraped_on_demand():
    monitored = {"enabled": True, "interval": "30s", "selector": {"release": "prometheus"}}
    found = helm.rendered({"enableLegacyVersions": True, "apiext": {"podMonitor": monitored}}, chart=helm.CRDS, namespace="edge")
    monitor, pods = (found[kind, "emissary-apiext"] for kind in ("PodMonitor", "Deployment"))
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["podMetricsEndpoints"] == [{"port": "probes", "path": "/metrics", "interval": "30s"}]
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["edge"]}
    labels = pods["spec"]["template"]["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert "probes" in {port["name"] for port in pods["spec"]["template"]["spec"]["containers"][0]["ports"]}
    assert not any(kind == "PodMonitor" for kind, _ in helm.rendered({"enableLegacyVersions": True}, chart=helm.CRDS))


def crds(text):
    """Without what belongs to the release."""
    found = {thing["metadata"]["name"]: thing for thing in kube.objects(text) if thing["kind"] == "CustomResourceDefinition"}
    for crd in found.values():
        for version in crd["spec"]["versions"]:
            version.pop("deprecationWarning", None)
        crd["metadata"] = {"name": crd["metadata"]["name"]}
    return found


def test_crds_of_their_own_chart():
    namespace = {"chart": helm.CRDS, "namespace": "emissary-system"}
    assert crds(helm.template({}, **namespace)) == crds(objects.crds())
    both = {"enableLegacyVersions": True, "enableV1": True}
    assert crds(helm.template(both, **namespace)) == crds(objects.crds("--legacy"))
    v2 = crds(helm.template({"enableLegacyVersions": True}, chart=helm.CRDS, namespace="elsewhere"))
    assert {version["name"] for version in v2["hosts.getambassador.io"]["spec"]["versions"]} == {"v2", "v3alpha1"}
    assert v2["hosts.getambassador.io"]["spec"]["conversion"]["webhook"]["clientConfig"]["service"]["namespace"] == "elsewhere"


def test_crds_with_the_gateway_are_an_option():
    found = helm.helm("template", "gateway", helm.CHART, "--include-crds", "--set", "crds.create=true")
    assert crds(found) == crds(objects.crds())
    assert not crds(helm.helm("template", "gateway", helm.CHART, "--include-crds"))


# ---- what values do


def test_low_ports(notes):
    ports = {"service": {"ports": [{"name": "http", "port": 80, "targetPort": 80}]}}
    spec, container = pod(ports)
    assert spec["securityContext"]["sysctls"] == [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    assert container["securityContext"]["runAsNonRoot"] and "add" not in container["securityContext"]["capabilities"]
    spec, container = pod({**ports, "security": {"podSecurityContext": {"runAsUser": 0}}})
    assert "sysctls" not in spec["securityContext"] and "runAsNonRoot" not in container["securityContext"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}
    assert "only be bound by root" in notes({**ports, "hostNetwork": True})


def test_any_user_of_openshift():
    spec, container = pod({"security": {"podSecurityContext": None}})
    assert "securityContext" not in spec and "runAsUser" not in container["securityContext"]
    assert container["securityContext"]["runAsNonRoot"]
    _, container = pod({"security": {"containerSecurityContext": None}})
    assert "securityContext" not in container


@pytest.mark.parametrize("seconds, grace", [(35, "30"), (600, "595"), ("120", "115"), (None, "25"), (0, "25"), (3, "1")])
def test_the_gateway_is_done_before_kubernetes_kills_it(seconds, grace):
    _, container = pod({"terminationGracePeriodSeconds": seconds})
    assert variables(container)["EMISSARY_GRACE_SECONDS"] == grace


def test_the_environment_that_is_given_counts():
    values = {"env": {"ambassador_single_namespace": "", "EMISSARY_GRACE_SECONDS": 7, "BIG": 12345678, "SHARE": 0.5, "YES": True},
              "envRaw": [{"name": "AMBASSADOR_NAMESPACE", "value": "edge"}], "scope": {"singleNamespace": True}}
    _, container = pod(values)
    names = [one["name"] for one in container["env"]]
    assert len(names) == len(set(names))
    wanted = {"AMBASSADOR_SINGLE_NAMESPACE": "", "EMISSARY_GRACE_SECONDS": "7", "BIG": "12345678", "SHARE": "0.5", "YES": "true", "AMBASSADOR_NAMESPACE": "edge"}
    assert {name: variables(container)[name] for name in wanted} == wanted


def test_rules_and_dashboard_are_shipped():
    found = helm.rendered({"metrics": {"prometheusRule": {"enabled": True, "selector": {"release": "it"}}, "dashboard": {"enabled": True}}})
    rule = found["PrometheusRule", "gateway-emissary-ingress"]
    assert rule["spec"]["groups"][0]["rules"] == monitoring.rules() and rule["metadata"]["labels"]["release"] == "it"
    board = found["ConfigMap", "gateway-emissary-ingress-dashboard"]
    assert board["data"]["emissary.json"].strip() == monitoring.DASHBOARD.read_text().strip()
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_images():
    image = lambda values: pod(values)[1]["image"]  # noqa: E731
    assert image({"image": {"repository": "here/it", "tag": 4.1}}) == "here/it:4.1"
    assert image({"defaultImageRepository": "there/it", "image": {"tag": "x"}}) == "there/it:x"
    assert image({"image": {"repository": "here/it", "fullImageOverride": "all/of@sha256:1"}}) == "all/of@sha256:1"
    canary = {"image": {"fullImageOverride": "main:1"}, "canary": {"enabled": True, "image": {"tag": "2"}}}
    found = helm.rendered(canary)
    assert found["Deployment", "gateway-emissary-ingress-canary"]["spec"]["template"]["spec"]["containers"][0]["image"].endswith("emissary:2")


def test_numbers_that_are_texts():
    """As --set-string makes them."""
    found = helm.rendered({"replicaCount": "2", "adminService": {"port": "8877"},
                           "service": {"ports": [{"name": "http", "port": "80", "targetPort": "8080", "nodePort": "30080"}]}})
    assert found["Service", "gateway-emissary-ingress"]["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080}]
    assert found["Deployment", "gateway-emissary-ingress"]["spec"]["replicas"] == 2
    assert pod({"service": {"ports": [{"name": "http", "port": "80", "targetPort": "8080"}]}})[1]["ports"][0] == {"name": "http", "containerPort": 8080}


def test_mixed_canary():
    found = helm.rendered({"canary": {"enabled": True, "mixPods": True, "replicaCount": 1}})
    assert [name for kind, name in found if kind == "Service"] == ["gateway-emissary-ingress-admin", "gateway-emissary-ingress"]
    assert "profile" not in found["Service", "gateway-emissary-ingress"]["spec"]["selector"]


def test_a_bare_pod():
    found = helm.rendered({"barePod": True})
    assert found["Pod", "gateway-emissary-ingress"]["metadata"]["labels"]["profile"] == "main"


@pytest.mark.parametrize("values, warning", [
    ({"prometheusExporter": {"enabled": True}}, "prometheusExporter is not supported"),
    ({"waitForApiext": {"enabled": True}}, "waitForApiext has no effect"),
    ({"ambassadorConfig": "x"}, "ambassadorConfig has no effect"),
    ({"security": {"podSecurityPolicy": {"a": 1}}}, "PodSecurityPolicies"),
    ({"lifecycle": {"preStop": {"exec": {"command": ["sh"]}}}}, "no shell"),
    ({"metrics": {"serviceMonitor": {"enabled": True}}, "adminService": {"create": False}}, "needs adminService.create"),
    ({}, "set image.repository"),
])
def test_what_has_no_effect_is_told(notes, values, warning):
    assert warning in notes(values)
    assert "WARNING" not in notes({"image": {"repository": "here/it"}})


@pytest.mark.parametrize("values, words", [
    ({"replicaCount": "three"}, "replicaCount"),
    ({"service": {"type": "Loadbalancer"}}, "service/type"),
    ({"service": {"ports": [{"port": 80}]}}, "name"),
    ({"env": [{"name": "A", "value": "b"}]}, "env"),
    ({"env": {"A": {"value": "b"}}}, "env/A"),
    ({"envRaw": {"A": "b"}}, "envRaw"),
    ({"daemonSet": "false"}, "daemonSet"),
    ({"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}}, "podDisruptionBudget"),
    ({"podAnnotations": {"prometheus.io/scrape": True}}, "podAnnotations"),
])
def test_what_cannot_work_is_refused(values, words):
    with pytest.raises(helm.HelmError, match=words) as refused:
        helm.template(values)
    assert "specifications of the schema" in str(refused.value)
