"""Runs: what has a task worked on, by a prompt of its own or in a thread of the agent."""

from __future__ import annotations

from typing import Any, Final

import attrs
import msgspec
import trio
from sqlite_utils import Database

from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.leases import ReassignRun
from command_center.actors.contracts.pools import CLONE_SECONDS
from command_center.actors.contracts.repositories import ProvideClone
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.contracts.tasks import (
    CheckPolicy,
    CreateSession,
    PromptThread,
    RunOutcome,
    RunTask,
)
from command_center.actors.contracts.threads import AgentThreads, ThreadBusy
from command_center.actors.contracts.worktrees import FindFolder
from command_center.actors.ledger.placing import choose_copy, place_run, wish_of
from command_center.actors.ledger.tasks import check_unused, create_session, prompt_thread, run_task
from command_center.actors.ledger.uploads import attached
from command_center.actors.rules.choices import OF_A_MODEL, check_choices, choices_of, settle
from command_center.actors.rules.policy import PolicyResult, RunInput, evaluate
from command_center.actors.sessions.services import SessionServices
from command_center.actors.tasks.session_starts import SessionStarts
from command_center.runtime import Context
from command_center.store import Repository, Session, Task, leases, repositories, sessions, tasks
from command_center.store.records import Runner

ADOPT_SECONDS: Final = 3.0
"""Seconds that a turn in a thread of ours may take to get its session."""

LOOK_SECONDS: Final = 0.1
"""Seconds between two looks for that session."""

GIT_SECONDS: Final = 60.0
"""Seconds that git may take to say which folders a repository has."""


