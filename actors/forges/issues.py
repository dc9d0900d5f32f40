"""`/issues`: lists the issues of a repository's project, and makes tasks of them.

A repository may name a label: each open issue that has it becomes a task, once, which is run at
once as far as policy lets it. The claim of an issue and its task and session are one transaction.
"""

from __future__ import annotations

import contextlib
from typing import Final

import structlog
import trio

from command_center.actors.contracts.addresses import TASKS
from command_center.actors.contracts.issues import (
    Issue,
    IssuePage,
    ListIssues,
    LookForIssues,
    TakeIssue,
)
from command_center.actors.contracts.sessions import SessionCommitted
from command_center.actors.core.storage import Storage
from command_center.actors.forges.ports import Forge, FoundIssue
from command_center.actors.forges.rounds import Rounds
from command_center.actors.forges.shared import SharedForge
from command_center.actors.ledger.issues import take_issue
from command_center.actors.ledger.tasks import begin_session
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.actors.rules.forge_links import project_of
from command_center.actors.rules.policy import PolicyDenied, RunInput
from command_center.runtime import Actor, ActorNotFound, Deferred, MailboxFull, Refusal, handles
from command_center.store import Repository, Session, Task, Transaction, issue_tasks, repositories
from command_center.store.records import Runner

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PAGES: Final = 5
"""Pages of labelled issues that are looked through at a time."""

AT_ONCE: Final = 50
"""Issues of one such page."""


class Issues(Actor):
    """Lists issues, and makes tasks of them."""

    def __init__(
        self,
        storage: Storage,
        forge: SharedForge,
        *,
        runner: Runner,
        approval_seconds: float,
    ) -> None:
        """Speak with the forge, once there is something to ask."""
        self._storage = storage
        self._shared = forge
        self._settings = forge.settings
        self._runner: Runner = runner
        self._approval_seconds = approval_seconds
        self._rounds = Rounds(forge.settings.backoff)
        self._nudged = trio.Event()

    @property
    def _forge(self) -> Forge:
        return self._shared.client

    async def on_start(self) -> None:
        """Look for labelled issues now and then."""
        self._shared.hold()
        self.ctx.start_task(self._watch)

    async def on_stop(self) -> None:
        """Let go of the forge."""
        await self._shared.let_go()

    @handles(ListIssues)
    async def list_issues(self, message: ListIssues) -> Deferred[IssuePage]:
        """List open issues."""
        return self.ctx.answer_later(self._list, message)

    async def _list(self, message: ListIssues) -> IssuePage:
        """List open issues, with the tasks that were made of them.

        Raises:
            NotFound: there is no such repository.
            Conflict: none of its remotes is at the forge, or the forge refuses.
            Unavailable: the forge is not reached.
        """
        repository = await self._storage.read(
            lambda db: repositories.get(db, message.repository_id)
        )
        project = self._project(repository)
        found, has_more = await self._forge.list_issues(
            project, message.label, page=message.page, limit=message.limit
        )
        numbers = [issue.number for issue in found]
        made = await self._storage.read(
            lambda db: issue_tasks.tasks_of(db, repository.id, project, numbers)
        )
        return IssuePage(
            project=project,
            items=[_shown(issue, made.get(issue.number)) for issue in found],
            next_page=message.page + 1 if has_more else None,
        )

    def _project(self, repository: Repository) -> str:
        """Return the project of a repository at the forge: that of `origin`, or of any remote.

        Raises:
            Conflict: none of its remotes is there.
        """
        remotes = repository.facts.get("remotes") or []
        for remote in sorted(remotes, key=lambda one: one.get("name") != "origin"):
            project = project_of(str(remote.get("url")))
            if project is not None and project.host == self._settings.host:
                return project.path
        raise Conflict(
            f"No remote of {repository.name} is at {self._settings.host}. Add one and scan it."
        )

    @handles(TakeIssue)
    async def take(self, message: TakeIssue) -> Deferred[Task]:
        """Make a task of an issue."""
        return self.ctx.answer_later(self._take, message)

    async def _take(self, message: TakeIssue) -> Task:
        """Make a task of an issue that is open.

        Raises:
            NotFound: there is no such repository.
            Conflict: there is no such open issue, or the forge refuses.
            Unavailable: the forge is not reached.
        """
        wanted = message.wanted
        repository = await self._storage.read(
            lambda db: repositories.get(db, message.repository_id)
        )
        project = self._project(repository)
        found = await self._forge.read_issue(project, message.number)
        if found is None:
            raise Conflict(f"{project} has no open issue {message.number}.")
        issue = _shown(found, None)
        required = (
            repository.issue_approval if wanted.approval is None else wanted.approval == "required"
        )
        return await self._storage.write(
            lambda tx: take_issue(
                tx,
                repository.id,
                project,
                issue,
                approval_required=required,
                requested_by=wanted.requested_by,
            )[0]
        )

    @handles(LookForIssues)
    async def look(self, _message: LookForIssues) -> None:
        """Look for labelled issues at once."""
        self._rounds.hurry()
        self._nudged.set()

    async def _watch(self) -> None:
        while True:
            self._nudged = trio.Event()
            try:
                rest = await self._look_everywhere()
            except Unavailable as error:  # the store, as of the forge each repository is told
                log.warning("issues.unread", reason=str(error))
                rest = self._settings.backoff.initial
            with trio.move_on_after(rest):
                await self._nudged.wait()

    async def _look_everywhere(self) -> float:
        """Look where it is due; return the seconds until it is due somewhere."""
        known, _ = await self._storage.read(lambda db: repositories.sound(db, {}))
        labels = {one.id: (one, one.issue_label) for one in known if one.issue_label}
        for one in self._rounds.due(labels):
            try:
                await self._look_in(*labels[one.id])
                one.put_off(self._settings.idle_seconds)
            except Refusal as error:
                one.fail(error)
                log.warning("issues.unread", repository_id=one.id, reason=str(error))
        return min(self._rounds.rest(), self._settings.idle_seconds)

    async def _look_in(self, repository: Repository, label: str) -> None:
        page: int | None = 1
        while page is not None and page <= PAGES:
            found = await self._list(ListIssues(repository.id, label, page=page, limit=AT_ONCE))
            for issue in found.items:
                if issue.task_id is None:
                    await self._run(repository, found.project, issue)
            page = found.next_page

    async def _run(self, repository: Repository, project: str, issue: Issue) -> None:
        """Make a task of an issue and run it, as far as policy lets it."""

        def claim(tx: Transaction) -> Session | None:
            now = repositories.get(tx.db, repository.id)
            task, is_new = take_issue(
                tx,
                now.id,
                project,
                issue,
                approval_required=now.issue_approval,
                requested_by="issues",
            )
            if not is_new:
                return None
            try:
                session, _ = begin_session(
                    tx,
                    task.id,
                    RunInput(requested_by="issues"),
                    runner=self._runner,
                    approval_seconds=self._approval_seconds,
                )
            except PolicyDenied as error:  # the task is there, and a person can see to it
                log.warning("issues.denied", task_id=task.id, reason=str(error))
                return None
            return session

        session = await self._storage.write(claim)
        if session is not None:
            with contextlib.suppress(ActorNotFound, MailboxFull):  # else it is found by its row
                self.ctx.lookup(TASKS).try_tell(SessionCommitted(session.id))


def _shown(issue: FoundIssue, task_id: int | None) -> Issue:
    return Issue(
        number=issue.number,
        title=issue.title,
        body=issue.body,
        author=issue.author,
        labels=issue.labels,
        url=issue.url,
        task_id=task_id,
    )
