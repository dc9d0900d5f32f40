"""Reading answers: which are a Command Center's, and which say that one was lost."""

from __future__ import annotations

import json
from typing import Any, Final

from command_center_client.call import ApiCall
from command_center_client.errors import AnswerLost, ClientError, NotCommandCenter, NotReachable

SUCCESSES: Final = range(200, 300)

EMPTY: Final = frozenset({202, 204})
"""Successes that may have no body."""


def decoded(body: bytes) -> Any:
    """Return what JSON says, or None if it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def is_answer(status: int, body: bytes, told: object) -> bool:
    """Return True for a success as the API tells one: in JSON, or with no body where that is it."""
    return status in SUCCESSES and (told is not None or (not body and status in EMPTY))


def of_page(url: str, page: Any) -> tuple[list[Any], str | None]:
    """Return the items of a page, and where the next one begins.

    Raises:
        NotCommandCenter: it is none.
    """
    match page:
        case {"items": [*items], "nextCursor": str() | None as cursor}:
            return items, cursor
        case _:
            raise NotCommandCenter(url)


def lost(url: str, call: ApiCall[Any], problem: object) -> ClientError:
    """Return the failure of a call that was sent, and not answered: it may have been done."""
    return (NotReachable if call.method == "GET" else AnswerLost)(url, problem)
