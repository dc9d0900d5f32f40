"""Where what a POST made is found: the `Location` of a 201, as RFC 9110 wants it.

The links of the OpenAPI document are made of the same table.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, cast

import attrs
import msgspec
from quart import Quart, Response
from quart.wrappers.response import DataBody

View = Callable[..., Awaitable[Response]]


@attrs.frozen
class Place:
    """Where a record is shown, and whether an answer is it or holds it as its session."""

    noun: str
    is_session_of: bool = False

    @property
    def pointer(self) -> str:
        """The JSON pointer to the record's id in the answer."""
        return "/session/id" if self.is_session_of else "/id"


MADE: Final[Mapping[str, Place]] = MappingProxyType(
    {
        "/api/repos": Place("/api/repos"),
        "/api/tasks": Place("/api/tasks"),
        "/api/tasks/<id:task_id>/run": Place("/api/sessions", is_session_of=True),
        "/api/tasks/<id:task_id>/sessions": Place("/api/sessions"),
        "/api/codex/threads/<thread_id>/prompt": Place("/api/sessions", is_session_of=True),
        "/api/sessions/<id:session_id>/followups": Place("/api/followups"),
        "/api/approvals": Place("/api/approvals"),
        "/api/automations": Place("/api/automations"),
        "/api/automations/<id:automation_id>/run": Place("/api/sessions", is_session_of=True),
    }
)
"""Where that is what a POST made, by the POST's rule."""


def install_locations(app: Quart) -> None:
    """Let `app` say of what a POST made where it is, also where the answer is a kept one."""
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and rule.rule in MADE:
            view = cast("View", app.view_functions[rule.endpoint])
            app.view_functions[rule.endpoint] = _located(view, MADE[rule.rule])


def _located(view: View, place: Place) -> View:
    async def answered(**arguments: Any) -> Response:
        answer = await view(**arguments)
        body = answer.response
        if answer.status_code == HTTPStatus.CREATED and isinstance(body, DataBody):
            found = _of_session.decode(body.data).session if place.is_session_of else None
            record = found or _of_record.decode(body.data)
            answer.headers["Location"] = f"{place.noun}/{record.id}"
        return answer

    return answered


class _Record(msgspec.Struct, frozen=True):
    """What names a record."""

    id: int


class _OfSession(msgspec.Struct, frozen=True):
    """What holds a session beside other things."""

    session: _Record


_of_record = msgspec.json.Decoder(_Record)
_of_session = msgspec.json.Decoder(_OfSession)
