"""`/repositories`: the git repositories that tasks run in, and the worktrees of each.

The actor keeps no state but its locks: what it says of a repository is in the store, and what the
repository is, git says. Git's work runs in background tasks, one at a time for each repository
where it changes something, so that a slow disk delays nobody else. A change of state and its event
are one transaction.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
import trio
from sqlite_utils import Database

from command_center.actors.contracts.addresses import PULL_REQUESTS, foreign_turns_on
from command_center.actors.contracts.comments import (
    CreateComment,
    PlaceComments,
    PlacedComment,
)
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.landing import (
    Changes,
    CommitWork,
    DiscardWork,
    MarkConflicts,
    MarkViewed,
    Restored,
    RestoreWork,
    SeeChanges,
    SeePatch,
    SeePicture,
    ViewedFiles,
)
from command_center.actors.contracts.pull_requests import FollowPullRequests
from command_center.actors.contracts.pushes import CarryOutPushes, PushWork
from command_center.actors.contracts.repositories import (
    CreateRepository,
    DeleteRepository,
    GatherFacts,
    Inspection,
    InspectRepository,
    PatchRepository,
    RepositoryDeleted,
    ScanRepository,
    WorkplaceFacts,
)
from command_center.actors.contracts.reviews import QuoteFindings
from command_center.actors.contracts.sessions import ThreadsReleased
from command_center.actors.contracts.turns import FindRunningTurns
from command_center.actors.contracts.worktrees import (
    Bounds,
    CleanWorktrees,
    CreateWorktree,
    DiffWorktree,
    FindBounds,
    FindFolder,
    ListWorktrees,
    MergeWorktree,
    Prepared,
    PrepareWorkplace,
    PruneWorktrees,
    RemakeWorktree,
    RemoveWorktree,
    SeeConfiguration,
    SeenConfiguration,
    TidyWorktrees,
    WorkFolder,
    WorktreeCreated,
    WorktreeState,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout, NotAWorkTree
from command_center.actors.git.committing import Committed
from command_center.actors.git.conflicts import MarkedConflicts
from command_center.actors.git.diffs import Diff
from command_center.actors.git.facts import (
    WorktreeEntry,
    WorkTreeStatus,
    read_commits,
    read_contents,
    read_default_branch,
    read_remotes,
    read_status,
    read_store_size,
    read_warnings,
    read_worktrees,
)
from command_center.actors.git.merging import MergeResult
from command_center.actors.git.patches import Patch
from command_center.actors.git.pictures import Picture
from command_center.actors.git.remotes import push_addresses
from command_center.actors.ledger.repositories import (
    columns_of,
    create_repository,
    delete_repository,
    keep_scan,
    note_worktrees,
    patch_repository,
)
from command_center.actors.repositories.bounds import SessionBounds
from command_center.actors.repositories.cleanup import WorktreeCleaning
from command_center.actors.repositories.comments import Comments
from command_center.actors.repositories.discards import Discards
from command_center.actors.repositories.landing import Landing
from command_center.actors.repositories.locations import Places
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.pushes import Pushes
from command_center.actors.repositories.seen_changes import SeenChanges
from command_center.actors.repositories.work_folders import WorkFolders
from command_center.actors.repositories.workspaces import Workplaces
from command_center.actors.repositories.worktrees import Worktrees
from command_center.actors.rules.caps import Caps, stored_caps
from command_center.actors.rules.choices import Choices, stored
from command_center.actors.rules.errors import Conflict, Invalid, Unavailable
from command_center.actors.rules.policy import same_place
from command_center.actors.rules.preconditions import only_if
from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorNotFound,
    ActorStopped,
    AskTimeout,
    Backoff,
    Deferred,
    MailboxFull,
    Refusal,
    handles,
)
from command_center.store import (
    Comment,
    DiscardedWork,
    Page,
    Push,
    Repository,
    Session,
    Transaction,
    sessions,
)
from command_center.store import repositories as repository_table

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

GIT_SECONDS = 300.0
"""Seconds to wait for an answer that needs git: `ask(…, timeout=GIT_SECONDS)`."""

TURNS_SECONDS = 15.0
"""Seconds that Codex may take to say where turns run."""

TIDY: Final = Backoff(initial=0.5, cap=60.0)
"""The pauses between two attempts to tidy up, while that cannot be said or turns run."""

LANGUAGES_SHOWN = 5
"""Number of languages of a repository that a session is told of."""

NAME_LENGTH = 200
"""Characters of a repository's name."""


