"""The rules of Prometheus and the dashboard of Grafana use metrics that the service has."""

import re
import shutil
import subprocess

import pytest

from tests.support.checkout import CHECKOUT
from tests.support.metrics import PREFIX, Metrics, read_metrics
from tests.support.monitoring import (
    RULES,
    RULES_TEST,
    list_alerts,
    list_labels,
    list_metrics,
    list_queries,
)
from tests.support.stage import GOOD_TALK, Stage


async def read_metrics_of_a_day(stage: Stage) -> Metrics:
    """Return the metrics when each has been written."""
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    await stage.mail()
    stage.service.heartbeats.scheduler.start("sync")
    await stage.reports()
    return await read_metrics(stage.rest)


def list_series(found: Metrics) -> set[str]:
    """Return the names of all series of the service."""
    plain = {f"{PREFIX}{name}" for name in found.names - found.histograms}
    parts = ("bucket", "count", "sum")
    return plain | {f"{PREFIX}{name}_{part}" for name in found.histograms for part in parts}


async def test_metrics_of_rules_and_dashboard_exist(stage: Stage) -> None:
    existing = list_series(await read_metrics_of_a_day(stage))
    for title, expression in (list_alerts() | list_queries()).items():
        named = list_metrics(expression)
        assert named, title
        assert named - existing == set(), title


async def test_labels_of_rules_and_dashboard_exist(stage: Stage) -> None:
    """A misspelt label or result matches nothing, and its alert never fires."""
    found = await read_metrics_of_a_day(stage)
    existing = {
        (f"{PREFIX}{name}", label, value)
        for name, labels in found.samples
        for label, value in labels
    }
    late = {("status", "5xx"), ("kind", "daily")}  # there are none yet
    for title, expression in (list_alerts() | list_queries()).items():
        named = list_labels(expression)
        missing = {one for one in named - existing if one[1:] not in late}
        assert missing == set(), title


async def test_every_metric_is_in_the_operations_document(stage: Stage) -> None:
    text = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")
    found = await read_metrics_of_a_day(stage)
    assert [name for name in found.names if not re.search(rf"`{name}[`{{]", text)] == []


def test_names_of_an_expression() -> None:
    """The functions that the other tests rely on."""
    expression = (
        'sum by (le, b) (rate(first_bucket{x="not_this", y=~"a|b"}[5m])) / second > 5 and'
        " on (x) absent(third)"
    )
    assert list_metrics(expression) == {"first_bucket", "second", "third"}
    assert list_labels(expression) == {
        ("first_bucket", "x", "not_this"),
        ("first_bucket", "y", "a"),
        ("first_bucket", "y", "b"),
    }


def test_each_alert_has_a_test_and_says_what_to_do() -> None:
    text = RULES_TEST.read_text(encoding="utf-8")
    assert [name for name in list_alerts() if name not in text] == []
    actions = re.findall(r"^ +action: ", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(actions) == len(list_alerts())


@pytest.mark.parametrize("check", [("check", RULES), ("test", RULES_TEST)], ids=["check", "test"])
def test_promtool_accepts_the_rules(check: tuple[str, str]) -> None:
    """Each alert fires on the fault that it names, and none on a good day."""
    if shutil.which("promtool") is None:
        pytest.skip("Prometheus is not installed")
    command, path = check
    done = subprocess.run(  # noqa: S603 - Prometheus's own program
        ["promtool", command, "rules", path],  # noqa: S607 - from PATH
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
