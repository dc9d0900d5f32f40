"""Schedules by what happens: `on_event@session.failed,session.interrupted?data.exitReason=limit`.

Behind the types of events stand conditions, each of which has to hold. A condition names a field of
the event by its path, as a prompt does: `data.checks` holds where something is there, `sandbox=x`
where the field is that text or a list that has it, `sandbox!=x` where it is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import attrs

from command_center.actors.rules.prompt_fields import value_at
from command_center.actors.rules.schedule_errors import InvalidSchedule

PREFIX: Final = "on_event@"
"""The beginning of an expression that names events."""

EXAMPLE: Final = "types of events, as in on_event@session.failed?data.exitReason"

_TYPE: Final = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
_CONDITION: Final = re.compile(
    r"(?P<path>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)(?:(?P<sign>!?=)(?P<value>.*))?", re.DOTALL
)


@attrs.frozen
class Condition:
    """A condition on one field of an event."""

    path: str
    value: str | None = None
    """The text that the field is to be; None where it is only to be there."""
    is_negated: bool = False

    def holds(self, event: Mapping[str, Any]) -> bool:
        """Return whether the event is so."""
        found = value_at(event, self.path)
        if self.value is None:
            return bool(found)
        texts = [_text(one) for one in (found if isinstance(found, list) else [found])]
        return (self.value in texts) is not self.is_negated


@attrs.frozen
class OnEvent:
    """No time, but each event of these types that meets the conditions."""

    types: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return None."""
        del moment, zone
        return None

    def meets(self, event: Mapping[str, Any]) -> bool:
        """Return whether an event of one of the types, as it is shown, meets all conditions."""
        return all(condition.holds(event) for condition in self.conditions)


def read_trigger(expression: str, text: str) -> OnEvent:
    """Read what stands behind `on_event@`.

    Raises:
        InvalidSchedule: it names no types, or a condition that is none.
    """
    named, _, asked = text.partition("?")
    types = tuple(dict.fromkeys(kind.strip().lower() for kind in named.split(",")))
    if not all(_TYPE.fullmatch(kind) for kind in types):
        raise InvalidSchedule(expression, "names no events", EXAMPLE)
    return OnEvent(
        types, tuple(_condition(expression, part) for part in asked.split("&") if part.strip())
    )


def _condition(expression: str, text: str) -> Condition:
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise InvalidSchedule(
            expression,
            "has a condition that names no field",
            "field, field=text or field!=text, as in on_event@repo.scanned?data.isDirty=true",
        )
    value = None if found["sign"] is None else unquote(found["value"])
    return Condition(found["path"], value, is_negated=found["sign"] == "!=")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
