"""`/tasks`: what somebody wants done, and the sessions that do it.

Creating and changing tasks are single transactions. A run is one too: the session, its approvals
and all their events are committed together, and only then is the session's actor started. Should
the process end in between, `on_start` finds every session that has no actor and starts it.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import msgspec
import structlog
import trio
from sqlite_utils import Database

from command_center.actors.contracts.addresses import REPOSITORIES, SESSIONS, session_at
from command_center.actors.contracts.comments import ChangeComment, SendComments, SentComments
from command_center.actors.contracts.landing import MarkConflicts, ResolveConflicts, Resolving
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
from command_center.actors.contracts.threads import AgentThreads, ThreadBusy
from command_center.actors.contracts.worktrees import FindFolder
from command_center.actors.ledger.comments import change_comment, send_comments
from command_center.actors.ledger.reviews import begin_review
from command_center.actors.ledger.spending import change_spending
from command_center.actors.ledger.successors import (
    change_followup,
    newest_in_thread,
    queue_followup,
    say,
    say_next,
)
from command_center.actors.ledger.tasks import (
    check_unused,
    create_session,
    create_task,
    patch_task,
    prompt_thread,
    run_task,
)
from command_center.actors.ledger.uploads import attached
from command_center.actors.rules.choices import (
    OF_A_MODEL,
    check_choices,
    choices_of,
    settle,
)
from command_center.actors.rules.errors import Unavailable
from command_center.actors.rules.policy import PolicyResult, RunInput, evaluate
from command_center.actors.rules.preconditions import only_if
from command_center.actors.sessions.actor import MAILBOX, SessionActor
from command_center.actors.sessions.prompts import words_of_conflicts
from command_center.actors.sessions.services import SessionServices
from command_center.runtime import (
    Actor,
    ActorStopped,
    ChildExists,
    ChildSpec,
    Deferred,
    Restart,
    StartFailed,
    SupervisorNotFound,
    handles,
)
from command_center.store import (
    Comment,
    Followup,
    Session,
    Task,
    Transaction,
    repositories,
    sessions,
    tasks,
)
from command_center.store.records import Runner

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

ADOPT_SECONDS = 3.0
"""Seconds that a turn in a thread of ours may take to get its session."""

RESCAN_SECONDS = 10.0
"""Seconds that a live session may be without an actor before that is noticed."""

LOOK_SECONDS = 0.1
"""Seconds between two looks for that session."""

GIT_SECONDS = 60.0
"""Seconds that git may take to say which folders a repository has."""

CANCELLED = StopSession(reason="Its task was cancelled.", requested_by="task")
"""The stop reason of a session whose task was cancelled without reaching it."""


class Tasks(Actor):
    """Keeps tasks, and sees to it that each live session has its actor."""

    def __init__(self, services: SessionServices, threads: AgentThreads, *, runner: Runner) -> None:
        """Give new sessions `runner`, whose threads these are, and their actors `services`."""
        self._services = services
        self._threads = threads
        self._storage = services.storage
        self._runner: Runner = runner

    async def on_start(self) -> None:
        """Start the actor of each session that has none: after a crash, of all that live."""
        for session in await self._storage.read(unfinished):
            await self._start(session.id)
        self.ctx.start_task(self._look_for_orphans)

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
        return self.ctx.answer_later(self._check, message)

    async def _check(self, message: CheckPolicy) -> PolicyResult:
        await self._check_choices(message.task_id, message.run)

        def judge(db: Database) -> PolicyResult:
            task = tasks.get(db, message.task_id)
            return evaluate(repositories.get(db, task.repository_id), task, message.run)

        return await self._storage.read(judge)

    @handles(CreateSession)
    async def create_session(self, message: CreateSession) -> Deferred[Session]:
        """Answer once the session is committed and has its actor."""
        return self.ctx.answer_later(self._create_session, message)

    async def _create_session(self, message: CreateSession) -> Session:
        await self._check_codex(message.task_id)
        await self._check_choices(message.task_id, message.run)
        session = await self._storage.write(
            lambda tx: create_session(
                tx,
                message.task_id,
                message.run,
                runner=self._runner,
                attachments=attached(tx, message.attachments),
            )
        )
        await self._start(session.id)
        return session

    @handles(RunTask)
    async def run(self, message: RunTask) -> Deferred[RunOutcome]:
        """Answer once the run is committed, queued or blocked, and its actor is there."""
        return self.ctx.answer_later(self._run, message)

    async def _check_codex(self, task_id: int) -> None:
        """Refuse what the agent of its host could not carry out; one that is away may come."""
        if RUNNERS[self._runner].has_threads:
            host = await self._storage.read(
                lambda db: repositories.get(db, tasks.get(db, task_id).repository_id).host
            )
            await self._threads.check_version(host)

    async def _check_choices(self, task_id: int, run: RunInput) -> None:
        """Refuse choices that do not fit each other, by what the agent lists of its models.

        Raises:
            Invalid: it names each that does not fit.
        """
        if not RUNNERS[self._runner].has_threads:
            return

        def choose(db: Database) -> tuple[str, dict[str, Any]]:
            task = tasks.get(db, task_id)
            repository = repositories.get(db, task.repository_id)
            return repository.host, settle(run, task.run_defaults, repository.run_defaults)

        host, chosen = await self._storage.read(choose)
        if any(chosen[name] is not None for name in OF_A_MODEL):
            check_choices(chosen, await self._threads.list_models(host))

    async def _run(self, message: RunTask) -> RunOutcome:
        await self._check_codex(message.task_id)
        await self._check_choices(message.task_id, message.run)
        outcome = await self._storage.write(
            lambda tx: run_task(
                tx,
                message.task_id,
                message.run,
                runner=self._runner,
                approval_seconds=self._services.approval_seconds,
                attachments=message.attachments,
            )
        )
        await self._start(outcome.session.id)
        return outcome

    @handles(PromptThread)
    async def prompt(self, message: PromptThread) -> Deferred[RunOutcome]:
        """Answer once the session is committed, and its actor is there."""
        if not RUNNERS[self._runner].has_threads:
            raise needs_threads(self._runner)
        check_texts(prompt=message.wanted.prompt)
        return self.ctx.answer_later(self._prompt, message)

    async def _prompt(self, message: PromptThread) -> RunOutcome:
        wanted = message.wanted
        host = await self._storage.read(lambda db: repositories.get(db, wanted.repository_id).host)
        try:
            thread = await self._threads.read_idle(host, message.thread_id)
        except ThreadBusy:
            await self._name_session(message.thread_id)
            raise
        thread_cwd = thread.cwd if wanted.resume else None
        branch: str | None = None
        if wanted.cwd is not None or thread_cwd is not None:
            folder = await self.ctx.lookup(REPOSITORIES).ask(
                FindFolder(wanted.repository_id, wanted.cwd, thread_cwd), timeout=GIT_SECONDS
            )
            wanted = msgspec.structs.replace(wanted, cwd=folder.path)
            branch = folder.branch_name
        chosen = choices_of(wanted)
        if any(chosen[name] is not None for name in OF_A_MODEL):
            check_choices(chosen, await self._threads.list_models(host))
        outcome = await self._storage.write(
            lambda tx: prompt_thread(
                tx,
                message.thread_id,
                wanted,
                preview=thread.title,
                branch_name=branch,
                origin="compact" if message.compacts else "prompt",
                runner=self._runner,
                approval_seconds=self._services.approval_seconds,
            )
        )
        await self._start(outcome.session.id)
        return outcome

    async def _name_session(self, thread_id: str) -> None:
        """Name the session whose turn runs in the thread; one that another client began gets one.

        Raises:
            Conflict: there is one; it can be steered and stopped.
        """

        def find(db: Database) -> bool:
            check_unused(db, thread_id)
            return sessions.find(db, {"codex_thread_id": thread_id}) is not None

        with trio.move_on_after(ADOPT_SECONDS):
            while await self._storage.read(find):  # noqa: ASYNC110 - it is read
                await trio.sleep(LOOK_SECONDS)

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
        return self.ctx.answer_later(self._say_next, message)

    async def _say_next(self, message: SayNext) -> Said:
        session_id, wanted = message.session_id, message.wanted
        session = await self._storage.read(lambda db: sessions.get(db, session_id))
        if session.finished_at is not None:
            await self._check_folder(
                await self._storage.read(lambda db: newest_in_thread(db, session))
            )

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

        said = await self._storage.write(write)
        if said.followup is None:
            await self._start(said.session.id)
        return said

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
        return self.ctx.answer_later(self._send_comments, message)

    async def _send_comments(self, message: SendComments) -> SentComments:
        await self._check_folder(await self._newest(message.session_id))
        sent = await self._storage.write(
            lambda tx: send_comments(
                tx,
                message.session_id,
                actor=message.requested_by,
                approval_seconds=self._services.approval_seconds,
            )
        )
        if sent.followup is None:
            await self._start(sent.session.id)
        return sent

    @handles(ReviewWork)
    async def review(self, message: ReviewWork) -> Deferred[RunOutcome]:
        """Answer once the review's session is committed, and its actor is there."""
        message.wanted.check()
        return self.ctx.answer_later(self._review, message)

    async def _review(self, message: ReviewWork) -> RunOutcome:
        session_id = message.session_id
        await self._check_folder(await self._storage.read(lambda db: sessions.get(db, session_id)))
        outcome = await self._storage.write(
            lambda tx: begin_review(
                tx,
                message.session_id,
                message.wanted,
                runner=self._runner,
                approval_seconds=self._services.approval_seconds,
            )
        )
        await self._start(outcome.session.id)
        return outcome

    @handles(ResolveConflicts)
    async def resolve_conflicts(self, message: ResolveConflicts) -> Deferred[Resolving]:
        """Answer once the conflicts are marked, and what asks for their resolution is committed."""
        return self.ctx.answer_later(self._resolve_conflicts, message)

    async def _resolve_conflicts(self, message: ResolveConflicts) -> Resolving:
        marking = MarkConflicts(message.session_id, message.wanted)
        merge = await self.ctx.lookup(REPOSITORIES).ask(marking, timeout=GIT_SECONDS)

        def write(tx: Transaction) -> Resolving:
            session = sessions.get(tx.db, message.session_id)
            newest = sessions.find(tx.db, {"task_id": session.task_id}, newest_first=True)
            followup, told = say(
                tx,
                newest or session,
                message=words_of_conflicts(merge),
                actor=message.wanted.requested_by,
                approval_seconds=self._services.approval_seconds,
            )
            return Resolving(merge=merge, followup=followup, session=told)

        resolving = await self._storage.write(write)
        if resolving.followup is None:
            await self._start(resolving.session.id)
        return resolving

    async def _newest(self, session_id: int) -> Session:
        """Return the newest session of a session's task."""

        def find(db: Database) -> Session:
            session = sessions.get(db, session_id)
            newest = sessions.find(db, {"task_id": session.task_id}, newest_first=True)
            return newest or session

        return await self._storage.read(find)

    async def _check_folder(self, newest: Session) -> None:
        """See that the turn after a session has a folder, where it may begin now.

        Raises:
            Conflict: its worktree is gone and cannot be made again.
        """
        if newest.finished_at is not None and newest.codex_thread_id is not None:
            ask = FindFolder(newest.repository_id, None, newest.cwd)
            await self.ctx.lookup(REPOSITORIES).ask(ask, timeout=GIT_SECONDS)

    @handles(EnsureSession)
    async def ensure(self, message: EnsureSession) -> Deferred[None]:
        """Answer once the session's actor is there, if it can be."""
        return self.ctx.answer_later(self._start, message.session_id)

    @handles(SessionCommitted)
    async def committed(self, message: SessionCommitted) -> None:
        """Start the actor of a session that another actor committed."""
        self.ctx.start_task(self._start, message.session_id)

    async def _start(self, session_id: int) -> None:
        """Start the session's actor; one that cannot start now is tried again later."""
        spec = ChildSpec(
            id=str(session_id),
            start=partial(SessionActor, session_id, self._services),
            restart=Restart.TRANSIENT,
            mailbox=MAILBOX,
        )
        try:
            await self.ctx.start_child(SESSIONS, spec)
        except ChildExists:
            return
        except (StartFailed, ActorStopped, SupervisorNotFound):
            log.exception("session.start.failed", session=session_id)
            return
        await self._stop_if_cancelled(session_id)

    async def _stop_if_cancelled(self, session_id: int) -> None:
        """Carry out a cancellation that found no actor to stop."""

        def find(db: Database) -> Task:
            return tasks.get(db, sessions.get(db, session_id).task_id)

        task = await self._storage.read(find)
        ref = self.ctx.find(session_at(session_id))
        if task.status == "cancelled" and ref is not None:
            await ref.tell(CANCELLED)

    async def _look_for_orphans(self) -> None:
        """Start the actor of each live session that has none, again and again.

        So none stays without for long, whatever took it: a start that failed, a supervisor that
        was stopped, or a crash between a session's commit and the word of it.
        """
        while True:
            await trio.sleep(RESCAN_SECONDS)
            try:
                for session in await self._storage.read(unfinished):
                    if self.ctx.find(session_at(session.id)) is None:
                        await self._start(session.id)
            except Unavailable as error:
                log.warning("sessions.unread", reason=str(error))


def unfinished(db: Database) -> list[Session]:
    """Return the sessions that have not ended, the oldest first; a damaged one is passed over."""
    found, damaged = sessions.sound(db, {"finished_at": None}, texts=False)
    for error in damaged:
        log.error("session.damaged", session_id=error.id)
    return found
