"""The dashboard and the alerts ask for what there is; promtool tells whether they are valid, and what they find."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import generate
from tests.monitoring.queries import RULES, Query, dashboard, of_alerts, of_dashboard, rules
from tests.runtime.scraped import Scraped
from tests.support.assets import find_promtool
from turnout.runtime.metrics.counted import DEFINITIONS

HERE = Path(__file__).parent
QUERIES = [*of_dashboard(), *of_alerts()]
OF_TARGETS = {"instance"}
"""Labels that Prometheus gives what it scrapes."""
NAMED = pytest.mark.parametrize("query", QUERIES, ids=[query.name for query in QUERIES])


# without promtool


@NAMED
def test_a_query_names_metrics_that_are_shown_and_labels_that_they_have(
    query: Query, scraped: Scraped
) -> None:
    found = {sample.name: set(sample.labels) | OF_TARGETS for sample in scraped.samples}
    assert query.metrics
    assert query.metrics <= found.keys()
    assert query.labels | query.shows <= set().union(*(found[name] for name in query.metrics))


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    asked = set().union(*(query.metrics for query in of_dashboard()))
    defined = {one.name for one in DEFINITIONS}
    shown = {name for name in defined if any(one.startswith(name) for one in asked)}
    assert defined == shown


def test_the_dashboard_is_one_that_grafana_can_draw() -> None:
    """Ids are unique, panels do not overlap, and each asks the source that the reader chooses."""
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert not taken & cells, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        sources = [panel.get("datasource"), *(target["datasource"] for target in panel.get("targets", ()))]
        assert panel["type"] == "row" or {one["uid"] for one in sources} == {"${datasource}"}


def test_every_alert_is_tested_and_documented() -> None:
    names = {rule["alert"] for rule in rules()}
    document = yaml.safe_load((HERE / "alerts.yaml").read_text(encoding="utf-8"))
    tests = [one for test in document["tests"] for one in test["alert_rule_test"]]
    assert names == {one["alertname"] for one in tests if one.get("exp_alerts")}
    page = (generate.FOLDER / "metrics.md").read_text(encoding="utf-8")
    assert [name for name in names if f"`{name}`" not in page] == []


# with promtool


def promtool(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        [find_promtool(), *arguments], cwd=directory, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.cluster
def test_rules_are_valid(tmp_path: Path) -> None:
    assert f"{len(rules())} rules found" in promtool(tmp_path, "check", "rules", "--lint-fatal", str(RULES))


@pytest.mark.cluster
def test_alerts_are_raised_when_they_should_be_and_only_then(tmp_path: Path) -> None:
    """With what they say in one line; the descriptions are left out, which nobody would repeat here."""
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for group in document["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]["description"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    tests = (HERE / "alerts.yaml").read_text(encoding="utf-8")
    (tmp_path / "alerts.yaml").write_text(tests, encoding="utf-8")
    assert "SUCCESS" in promtool(tmp_path, "test", "rules", "alerts.yaml")


@pytest.mark.cluster
def test_metrics_keep_to_the_conventions_of_prometheus(scraped: Scraped) -> None:
    lines = []
    for family in scraped.families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        lines += [f"# HELP {name} {family.documentation}", f"# TYPE {name} {family.type}"]
        lines += [f"{sample.name}{_labels(sample.labels)} {sample.value}" for sample in family.samples]
    done = subprocess.run(
        [find_promtool(), "check", "metrics"],
        input="\n".join([*lines, ""]),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.cluster
def test_every_query_of_the_dashboard_finds_something_and_the_labels_that_it_shows(
    scraped: Scraped, tmp_path: Path
) -> None:
    """Prometheus' own engine evaluates them over the metrics of a controller."""
    checks: list[dict[str, Any]] = []
    for query in of_dashboard():
        checks.append(_check(f"count({query.expr}) > bool 0", "{}"))
        for label in sorted(query.shows - {"watched_namespace"}):  # empty where one watch is of all
            found = f'label_replace({query.expr}, "found", "yes", "{label}", ".+")'
            checks.append(_check(f"count by (found) ({found}) > bool 0", '{found="yes"}'))
    document = {
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": [*_series(scraped)], "promql_expr_test": checks}],
    }
    (tmp_path / "queries.yaml").write_text(json.dumps(document), encoding="utf-8")
    assert "SUCCESS" in promtool(tmp_path, "test", "rules", "queries.yaml")


def _check(expr: str, labels: str) -> dict[str, Any]:
    return {"expr": expr, "eval_time": "10m", "exp_samples": [{"labels": labels, "value": 1}]}


def _series(scraped: Scraped) -> Iterator[dict[str, str]]:
    """What was scraped, of one target: gauges as they are, counters growing."""
    for family in scraped.families:
        step = 0 if family.type == "gauge" else 1
        for sample in family.samples:
            named = f"{sample.name}{_labels({**sample.labels, 'instance': 'one', 'job': 'turnout'})}"
            yield {"series": named, "values": f"{sample.value}+{step}x15"}


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items()) + "}"
