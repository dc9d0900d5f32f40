"""The host `local`: this machine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import attrs

from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.hosts.local.folders import LocalFolders
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram
from command_center.actors.hosts.local.tailscale import Tailscale, TailscaleSettings
from command_center.runtime import ChildSpec
from command_center.store.records import LOCAL


@attrs.frozen
class LocalHost:
    """This machine, by whatever name it is known."""

    folders: LocalFolders
    git: LocalGit
    codex: LocalCodex
    name: str = LOCAL
    actors: tuple[ChildSpec, ...] = ()
    absence: str | None = None
    standing: None = None
    pool: None = None

    @property
    def agent_files(self) -> LocalCodex:
        """Return the Codex, whose files they are."""
        return self.codex

    @classmethod
    def of(
        cls,
        data_dir: Path,
        codex: BridgeSettings,
        *,
        roots: tuple[Path, ...] = (),
        environment: Mapping[str, str] | None = None,
        name: str = LOCAL,
        tailscale: TailscaleSettings | None = None,
    ) -> LocalHost:
        """Make it.

        Args:
            data_dir: a folder of the server's alone, for worktrees and for what git needs.
            codex: which Codex it has.
            roots: where its repositories may be; anywhere if empty.
            environment: what git inherits a few variables of; this process's if None.
            name: what repositories have as `host`.
            tailscale: the way from outside that Tailscale makes, if it is wanted.
        """
        home = data_dir / "git-work"
        program = (
            GitProgram(home) if environment is None else GitProgram(home, inherited=environment)
        )
        actors = (
            ()
            if tailscale is None
            else (ChildSpec(id="tailscale", start=partial(Tailscale, tailscale)),)
        )
        folders = LocalFolders(data_dir, roots, private=("backups", "ssh", "updates"))
        return cls(folders, LocalGit(program), LocalCodex(codex), name, actors)
