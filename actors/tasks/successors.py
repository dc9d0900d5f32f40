"""The sessions that follow others: a word said, comments, a review, conflicts to be resolved."""

from __future__ import annotations

from typing import Literal

import attrs
from sqlite_utils import Database

from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.comments import SendComments, SentComments
from command_center.actors.contracts.landing import MarkConflicts, ResolveConflicts, Resolving
from command_center.actors.contracts.messages import Said, SayNext
from command_center.actors.contracts.reviews import ReviewWork
from command_center.actors.contracts.tasks import RunOutcome
from command_center.actors.contracts.worktrees import FindFolder
from command_center.actors.ledger.comments import send_comments
from command_center.actors.ledger.reviews import begin_review
from command_center.actors.ledger.successors import newest_in_thread, newest_of_task, say, say_next
from command_center.actors.ledger.uploads import attached
from command_center.actors.sessions.prompts import words_of_conflicts
from command_center.actors.sessions.services import SessionServices
from command_center.actors.tasks.runs import GIT_SECONDS
from command_center.actors.tasks.session_starts import SessionStarts
from command_center.runtime import Context
from command_center.store import Session, Transaction, sessions
from command_center.store.records import Runner


@attrs.frozen
class Successors:
    """Begins the sessions that follow others, or queues what they are to say."""

    _ctx: Context
    _services: SessionServices
    _runner: Runner
    _starts: SessionStarts

    async def say_next(self, message: SayNext) -> Said:
        """Say something in the next turn of a session's thread."""
        session_id, wanted = message.session_id, message.wanted

        def look_up(db: Database) -> tuple[Session, Session]:
            session = sessions.get(db, session_id)
            return session, newest_in_thread(db, session)

        session, newest = await self._services.storage.read(look_up)
        if session.finished_at is not None:
            await self._check_folder(newest)

        def write(tx: Transaction) -> Said:
            followup, told = say_next(
                tx,
                session_id,
                message=wanted.message,
                actor=wanted.requested_by,
                approval_seconds=self._services.approval_seconds,
                attachments=attached(tx, wanted.attachments),
            )
            how: Literal["followup", "continue"] = "continue" if followup is None else "followup"
            return Said(how=how, session=told, followup=followup)

        said = await self._services.storage.write(write)
        if said.followup is None:
            await self._starts.start(said.session.id)
        return said

    async def send_comments(self, message: SendComments) -> SentComments:
        """Say all open comments in the next turn."""
        await self._check_folder(
            await self._services.storage.read(lambda db: newest_of_task(db, message.session_id))
        )
        sent = await self._services.storage.write(
            lambda tx: send_comments(
                tx,
                message.session_id,
                actor=message.requested_by,
                approval_seconds=self._services.approval_seconds,
            )
        )
        if sent.followup is None:
            await self._starts.start(sent.session.id)
        return sent

    async def review(self, message: ReviewWork) -> RunOutcome:
        """Begin a session that reviews what another has changed."""
        session_id = message.session_id
        await self._check_folder(
            await self._services.storage.read(lambda db: sessions.get(db, session_id))
        )
        return await self._starts.begin(
            lambda tx: begin_review(
                tx,
                message.session_id,
                message.wanted,
                runner=self._runner,
                approval_seconds=self._services.approval_seconds,
            )
        )

    async def resolve_conflicts(self, message: ResolveConflicts) -> Resolving:
        """Mark the conflicts in the folder, and ask for their resolution."""
        marking = MarkConflicts(message.session_id, message.wanted)
        merge = await self._ctx.lookup(REPOSITORIES).ask(marking, timeout=GIT_SECONDS)

        def write(tx: Transaction) -> Resolving:
            followup, told = say(
                tx,
                newest_of_task(tx.db, message.session_id),
                message=words_of_conflicts(merge),
                actor=message.wanted.requested_by,
                approval_seconds=self._services.approval_seconds,
            )
            return Resolving(merge=merge, followup=followup, session=told)

        resolving = await self._services.storage.write(write)
        if resolving.followup is None:
            await self._starts.start(resolving.session.id)
        return resolving

    async def _check_folder(self, newest: Session) -> None:
        """See that the turn after a session has a folder, where it may begin now.

        Raises:
            Conflict: its worktree is gone and cannot be made again.
        """
        if newest.finished_at is not None and newest.codex_thread_id is not None:
            ask = FindFolder(newest.repository_id, None, newest.cwd)
            await self._ctx.lookup(REPOSITORIES).ask(ask, timeout=GIT_SECONDS)
