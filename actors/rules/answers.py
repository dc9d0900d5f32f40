"""The answers of a person to an agent's question, checked against the question as it is shown.

`details` are those of an approval: the `questions` of a `user_input`, or the `schema` of an
`elicitation` unless its `mode` is `url`. Other kinds take no answers, and ignore any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from command_center.actors.rules.errors import Invalid

Shown: TypeAlias = Mapping[str, Any]
Answers: TypeAlias = Mapping[str, Any]

SECRET: Final = "[secret]"  # noqa: S105 - it stands for one
"""Stands in a stored answer for what must not be stored."""

_JSON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
}


def check_answers(kind: str, details: Shown, answers: Answers) -> None:
    """Refuse answers with which an approval would not answer its question.

    Raises:
        Invalid: it names the field.
    """
    match kind:
        case "user_input":
            _check_texts(details.get("questions", ()), answers)
        case "elicitation" if details.get("mode") != "url":
            _check_form(details.get("schema"), answers)


def without_secrets(kind: str, details: Shown, answers: Answers) -> dict[str, Any]:
    """Return the answers as they may be stored: those to secret questions are left out."""
    if kind != "user_input":
        return dict(answers)
    secret = {question["id"] for question in details.get("questions", ()) if question["secret"]}
    return {key: SECRET if key in secret else value for key, value in answers.items()}


def texts_of(answer: object) -> object:
    """Return an answer as the list of texts that it has to be; one text is a list of one."""
    return [answer] if isinstance(answer, str) else answer


def _check_texts(questions: Sequence[Shown], answers: Answers) -> None:
    unknown = set(answers) - {question["id"] for question in questions}
    if unknown:
        raise Invalid.field(f"answers.{min(unknown)}", "no such question was asked.")
    for question in questions:
        path = f"answers.{question['id']}"
        texts = texts_of(answers.get(question["id"]))
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise Invalid.field(path, "must be a text or a list of texts.")
        if not texts:
            raise Invalid.field(path, "must be answered.")
        labels = [option["label"] for option in question["options"]]
        if not question["freeText"]:
            for text in texts:
                if text not in labels:
                    raise Invalid.field(path, f"must be one of {', '.join(labels)}.")


def _check_form(schema: object, answers: Answers) -> None:
    fields = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or not isinstance(fields, dict):
        return
    for name in schema.get("required") or []:
        if name not in answers and "default" not in fields.get(name, {}):
            raise Invalid.field(f"answers.{name}", "must be answered.")
    for name, value in answers.items():
        if name not in fields:
            raise Invalid.field(f"answers.{name}", "no such field was asked for.")
        _check_field(f"answers.{name}", fields[name], value)


def _check_field(path: str, field: Shown, value: object) -> None:
    """Refuse a value of another type than the field's, or one that it does not offer."""
    kind = field.get("type")
    wanted = _JSON_TYPES.get(str(kind), (object,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise Invalid.field(path, f"must be of type {kind}.")
    if isinstance(value, list):
        least, most = field.get("minItems") or 0, field.get("maxItems")
        if len(value) < least or (most is not None and len(value) > most):
            raise Invalid.field(path, f"must be {_span(least, most)} of them.")
        for each in value:
            _check_option(path, field.get("items") or {}, each)
    else:
        _check_option(path, field, value)


def _span(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least}"
    return f"{least} to {most}" if least else f"at most {most}"


def _check_option(path: str, field: Shown, value: object) -> None:
    options = field.get("enum") or [
        option.get("const") for option in field.get("oneOf") or field.get("anyOf") or []
    ]
    if options and value not in options:
        raise Invalid.field(path, f"must be one of {', '.join(map(str, options))}.")
