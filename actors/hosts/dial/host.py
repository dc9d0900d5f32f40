"""A host that dials out to this server."""

from __future__ import annotations

from functools import partial

import attrs

from command_center.actors.codex.ports import Codex
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.contracts.hosts import Folders
from command_center.actors.contracts.pools import Pool
from command_center.actors.core.storage import Storage
from command_center.actors.git.ports import Git
from command_center.actors.hosts.dial.keeper import DialLink
from command_center.actors.hosts.link.calling import parts_of, pool_of
from command_center.actors.hosts.link.standing import Standing
from command_center.runtime import ChildSpec
from command_center.store import StoredHost


@attrs.frozen
class DialHost:
    """Another machine, whose every part is done over there."""

    name: str
    standing: Standing
    folders: Folders
    git: Git
    codex: Codex
    pool: Pool
    actors: tuple[ChildSpec, ...]

    @property
    def absence(self) -> str | None:
        """Return why it cannot be reached now."""
        return self.standing.absence

    @property
    def agent_files(self) -> Codex:
        """Return its Codex, whose files they are."""
        return self.codex

    @classmethod
    def of(cls, record: StoredHost, storage: Storage, *, disabled: str | None) -> DialHost:
        """Make it; `disabled` says why its Codex is not reached."""
        standing = Standing(record.name, "It has not connected yet.")
        settings = BridgeSettings(transport=Transport.AUTO, disabled=disabled)
        link = ChildSpec(id="link", start=partial(DialLink, storage, standing))
        parts = parts_of(standing, settings)
        return cls(record.name, standing, *parts, pool_of(standing), (link,))
