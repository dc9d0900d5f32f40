"""The board and the alerts name metrics, and labels of them, that the server has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from command_center.http.documentation.contents import DOCS
from tests.test_documentation import rows_of

BOARD = DOCS / "monitoring" / "grafana-board.json"
ALERTS = DOCS / "monitoring" / "alerts.yaml"
PROMETHEUS = {"up", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"}
"""Metrics that Prometheus itself, and its client for Python, bring."""
BY_PROMETHEUS = {"instance", "job", "le"}
"""Labels that are no metric's own."""


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def expressions() -> Iterator[tuple[str, str]]:
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")
    for rule in alerts():
        yield rule["alert"], rule["expr"]


def selectors(part: Any) -> Iterator[Any]:
    """The metrics that an expression selects."""
    if isinstance(part, promql_parser.VectorSelector):
        yield part
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        if (inner := getattr(part, name, None)) is not None:
            yield from selectors(inner)
    for inner in getattr(part, "args", None) or ():
        yield from selectors(inner)


def problems(expression: str) -> list[str]:
    """Names in an expression that the server does not have."""
    told = {name: set(re.findall(r"`(\w+)`", text)) for name, (text,) in ROWS.items()}
    found = []
    chosen = [*selectors(promql_parser.parse(expression))]
    assert chosen, expression
    for selector in chosen:
        name = re.sub(r"(?<=_seconds)_(bucket|sum|count)$", "", selector.name)
        if name in PROMETHEUS:
            labels = set()
        elif name in told:
            labels = told[name]
        else:
            found.append(f"{name} is no metric")
            continue
        wanted = {matcher.name for matcher in selector.matchers.matchers}
        for names in re.findall(r"\bby \(([^)]*)\)", expression):
            wanted |= {label.strip() for label in names.split(",")}
        found += [f"{name} has no {label}" for label in wanted - labels - BY_PROMETHEUS]
    return found


ROWS = rows_of("docs/metrics.md")


def test_each_expression_is_of_metrics_and_labels_that_the_server_has() -> None:
    told = dict(expressions())
    assert len(told) > 25
    assert [] == [(name, found) for name, text in told.items() for found in problems(text)]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("rate(cc_renamed_total[5m]) > 1", "cc_renamed_total is no metric"),
        ("sum by (route) (cc_sessions)", "cc_sessions has no route"),
        ('cc_sessions{kind="x"}', "cc_sessions has no kind"),
    ],
)
def test_what_the_server_does_not_have_is_found(expression: str, problem: str) -> None:
    assert [problem] == problems(expression)


def test_each_alert_is_explained_and_says_what_to_do() -> None:
    told = rows_of("docs/monitoring.md")
    assert [rule["alert"] for rule in alerts()] == [*told]
    assert all(rule["annotations"]["do"] for rule in alerts())
    assert {"critical", "warning", "info"} >= {rule["labels"]["severity"] for rule in alerts()}
