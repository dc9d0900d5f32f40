"""The folders of a host, held by its ceiling: of what lies beyond it nothing is told."""

from __future__ import annotations

from pathlib import Path

import attrs
import trio

from command_center.actors.hosts.daemon.ceiling import BeyondCeiling, Ceiling
from command_center.actors.hosts.local.folders import LocalFolders
from command_center.actors.rules.errors import Invalid


@attrs.frozen
class HeldFolders(LocalFolders):
    """Looks at what is within the ceiling alone.

    A path that leads elsewhere is refused before the disk is asked if anything is there.
    """

    ceiling: Ceiling = attrs.field(kw_only=True)

    async def resolve(self, text: str, field: str) -> Path:
        """Follow a path to a folder within the ceiling."""
        await self._check_named(text, field)
        return await super().resolve(text, field)

    async def resolve_new(self, text: str, field: str) -> Path:
        """Say where a worktree would be, within the ceiling."""
        await self._check_named(text, field)
        return await super().resolve_new(text, field)

    async def may_have(self, path: Path) -> bool:
        """Say whether a repository may lie there."""
        return await self._is_within(path)

    async def within(self, path: Path, folder: Path) -> bool:
        """Say whether one lies in the other; nothing does beyond the ceiling."""
        return await self._is_within(path) and await super().within(path, folder)

    async def same(self, left: Path, right: Path) -> bool:
        """Say whether both lead to one thing within the ceiling; others are like nothing else."""
        return await self._is_within(left) and await super().same(left, right)

    async def size(self, path: Path) -> int:
        """Add up the bytes of a folder within the ceiling; raises `BeyondCeiling`."""
        await trio.to_thread.run_sync(self.ceiling.check_path, path)
        return await super().size(path)

    async def hidden_from(self, folder: Path, *, writes: bool) -> list[Path]:
        """Say what a shell may not read that works within the ceiling; raises `BeyondCeiling`."""
        await trio.to_thread.run_sync(self.ceiling.check_path, folder)
        return await super().hidden_from(folder, writes=writes)

    async def _check_named(self, text: str, field: str) -> None:
        if not await self._is_within(await self.expand(text, field)):
            raise Invalid.field(
                field, f"{text} lies outside the folders that repositories may be in."
            )

    async def _is_within(self, path: Path) -> bool:
        try:
            await trio.to_thread.run_sync(self.ceiling.check_path, path)
        except (BeyondCeiling, OSError, ValueError, RuntimeError):
            return False
        return True
