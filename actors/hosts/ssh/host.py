"""A host that is reached over ssh."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import attrs

from command_center.actors.codex.ports import Codex
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.contracts.hosts import Folders
from command_center.actors.core.storage import Storage
from command_center.actors.git.ports import Git
from command_center.actors.hosts.link.calling import parts_of
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.ssh.address import SshAddress
from command_center.actors.hosts.ssh.client import SshClient
from command_center.actors.hosts.ssh.keeper import SshLink
from command_center.runtime import ChildSpec
from command_center.store import StoredHost


@attrs.frozen
class SshHost:
    """Another machine, whose every part is done over there."""

    name: str
    standing: Standing
    folders: Folders
    git: Git
    codex: Codex
    actors: tuple[ChildSpec, ...]
    pool: None = None

    @property
    def absence(self) -> str | None:
        """Return why it cannot be reached now."""
        return self.standing.absence

    @property
    def agent_files(self) -> Codex:
        """Return its Codex, whose files they are."""
        return self.codex

    @classmethod
    def of(
        cls, record: StoredHost, storage: Storage, folder: Path, *, disabled: str | None
    ) -> SshHost:
        """Make it; `folder` is for what ssh reads here, `disabled` why its Codex is not reached."""
        standing = Standing(record.name)
        client = SshClient(
            SshAddress.read(record.address), folder, record.data_dir, record.host_key
        )
        settings = BridgeSettings(transport=Transport.AUTO, disabled=disabled)
        folders, git, codex = parts_of(standing, settings)
        link = ChildSpec(id="link", start=partial(SshLink, storage, client, standing))
        return cls(record.name, standing, folders, git, codex, (link,))
