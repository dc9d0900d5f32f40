"""Tidying up: worktrees of runs whose tasks are done are deleted once no turn runs in them."""

from __future__ import annotations

import itertools
from typing import Final

import attrs
import structlog
import trio

from command_center.actors.contracts.far_answers import spared
from command_center.actors.contracts.worktrees import TidyWorktrees
from command_center.actors.repositories.cleanup import WorktreeCleaning
from command_center.actors.repositories.discards import Discards
from command_center.actors.repositories.snapshots import Snapshots
from command_center.actors.rules.errors import Unavailable
from command_center.runtime import Backoff, Context, Refusal

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

TIDY: Final = Backoff(initial=0.5, cap=60.0)
"""The pauses between two attempts, while it cannot be said where turns run, or turns run."""


@attrs.frozen
class Tidying:
    """Tidies up repositories: now, or later where a turn runs, or may run."""

    _ctx: Context
    _cleaning: WorktreeCleaning
    _discards: Discards
    _snapshots: Snapshots
    _later: set[int] = attrs.field(factory=set, init=False)
    """The repositories that are tidied up once it can be said where turns run."""

    async def tidy(self, message: TidyWorktrees) -> None:
        """Tidy up; later, where a turn runs that somebody else began, or may run."""
        key = message.repository_id
        if not await self._is_tidied(key) and key not in self._later:
            self._later.add(key)
            self._ctx.start_task(spared, self._tidy_later, key)

    async def _tidy_later(self, repository_id: int) -> None:
        for attempt in itertools.count(1):
            await trio.sleep(TIDY.delay(attempt))
            if await self._is_tidied(repository_id):
                break
        self._later.discard(repository_id)

    async def _is_tidied(self, repository_id: int) -> bool:
        """Tidy up; log what cannot be tidied up, such as a repository that is gone."""
        try:
            await self._cleaning.tidy(TidyWorktrees(repository_id))
            await self._discards.expire(repository_id)
            await self._snapshots.tidy(repository_id)
        except Unavailable as error:
            log.info("worktrees.later", repository=repository_id, reason=str(error))
            return False
        except Refusal as error:
            log.info("worktrees.untidy", repository=repository_id, reason=str(error))
        return True