@attrs.frozen
class Runs:
    """Begins the sessions of tasks, once it is known that they may be run so."""

    _ctx: Context
    _services: SessionServices
    _threads: AgentThreads
    _runner: Runner
    """The runner of new sessions, whose threads those are."""
    _starts: SessionStarts

    async def check(self, message: CheckPolicy) -> PolicyResult:
        """Judge a run as `run` would, and change nothing."""
        await self._check_agent(message.task_id, message.run)

        def judge(db: Database) -> PolicyResult:
            task, repository = self._where(db, message.task_id, message.run)
            return evaluate(repository, task, message.run)

        return await self._services.storage.read(judge)

    async def create_session(self, message: CreateSession) -> Session:
        """Commit a session that waits to be begun, and start its actor."""
        await self._provide_clone(message.task_id, message.run)
        await self._check_agent(message.task_id, message.run, is_to_begin=True)
        session = await self._services.storage.write(
            lambda tx: create_session(
                tx,
                message.task_id,
                message.run,
                runner=self._runner,
                attachments=attached(tx, message.attachments),
                **place_run(tx, message.task_id, message.run, self._services.places),
            )
        )
        await self._starts.start(session.id)
        return session

    async def run(self, message: RunTask) -> RunOutcome:
        """Commit a run, queued or blocked, and start its actor."""
        await self._provide_clone(message.task_id, message.run)
        await self._check_agent(message.task_id, message.run, is_to_begin=True)
        return await self._starts.begin(
            lambda tx: run_task(
                tx,
                message.task_id,
                message.run,
                places=self._services.places,
                runner=self._runner,
                approval_seconds=self._services.approval_seconds,
                attachments=message.attachments,
            )
        )

    async def prompt(self, message: PromptThread) -> RunOutcome:
        """Commit a run in a thread of the agent, and start its actor."""
        wanted = message.wanted
        host = await self._services.storage.read(
            lambda db: repositories.get(db, wanted.repository_id).host
        )
        try:
            thread = await self._threads.read_idle(host, message.thread_id)
        except ThreadBusy:
            await self._name_session(host, message.thread_id)
            raise
        thread_cwd = thread.cwd if wanted.resume else None
        branch: str | None = None
        if wanted.cwd is not None or thread_cwd is not None:
            folder = await self._ctx.lookup(REPOSITORIES).ask(
                FindFolder(wanted.repository_id, wanted.cwd, thread_cwd), timeout=GIT_SECONDS
            )
            wanted = msgspec.structs.replace(wanted, cwd=folder.path)
            branch = folder.branch_name
        chosen = choices_of(wanted)
        if any(chosen[name] is not None for name in OF_A_MODEL):
            check_choices(chosen, await self._threads.list_models(host))
        return await self._starts.begin(
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

    async def reassign(self, message: ReassignRun) -> Session | None:
        """Give the run of a lost lease to another host, which clones what it needs first.

        Raises:
            Conflict, Unavailable: no host can have it now.
        """
        from command_center.actors.ledger import leases as ledger  # noqa: PLC0415 - a server without other hosts starts as before

        storage = self._services.storage
        lease = await storage.read(lambda db: leases.of_session(db, message.session_id))
        if lease is None or lease.status != "lost":
            return None
        reason = await storage.read(lambda db: ledger.why_not_again(db, lease))
        if reason is not None:
            await storage.write(lambda tx: ledger.give_up(tx, lease, reason))
            return None
        clone = await self._ctx.lookup(REPOSITORIES).ask(
            ProvideClone(lease.session.repository_id), timeout=CLONE_SECONDS + GIT_SECONDS
        )
        seconds = self._services.approval_seconds
        session = await storage.write(
            lambda tx: ledger.reassign(tx, lease, clone.id, approval_seconds=seconds)
        )
        if session is not None:
            await self._starts.start(session.id)
        return session

    async def _name_session(self, host: str, thread_id: str) -> None:
        """Name the session whose turn runs in the thread; one that another client began gets one.

        Raises:
            Conflict: there is one; it can be steered and stopped.
        """

        def find(db: Database) -> bool:
            check_unused(db, host, thread_id)
            return sessions.find(db, {"codex_thread_id": thread_id, "host": host}) is not None

        with trio.move_on_after(ADOPT_SECONDS):
            while await self._services.storage.read(find):  # noqa: ASYNC110 - it is read
                await trio.sleep(LOOK_SECONDS)

    async def _provide_clone(self, task_id: int, run: RunInput) -> None:
        """Have a pool host clone what a run needs, or fetch it, where the run is for the pool.

        Raises:
            Conflict, Unavailable: none can.
        """
        task = await self._services.storage.read(lambda db: tasks.get(db, task_id))
        if wish_of(task, run) == "pool":
            await self._ctx.lookup(REPOSITORIES).ask(
                ProvideClone(task.repository_id), timeout=CLONE_SECONDS + GIT_SECONDS
            )

    def _where(self, db: Database, task_id: int, run: RunInput) -> tuple[Task, Repository]:
        """Return the task, and the copy of its repository that would be chosen now.

        Raises:
            Invalid, NowhereToRun: none can be chosen.
        """
        task = tasks.get(db, task_id)
        repository = repositories.get(db, task.repository_id)
        wish = wish_of(task, run)
        if wish is not None:
            repository = choose_copy(db, repository, wish, self._services.places).repository
        return task, repository

    async def _check_agent(self, task_id: int, run: RunInput, *, is_to_begin: bool = False) -> None:
        """Refuse choices that do not fit each other, by what the agent lists of its models.

        And where a run is to begin, what the agent of its host could not carry out; one that is
        away may come.

        Raises:
            Invalid: it names each that does not fit.
            Conflict: it says which version to install.
        """
        if not RUNNERS[self._runner].has_threads:
            return

        def choose(db: Database) -> tuple[str, dict[str, Any]]:
            task, repository = self._where(db, task_id, run)
            return repository.host, settle(run, task.run_defaults, repository.run_defaults)

        host, chosen = await self._services.storage.read(choose)
        if is_to_begin:
            await self._threads.check_version(host)
        if any(chosen[name] is not None for name in OF_A_MODEL):
            check_choices(chosen, await self._threads.list_models(host))
