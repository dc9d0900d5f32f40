"""`/pull-requests`: opens pull requests, and keeps what their forge tells of them.

That one is wanted is on the disk before the forge is asked, and the forge is asked first whether it
has one of that branch: so one that a crash cut off is opened once. Afterwards each that is open is
read now and then, more often while its checks run, and at once when the forge says so by its
webhook. A delivery is only a hint at what to read: nothing in it is believed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs
import structlog
import trio

from command_center.actors.contracts.addresses import ISSUES, TASKS
from command_center.actors.contracts.issues import LookForIssues
from command_center.actors.contracts.pull_requests import (
    CallOffMerge,
    FollowPullRequests,
    KeepDelivery,
    MergePullRequest,
    OpenPullRequest,
    ReadPullRequest,
)
from command_center.actors.contracts.sessions import SessionCommitted
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.forges.news import read_news
from command_center.actors.forges.ports import Check, Forge, Proposal, Seen
from command_center.actors.forges.rounds import Rounds
from command_center.actors.forges.shared import SharedForge
from command_center.actors.ledger.pull_request_merges import call_off
from command_center.actors.ledger.pull_request_news import FORGE, answer_news
from command_center.actors.ledger.pull_request_plans import (
    check_pull_request,
    plan_pull_request,
    request_pull_request,
)
from command_center.actors.ledger.pull_requests import (
    ask_for_merge,
    merge_is_to_be_asked,
    note_not_opened,
    note_opened,
    note_seen,
    request_merge,
    withdraw_merge,
)
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.actors.rules.forge_links import KINDS, ForgeKind, Project, page_to_open
from command_center.runtime import Actor, ActorNotFound, Deferred, MailboxFull, Refusal, handles
from command_center.store import (
    PullRequest,
    Transaction,
    forge_deliveries,
    pull_requests,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

FORGE_SECONDS: Final = 120.0
"""Seconds to wait for an answer that needs the forge: `ask(…, timeout=FORGE_SECONDS)`."""

SHOWN: Final = 100
"""Checks, and reviews, that are kept of a pull request; all of them count."""

UNTOLD: Final = "Whether it was opened is not known: ask again, and it is opened once. "
"""Begins the problem of a pull request of which nobody knows how far it came."""


class PullRequests(Actor):
    """Opens pull requests and reads those that are open."""

    def __init__(self, storage: Storage, forge: SharedForge, *, approval_seconds: float) -> None:
        """Speak with the forge, once there is something to say."""
        self._storage = storage
        self._shared = forge
        self._settings = forge.settings
        self._approval_seconds = approval_seconds
        self._locks = KeyedLocks()
        self._rounds = Rounds(forge.settings.backoff)
        self._nudged = trio.Event()
        self._refused: dict[int, Refusal] = {}

    @property
    def _forge(self) -> Forge:
        return self._shared.client

    async def on_start(self) -> None:
        """Go on with what was cut off, and read what is open."""
        self._shared.hold()
        self.ctx.start_task(self._follow)

    async def on_stop(self) -> None:
        """Let go of the forge."""
        await self._shared.let_go()

    def describe(self) -> Mapping[str, object]:
        """Show the pull requests that are followed."""
        return {"followed": self._rounds.known}

    @handles(OpenPullRequest)
    async def open(self, message: OpenPullRequest) -> Deferred[PullRequest]:
        """Open a pull request."""
        return self.ctx.answer_later(self._open, message)

    async def _open(self, message: OpenPullRequest) -> PullRequest:
        """Open a pull request of what was pushed last of the session's task.

        Raises:
            NotFound: there is no such session.
            Invalid: the title says nothing, or the base is no branch's name.
            Conflict: nothing was pushed, nothing says onto what, or the forge refuses it.
            Unavailable: the forge is not reached.
        """
        wanted = message.wanted
        check_pull_request(wanted)
        plan = await self._storage.read(
            lambda db: plan_pull_request(db, message.session_id, wanted)
        )
        pull_request_id = await self._storage.write(
            lambda tx: request_pull_request(tx, plan, requested_by=wanted.requested_by).id
        )
        try:
            found = await self._carry_out(pull_request_id)
            if found.status == "failed":  # the round that follows them all was quicker
                raise self._refused.get(found.id) or Conflict(found.problem or "It failed.")
            return found
        finally:
            self._refused.pop(pull_request_id, None)

    async def _carry_out(self, pull_request_id: int, *, patient: bool = False) -> PullRequest:
        """Have a pull request opened that is wanted; return it as it is then.

        With patience it stays wanted where the forge is not reached; else it has failed.
        """
        async with self._locks.of(pull_request_id):
            found = await self._storage.read(lambda db: pull_requests.get(db, pull_request_id))
            if found.status != "opening":
                return found
            project = Project(found.host, found.project)
            try:
                kind = self._kind_of(project)
            except Conflict as error:
                await self._refuse(found.id, error, str(error))
                raise
            if project.host_name != self._settings.host or not await self._forge.is_known():
                page = page_to_open(kind, project, found.branch_name, found.base)
                return await self._storage.write(
                    lambda tx: note_opened(tx, found.id, {"status": "elsewhere", "url": page})
                )
            proposal = Proposal(
                project=found.project,
                branch=found.branch_name,
                base=found.base,
                title=found.title,
                body=found.body,
                is_draft=found.is_draft,
            )
            try:
                seen = await self._forge.propose(proposal)
            except Refusal as error:
                if patient and isinstance(error, Unavailable):
                    raise
                unsure = UNTOLD if isinstance(error, Unavailable) else ""
                problem = f"{unsure}{error}"
                await self._refuse(found.id, error, problem)
                raise
            opened = await self._storage.write(
                lambda tx: note_opened(tx, found.id, {"number": seen.number, **_fields(seen)})
            )
            self._nudged.set()  # it is read soon
            return opened

    async def _refuse(self, pull_request_id: int, error: Refusal, problem: str) -> None:
        """Note why one is not opened, for whoever asked for it, too."""
        self._refused[pull_request_id] = error
        await self._storage.write(partial(_note_not_opened, pull_request_id, problem))

    def _kind_of(self, project: Project) -> ForgeKind:
        """Return what the host of a project runs.

        Raises:
            Conflict: nobody knows; it may be no forge at all.
        """
        kind = self._settings.kind_of(project.host_name)
        if kind is None:
            raise Conflict(
                f"{project.host_name} is no forge that is known. If it is one, say which in "
                f"CC_FORGES, such as {project.host_name}=gitlab ({', '.join(KINDS)}).",
                host=project.host_name,
            )
        return kind

    @handles(ReadPullRequest)
    async def read(self, message: ReadPullRequest) -> Deferred[PullRequest]:
        """Ask the forge now."""
        return self.ctx.answer_later(self._read, message.pull_request_id)

    async def _read(self, pull_request_id: int) -> PullRequest:
        """Ask the forge about a pull request, and keep what it tells.

        Raises:
            NotFound: there is none.
            Conflict: the forge has it not, or refuses.
            Unavailable: the forge is not reached.
        """
        async with self._locks.of(pull_request_id):
            known = await self._storage.read(lambda db: pull_requests.get(db, pull_request_id))
            if known.number is None:
                return known
            seen = await self._forge.look(known.project, known.number)
            found = await self._storage.write(lambda tx: note_seen(tx, known.id, _fields(seen)))
            if found.status == "open":
                found = await self._merge(await self._answer_news(found, seen))
            return found

    async def _answer_news(self, pull: PullRequest, seen: Seen) -> PullRequest:
        """Do what is wanted about checks that fail, and about reviews."""
        news = await read_news(self._forge, pull, seen)
        if news is None:
            return pull
        told = await self._storage.write(
            lambda tx: answer_news(tx, pull.id, news, approval_seconds=self._approval_seconds)
        )
        if told is not None:
            with contextlib.suppress(ActorNotFound, MailboxFull):  # else it is found by its row
                self.ctx.lookup(TASKS).try_tell(SessionCommitted(told.id))
        return await self._storage.read(lambda db: pull_requests.get(db, pull.id))

    async def _merge(self, pull: PullRequest) -> PullRequest:
        """Merge a pull request whose checks pass, if a person has agreed to that commit.

        Ask for that where it is wanted.
        """
        if pull.merge_when is None:
            if not await self._storage.read(lambda db: merge_is_to_be_asked(db, pull)):
                return pull
            return await self._storage.write(
                lambda tx: ask_for_merge(tx, pull.id, approval_seconds=self._approval_seconds)
            )
        problem = "It has new commits since that was agreed to: ask again."
        if pull.merge_sha == pull.head_sha:
            if pull.checks != "passing" or pull.number is None:
                return pull
            try:
                await self._forge.merge(
                    pull.project, pull.number, pull.head_sha, pull.merge_method or "merge"
                )
                seen = await self._forge.look(pull.project, pull.number)
                return await self._storage.write(lambda tx: note_seen(tx, pull.id, _fields(seen)))
            except Conflict as error:
                problem = str(error)
        return await self._storage.write(lambda tx: call_off(tx, pull.id, problem, actor=FORGE))

    @handles(MergePullRequest)
    async def merge(self, message: MergePullRequest) -> Deferred[PullRequest]:
        """Ask a person whether it may be merged once its checks pass."""
        return self.ctx.answer_later(self._ask_to_merge, message)

    async def _ask_to_merge(self, message: MergePullRequest) -> PullRequest:
        wanted = message.wanted
        return await self._storage.write(
            lambda tx: request_merge(
                tx,
                message.pull_request_id,
                method=wanted.method,
                requested_by=wanted.requested_by,
                approval_seconds=self._approval_seconds,
                head=wanted.head_sha,
            )
        )

    @handles(CallOffMerge)
    async def call_off(self, message: CallOffMerge) -> Deferred[PullRequest]:
        """Merge it no more by itself."""
        return self.ctx.answer_later(self._call_off, message)

    async def _call_off(self, message: CallOffMerge) -> PullRequest:
        """Call a merge off; one that the forge is just asked for is waited for.

        Raises:
            NotFound: there is no such pull request.
            Conflict: it is not open, or nobody wants it merged.
        """
        async with self._locks.of(message.pull_request_id):
            return await self._storage.write(
                lambda tx: withdraw_merge(
                    tx, message.pull_request_id, requested_by=message.requested_by
                )
            )

    @handles(FollowPullRequests)
    async def follow_now(self, _message: FollowPullRequests) -> None:
        """Look at all that are open at once."""
        self._rounds.hurry()
        self._nudged.set()

    @handles(KeepDelivery)
    async def keep_delivery(self, message: KeepDelivery) -> Deferred[bool]:
        """Keep a delivery, and read soon what it is about."""
        return self.ctx.answer_later(self._keep_delivery, message)

    async def _keep_delivery(self, message: KeepDelivery) -> bool:
        delivery = forge_deliveries.Delivery(message.delivery_id, message.event, message.body)
        is_new = await self._storage.write(lambda tx: forge_deliveries.keep(tx, delivery))
        self._nudged.set()
        return is_new

    async def _follow(self) -> None:
        """Carry out and read what is due, for as long as the actor lives."""
        while True:
            self._nudged = trio.Event()
            try:
                await self._heed_deliveries()
                rest = await self._go_on()
            except Unavailable as error:
                log.warning("pull_requests.unread", reason=str(error))
                rest = self._settings.backoff.initial
            with trio.move_on_after(rest):
                await self._nudged.wait()

    async def _heed_deliveries(self) -> None:
        """Have read soon what was delivered about."""
        for delivery in await self._storage.read(forge_deliveries.undone):
            project = _project_in(delivery.body)
            if delivery.event == "issues":
                with contextlib.suppress(ActorNotFound, MailboxFull):  # it looks by itself, too
                    self.ctx.lookup(ISSUES).try_tell(LookForIssues())
            for known in await self._storage.read(
                lambda db: pull_requests.sound(db, {"status": "open"})[0]
            ):
                there = Project(known.host, known.project)
                if there.path.lower() == project and there.host_name == self._settings.host:
                    self._rounds.hurry(known.id)
            await self._storage.write(
                lambda tx, id_=delivery.id: forge_deliveries.note_done(tx, id_)  # type: ignore[misc]
            )

    async def _go_on(self) -> float:
        """Do what is due; return the seconds until the next is."""
        found = await self._storage.read(
            lambda db: pull_requests.sound(db, {"status": ["opening", "open"]})[0]
        )
        for due in self._rounds.due([one.id for one in found]):
            try:
                await self._carry_out(due.id, patient=True)
                one = await self._read(due.id)
                is_busy = one.checks in {"none", "pending"}
                due.put_off(self._settings.busy_seconds if is_busy else self._settings.idle_seconds)
            except Refusal as error:
                due.fail(error)
                await self._storage.write(partial(_note_problem, due.id, str(error)))
        return self._rounds.rest()


def _note_not_opened(pull_request_id: int, problem: str, tx: Transaction) -> None:
    note_not_opened(tx, pull_request_id, problem)


def _note_problem(pull_request_id: int, problem: str, tx: Transaction) -> None:
    """Note why it is not opened yet, or not read; one that has failed says why already."""
    if pull_requests.get(tx.db, pull_request_id).status in {"opening", "open"}:
        pull_requests.update(tx, pull_request_id, problem=problem)


def _fields(seen: Seen) -> dict[str, Any]:
    """Return what a forge tells, as the fields of a record."""
    return {
        "url": seen.url,
        "title": seen.title,
        "base": seen.base,
        "head_sha": seen.head_sha,
        "status": seen.status,
        "is_draft": seen.is_draft,
        "merge_state": seen.merge_state,
        "checks": seen.checks_state,
        "check_runs": [attrs.asdict(check) for check in _worst_first(seen.checks)[:SHOWN]],
        "review": seen.review_state,
        "reviews": [attrs.asdict(review) for review in seen.reviews[-SHOWN:]],
    }


def _worst_first(checks: Sequence[Check]) -> Sequence[Check]:
    """Put those first that fail, then those that run, where not all of them are kept."""
    if len(checks) <= SHOWN:
        return checks
    return sorted(checks, key=lambda check: ("failing", "pending", "passing").index(check.state))


def _project_in(body: bytes) -> str | None:
    """Return the project that a delivery is about, in lower case."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    repository = told.get("repository") if isinstance(told, dict) else None
    name = repository.get("full_name") if isinstance(repository, dict) else None
    return name.lower() if isinstance(name, str) else None
