"""Workplaces: the folder in which a session works, which may be a worktree made for it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import attrs
from sqlite_utils import Database

from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.worktrees import (
    Prepared,
    PrepareWorkplace,
    RemakeWorktree,
    SeenSetup,
    SetUpScript,
    WorktreeCreated,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout
from command_center.actors.git.facts import WorktreeEntry, read_status, read_worktrees
from command_center.actors.git.including import include_files
from command_center.actors.git.names import branch_commit, check_branch_name
from command_center.actors.git.trees import add_worktree, finish_worktree
from command_center.actors.ledger.sessions import SYSTEM
from command_center.actors.ledger.setup import decision, finish_setup
from command_center.actors.ledger.worktrees import created, read_created
from command_center.actors.repositories.locations import Places
from command_center.actors.repositories.lost_worktrees import (
    LostWorktree,
    check_lost,
    clear_place,
    find_lost,
    is_kept,
)
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.setup import Setup, read_setup
from command_center.actors.rules.branch_names import branch_of_run
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.actors.rules.policy import PolicyDenied, evaluate, run_of
from command_center.store import (
    Repository,
    Session,
    Task,
    Transaction,
    repositories,
    sessions,
    unready_worktrees,
)
from command_center.store import tasks as task_table


@attrs.frozen
class Workplaces:
    """Finds or makes a session's folder; each public method answers a message."""

    _storage: Storage
    _hosts: Hosts[Host]
    _locks: KeyedLocks
    _places: Places

    async def prepare(self, message: PrepareWorkplace) -> Prepared:
        """See that a session's folder is there, unless a person has to decide first.

        Raises:
            PolicyDenied: the repository does not allow the session any more.
            Invalid: the worktree or branch that the run named cannot be.
            Conflict: the branch is checked out elsewhere, or the folder is not what it was.
            WorktreeUnfinished: git has not written all of its files yet.
        """

        def load(db: Database) -> tuple[Session, Task, Repository]:
            session = sessions.get(db, message.session_id)
            return (
                session,
                task_table.get(db, session.task_id),
                repositories.get(db, session.repository_id),
            )

        session, _, _ = await self._storage.read(load)
        async with self._locks.of(session.repository_id):
            session, task, repository = await self._storage.read(load)
            result = evaluate(repository, task, run_of(session))
            if result.run is None:
                raise PolicyDenied(result)
            host = self._hosts.of(repository)
            main = await open_main(host, repository)
            branch = session.branch_name
            if result.run.worktree == "none":
                await _check_branch(main, branch, "worktreePath")
                return Prepared(session=await self._keep_place(session, repository, main, branch))
            try:
                if result.run.worktree == "given":
                    assert session.worktree_path is not None  # noqa: S101 - given means that
                    return await self._prepare_given(
                        host, session, repository, main, session.worktree_path
                    )
                return await self._prepare_own(host, session, repository, main)
            except _Undecided as undecided:
                return Prepared(session=session, undecided=undecided.seen)

    async def remake(self, message: RemakeWorktree) -> bool:
        """Make the worktree of an ended session again, if it is gone.

        Raises:
            Conflict: it cannot be made.
        """
        session = await self._storage.read(lambda db: sessions.get(db, message.session_id))
        if session.worktree_path is None or session.worktree_reserved:
            return False
        host = self._hosts.named(session.host)
        path = Path(session.worktree_path)
        async with self._locks.of(session.repository_id):
            if await host.folders.same(path, path):
                return False
            repository = await self._repository(session.repository_id)
            main = await open_main(host, repository)
            is_ready = False
            try:
                setup = await self._agreed_setup(session, repository, main)
                is_ready = not setup.script
            except _Undecided:
                setup = Setup()  # who works there next is asked
            lost = await find_lost(self._storage, repository, str(path))
            if lost is None:
                return False
            made, branch = await self._make_again(host, main, lost, setup)
            worktree = await read_created(made, branch, setup.included)
            await self._storage.write(
                partial(_keep_remade, session=session, made=worktree, is_ready=is_ready)
            )
            return True

    async def _prepare_own(
        self, host: Host, session: Session, repository: Repository, main: Checkout
    ) -> Prepared:
        """Make the session's worktree, or open that of its branch."""
        branch = session.branch_name
        entries = await read_worktrees(main)
        if branch is not None:
            await check_branch_name(main, branch)
        for entry in entries:
            if branch is None or entry.branch_name != branch:
                continue
            if entry.is_main and repository.require_worktree:
                raise Conflict(
                    f"Branch {branch} is checked out in the main checkout, and repository "
                    f"{repository.id} requires a worktree."
                )
            found = await self._open(main, entry)
            return await self._take(session, repository, main, found, branch)
        setup = await self._agreed_setup(session, repository, main)
        left = await self._left_by_a_crash(host, session, main, entries)
        if left is not None:
            made, branch = left
            await include_files(main, made, setup.included)
            return await self._keep_made(session, repository, made, branch, setup)
        branch = branch or await _new_branch(main, session)
        place = (
            await self._places.reserved(host, session)
            if session.worktree_reserved
            else await self._places.free(host, repository, branch)
        )
        made = await add_worktree(main, place, branch, include=setup.included)
        return await self._keep_made(session, repository, made, branch, setup)

    async def _left_by_a_crash(
        self, host: Host, session: Session, main: Checkout, entries: list[WorktreeEntry]
    ) -> tuple[Checkout, str] | None:
        """Return the worktree that was made for the session just before a crash, and its branch.

        Only one that is as a new one would be: at the same commit, with no changes.
        """
        if not session.worktree_reserved or session.branch_name is not None:
            return None
        named = branch_of_run(session.task_id, session.id)
        for entry in entries:
            if entry.branch_name is None or not entry.branch_name.startswith(named):
                continue
            if await host.folders.same(Path(entry.path), Path(session.cwd)):
                found = await self._open(main, entry)
                status = await read_status(found)
                if not status.dirty and status.head == (await read_status(main)).head:
                    return found, entry.branch_name
        return None

    async def _prepare_given(
        self,
        host: Host,
        session: Session,
        repository: Repository,
        main: Checkout,
        wanted: str,
    ) -> Prepared:
        path = await host.folders.expand(wanted, "worktreePath")
        entries = await read_worktrees(main)
        for entry in entries:
            if not await host.folders.same(Path(entry.path), path):
                continue
            if entry.is_main and repository.require_worktree:
                raise Conflict(
                    f"{wanted} is the main checkout, and repository {repository.id} requires a "
                    "worktree."
                )
            found = await self._open(main, entry)
            if session.codex_thread_id is None:  # what its thread switched to, it goes on with
                await _check_branch(found, session.branch_name, "branchName")
            return await self._take(session, repository, main, found, entry.branch_name)
        if session.codex_thread_id is not None:
            known = await find_lost(self._storage, repository, str(path))
            last = None if known is None else known.branch_name
            # One that was there when the thread was prompted may have been tidied up since.
            gone = LostWorktree(str(path), session.branch_name or last)
            if _may_begin_anew(session) and not await is_kept(main, gone):
                fresh = await self._leave_thread(session, repository)
                return await self._prepare_own(host, fresh, repository, main)
            await check_lost(main, entries, gone)
            setup = await self._agreed_setup(session, repository, main)
            made, branch = await self._make_again(host, main, gone, setup)
            return await self._keep_made(session, repository, made, branch, setup)
        place = await self._places.asked(host, wanted, "worktreePath")
        branch = session.branch_name or await _new_branch(main, session)
        setup = await self._agreed_setup(session, repository, main)
        made = await add_worktree(main, place, branch, include=setup.included)
        return await self._keep_made(session, repository, made, branch, setup)

    async def _leave_thread(self, session: Session, repository: Repository) -> Session:
        """Have the session begin a thread of its own, in a worktree of its own."""
        return await self._storage.write(
            lambda tx: sessions.update(
                tx,
                session.id,
                codex_thread_id=None,
                cwd=repository.local_path,
                worktree_path=None,
                branch_name=None,
                workplace="worktree",
            )
        )

    async def _make_again(
        self, host: Host, main: Checkout, lost: LostWorktree, setup: Setup
    ) -> tuple[Checkout, str]:
        """Make a worktree at the place where it was; return it and its branch.

        Raises:
            Conflict: it cannot be made; or something else is there by now.
        """
        try:
            place = await self._places.asked(host, lost.path, "worktreePath")
        except Invalid as error:
            raise Conflict(str(error), threadCwd=lost.path) from error
        branch = await clear_place(main, await read_worktrees(main), lost)
        return await add_worktree(main, place, branch, include=setup.included), branch

    async def _agreed_setup(
        self, session: Session, repository: Repository, main: Checkout
    ) -> Setup:
        """Read how a worktree is set up, as far as a person has agreed to that.

        Raises:
            _Undecided: nobody has decided about it.
        """
        platform = await self._hosts.of(repository).agent_files.platform()
        setup = await read_setup(main, platform)
        if setup.is_empty:
            return setup
        seen = setup.seen()
        agreed = await self._storage.read(lambda db: decision(db, session, seen.digest))
        if agreed is None:
            raise _Undecided(seen)
        return setup if agreed else Setup()

    async def _take(
        self,
        session: Session,
        repository: Repository,
        main: Checkout,
        found: Checkout,
        branch: str | None,
    ) -> Prepared:
        """Work in a worktree that is there; one whose set-up has not succeeded is set up again."""
        path = str(found.path)
        setup = Setup()
        if await self._storage.read(lambda db: unready_worktrees.is_noted(db, session.host, path)):
            setup = await self._agreed_setup(session, repository, main)
            await include_files(main, found, setup.included)
        kept = await self._keep_place(session, repository, found, branch)
        if not setup.is_empty and not setup.script:
            await self._storage.write(lambda tx: finish_setup(tx, session.id))
        return Prepared(session=kept, script=_script_for(kept, repository, setup))

    async def _keep_made(
        self,
        session: Session,
        repository: Repository,
        made: Checkout,
        branch: str | None,
        setup: Setup,
    ) -> Prepared:
        kept = await self._keep_place(session, repository, made, branch, setup)
        return Prepared(session=kept, script=_script_for(kept, repository, setup))

    async def _open(self, main: Checkout, entry: WorktreeEntry) -> Checkout:
        """Open a worktree that exists, and write its files if a crash kept git from it.

        Raises:
            NotAWorkTree: it is no worktree any more.
            WorktreeUnfinished: it has only a part of them.
        """
        found = await main.git.open(Path(entry.path), common_dir=main.common_dir)
        await finish_worktree(found)
        return found

    async def _keep_place(
        self,
        session: Session,
        repository: Repository,
        checkout: Checkout,
        branch: str | None,
        setup: Setup | None = None,
    ) -> Session:
        """Commit where the session works; with a `setup`, that a worktree was made for it."""
        made = None if setup is None else await read_created(checkout, branch, setup.included)
        named = None if session.worktree_reserved else session.worktree_path
        place = {
            "cwd": str(checkout.path),
            "worktree_path": str(checkout.path) if checkout.linked else named,
            "workplace": "worktree" if checkout.linked else "main_checkout",
            "branch_name": branch,
            "worktree_reserved": False,
        }

        def keep(tx: Transaction) -> Session:
            kept = sessions.get(tx.db, session.id)
            if any(getattr(kept, name) != value for name, value in place.items()):
                kept = sessions.update(tx, session.id, **place)
            if made is not None and setup is not None:
                if setup.script:
                    unready_worktrees.note(tx, session.host, made.path, repository.id)
                else:
                    unready_worktrees.forget(tx, session.host, made.path)
                tx.emit(
                    created(made),
                    actor=session.requested_by,
                    repository_id=repository.id,
                    task_id=session.task_id,
                    session_id=session.id,
                    correlation_id=session.correlation_id,
                    causation_id=session.causation_id,
                )
            return kept

        return await self._storage.write(keep)

    async def _repository(self, repository_id: int) -> Repository:
        return await self._storage.read(lambda db: repositories.get(db, repository_id))


