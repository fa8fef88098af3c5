"""Alert rules and dashboard, looked at by promtool. That a gateway has each metric named in them: test/cluster/test_chart.py; that a webhook has: test_webhook.py."""
import json
import subprocess

import yaml

from harness import monitoring, paths

PROMTOOL = [paths.ROOT / "deps" / "promtool.sh"]


def promtool(*arguments):
    binary = subprocess.run(PROMTOOL, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    done = subprocess.run([binary, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_rules():
    assert "SUCCESS" in promtool("check", "rules", "--lint-fatal", monitoring.RULES)


def test_each_rule_fires_on_what_it_is_for():
    tests = monitoring.FOLDER / "alerts_test.yaml"
    promtool("test", "rules", tests)
    untested = [rule["alert"] for rule in monitoring.rules() if f'"{rule["alert"]}"' not in tests.read_text()]
    assert not untested


def test_each_alert_says_what_to_do():
    for rule in monitoring.rules():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"] and len(rule["annotations"]["description"]) > 30


def test_queries_of_the_dashboard(tmp_path):
    """Their syntax, as rules."""
    queries = [monitoring.filled(query) for query in monitoring.queries()]
    assert len(queries) > 30
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": [{"record": f"q{i}", "expr": query} for i, query in enumerate(queries)]}]}))
    promtool("check", "rules", file)


def test_panels_do_not_overlap():
    board = json.loads(monitoring.DASHBOARD.read_text())
    taken = [(x, y) for panel in board["panels"] for place in [panel["gridPos"]]
             for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
    assert len(taken) == len(set(taken)) and max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
