"""What alert rules and dashboard ask for."""
import json
import re

import yaml

from . import paths

FOLDER = paths.ROOT / "deploy" / "monitoring"
RULES, DASHBOARD = FOLDER / "alerts.yaml", FOLDER / "dashboard.json"
METRIC = re.compile(r"\b(?:emissary|ambassador|envoy)_\w+")
LABELS = {"envoy_response_code_class", "envoy_http_conn_manager_prefix"}


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def queries():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def filled(query):
    """As Grafana asks it, all chosen."""
    return query.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$instance", ".*")


def metrics(webhook=False):
    """The names of all that they ask for, of gateways or of the conversion webhook."""
    texts = [rule["expr"] for rule in rules()] + queries() + [json.dumps(json.loads(DASHBOARD.read_text())["templating"])]
    found = {name for text in texts for name in METRIC.findall(text)} - LABELS
    return {name for name in found if name.startswith("emissary_webhook_") == webhook}
