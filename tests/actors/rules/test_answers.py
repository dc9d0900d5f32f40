"""The answers of a person, checked against a question as it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.actors.rules.answers import SECRET, check_answers, without_secrets
from command_center.actors.rules.errors import Invalid

DATABASES = [{"label": "SQLite", "description": ""}, {"label": "Postgres", "description": ""}]
QUESTIONS: dict[str, Any] = {
    "questions": [
        {"id": "db", "options": DATABASES, "freeText": False, "secret": False},
        {"id": "key", "options": [], "freeText": True, "secret": True},
    ]
}
FORM: dict[str, Any] = {
    "mode": "form",
    "schema": {"properties": {"count": {"type": "integer"}}, "required": ["count"]},
}


@pytest.mark.parametrize(
    ("kind", "details", "answers"),
    [
        ("user_input", QUESTIONS, {"db": "SQLite", "key": ["a", "b"]}),
        ("user_input", {}, {}),
        ("elicitation", FORM, {"count": 3}),
        ("elicitation", {"mode": "url"}, {"anything": "goes"}),
        ("elicitation", {"mode": "form"}, {"anything": "goes"}),
        ("command", {}, {"ignored": True}),
    ],
)
def test_answers_that_fit_their_question_pass(
    kind: str, details: dict[str, Any], answers: dict[str, Any]
) -> None:
    check_answers(kind, details, answers)


@pytest.mark.parametrize(
    ("kind", "details", "answers", "field"),
    [
        ("user_input", QUESTIONS, {"db": "SQLite"}, "answers.key"),
        ("user_input", QUESTIONS, {"db": "Oracle", "key": "k"}, "answers.db"),
        ("user_input", {}, {"db": "SQLite"}, "answers.db"),
        ("elicitation", FORM, {}, "answers.count"),
        ("elicitation", FORM, {"count": True}, "answers.count"),
    ],
)
def test_answers_that_do_not_fit_are_refused_by_their_field(
    kind: str, details: dict[str, Any], answers: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        check_answers(kind, details, answers)
    assert [field] == [detail["path"] for detail in caught.value.details]


def test_only_answers_to_secret_questions_are_left_out() -> None:
    answers = {"db": "SQLite", "key": "hunter2"}
    assert {"db": "SQLite", "key": SECRET} == without_secrets("user_input", QUESTIONS, answers)
    assert answers == without_secrets("elicitation", FORM, answers)
