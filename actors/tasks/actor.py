"""`/tasks`: what somebody wants done, and the sessions that do it.

Creating and changing tasks are single transactions. A run is one too: the session, its approvals
and all their events are committed together, and only then is the session's actor started. Should
the process end in between, `on_start` finds every session that has no actor and starts it.
"""

from __future__ import annotations

from command_center.actors.contracts.addresses import session_at
from command_center.actors.contracts.comments import ChangeComment, SendComments, SentComments
from command_center.actors.contracts.landing import ResolveConflicts, Resolving
from command_center.actors.contracts.leases import ReassignRun
from command_center.actors.contracts.messages import Said, SayNext
from command_center.actors.contracts.reviews import ReviewWork
from command_center.actors.contracts.runners import RUNNERS, needs_threads
from command_center.actors.contracts.sessions import SessionCommitted, StopSession
from command_center.actors.contracts.spending import ChangeSpending, Spending
from command_center.actors.contracts.tasks import (
    ChangeFollowup,
    CheckPolicy,
    CreateSession,
    CreateTask,
    EnsureSession,
    PatchTask,
    PromptThread,
    QueueFollowup,
    RunOutcome,
    RunTask,
    check_texts,
)
from command_center.actors.contracts.threads import AgentThreads
from command_center.actors.ledger.comments import change_comment
from command_center.actors.ledger.spending import change_spending
from command_center.actors.ledger.successors import change_followup, queue_followup
from command_center.actors.ledger.tasks import create_task, patch_task
from command_center.actors.ledger.uploads import attached
from command_center.actors.rules.policy import PolicyResult
from command_center.actors.rules.preconditions import only_if
from command_center.actors.sessions.services import SessionServices
from command_center.actors.tasks.runs import Runs
from command_center.actors.tasks.session_starts import SessionStarts
from command_center.actors.tasks.successors import Successors
from command_center.runtime import Actor, Deferred, handles
from command_center.store import Comment, Followup, Session, Task, sessions
from command_center.store.records import Runner


