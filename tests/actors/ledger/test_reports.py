"""The reports that tasks ask for: closed schemas, and what counts as a result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from command_center.actors.ledger.reports import NO_REVIEW, REPORTS, result_of, schema_of
from command_center.store import Session
from command_center.store.records import Runner, TaskType


def session(kind: TaskType, runner: Runner = "app-server") -> Session:
    return Session(
        id=1,
        created_at="",
        updated_at="",
        task_id=1,
        repository_id=1,
        runner=runner,
        sandbox="read-only",
        cwd="/srv/r",
        prompt="p",
        requested_by="test",
        correlation_id="c",
        type=kind,
    )


def said(text: str) -> dict[str, Any]:
    return {"type": "agentMessage", "id": "i", "text": text}


def objects_in(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for member in schema.values():
            yield from objects_in(member)


@pytest.mark.parametrize("kind", sorted(REPORTS))
def test_a_schema_is_closed_and_wants_every_member_as_models_demand(kind: TaskType) -> None:
    schema = schema_of(kind)
    assert schema is not None
    found = list(objects_in(schema))
    assert found
    for one in found:
        assert one["additionalProperties"] is False
        assert sorted(one["properties"]) == sorted(one["required"])
        for wanted in one["properties"].values():
            assert {"type", "$ref"} & wanted.keys()


def test_the_other_types_ask_for_no_report() -> None:
    assert schema_of("prompt_task") is None
    assert schema_of("review_task") is None


@pytest.mark.parametrize(
    "text", ["", "All is well.", "{}", "[1]", json.dumps({"status": "healthy"}), "[" * 5000]
)
def test_what_is_no_report_is_no_result(text: str) -> None:
    assert result_of(session("repo_health_check"), "agentMessage", said(text)) is None


def test_a_review_is_read_from_where_each_runner_shows_it() -> None:
    item = {"type": "exitedReviewMode", "id": "i", "review": "Fine."}
    shown = result_of(session("review_task"), "exitedReviewMode", item)
    assert {"review": "Fine."} == shown
    assert result_of(session("review_task"), "agentMessage", said("Fine.")) is None
    cli = session("review_task", "cli")
    assert {"review": "Fine."} == result_of(cli, "agentMessage", said("Fine."))


def test_a_review_that_was_interrupted_has_no_result() -> None:
    item = {"type": "exitedReviewMode", "id": "i", "review": NO_REVIEW}
    assert result_of(session("review_task"), "exitedReviewMode", item) is None


def test_a_prompt_has_no_result() -> None:
    assert result_of(session("prompt_task"), "agentMessage", said("{}")) is None
