"""Sessions of clients: what a client has after `initialize`, and names in each request.

A session's id says itself what it is: the revision that was agreed upon, and whose it is, signed by
the server. So nothing is kept for each, and a client may go on after a restart of the server. What
is kept are the requests that can be cancelled, and the newest sessions that were ended.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio

from command_center.http.wire.caller import Caller
from command_center.http.wire.mcp import (
    INVALID_REQUEST,
    SESSION_HEADER,
    VERSION_HEADER,
    VERSIONS,
    RequestFailed,
    RequestId,
)
from command_center.http.wire.problems import Refused

ENDED_KEPT = 1000
"""Sessions that are remembered to have ended; an older one would count again."""

MOST_RUNNING = 32
"""Requests that take their time, of one device at once."""


@attrs.frozen
class McpSession:
    """One client's session.

    Attributes:
        id: as the client names it.
        version: the revision of the protocol that it speaks.
        device_id: whose it is; None for who needs to be no device.
    """

    id: str
    version: str
    device_id: int | None = None


@attrs.define(eq=False)
class Running:
    """A request that takes its time, step by step, and can be cancelled meanwhile.

    Attributes:
        is_cancelled: nobody waits for its answer any more.
    """

    is_cancelled: bool = False
    _step: trio.CancelScope | None = None

    def cancel(self) -> None:
        """End the step in hand."""
        self.is_cancelled = True
        if self._step is not None:
            self._step.cancel()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Do a step, which `cancel` ends."""
        with trio.CancelScope() as self._step:
            yield
        self._step = None


@attrs.define(eq=False)
class McpSessions:
    """The sessions that count."""

    _key: bytes = attrs.field(repr=False)
    _ended: OrderedDict[str, None] = attrs.field(factory=OrderedDict, init=False)
    _running: dict[tuple[McpSession, RequestId], Running] = attrs.field(factory=dict, init=False)

    def begin(self, caller: Caller, version: str) -> McpSession:
        """Return a new session of a caller; a revision that is not spoken becomes the newest."""
        version = version if version in VERSIONS else VERSIONS[-1]
        head = f"{version}.{secrets.token_urlsafe(12)}"
        return McpSession(f"{head}.{self._mac(head, caller)}", version, caller.device_id)

    def find(self, caller: Caller, given: str | None, version: str | None) -> McpSession:
        """Return the session that a request names.

        Raises:
            Refused: 400 without one, or with another revision than its own; 404 for one that is
                not this caller's, or has ended. Then the client is to call `initialize` again.
        """
        if given is None:
            raise Refused(
                400, f'Call "initialize" first, and send the {SESSION_HEADER} of its answer.'
            )
        head, _, mac = given.rpartition(".")
        if given in self._ended or not hmac.compare_digest(
            mac.encode(), self._mac(head, caller).encode()
        ):
            raise Refused(404, 'This session has ended. Call "initialize" for another one.')
        agreed = head.partition(".")[0]
        if version not in {None, agreed}:
            raise Refused(
                400, f"{VERSION_HEADER} names another revision than was agreed upon: {agreed}."
            )
        return McpSession(given, agreed, caller.device_id)

    def end(self, session: McpSession) -> None:
        """End a session, and what runs in it."""
        self._ended[session.id] = None
        while len(self._ended) > ENDED_KEPT:
            self._ended.popitem(last=False)
        for (owner, _), running in self._running.items():
            if owner == session:
                running.cancel()

    @contextmanager
    def serving(self, session: McpSession, request_id: RequestId) -> Iterator[Running]:
        """Serve a request that ends by `cancel`, or with its session.

        Raises:
            RequestFailed: another one of this id goes on in the session.
            Refused: too many of this device's go on.
        """
        if (session, request_id) in self._running:
            raise RequestFailed(
                INVALID_REQUEST, f"A request with the id {request_id!r} is still being answered."
            )
        if sum(one.device_id == session.device_id for one, _ in self._running) >= MOST_RUNNING:
            raise Refused(
                429, f"{MOST_RUNNING} waits of this device go on already. End one of them first."
            )
        running = self._running[session, request_id] = Running()
        try:
            yield running
        finally:
            del self._running[session, request_id]

    def cancel(self, session: McpSession, request_id: RequestId) -> None:
        """Cancel a request; one that has ended, or was never sent, is left alone."""
        if running := self._running.get((session, request_id)):
            running.cancel()

    def _mac(self, head: str, caller: Caller) -> str:
        said = f"mcp session\n{caller.device_id}\n{head}"
        return hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()[:32]