class Tasks(Actor):
    """Keeps tasks, and sees to it that each live session has its actor."""

    def __init__(self, services: SessionServices, threads: AgentThreads, *, runner: Runner) -> None:
        """Give new sessions `runner`, whose threads these are, and their actors `services`."""
        self._services = services
        self._threads = threads
        self._storage = services.storage
        self._runner: Runner = runner
        self._starts: SessionStarts
        self._runs: Runs
        self._successors: Successors

    async def on_start(self) -> None:
        """Start the actor of each session that has none: after a crash, of all that live."""
        ctx, services, runner = self.ctx, self._services, self._runner
        self._starts = starts = SessionStarts(ctx, services)
        self._runs = Runs(ctx, services, self._threads, runner, starts)
        self._successors = Successors(ctx, services, runner, starts)
        await starts.start_missing()
        ctx.start_task(starts.keep_starting)

    @handles(CreateTask)
    async def create(self, message: CreateTask) -> Deferred[Task]:
        """Answer once the task is committed; the next message is not kept waiting for it."""
        check_texts(title=message.title, prompt=message.prompt)
        return self._storage.answer(self.ctx, lambda tx: create_task(tx, message))

    @handles(PatchTask)
    async def patch(self, message: PatchTask) -> Deferred[Task]:
        """Answer once the change is committed; cancelling stops the task's sessions."""
        changes = message.changes
        check_texts(
            **{
                name: value
                for name in ("title", "prompt")
                if isinstance(value := getattr(changes, name), str)
            }
        )
        return self.ctx.answer_later(self._patch, message)

    async def _patch(self, message: PatchTask) -> Task:
        task = await self._storage.write(
            only_if(
                message.condition,
                lambda tx: patch_task(tx, message.task_id, message.changes),
            )
        )
        if task.status == "cancelled":
            request = StopSession(
                reason="Its task was cancelled.", requested_by=message.changes.requested_by
            )
            for session in await self._storage.read(
                lambda db: sessions.every(
                    db, {"task_id": task.id, "finished_at": None}, texts=False
                )
            ):
                ref = self.ctx.find(session_at(session.id))
                if ref is not None:
                    self.ctx.start_task(ref.tell, request)  # one that is slow holds up no other
        return task

    @handles(CheckPolicy)
    async def check(self, message: CheckPolicy) -> Deferred[PolicyResult]:
        """Judge a run as `RunTask` would, and change nothing."""
        return self.ctx.answer_later(self._runs.check, message)

    @handles(CreateSession)
    async def create_session(self, message: CreateSession) -> Deferred[Session]:
        """Answer once the session is committed and has its actor."""
        return self.ctx.answer_later(self._runs.create_session, message)

    @handles(RunTask)
    async def run(self, message: RunTask) -> Deferred[RunOutcome]:
        """Answer once the run is committed, queued or blocked, and its actor is there."""
        return self.ctx.answer_later(self._runs.run, message)

    @handles(PromptThread)
    async def prompt(self, message: PromptThread) -> Deferred[RunOutcome]:
        """Answer once the session is committed, and its actor is there."""
        if not RUNNERS[self._runner].has_threads:
            raise needs_threads(self._runner)
        check_texts(prompt=message.wanted.prompt)
        return self.ctx.answer_later(self._runs.prompt, message)

    @handles(QueueFollowup)
    async def queue_followup(self, message: QueueFollowup) -> Deferred[Followup]:
        """Answer once it is committed."""
        check_texts(message=message.text.message)
        return self._storage.answer(
            self.ctx,
            lambda tx: queue_followup(
                tx,
                message.session_id,
                message=message.text.message,
                actor=message.text.requested_by,
                attachments=attached(tx, message.attachments),
            ),
        )

    @handles(ChangeSpending)
    async def change_spending(self, message: ChangeSpending) -> Deferred[Spending]:
        """Answer once it is committed."""
        return self._storage.answer(self.ctx, lambda tx: change_spending(tx, message.changes))

    @handles(SayNext)
    async def say_next(self, message: SayNext) -> Deferred[Said]:
        """Answer once it is committed, and the session that says it has its actor."""
        check_texts(message=message.wanted.message)
        return self.ctx.answer_later(self._successors.say_next, message)

    @handles(ChangeFollowup)
    async def change_followup(self, message: ChangeFollowup) -> Deferred[Followup]:
        """Answer once it is committed."""
        text = message.text
        if text is not None:
            check_texts(message=text.message)
        return self._storage.answer(
            self.ctx,
            only_if(
                message.condition,
                lambda tx: change_followup(
                    tx,
                    message.followup_id,
                    message=None if text is None else text.message,
                    actor=message.requested_by if text is None else text.requested_by,
                ),
            ),
        )

    @handles(ChangeComment)
    async def change_comment(self, message: ChangeComment) -> Deferred[Comment]:
        """Answer once it is committed."""
        text = message.text
        if text is not None:
            check_texts(text=text)
        return self._storage.answer(
            self.ctx,
            only_if(
                message.condition,
                lambda tx: change_comment(
                    tx, message.comment_id, text=text, actor=message.requested_by
                ),
            ),
        )

    @handles(SendComments)
    async def send_comments(self, message: SendComments) -> Deferred[SentComments]:
        """Answer once it is committed, and the session that says it has its actor."""
        return self.ctx.answer_later(self._successors.send_comments, message)

    @handles(ReviewWork)
    async def review(self, message: ReviewWork) -> Deferred[RunOutcome]:
        """Answer once the review's session is committed, and its actor is there."""
        message.wanted.check()
        return self.ctx.answer_later(self._successors.review, message)

    @handles(ResolveConflicts)
    async def resolve_conflicts(self, message: ResolveConflicts) -> Deferred[Resolving]:
        """Answer once the conflicts are marked, and what asks for their resolution is committed."""
        return self.ctx.answer_later(self._successors.resolve_conflicts, message)

    @handles(ReassignRun)
    async def reassign(self, message: ReassignRun) -> Deferred[Session | None]:
        """Answer once another host has the run of a lost lease, or none is to have it."""
        return self.ctx.answer_later(self._runs.reassign, message)

    @handles(EnsureSession)
    async def ensure(self, message: EnsureSession) -> Deferred[None]:
        """Answer once the session's actor is there, if it can be."""
        return self.ctx.answer_later(self._starts.start, message.session_id)

    @handles(SessionCommitted)
    async def committed(self, message: SessionCommitted) -> None:
        """Start the actor of a session that another actor committed."""
        self.ctx.start_task(self._starts.start, message.session_id)
