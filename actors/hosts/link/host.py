"""A host whose every part is done on another machine, over whichever link leads there."""

from __future__ import annotations

from typing import Self

import attrs

from command_center.actors.codex.ports import Codex
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.contracts.hosts import Folders, ProgramTree
from command_center.actors.contracts.pools import Pool
from command_center.actors.git.ports import Git
from command_center.actors.hosts.link.calling import parts_of
from command_center.actors.hosts.link.standing import Standing
from command_center.runtime import ChildSpec


@attrs.frozen
class LinkedHost:
    """Another machine. `link` is the actor that keeps its `standing`.

    Those that run a program of ours have a `pool`, and a `tree` of its actors.
    `beside` are further actors that it needs.
    """

    standing: Standing
    folders: Folders
    git: Git
    codex: Codex
    link: ChildSpec
    pool: Pool | None = None
    tree: ProgramTree | None = None
    beside: tuple[ChildSpec, ...] = ()

    @classmethod
    def over(
        cls,
        standing: Standing,
        link: ChildSpec,
        *,
        disabled: str | None,
        pool: Pool | None = None,
        tree: ProgramTree | None = None,
    ) -> Self:
        """Make it of its link; `disabled` says why its Codex is not reached."""
        settings = BridgeSettings(transport=Transport.AUTO, disabled=disabled)
        return cls(standing, *parts_of(standing, settings), link, pool, tree)

    @property
    def name(self) -> str:
        """Return its name."""
        return self.standing.name

    @property
    def absence(self) -> str | None:
        """Return why it cannot be reached now."""
        return self.standing.absence

    @property
    def agent_files(self) -> Codex:
        """Return its Codex, whose files they are."""
        return self.codex

    @property
    def actors(self) -> tuple[ChildSpec, ...]:
        """Return what keeps its link, and what else it needs."""
        return (self.link, *self.beside)
