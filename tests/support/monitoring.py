"""The files for Prometheus and Grafana, and the metrics that their expressions name."""

import json
import re
from typing import Any

import yaml

from tests.support.checkout import CHECKOUT

RULES = CHECKOUT / "docs" / "deploy" / "prometheus-rules.yml"
RULES_TEST = CHECKOUT / "tests" / "real" / "prometheus-rules-test.yml"
DASHBOARD = CHECKOUT / "docs" / "deploy" / "grafana-dashboard.json"
_KEYWORDS = frozenset({"and", "or", "unless", "bool", "offset"})
_GROUPING = r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"


def list_alerts() -> dict[str, str]:
    """Return the expression of each alert."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def list_queries() -> dict[str, str]:
    """Return the queries of the dashboard by the title of their panel and their number."""
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    }


def list_metrics(expression: str) -> set[str]:
    """Return the metrics of an expression: its names without functions, labels and keywords."""
    bare = re.sub(r"\"[^\"]*\"|\{[^}]*\}|\[[^\]]*\]", " ", expression)
    bare = re.sub(_GROUPING, " ", bare)
    names = re.findall(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()", bare)
    return set(names) - _KEYWORDS


def list_labels(expression: str) -> set[tuple[str, str, str]]:
    """Return the matchers of an expression: metric, label, and the values that it names."""
    return {
        (metric, label, value)
        for metric, matchers in re.findall(r"(\w+)\{([^}]*)\}", expression)
        for label, operator, values in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', matchers)
        for value in (values.split("|") if "~" in operator else [values])
    }
