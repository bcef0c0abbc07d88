"""The queries of the dashboard and of the alerts, and what they name."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yaml"
DASHBOARD = DEPLOY / "grafana" / "turnout.json"
VARIABLES = {"$__rate_interval": "5m", "$namespace": ".*", "$policy": ".*"}
"""What Grafana fills in, and a value of each."""

METRIC = re.compile(r"\b(?:turnout|process)_\w+")
MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
SHOWN = re.compile(r"\{\{\s*(\w+)\s*\}\}|\$labels\.(\w+)")


class Query(NamedTuple):
    """`shows`: the labels that its words to people are filled in from."""

    name: str
    expr: str
    shows: frozenset[str]

    @property
    def metrics(self) -> set[str]:
        return set(METRIC.findall(self.expr))

    @property
    def labels(self) -> set[str]:
        """Those that are matched or grouped by."""
        grouped = (label.strip() for group in GROUPED.findall(self.expr) for label in group.split(","))
        return {*MATCHED.findall(self.expr), *grouped}


def rules() -> list[Mapping[str, Any]]:
    """The alerts, as Prometheus reads them."""
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def of_alerts() -> Iterator[Query]:
    for rule in rules():
        yield Query(rule["alert"], rule["expr"], _shown(" ".join(rule["annotations"].values())))


def of_dashboard() -> Iterator[Query]:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            expr = target["expr"]
            for name, value in VARIABLES.items():
                expr = expr.replace(name, value)
            yield Query(f"{panel['title']} {target['refId']}", expr, _shown(target["legendFormat"]))


def _shown(text: str) -> frozenset[str]:
    return frozenset(one or other for one, other in SHOWN.findall(text))