def _may_begin_anew(session: Session) -> bool:
    """Return whether the session is a run that was to go on in the thread of another, and has not.

    A message to a thread is meant for that thread, and begins none.
    """
    goes_on = session.origin == "run" and session.previous_session_id is not None
    return goes_on and session.codex_turn_id is None


class _Undecided(Exception):
    """A worktree cannot be made before a person has decided how it is set up."""

    def __init__(self, seen: SeenSetup) -> None:
        super().__init__()
        self.seen = seen


def _keep_remade(
    tx: Transaction, *, session: Session, made: WorktreeCreated, is_ready: bool
) -> None:
    """Note that a session's worktree was made again, for somebody who has no session yet."""
    if is_ready:
        unready_worktrees.forget(tx, session.host, made.path)
    else:
        unready_worktrees.note(tx, session.host, made.path, session.repository_id)
    tx.emit(
        created(made),
        actor=SYSTEM,
        repository_id=session.repository_id,
        task_id=session.task_id,
        correlation_id=session.correlation_id,
    )


def _script_for(session: Session, repository: Repository, setup: Setup) -> SetUpScript | None:
    """Return what is to run for a session; one that may not write can set nothing up."""
    if not setup.script or session.sandbox == "read-only":
        return None
    return SetUpScript(text=setup.script, source=repository.local_path)


async def _new_branch(main: Checkout, session: Session) -> str:
    """Return the name of a branch that does not exist yet, for the session."""
    name = wanted = branch_of_run(session.task_id, session.id)
    number = 1
    while await branch_commit(main, name) is not None:
        number += 1
        name = f"{wanted}-{number}"
    return name


async def _check_branch(checkout: Checkout, branch: str | None, field: str) -> None:
    if branch is None:
        return
    current = (await read_status(checkout)).branch
    if current != branch:
        raise Conflict(
            f"{checkout.path} is on {current or 'no branch'}, not on {branch}; "
            f"leave out {field} or switch it.",
            currentBranch=current,
        )
