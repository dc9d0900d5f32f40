"""Idempotency-Key: a POST that is sent again, because its answer was lost, is not done again.

The key is claimed durably before the request is carried out, and the answer is kept beside it for
a day. The same request under the same key is then given the same answer; another request is 422.
While the first is still being answered, the same request is 409 with Retry-After. Refusals are not
kept, since they did nothing: the key is free again. Each device has keys of its own.

The answer is noted in the transaction that carries the request out (the unit whose value is of the
operation's answer type), not after it. So what the server's end cut off is known when it is sent
again: either there is the answer, or nothing was committed and it is carried out now. What acts
outside of the database before it commits notes its `OutsideAct` first; carried out again, it looks
whether that was done. What was begun by one transaction and lacks the one that answers is 409,
unless it `is_repeatable`, until the log tells what came of it (`outcome_of`). So is, until the
server's end, what failed in a way that does not tell whether something was done.
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

from command_center.actors.core.storage import OutsideAct, RequestOrigin, Storage
from command_center.actors.rules.errors import Unconfirmed
from command_center.http.wire.caller import caller_of
from command_center.http.wire.codec import encode
from command_center.http.wire.operation import Operation, View
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
from command_center.runtime import Refusal, origin
from command_center.store import Transaction
from command_center.store.idempotency_keys import (
    Kept,
    answered,
    claim,
    keep,
    note_answer,
    note_event,
    note_intent,
    release,
)

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

    def once(self, operation: Operation, view: View) -> View:
        """Return an operation's view, carried out once for each key."""

        async def answer_once(**arguments: Any) -> Response:
            key = request.headers.get(HEADER)
            if key is None:
                return await view(**arguments)
            if not _KEY.fullmatch(key):
                message = "Expected 1 to 255 printable ASCII characters."
                raise InvalidFields(f"{HEADER}: {message}", [Detail(path=HEADER, message=message)])
            key = caller_of(request.scope).key_of(key)
            hashed = await _hash()
            try:
                kept = await self.storage.write(
                    lambda tx: claim(
                        tx,
                        key,
                        hashed,
                        self._instance,
                        again_when_begun=operation.is_repeatable,
                    )
                )
            except Unconfirmed:
                self.lost.add(key)
                raise
            if isinstance(kept, Kept):
                return await self._again(operation, key, kept)
            self.lost.discard(key)
            notes = _Notes(key, operation)
            origin.set(RequestOrigin.of(origin.get(), note=notes, intent=kept.intent))
            return await _carry_out(partial(view, **arguments), notes, self.storage, self.lost)

        return answer_once

    async def _again(self, operation: Operation, key: str, kept: Kept) -> Response:
        """Answer a request whose key was claimed before."""
        if not kept.is_same:
            raise KeyReused(_sent(key))
        if kept.state != "answered":
            is_cut = kept.state == "cut_off"
            if not is_cut and key not in self.lost:
                raise KeyInUse(_sent(key))
            kept = await self._settled(operation, key, kept)
            if kept.state != "answered":
                is_awaited = kept.event_id is not None and operation.outcome_of is not None
                raise KeyLost(
                    _sent(key), is_cut=is_cut, event_id=kept.event_id, is_awaited=is_awaited
                )
        return TrioResponse(
            kept.body, status=kept.status, content_type=JSON, headers={REPLAYED: "true"}
        )

    async def _settled(self, operation: Operation, key: str, kept: Kept) -> Kept:
        """Keep what the log says by now came of a request that was begun, and return it.

        A refusal is raised, and leaves the key free.
        """
        event_id, outcome_of = kept.event_id, operation.outcome_of
        if event_id is None or outcome_of is None:
            return kept

        def settle(tx: Transaction) -> Kept | Refusal:
            outcome = outcome_of(tx.db, event_id)
            if outcome is None:
                return kept
            if isinstance(outcome, Refusal):
                release(tx, key)
                return outcome
            note_answer(tx, key, operation.status_of(outcome), encode(outcome))
            return answered(tx, key)

        settled = await self.storage.write(settle)
        if isinstance(settled, Refusal):
            raise settled
        return settled


@attrs.define(eq=False)
class _Notes:
    """Notes what is committed for a request under its key, until the request is settled."""

    key: str
    _operation: Operation
    is_open: bool = True

    def __call__(self, tx: Transaction, value: object) -> None:
        """Note a unit's value if it is the answer or an intent, else the first of its events."""
        if not self.is_open:
            return
        if isinstance(value, OutsideAct):
            note_intent(tx, self.key, encode(value))
        elif self._operation.is_answer(value):
            note_answer(tx, self.key, self._operation.status_of(value), encode(value))
        elif tx.first_event_id is not None:
            note_event(tx, self.key, tx.first_event_id)


async def _carry_out(
    view: Callable[[], Awaitable[Response]], notes: _Notes, storage: Storage, lost: set[str]
) -> Response:
    """Answer, and have the answer kept before it is sent."""
    key = notes.key
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
                notes.is_open = False
                await storage.write(lambda tx: release(tx, key))
                is_settled = True
    finally:
        if is_settled:
            notes.is_open = False
        else:
            lost.add(key)
    return answer


def _sent(key: str) -> str:
    """Return a key as its caller sent it."""
    return key.rpartition(" ")[2]


async def _hash() -> str:
    """Return what makes two requests the same: a hash of the method, the target and the body."""
    target = f"{request.method} {request.path}?{request.query_string.decode('latin-1')}\n"
    body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    return hashlib.sha256(target.encode() + body).hexdigest()
