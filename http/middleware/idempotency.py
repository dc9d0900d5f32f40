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
from typing import Any

import attrs
import trio
from quart import Response, request
from quart.wrappers.response import DataBody
from quart_trio.wrappers import TrioResponse

from command_center.actors.core.storage import Storage
from command_center.actors.rules.errors import Unconfirmed
from command_center.http.wire.operation import View
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

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

KEEP_SECONDS = 5.0
"""Seconds that the server's end waits for an answer to be kept."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@attrs.frozen(eq=False)
class IdempotencyKeys:
    """The keys of one life of the server.

    Attributes:
        lost: the keys whose request ended in this life with no answer that is kept. Any other key
            that has only begun is under way, or got its answer while it was looked up.
    """

    storage: Storage
    lost: set[str] = attrs.field(factory=set, init=False)
    _instance: str = attrs.field(factory=lambda: uuid.uuid4().hex, init=False)

    def once(self, view: View) -> View:
        """Return the view, carried out once for each key."""

        async def answered(**arguments: Any) -> Response:
            key = request.headers.get(HEADER)
            if key is None:
                return await view(**arguments)
            if not _KEY.fullmatch(key):
                message = "Expected 1 to 255 printable ASCII characters."
                raise InvalidFields(f"{HEADER}: {message}", [Detail(path=HEADER, message=message)])
            hashed = await _hash()
            try:
                kept = await self.storage.write(lambda tx: claim(tx, key, hashed, self._instance))
            except Unconfirmed:
                self.lost.add(key)
                raise
            if kept is not None:
                return _again(key, kept, is_lost=key in self.lost)
            self.lost.discard(key)
            return await _carry_out(partial(view, **arguments), key, self.storage, self.lost)

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
    """Return what makes two requests the same: a hash of the method, the target and the body."""
    target = f"{request.method} {request.path}?{request.query_string.decode('latin-1')}\n"
    body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    return hashlib.sha256(target.encode() + body).hexdigest()
