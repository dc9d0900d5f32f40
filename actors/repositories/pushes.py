"""Pushes of what sessions committed: wanted, let through, carried out, looked for after a crash.

A push goes to the very address and has the very commit that were there when it was asked for, so
that what a person agrees to is what is sent. It is on the disk before anything is sent. One that a
crash cut off is looked for at the remote first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs
import msgspec
import structlog

from command_center.actors.contracts.far_answers import contained
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.pushes import PushRequest, PushWork
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout
from command_center.actors.git.facts import read_status
from command_center.actors.git.marked_merges import check_resolved
from command_center.actors.git.names import branch_commit, check_branch_name
from command_center.actors.git.pushing import push_commit, read_missing, tracked_commit
from command_center.actors.git.remotes import push_address, read_heads, remote_of
from command_center.actors.ledger.pull_request_plans import check_pull_request, follow_push
from command_center.actors.ledger.push_outcomes import fail_push, finish_push
from command_center.actors.ledger.pushes import PlannedPush, request_push
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.seen_changes import load_work
from command_center.actors.rules.errors import Conflict, HeadMoved, Unavailable
from command_center.runtime import Refusal
from command_center.store import Push, Session, Transaction, pushes, repositories

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

UNTOLD: Final = "Whether it arrived is not known: push again, and it is done once. "
"""Begins the problem of a push of which nobody knows how far it came."""


@attrs.frozen
class Pushes:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _hosts: Hosts[Host]
    _approval_seconds: float
    _on_pull_request: Callable[[], None]
    _locks: KeyedLocks = attrs.field(factory=KeyedLocks)

    async def push(self, message: PushWork) -> Push:
        """Push what is committed on a session's branch, or ask a person first.

        Raises:
            NotFound: there is no such session.
            Invalid: the branch, or the base of its pull request, cannot have that name.
            Conflict: the session has not ended, it has no branch, the branch has moved, its remote
                cannot be pushed to or has all of it, or the remote refuses it.
            Unavailable: the remote cannot be reached.
        """
        wanted = message.wanted
        if wanted.pull_request is not None:
            check_pull_request(wanted.pull_request, within="pullRequest.")
        session, _, repository = await load_work(self._storage, message.session_id)
        if session.finished_at is None:
            raise Conflict(f"Session {session.id} has not ended.")
        main = await open_main(self._hosts.of(repository), repository)
        plan = await _plan(main, session, wanted)
        follows: dict[str, Any] | None = msgspec.to_builtins(wanted.pull_request)
        if plan.remote_sha == plan.sha:
            return await self._pushed_before(session, plan, follows)
        push_id = await self._storage.write(
            lambda tx: (
                request_push(
                    tx,
                    session.id,
                    plan,
                    pull_request=follows,
                    requested_by=wanted.requested_by,
                    approval_seconds=self._approval_seconds,
                ).id
            )
        )
        return await self.carry_out(push_id)

    async def _pushed_before(
        self, session: Session, plan: PlannedPush, follows: dict[str, Any] | None
    ) -> Push:
        """Return the push that has brought there what is there; one that was cut off is done.

        A pull request that is wanted now follows it.
        """

        def find(known: list[Push]) -> Push | None:
            return next((one for one in reversed(known) if one.status != "waiting_approval"), None)

        found = find(
            await self._storage.read(
                lambda db: pushes.every(
                    db,
                    {
                        "session_id": session.id,
                        "address": plan.address,
                        "branch_name": plan.branch,
                        "sha": plan.sha,
                    },
                )
            )
        )
        if found is None:
            raise Conflict(
                f"There is nothing to push: {plan.branch} at {plan.remote} has it.",
                headSha=plan.sha,
            )
        if found.status == "pushed" and follows is None:
            return found

        def finish(tx: Transaction) -> Push:
            if follows is not None:
                pushes.update(tx, found.id, pull_request=follows)
            if found.status == "pushed":
                return follow_push(tx, pushes.get(tx.db, found.id))
            return finish_push(tx, found.id, actor=found.requested_by)

        return self._followed(await self._storage.write(finish))

    def _followed(self, push: Push) -> Push:
        """Have the pull request opened that follows a push, if one does; return the push."""
        if push.pull_request is not None:
            self._on_pull_request()
        return push

    async def carry_out(self, push_id: int) -> Push:
        """Send a push that was let through, unless it has arrived; return it as it is then.

        Raises:
            Conflict: the remote refuses it, or the repository cannot be used.
            Unavailable: the remote cannot be reached.
        """
        async with self._locks.of(push_id):
            push = await self._storage.read(lambda db: pushes.get(db, push_id))
            if push.status != "pushing":
                return push
            try:
                await self._send(push)
            except Refusal as error:
                unsure = UNTOLD if isinstance(error, Unavailable) else ""
                problem = f"{unsure}{error}"
                await self._storage.write(
                    lambda tx: fail_push(tx, push.id, problem, actor=push.requested_by).id
                )
                raise
            return self._followed(
                await self._storage.write(
                    lambda tx: finish_push(tx, push.id, actor=push.requested_by)
                )
            )

    async def _send(self, push: Push) -> None:
        repository = await self._storage.read(lambda db: repositories.get(db, push.repository_id))
        main = await open_main(self._hosts.of(repository), repository)
        heads = await read_heads(main, push.address)
        if heads.get(push.branch_name) == push.sha:
            return
        try:
            await push_commit(main, push.address, push.sha, push.branch_name, lease=push.lease)
        except Refusal:  # a git that a crash left behind may have been quicker
            if not await _has_arrived(main, push):
                raise

    async def go_on(self) -> None:
        """Carry out all pushes that were let through and are not done."""
        for push in await self._storage.read(lambda db: pushes.every(db, {"status": "pushing"})):
            try:
                await contained(self.carry_out)(push.id)
            except Refusal as error:
                log.info("push.failed", push_id=push.id, reason=str(error))


async def _has_arrived(main: Checkout, push: Push) -> bool:
    """Say whether the remote has the commit; no, where it does not say."""
    try:
        heads = await read_heads(main, push.address)
    except Refusal:
        return False
    return heads.get(push.branch_name) == push.sha


async def _plan(main: Checkout, session: Session, wanted: PushRequest) -> PlannedPush:
    """Say what would be pushed where.

    Raises:
        Invalid: the branch cannot have that name.
        Conflict: there is no branch, it has moved or has conflicts that are not resolved, its
            remote cannot be pushed to, or nobody knows what would be replaced there.
        Unavailable: the remote cannot be reached.
    """
    local = session.branch_name
    if local is None:
        local = (await read_status(main)).branch
    sha = None if local is None else await branch_commit(main, local)
    if local is None or sha is None:
        raise Conflict("There is no commit to push." if local is None else f"{local} is gone.")
    if wanted.head_sha is not None and wanted.head_sha != sha:
        raise HeadMoved(local, sha)
    branch = wanted.branch or local
    await check_branch_name(main, branch, "branch")
    remote = remote_of(main, local, wanted.remote)
    address = push_address(main, remote)
    heads = await read_heads(main, address)
    lease = None
    there = heads.get(branch)
    if wanted.force is not None and there is not None and there != sha:
        lease = await tracked_commit(main, remote, branch)
        if lease is None:
            raise Conflict(
                f"Nobody here knows what {branch} at {remote} was. Fetch it with your own git, "
                "and look at what would be replaced.",
                remoteSha=there,
            )
        if lease != there:
            raise Conflict(
                f"{branch} at {remote} is not where it was last seen: somebody has pushed to it. "
                "Fetch it with your own git, and look at what is new.",
                remoteSha=there,
            )
    known = sorted(set(heads.values()))
    await check_resolved(main, local, sha, there=known)
    listed, count = await read_missing(main, sha, known)
    return PlannedPush(
        remote=remote,
        address=address,
        branch=branch,
        sha=sha,
        remote_sha=there,
        lease=lease,
        commits=count,
        listed=listed,
    )
