"""Idempotency-Key: a POST that is sent again, because its answer was lost, is not done again.

The key is claimed durably before the request is carried out, and the answer is kept beside it for
a day. The same request under the same key is then given the same answer; another request is 422.
While the first is still being answered, the same request is 409 with Retry-After. Refusals are not
kept, since they did nothing: the key is free again. What failed in a way that does not tell whether
something was done, or was cut off by the server's end, is never done again under its key: that is
409, too, and a person has to look.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import trio
from quart import Quart, Response, request
from quart.wrappers.response import DataBody
from quart_trio.wrappers import TrioResponse

from command_center.actors.core.storage import Storage
from command_center.actors.rules.errors import Unconfirmed
from command_center.http.wire.problems import (
    JSON,
    Detail,
    InvalidFields,
    KeyInUse,
    KeyLost,
    KeyReused,
    error_response,
    problem_of,
)
from command_center.store.idempotency_keys import Kept, claim, keep, release

View = Callable[..., Awaitable[Response]]

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

KEEP_SECONDS = 5.0
"""How long the server's end waits for an answer to be kept."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_WITHOUT = frozenset({"signin", "telegram"})
"""Blueprints whose POSTs are no acts that a client repeats."""


def install_idempotency(app: Quart, storage: Storage) -> None:
    """Let every POST of `app` take a key."""
    instance = uuid.uuid4().hex
    lost: set[str] = set()
    for rule in app.url_map.iter_rules():
        blueprint = str(rule.endpoint).partition(".")[0]
        if "POST" in (rule.methods or ()) and blueprint not in _WITHOUT:
            view = cast("View", app.view_functions[rule.endpoint])
            app.view_functions[rule.endpoint] = _once(view, storage, instance, lost)


def _once(view: View, storage: Storage, instance: str, lost: set[str]) -> View:
    """The view, carried out once for each key.

    `lost` has the keys whose request ended in this life with no answer that is kept. Any other key
    that has only begun is under way, or got its answer while it was looked up.
    """

    async def answered(**arguments: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return await view(**arguments)
        if not _KEY.fullmatch(key):
            message = "Expected 1 to 255 printable ASCII characters."
            raise InvalidFields(f"{HEADER}: {message}", [Detail(path=HEADER, message=message)])
        hashed = await _hash()
        try:
            kept = await storage.write(lambda tx: claim(tx, key, hashed, instance))
        except Unconfirmed:
            lost.add(key)
            raise
        if kept is not None:
            return _again(key, kept, is_lost=key in lost)
        lost.discard(key)
        return await _carry_out(partial(view, **arguments), key, storage, lost)

    return answered


async def _carry_out(
    view: Callable[[], Awaitable[Response]], key: str, storage: Storage, lost: set[str]
) -> Response:
    """Answer, and have the answer kept before it is sent."""
    try:
        answer = await view()
    except Exception as error:  # noqa: BLE001 - it becomes an answer here, as it would outside
        answer = error_response(problem_of(error))
    body = answer.response
    assert isinstance(body, DataBody)  # noqa: S101 - a POST is answered in one piece
    status = answer.status_code
    is_settled = False
    try:
        with trio.move_on_after(KEEP_SECONDS, shield=True):
            if status < 400:  # noqa: PLR2004 - the border between answers and refusals
                await storage.write(lambda tx: keep(tx, key, status, body.data))
                is_settled = True
            elif status < 500:  # noqa: PLR2004 - the border between refusals and failures
                await storage.write(lambda tx: release(tx, key))
                is_settled = True
    finally:
        if not is_settled:
            lost.add(key)
    return answer


def _again(key: str, kept: Kept, *, is_lost: bool) -> Response:
    if not kept.is_same:
        raise KeyReused(key)
    if kept.state == "unknown" or (kept.state == "begun" and is_lost):
        raise KeyLost(key, is_cut=kept.state == "unknown")
    if kept.state == "begun":
        raise KeyInUse(key)
    return TrioResponse(
        kept.body, status=kept.status, content_type=JSON, headers={REPLAYED: "true"}
    )


async def _hash() -> str:
    """What makes two requests the same: the method, the target and the body."""
    target = f"{request.method} {request.path}?{request.query_string.decode('latin-1')}\n"
    body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    return hashlib.sha256(target.encode() + body).hexdigest()
