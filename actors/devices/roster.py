"""The roster: every device that is let in, in memory, for who has to know at each request.

`/devices` is the only one to change it, after each commit; whoever asks needs to wait for nothing.
A device's streams are registered here while they are open, so that they end with its access.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs
import trio

from command_center.actors.core.clock import seconds_until
from command_center.actors.rules.agent_limits import AgentLimits, limits_of
from command_center.store import Device, Scope, now_timestamp

TOKEN_PREFIX = "ccd_"  # noqa: S105 - the beginning of every token, and no secret
"""The beginning of a device's token, by which one is known in a log."""


def new_token() -> str:
    """Make a token: 256 random bits, after a prefix by which it is known."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


@attrs.define(eq=False)
class Admitted:
    """A device that is let in.

    Attributes:
        limits: of an agent's; None for any other.
        token_hash: what is kept of its token; a paired device has one that nobody knows.
        seen: when its last request came, and from where; None before the first.
    """

    id: int
    name: str
    scopes: frozenset[Scope]
    expires_at: str | None
    token_hash: str = attrs.field(repr=False)
    limits: AgentLimits | None = None
    seen: tuple[str, str] | None = None
    _streams: set[trio.CancelScope] = attrs.field(factory=set, init=False, repr=False)

    def __str__(self) -> str:
        """Return it as events name it: `device:7 "Phone"`."""
        return f"device:{self.id} {json.dumps(self.name, ensure_ascii=False)}"

    @property
    def has_expired(self) -> bool:
        """Return True from its expiry on."""
        return self.expires_at is not None and seconds_until(self.expires_at) <= 0

    def add_stream(self, scope: trio.CancelScope) -> None:
        """Have what runs in `scope` end with the device's access, or with a change of it."""
        if self.expires_at is not None:
            scope.deadline = trio.current_time() + max(0.0, seconds_until(self.expires_at))
        self._streams.add(scope)

    def drop_stream(self, scope: trio.CancelScope) -> None:
        """Leave a stream that has ended alone."""
        self._streams.discard(scope)

    def end_streams(self) -> None:
        """End the streams that are open."""
        for scope in tuple(self._streams):
            scope.cancel()


@attrs.define(eq=False)
class Roster:
    """The devices that are let in."""

    _by_id: dict[int, Admitted] = attrs.field(factory=dict, init=False)
    _by_hash: dict[str, Admitted] = attrs.field(factory=dict, init=False)
    _unsaved: set[int] = attrs.field(factory=set, init=False)
    _of_no_device: set[trio.CancelScope] = attrs.field(factory=set, init=False)
    on_seen: Callable[[], None] | None = attrs.field(default=None, init=False)
    """Told when there is something to be saved of who was seen."""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_id)

    def by_token(self, token: str) -> Admitted | None:
        """Return the device whose token that is, expired or not."""
        return self._by_hash.get(hash_of(token))

    def by_id(self, device_id: int) -> Admitted | None:
        """Return a device, expired or not; None for one that is not let in."""
        return self._by_id.get(device_id)

    @contextlib.contextmanager
    def access_of(self, device_id: int | None) -> Iterator[trio.CancelScope]:
        """Have what runs in this context end with a device's access, or when it signs out.

        None stands for who needs to be no device.
        """
        with trio.CancelScope() as scope:
            device = None if device_id is None else self._by_id.get(device_id)
            if device is not None:
                device.add_stream(scope)
            elif device_id is None:
                self._of_no_device.add(scope)
            else:
                scope.cancel()
            try:
                yield scope
            finally:
                self._of_no_device.discard(scope)
                if device is not None:
                    device.drop_stream(scope)

    def sign_out(self, device_id: int | None) -> None:
        """End what runs for a device, as a browser of it is let in no more."""
        if device_id is None:
            for scope in tuple(self._of_no_device):
                scope.cancel()
        elif (device := self._by_id.get(device_id)) is not None:
            device.end_streams()

    def note_seen(self, device: Admitted, address: str) -> None:
        """Note that a request of it came; it is written later."""
        device.seen = (now_timestamp(), address)
        self._unsaved.add(device.id)
        if self.on_seen is not None:
            self.on_seen()

    def take_unsaved(self) -> list[Admitted]:
        """Return the devices that were seen since the last time this was asked."""
        taken, self._unsaved = self._unsaved, set()
        return [device for id_ in sorted(taken) if (device := self._by_id.get(id_)) is not None]

    def put(self, device: Device, token_hash: str | None = None) -> None:
        """Let a device in, or let what changed of it count. Its streams end if its access changed.

        Args:
            device: as it is stored.
            token_hash: of a device that was not in the roster.
        """
        known = self._by_id.get(device.id)
        if known is None:
            if token_hash is None:
                return
            known = Admitted(
                device.id,
                device.name,
                frozenset(device.scopes),
                device.expires_at,
                token_hash,
                limits_of(device.limits),
            )
            self._by_id[device.id] = self._by_hash[token_hash] = known
            if device.last_seen_at is not None:
                known.seen = (device.last_seen_at, device.last_seen_from or "")
            return
        before = (known.scopes, known.expires_at, known.limits)
        known.name = device.name
        known.scopes, known.expires_at = frozenset(device.scopes), device.expires_at
        known.limits = limits_of(device.limits)
        if before != (known.scopes, known.expires_at, known.limits):
            known.end_streams()

    def remove(self, device_id: int) -> None:
        """Let a device in no more, and end its streams."""
        known = self._by_id.pop(device_id, None)
        if known is not None:
            del self._by_hash[known.token_hash]
            known.end_streams()

    def load(self, stored: Iterable[Device], hashes: Mapping[int, str]) -> None:
        """Hold exactly these devices; those that are not among them are removed."""
        found = {device.id: device for device in stored if device.id in hashes}
        for gone in self._by_id.keys() - found.keys():
            self.remove(gone)
        for device in found.values():
            self.put(device, hashes[device.id])
