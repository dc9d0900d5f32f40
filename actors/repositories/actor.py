"""`/repositories`: the git repositories that tasks run in, and the worktrees of each.

The actor keeps no state but its locks: what it says of a repository is in the store, and what the
repository is, git says. Git's work runs in background tasks, one at a time for each repository
where it changes something, so that a slow disk delays nobody else. A change of state and its event
are one transaction.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import structlog

from command_center.actors.contracts.addresses import PULL_REQUESTS, foreign_turns_on
from command_center.actors.contracts.backups import RETENTION, HistoryReleased
from command_center.actors.contracts.comments import CreateComment, PlaceComments, PlacedComment
from command_center.actors.contracts.far_answers import contained, spared
from command_center.actors.contracts.files import FindFiles, SeeFiles
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
from command_center.actors.contracts.prompts import (
    DeletePrompt,
    ListPrompts,
    ReadyPrompts,
    SavePrompt,
)
from command_center.actors.contracts.pull_requests import FollowPullRequests
from command_center.actors.contracts.pushes import CarryOutPushes, PushWork
from command_center.actors.contracts.repositories import (
    CloneRepository,
    CreateRepository,
    DeleteRepository,
    GatherFacts,
    Inspection,
    InspectRepository,
    PatchRepository,
    ProvideClone,
    RepositoryDeleted,
    ScanRepository,
    WorkplaceFacts,
)
from command_center.actors.contracts.reviews import QuoteFindings
from command_center.actors.contracts.sessions import ThreadsReleased
from command_center.actors.contracts.snapshots import (
    KeepSnapshot,
    ListSnapshots,
    RewindWork,
    Rewound,
)
from command_center.actors.contracts.turns import FindRunningTurns
from command_center.actors.contracts.worktrees import (
    Bounds,
    CleanWorktrees,
    CreateWorktree,
    DiffWorktree,
    FindBounds,
    FindCheckout,
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
    SessionCheckout,
    TidyWorktrees,
    WorkFolder,
    WorktreeCreated,
    WorktreeState,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.git.committing import Committed
from command_center.actors.git.conflicts import MarkedConflicts
from command_center.actors.git.diffs import Diff
from command_center.actors.git.facts import WorktreeEntry
from command_center.actors.git.files import FileView, FoundFiles
from command_center.actors.git.merging import MergeResult
from command_center.actors.git.patches import Patch
from command_center.actors.git.pictures import Picture
from command_center.actors.repositories.bounds import SessionBounds
from command_center.actors.repositories.cleanup import WorktreeCleaning
from command_center.actors.repositories.comments import Comments
from command_center.actors.repositories.discards import Discards
from command_center.actors.repositories.files import Files
from command_center.actors.repositories.landing import Landing
from command_center.actors.repositories.locations import Places
from command_center.actors.repositories.prompts import Prompts
from command_center.actors.repositories.pushes import Pushes
from command_center.actors.repositories.registrations import Registrations, check_name
from command_center.actors.repositories.seen_changes import SeenChanges
from command_center.actors.repositories.snapshots import Snapshots
from command_center.actors.repositories.tidying import Tidying
from command_center.actors.repositories.work_folders import WorkFolders
from command_center.actors.repositories.workplace_facts import gather_facts
from command_center.actors.repositories.workspaces import Workplaces
from command_center.actors.repositories.worktrees import Worktrees
from command_center.actors.rules.errors import Unavailable
from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorNotFound,
    ActorStopped,
    AskTimeout,
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
    SavedPrompt,
    Snapshot,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

GIT_SECONDS = 300.0
"""Seconds to wait for an answer that needs git: `ask(…, timeout=GIT_SECONDS)`."""

TURNS_SECONDS = 15.0
"""Seconds that Codex may take to say where turns run."""


class Repositories(Actor):
    """Answers every message about repositories and their worktrees."""

    def __init__(self, storage: Storage, hosts: Hosts[Host], *, approval_seconds: float) -> None:
        """Work on those hosts; a push that needs an approval waits that long for it."""
        self._storage = storage
        self._hosts = hosts
        self._locks = KeyedLocks()
        places = Places(storage)
        self._registrations = Registrations(storage, hosts, self._locks)
        self._worktrees = Worktrees(storage, hosts, self._locks, places, self._running_turns)
        self._seeing = SeenChanges(storage, hosts, self._locks)
        self._files = Files(storage, hosts)
        self._prompts = Prompts(storage, hosts)
        self._comments = Comments(storage, self._seeing)
        self._discards = Discards(storage, hosts, self._locks)
        self._snapshots = Snapshots(storage, hosts, self._locks, self._running_turns)
        self._landing = Landing(storage, hosts, self._locks)
        self._pushes = Pushes(storage, hosts, approval_seconds, self._open_pull_requests)
        self._workplaces = Workplaces(storage, hosts, self._locks, places)
        self._folders = WorkFolders(storage, hosts)
        self._bounds = SessionBounds(storage, hosts)
        self._cleaning = WorktreeCleaning(storage, hosts, self._locks, self._running_turns)
        self._tidying: Tidying

    async def on_start(self) -> None:
        """Tidy up what was left to be when the server ended, and go on with pushes."""
        self._tidying = Tidying(self.ctx, self._cleaning, self._discards, self._snapshots)
        try:
            await self._registrations.note_worktrees()
            await self._registrations.note_identities()
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

    async def _tidy_all(self) -> None:
        for repository in await self._registrations.known():
            await spared(self._tidying.tidy, TidyWorktrees(repository.id))

    def describe(self) -> Mapping[str, object]:
        """Return the ids of the repositories in which git works now."""
        return {"busyRepositories": self._locks.held()}

    @handles(InspectRepository)
    async def inspect(self, message: InspectRepository) -> Deferred[Inspection]:
        """Say what a folder is."""
        return self.ctx.answer_while_asked(contained(self._registrations.inspect), message)

    @handles(CreateRepository)
    async def create(self, message: CreateRepository) -> Deferred[Repository]:
        """Register a repository."""
        if message.name is not None:
            check_name(message.name)
        return self.ctx.answer_later(contained(self._registrations.create), message)

    @handles(CloneRepository)
    async def clone(self, message: CloneRepository) -> Deferred[Repository]:
        """Have a pool clone a remote, and register that."""
        if message.name is not None:
            check_name(message.name)
        return self.ctx.answer_later(contained(self._registrations.clone), message)

    @handles(ProvideClone)
    async def provide_clone(self, message: ProvideClone) -> Deferred[Repository]:
        """Have a pool host clone the remote of a repository."""
        return self.ctx.answer_later(contained(self._registrations.provide_clone), message)

    @handles(PatchRepository)
    async def patch(self, message: PatchRepository) -> Deferred[Repository]:
        """Change a repository."""
        if isinstance(message.changes.name, str):
            check_name(message.changes.name)
        return self.ctx.answer_later(contained(self._registrations.patch), message)

    @handles(ScanRepository)
    async def scan(self, message: ScanRepository) -> Deferred[Repository]:
        """Look at a repository anew."""
        return self.ctx.answer_later(contained(self._registrations.scan), message)

    @handles(DeleteRepository)
    async def delete(self, message: DeleteRepository) -> Deferred[RepositoryDeleted]:
        """Forget a repository."""
        return self.ctx.answer_later(contained(self._delete), message)

    async def _delete(self, message: DeleteRepository) -> RepositoryDeleted:
        deleted = await self._registrations.delete(message)
        retention = self.ctx.find(RETENTION) if message.with_history else None
        if retention is not None:
            await retention.tell(HistoryReleased())
        for host in self._hosts:
            turns = self.ctx.find(foreign_turns_on(host.name))
            if turns is not None:
                await turns.tell(ThreadsReleased())
        return deleted

    @handles(CreateWorktree)
    async def create_worktree(self, message: CreateWorktree) -> Deferred[WorktreeCreated]:
        """Make a worktree."""
        return self.ctx.answer_later(contained(self._worktrees.create), message)

    @handles(ListWorktrees)
    async def list_worktrees(self, message: ListWorktrees) -> Deferred[list[WorktreeState]]:
        """List the worktrees of a repository."""
        return self.ctx.answer_while_asked(contained(self._worktrees.describe), message)

    @handles(DiffWorktree)
    async def diff_worktree(self, message: DiffWorktree) -> Deferred[Diff]:
        """Show what a worktree changed."""
        return self.ctx.answer_while_asked(contained(self._worktrees.diff), message)

    @handles(RemoveWorktree)
    async def remove_worktree(self, message: RemoveWorktree) -> Deferred[WorktreeEntry]:
        """Delete a worktree."""
        return self.ctx.answer_later(contained(self._worktrees.remove), message)

    @handles(PruneWorktrees)
    async def prune_worktrees(self, message: PruneWorktrees) -> Deferred[Page[WorktreeEntry]]:
        """Forget worktrees whose folders are gone."""
        return self.ctx.answer_later(contained(self._worktrees.prune), message)

    @handles(CleanWorktrees)
    async def clean_worktrees(self, message: CleanWorktrees) -> Deferred[Page[WorktreeEntry]]:
        """Delete the worktrees that nobody needs."""
        return self.ctx.answer_later(contained(self._cleaning.clean), message)

    @handles(TidyWorktrees)
    async def tidy_worktrees(self, message: TidyWorktrees) -> None:
        """Delete the worktrees of runs whose tasks are done."""
        self.ctx.start_task(spared, self._tidying.tidy, message)

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
        return self.ctx.answer_later(contained(self._worktrees.merge), message)

    @handles(SeeChanges)
    async def see_changes(self, message: SeeChanges) -> Deferred[Changes]:
        """List what a session has changed."""
        return self.ctx.answer_while_asked(contained(self._seeing.see), message)

    @handles(SeePatch)
    async def see_patch(self, message: SeePatch) -> Deferred[Patch]:
        """Show what a session has changed in a file."""
        return self.ctx.answer_while_asked(contained(self._seeing.see_patch), message)

    @handles(SeePicture)
    async def see_picture(self, message: SeePicture) -> Deferred[Picture]:
        """Show a picture that a session has changed."""
        return self.ctx.answer_while_asked(contained(self._seeing.see_picture), message)

    @handles(SeeFiles)
    async def see_files(self, message: SeeFiles) -> Deferred[FileView]:
        """Show a folder, or a page of a file."""
        return self.ctx.answer_while_asked(contained(self._files.see), message)

    @handles(FindFiles)
    async def find_files(self, message: FindFiles) -> Deferred[FoundFiles]:
        """Find files by their names, or by a text."""
        return self.ctx.answer_while_asked(contained(self._files.find), message)

    @handles(ListPrompts)
    async def list_prompts(self, message: ListPrompts) -> Deferred[ReadyPrompts]:
        """List the prompts that can be said in a repository."""
        return self.ctx.answer_while_asked(contained(self._prompts.list), message)

    @handles(SavePrompt)
    async def save_prompt(self, message: SavePrompt) -> Deferred[SavedPrompt]:
        """Save a prompt."""
        return self.ctx.answer_later(contained(self._prompts.save), message)

    @handles(DeletePrompt)
    async def delete_prompt(self, message: DeletePrompt) -> Deferred[SavedPrompt]:
        """Delete a prompt that was saved."""
        return self.ctx.answer_later(contained(self._prompts.delete), message)

    @handles(MarkViewed)
    async def mark_viewed(self, message: MarkViewed) -> Deferred[ViewedFiles]:
        """Keep that files were looked at."""
        return self.ctx.answer_later(contained(self._seeing.mark), message)

    @handles(CreateComment)
    async def create_comment(self, message: CreateComment) -> Deferred[Comment]:
        """Keep a comment on what a session has changed."""
        return self.ctx.answer_later(contained(self._comments.create), message)

    @handles(QuoteFindings)
    async def quote_findings(self, message: QuoteFindings) -> None:
        """Read the lines that a review's comments speak of."""
        self.ctx.start_task(spared, self._comments.quote, message)

    @handles(PlaceComments)
    async def place_comments(self, message: PlaceComments) -> Deferred[list[PlacedComment]]:
        """Say where the lines of comments are now."""
        return self.ctx.answer_later(contained(self._comments.place), message)

    @handles(CommitWork)
    async def commit_work(self, message: CommitWork) -> Deferred[Committed]:
        """Commit what an ended session left."""
        return self.ctx.answer_later(contained(self._landing.commit), message)

    @handles(PushWork)
    async def push_work(self, message: PushWork) -> Deferred[Push]:
        """Push what a session committed, or ask a person."""
        return self.ctx.answer_later(contained(self._pushes.push), message)

    @handles(CarryOutPushes)
    async def carry_out_pushes(self, _message: CarryOutPushes) -> None:
        """Go on with the pushes that were let through."""
        self.ctx.start_task(self._push_all)

    @handles(MarkConflicts)
    async def mark_conflicts(self, message: MarkConflicts) -> Deferred[MarkedConflicts]:
        """Merge a base into a session's branch, with its conflicts marked."""
        return self.ctx.answer_later(contained(self._landing.mark_conflicts), message)

    @handles(DiscardWork)
    async def discard_work(self, message: DiscardWork) -> Deferred[DiscardedWork]:
        """Take away what an ended session left, and keep it."""
        return self.ctx.answer_later(contained(self._discards.discard), message)

    @handles(RestoreWork)
    async def restore_work(self, message: RestoreWork) -> Deferred[Restored]:
        """Bring back what was discarded."""
        return self.ctx.answer_later(contained(self._discards.restore), message)

    @handles(KeepSnapshot)
    async def keep_snapshot(self, message: KeepSnapshot) -> None:
        """Keep what a session's worktree is like after a turn."""
        self.ctx.start_task(spared, self._snapshots.keep, message)

    @handles(ListSnapshots)
    async def list_snapshots(self, message: ListSnapshots) -> Deferred[Page[Snapshot]]:
        """List what the files of a session's worktree were."""
        return self.ctx.answer_while_asked(contained(self._snapshots.list), message)

    @handles(RewindWork)
    async def rewind_work(self, message: RewindWork) -> Deferred[Rewound]:
        """Put the files of a session's worktree back."""
        return self.ctx.answer_later(contained(self._snapshots.rewind), message)

    @handles(PrepareWorkplace)
    async def prepare_workplace(self, message: PrepareWorkplace) -> Deferred[Prepared]:
        """See that the folder that a session works in is there."""
        return self.ctx.answer_later(contained(self._prepare), message)

    async def _prepare(self, message: PrepareWorkplace) -> Prepared:
        try:
            prepared = await self._workplaces.prepare(message)
        except Refusal:
            if not await self._registrations.clone_again(message.session_id):
                raise
            prepared = await self._workplaces.prepare(message)
        if prepared.undecided is None:
            await self._snapshots.begin(prepared.session)
        return prepared

    @handles(SeeConfiguration)
    async def see_configuration(
        self, message: SeeConfiguration
    ) -> Deferred[SeenConfiguration | None]:
        """Show the files by which a session's repository configures Codex."""
        return self.ctx.answer_later(contained(self._bounds.see_configuration), message)

    @handles(FindBounds)
    async def find_bounds(self, message: FindBounds) -> Deferred[Bounds]:
        """Say where a session ends."""
        return self.ctx.answer_later(contained(self._bounds.bounds), message)

    @handles(FindCheckout)
    async def find_checkout(self, message: FindCheckout) -> Deferred[SessionCheckout]:
        """Say in which checkout a session's folder is."""
        return self.ctx.answer_later(contained(self._folders.find_checkout), message)

    @handles(FindFolder)
    async def find_folder(self, message: FindFolder) -> Deferred[WorkFolder]:
        """Say which folder of a repository is meant."""
        return self.ctx.answer_later(contained(self._folders.find_folder), message)

    @handles(RemakeWorktree)
    async def remake_worktree(self, message: RemakeWorktree) -> Deferred[bool]:
        """Make a worktree again in which a thread works."""
        return self.ctx.answer_later(contained(self._workplaces.remake), message)

    @handles(GatherFacts)
    async def gather(self, message: GatherFacts) -> Deferred[WorkplaceFacts]:
        """Say what the folder of a session is like."""
        return self.ctx.answer_later(contained(gather_facts), self._storage, self._hosts, message)