class Repositories(Actor):
    """Answers every message about repositories and their worktrees."""

    def __init__(self, storage: Storage, hosts: Hosts[Host], *, approval_seconds: float) -> None:
        """Work on those hosts; a push that needs an approval waits that long for it."""
        self._storage = storage
        self._hosts = hosts
        self._locks = KeyedLocks()
        places = Places(storage)
        self._worktrees = Worktrees(storage, hosts, self._locks, places, self._running_turns)
        self._seeing = SeenChanges(storage, hosts, self._locks)
        self._comments = Comments(storage, self._seeing)
        self._discards = Discards(storage, hosts, self._locks)
        self._landing = Landing(storage, hosts, self._locks)
        self._pushes = Pushes(storage, hosts, approval_seconds, self._open_pull_requests)
        self._workplaces = Workplaces(storage, hosts, self._locks, places)
        self._folders = WorkFolders(storage, hosts)
        self._bounds = SessionBounds(storage, hosts)
        self._cleaning = WorktreeCleaning(storage, hosts, self._locks, self._running_turns)
        self._tidied_later: set[int] = set()
        """The repositories that are tidied up once it can be said where turns run."""

    async def on_start(self) -> None:
        """Tidy up what was left to be when the server ended, and go on with pushes."""
        try:
            await self._note_worktrees()
        except Unavailable as error:
            log.warning("worktrees.unnoted", reason=str(error))
        self.ctx.start_task(self._tidy_all)
        self.ctx.start_task(self._push_all)

    def _open_pull_requests(self) -> None:
        """Have pull requests opened that follow a push; else they are found by their rows."""
        with contextlib.suppress(ActorNotFound, MailboxFull):
            self.ctx.lookup(PULL_REQUESTS).try_tell(FollowPullRequests())

    async def _push_all(self) -> None:
        try:
            await self._pushes.go_on()
        except Unavailable as error:
            log.warning("pushes.unread", reason=str(error))

    async def _note_worktrees(self) -> None:
        """Have runs reserve places where worktrees are made now: the data folder may have moved."""
        moved: dict[int, Path] = {}
        for repository in await self._known():
            if repository.host in self._hosts:
                folder = await self._hosts.of(repository).folders.worktrees()
                if repository.facts.get("worktreesFolder") != str(folder):
                    moved[repository.id] = folder
        if moved:
            await self._storage.write(lambda tx: note_worktrees(tx, moved))

    async def _tidy_all(self) -> None:
        for repository in await self._known():
            await self._tidy(TidyWorktrees(repository.id))

    async def _known(self) -> list[Repository]:
        """Read all repositories; log those that are damaged."""
        known, damaged = await self._storage.read(lambda db: repository_table.sound(db, {}))
        for error in damaged:
            log.error("repository.damaged", repository_id=error.id)
        return known

    def describe(self) -> Mapping[str, object]:
        """Return the ids of the repositories in which git works now."""
        return {"busyRepositories": self._locks.held()}

    @handles(InspectRepository)
    async def inspect(self, message: InspectRepository) -> Deferred[Inspection]:
        """Say what a folder is."""
        return self.ctx.answer_later(self._inspect, message)

    async def _inspect(self, message: InspectRepository) -> Inspection:
        host = self._hosts.named(message.host)
        path = await host.folders.resolve(message.local_path, "localPath")
        try:
            checkout = await host.git.open(path)
        except NotAWorkTree as error:
            return Inspection(
                is_git_repository=False,
                host=host.name,
                name=path.name,
                local_path=str(path),
                warnings=[_sentence(error)],
            )
        return await self._look(host, checkout, await read_status(checkout))

    @handles(CreateRepository)
    async def create(self, message: CreateRepository) -> Deferred[Repository]:
        """Register a repository."""
        if message.name is not None:
            check_name(message.name)
        return self.ctx.answer_later(self._create, message)

    async def _create(self, message: CreateRepository) -> Repository:
        host = self._hosts.named(message.host)
        seen, checkout = await self._examine(host, message.local_path)
        git_dir = checkout.common_dir
        addresses = push_addresses(checkout) if message.allow_push else []
        async with self._locks.of("registration"):
            await self._check_new(host, seen.local_path, git_dir, but=None)
            worktrees = await host.folders.worktrees()
            return await self._storage.write(
                lambda tx: create_repository(
                    tx, message, seen, git_dir, worktrees, addresses=addresses
                )
            )

    @handles(PatchRepository)
    async def patch(self, message: PatchRepository) -> Deferred[Repository]:
        """Change a repository."""
        if isinstance(message.changes.name, str):
            check_name(message.changes.name)
        return self.ctx.answer_later(self._patch, message)

    async def _patch(self, message: PatchRepository) -> Repository:
        repository_id, changes = message.repository_id, message.changes
        fields: dict[str, Any] = {
            name: value
            for name in changes.__struct_fields__
            if name != "requested_by" and (value := getattr(changes, name)) is not msgspec.UNSET
        }
        if isinstance(changes.run_defaults, Choices):
            fields["run_defaults"] = stored(changes.run_defaults)
        if isinstance(changes.caps, Caps):
            fields["caps"] = stored_caps(changes.caps)

        def change(tx: Transaction) -> Repository:
            return patch_repository(tx, repository_id, fields, changes.requested_by)

        if "local_path" not in fields and not fields.get("allow_push"):
            return await self._storage.write(only_if(message.condition, change))
        async with self._locks.of("registration"), self._locks.of(repository_id):
            known = await self._storage.read(lambda db: repository_table.get(db, repository_id))
            host = self._hosts.of(known)
            if "local_path" in fields:
                seen, checkout = await self._examine(host, fields["local_path"])
                git_dir = checkout.common_dir
                await self._check_new(host, seen.local_path, git_dir, but=repository_id)
                fields |= columns_of(seen, git_dir, await host.folders.worktrees())
                fields["push_addresses"] = []
            else:
                checkout = await open_main(host, known)
            if fields.get("allow_push"):
                fields["push_addresses"] = push_addresses(checkout)
            return await self._storage.write(only_if(message.condition, change))

    @handles(ScanRepository)
    async def scan(self, message: ScanRepository) -> Deferred[Repository]:
        """Look at a repository anew."""
        return self.ctx.answer_later(self._scan, message)

    async def _scan(self, message: ScanRepository) -> Repository:
        repository = await self._storage.read(
            lambda db: repository_table.get(db, message.repository_id)
        )
        host = self._hosts.of(repository)
        checkout = await open_main(host, repository)
        status = await read_status(checkout)
        seen = await self._look(host, checkout, status)
        contents = await read_contents(checkout, status)
        commits = await read_commits(checkout, status)
        columns = columns_of(seen, checkout.common_dir, await host.folders.worktrees())
        columns["facts"] |= {
            "contents": msgspec.to_builtins(contents),
            "commits": msgspec.to_builtins(commits),
            "gitBytes": await read_store_size(checkout),
        }
        return await self._storage.write(
            lambda tx: keep_scan(tx, message.repository_id, columns, message.requested_by)
        )

    @handles(DeleteRepository)
    async def delete(self, message: DeleteRepository) -> Deferred[RepositoryDeleted]:
        """Forget a repository."""
        return self.ctx.answer_later(self._delete, message)

    async def _delete(self, message: DeleteRepository) -> RepositoryDeleted:
        async with self._locks.of(message.repository_id):
            deleted = await self._storage.write(
                only_if(
                    message.condition,
                    lambda tx: delete_repository(tx, message.repository_id, message.requested_by),
                )
            )
        for host in self._hosts:
            turns = self.ctx.find(foreign_turns_on(host.name))
            if turns is not None:
                await turns.tell(ThreadsReleased())
        return deleted

    @handles(CreateWorktree)
    async def create_worktree(self, message: CreateWorktree) -> Deferred[WorktreeCreated]:
        """Make a worktree."""
        return self.ctx.answer_later(self._worktrees.create, message)

    @handles(ListWorktrees)
    async def list_worktrees(self, message: ListWorktrees) -> Deferred[list[WorktreeState]]:
        """List the worktrees of a repository."""
        return self.ctx.answer_later(self._worktrees.describe, message)

    @handles(DiffWorktree)
    async def diff_worktree(self, message: DiffWorktree) -> Deferred[Diff]:
        """Show what a worktree changed."""
        return self.ctx.answer_later(self._worktrees.diff, message)

    @handles(RemoveWorktree)
    async def remove_worktree(self, message: RemoveWorktree) -> Deferred[WorktreeEntry]:
        """Delete a worktree."""
        return self.ctx.answer_later(self._worktrees.remove, message)

    @handles(PruneWorktrees)
    async def prune_worktrees(self, message: PruneWorktrees) -> Deferred[Page[WorktreeEntry]]:
        """Forget worktrees whose folders are gone."""
        return self.ctx.answer_later(self._worktrees.prune, message)

    @handles(CleanWorktrees)
    async def clean_worktrees(self, message: CleanWorktrees) -> Deferred[Page[WorktreeEntry]]:
        """Delete the worktrees that nobody needs."""
        return self.ctx.answer_later(self._cleaning.clean, message)

    @handles(TidyWorktrees)
    async def tidy_worktrees(self, message: TidyWorktrees) -> None:
        """Delete the worktrees of runs whose tasks are done."""
        self.ctx.start_task(self._tidy, message)

    async def _tidy(self, message: TidyWorktrees) -> None:
        """Tidy up; later, where a turn runs that somebody else began, or may run."""
        key = message.repository_id
        if not await self._is_tidied(key) and key not in self._tidied_later:
            self._tidied_later.add(key)
            self.ctx.start_task(self._tidy_later, key)

    async def _tidy_later(self, repository_id: int) -> None:
        for attempt in itertools.count(1):
            await trio.sleep(TIDY.delay(attempt))
            if await self._is_tidied(repository_id):
                break
        self._tidied_later.discard(repository_id)

    async def _is_tidied(self, repository_id: int) -> bool:
        """Tidy up; log what cannot be tidied up, such as a repository that is gone."""
        try:
            await self._cleaning.tidy(TidyWorktrees(repository_id))
            await self._discards.expire(repository_id)
        except Unavailable as error:
            log.info("worktrees.later", repository=repository_id, reason=str(error))
            return False
        except Refusal as error:
            log.info("worktrees.untidy", repository=repository_id, reason=str(error))
        return True

    async def _running_turns(self, host: str) -> list[str]:
        """Ask who knows Codex in which folders of a host turns run.

        Raises:
            Unavailable: that cannot be said now, as just after the start.
        """
        turns = self.ctx.find(foreign_turns_on(host))
        if turns is None:
            raise Unavailable("Codex is not reached yet.", retry_after=1.0)
        try:
            return await turns.ask(FindRunningTurns(), timeout=TURNS_SECONDS)
        except (ActorStopped, ActorCrashed, AskTimeout) as error:
            raise Unavailable(str(error), retry_after=1.0) from error

    @handles(MergeWorktree)
    async def merge_worktree(self, message: MergeWorktree) -> Deferred[MergeResult]:
        """Merge a worktree's branch back."""
        return self.ctx.answer_later(self._worktrees.merge, message)

    @handles(SeeChanges)
    async def see_changes(self, message: SeeChanges) -> Deferred[Changes]:
        """List what a session has changed."""
        return self.ctx.answer_later(self._seeing.see, message)

    @handles(SeePatch)
    async def see_patch(self, message: SeePatch) -> Deferred[Patch]:
        """Show what a session has changed in a file."""
        return self.ctx.answer_later(self._seeing.see_patch, message)

    @handles(SeePicture)
    async def see_picture(self, message: SeePicture) -> Deferred[Picture]:
        """Show a picture that a session has changed."""
        return self.ctx.answer_later(self._seeing.see_picture, message)

    @handles(MarkViewed)
    async def mark_viewed(self, message: MarkViewed) -> Deferred[ViewedFiles]:
        """Keep that files were looked at."""
        return self.ctx.answer_later(self._seeing.mark, message)

    @handles(CreateComment)
    async def create_comment(self, message: CreateComment) -> Deferred[Comment]:
        """Keep a comment on what a session has changed."""
        return self.ctx.answer_later(self._comments.create, message)

    @handles(QuoteFindings)
    async def quote_findings(self, message: QuoteFindings) -> None:
        """Read the lines that a review's comments speak of."""
        self.ctx.start_task(self._comments.quote, message)

    @handles(PlaceComments)
    async def place_comments(self, message: PlaceComments) -> Deferred[list[PlacedComment]]:
        """Say where the lines of comments are now."""
        return self.ctx.answer_later(self._comments.place, message)

    @handles(CommitWork)
    async def commit_work(self, message: CommitWork) -> Deferred[Committed]:
        """Commit what an ended session left."""
        return self.ctx.answer_later(self._landing.commit, message)

    @handles(PushWork)
    async def push_work(self, message: PushWork) -> Deferred[Push]:
        """Push what a session committed, or ask a person."""
        return self.ctx.answer_later(self._pushes.push, message)

    @handles(CarryOutPushes)
    async def carry_out_pushes(self, _message: CarryOutPushes) -> None:
        """Go on with the pushes that were let through."""
        self.ctx.start_task(self._push_all)

    @handles(MarkConflicts)
    async def mark_conflicts(self, message: MarkConflicts) -> Deferred[MarkedConflicts]:
        """Merge a base into a session's branch, with its conflicts marked."""
        return self.ctx.answer_later(self._landing.mark_conflicts, message)

    @handles(DiscardWork)
    async def discard_work(self, message: DiscardWork) -> Deferred[DiscardedWork]:
        """Take away what an ended session left, and keep it."""
        return self.ctx.answer_later(self._discards.discard, message)

    @handles(RestoreWork)
    async def restore_work(self, message: RestoreWork) -> Deferred[Restored]:
        """Bring back what was discarded."""
        return self.ctx.answer_later(self._discards.restore, message)

    @handles(PrepareWorkplace)
    async def prepare_workplace(self, message: PrepareWorkplace) -> Deferred[Prepared]:
        """See that the folder that a session works in is there."""
        return self.ctx.answer_later(self._workplaces.prepare, message)

    @handles(SeeConfiguration)
    async def see_configuration(
        self, message: SeeConfiguration
    ) -> Deferred[SeenConfiguration | None]:
        """Show the files by which a session's repository configures Codex."""
        return self.ctx.answer_later(self._bounds.see_configuration, message)

    @handles(FindBounds)
    async def find_bounds(self, message: FindBounds) -> Deferred[Bounds]:
        """Say where a session ends."""
        return self.ctx.answer_later(self._bounds.bounds, message)

    @handles(FindFolder)
    async def find_folder(self, message: FindFolder) -> Deferred[WorkFolder]:
        """Say which folder of a repository is meant."""
        return self.ctx.answer_later(self._folders.find_folder, message)

    @handles(RemakeWorktree)
    async def remake_worktree(self, message: RemakeWorktree) -> Deferred[bool]:
        """Make a worktree again in which a thread works."""
        return self.ctx.answer_later(self._workplaces.remake, message)

    @handles(GatherFacts)
    async def gather(self, message: GatherFacts) -> Deferred[WorkplaceFacts]:
        """Say what the folder of a session is like."""
        return self.ctx.answer_later(self._gather, message)

    async def _gather(self, message: GatherFacts) -> WorkplaceFacts:
        def load(db: Database) -> tuple[Session, Repository]:
            session = sessions.get(db, message.session_id)
            return session, repository_table.get(db, session.repository_id)

        session, repository = await self._storage.read(load)
        main = await open_main(self._hosts.of(repository), repository)
        checkout = await main.git.open(Path(session.cwd), common_dir=main.common_dir)
        status = await read_status(checkout)
        contents = await read_contents(checkout, status)
        return WorkplaceFacts(
            path=str(checkout.path),
            branch=status.branch,
            default_branch=await read_default_branch(checkout, status),
            head_sha=status.head,
            is_dirty=status.dirty,
            ahead=status.ahead,
            behind=status.behind,
            files=contents.files,
            languages=list(contents.languages)[:LANGUAGES_SHOWN],
            commits=await read_commits(checkout, status),
            warnings=await read_warnings(checkout),
        )

    async def _examine(self, host: Host, local_path: str) -> tuple[Inspection, Checkout]:
        """Inspect a folder that is to be registered; return that, and the checkout.

        Raises:
            Invalid: it cannot be registered; the error names the field.
        """
        path = await host.folders.resolve(local_path, "localPath")
        try:
            checkout = await host.git.open(path)
        except NotAWorkTree as error:
            raise Invalid.field("localPath", str(error)) from error
        return await self._look(host, checkout, await read_status(checkout)), checkout

    async def _look(self, host: Host, checkout: Checkout, status: WorkTreeStatus) -> Inspection:
        warnings = await read_warnings(checkout)
        if await host.folders.has_data_in(checkout.path):
            warnings.append(
                "The data folder of this server lies in it. A run that may write can change it."
            )
        return Inspection(
            is_git_repository=True,
            name=checkout.path.name,
            host=host.name,
            local_path=str(checkout.path),
            default_branch=await read_default_branch(checkout, status),
            current_branch=status.branch,
            head_sha=status.head,
            is_dirty=status.dirty,
            ahead=status.ahead,
            behind=status.behind,
            remotes=read_remotes(checkout),
            worktrees=await read_worktrees(checkout),
            warnings=warnings,
        )

    async def _check_new(
        self, host: Host, local_path: str, git_dir: Path, *, but: int | None
    ) -> None:
        """Refuse a repository that is registered on its host, under whatever spelling.

        Raises:
            Conflict: it is; the other is named.
        """
        for other in await self._storage.read(
            lambda db: repository_table.every(db, {"host": host.name})
        ):
            if other.id == but:
                continue
            known_git_dir = other.facts.get("gitDir")
            if (
                same_place(other.local_path, local_path)
                or await host.folders.same(Path(other.local_path), Path(local_path))
                or (
                    isinstance(known_git_dir, str)
                    and await host.folders.same(Path(known_git_dir), git_dir)
                )
            ):
                raise Conflict(
                    f"{local_path} is registered already: "
                    f"repository {other.id} ({other.name}) at {other.local_path}.",
                    repositoryId=other.id,
                )


def check_name(name: str) -> None:
    """Refuse a name that cannot be shown.

    Raises:
        Invalid: it is empty, too long, or has control characters.
    """
    if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
        raise Invalid.field("name", f"A name has 1 to {NAME_LENGTH} printable characters.")


def _sentence(error: NotAWorkTree) -> str:
    return error.problem[:1].upper() + error.problem[1:]
