"""`/hosts/NAME/link`: keeps the link to a host up, and tells as events when it comes and goes.

A link that is lost is made again within half a minute. A machine that refuses it, such as one that
shows another key, is left alone for minutes, up to an hour, or until a person has it tried again:
asking more often changes nothing, and many machines lock out who asks too often.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.contracts.fleet import RetryLink
from command_center.actors.core.storage import Storage
from command_center.actors.hosts.link.channels import Channels, LinkEnded
from command_center.actors.hosts.link.events import LinkEvents
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.ssh.client import SshClient, SshFailed
from command_center.runtime import Actor, Backoff, handles
from command_center.store import to_timestamp

RECONNECT: Final = Backoff(initial=0.5, cap=30.0, jitter=0.5)
REFUSED: Final = Backoff(initial=60.0, cap=3600.0, jitter=0.2)
"""The wait where a machine refuses, and only a person can change that."""

CALM_SECONDS: Final = 60.0
"""A link that lived so long resets the backoff."""

_END_SECONDS: Final = 2.0


class _Ended(NamedTuple):
    """The end of an attempt or a link; refused where a person has to do something."""

    reason: str
    is_refused: bool = False


class SshLink(Actor):
    """Holds one link at a time; what is asked of the host meanwhile is refused at once."""

    def __init__(self, storage: Storage, client: SshClient, standing: Standing) -> None:
        """Reach the host by `client`, and say in `standing` how that stands."""
        self._storage = storage
        self._client = client
        self._standing = standing
        self._events: LinkEvents
        self._links = 0
        self._retry = trio.Event()

    async def on_start(self) -> None:
        """Begin to connect, without waiting for it."""
        self._events = LinkEvents(self._storage, self._standing, self.ctx)
        self.ctx.start_task(self._keep)
        self.ctx.start_task(self._events.tell_misread)

    def describe(self) -> Mapping[str, object]:
        """Show whether there is a link, and why not."""
        is_up = self._standing.link is not None
        return {"connected": is_up, "links": self._links} | (
            {}
            if is_up
            else {
                "reason": self._standing.reason,
                "refused": self._standing.is_refused,
                "nextTryAt": self._standing.next_try_at,
            }
        )

    @handles(RetryLink)
    async def retry(self, _message: RetryLink) -> None:
        """Try at once, if it waits; else go on."""
        self._retry.set()

    async def _keep(self) -> None:
        failures = 0
        was_refused = False
        while True:
            began = trio.current_time()
            self._retry = trio.Event()
            try:
                ended = await self._hold()
            finally:
                self._standing.lost("Its link was restarted.")
            is_new = ended.is_refused != was_refused
            was_refused = ended.is_refused
            is_calm = trio.current_time() - began >= CALM_SECONDS
            failures = 1 if is_calm or is_new else failures + 1
            delay = (REFUSED if ended.is_refused else RECONNECT).delay(failures)
            self._standing.next_try_at = to_timestamp(datetime.now(UTC) + timedelta(seconds=delay))
            await self._events.lost(ended.reason, is_refused=ended.is_refused)
            with trio.move_on_after(delay):
                await self._retry.wait()
            self._standing.next_try_at = None

    async def _hold(self) -> _Ended:
        """Hold one link until it is over; answers why."""
        reasons: list[str] = []
        is_refused = False
        async with trio.open_nursery() as nursery:
            try:
                link, child = await self._client.open(nursery)
            except (SshFailed, WireClosed) as failed:
                nursery.cancel_scope.cancel()
                is_refused = isinstance(failed, SshFailed) and failed.is_lasting
                return _Ended(failed.reason, is_refused)
            except OSError as error:  # such as a disk that is full
                nursery.cancel_scope.cancel()
                return _Ended(f"Its link cannot be made here: {error.strerror or error}.")
            try:
                nursery.start_soon(self._greet, link)
                await link.run()
            except LinkEnded as ended:
                reasons.append(ended.reason)
                is_refused = ended.is_lasting
            finally:
                self._standing.lost("Its link was lost.")
                await child.end(_END_SECONDS)
            nursery.cancel_scope.cancel()
        return _Ended(" ".join([*reasons, child.last_words()]).strip(), is_refused)

    async def _greet(self, link: Channels) -> None:
        """Use a link once the other end has said that it is there."""
        with contextlib.suppress(LinkEnded):
            await link.until_greeted()
            self._links += 1
            await self._events.connected(link)
