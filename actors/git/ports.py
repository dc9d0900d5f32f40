"""The port of git: the rest of the program uses it, and each host has a git of its own behind it.

`Git` is what a host brings. It opens a `Checkout`, a work tree that was looked at and may be worked
in, and runs each `GitCommand` there; every git command starts from a checkout. What is beside git
on the disk, such as the files of a worktree that is to go, it does too, since only it is on that
machine. `hosts.local.git` is the git of this one; docs/hosts.md shows how to write another.

Everything that goes to a host and comes back is data: paths, texts, bytes and errors of `errors`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, Protocol

import attrs

from command_center.actors.git.settings import Setting

PROGRAM: Final = "git"
"""The program's name."""

DEADLINE: Final = 30.0
"""Seconds that a command may take unless it is given its own."""

ANSWER_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of output that are kept unless a command is given its own limit."""

OF_THE_TREE: Final[Mapping[str, str]] = MappingProxyType({"GIT_ATTR_SOURCE": ""})
"""For a command that takes attributes from the work tree as it is now."""

EMPTY_TREE: Final = MappingProxyType(
    {
        "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
    }
)
"""The tree without entries by object format: git knows it without having it stored."""

EMPTY_BLOB: Final = MappingProxyType(
    {
        "sha1": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "sha256": "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    }
)
"""The content of an empty file, in the same way."""

EntryKind = Literal["folder", "file", "link", "repository", "other"]
"""The kind of a thing in a folder; a `repository` is a folder that is one of its own."""

Unfinished = Literal["merge", "rebase", "cherry-pick", "revert"]
"""Commands of git that wait for somebody to resolve conflicts."""

Identity = tuple[int, int]
"""A folder's device and inode: what it is, whatever its path leads to later."""


class Writes(enum.Flag):
    """Parts of a repository that a command changes; it only reads the others.

    `PACKED` goes with `REFS` where a ref is taken away, which may be in `packed-refs`, too.
    `SHALLOW` says where the history ends that is there.
    """

    NOTHING = 0
    OBJECTS = enum.auto()
    REFS = enum.auto()
    WORKTREES = enum.auto()
    TREE = enum.auto()
    INDEX = enum.auto()
    PACKED = enum.auto()
    SHALLOW = enum.auto()


class Staging(enum.Enum):
    """The way in which files come into the index of a stand-in, for one command.

    The repository's own index stays as it is.

    - `NAMED`: git knows of them; they are not read.
    - `HASHED`: the index has what their content is called; no content is kept.
    - `STORED`: their content is kept among the repository's objects.
    - `READ`: as `HASHED`, also of a file that git would not read again, since the index says that
      it is as it was, or that it is not to be looked at.
    """

    NAMED = enum.auto()
    HASHED = enum.auto()
    STORED = enum.auto()
    READ = enum.auto()


@attrs.frozen
class Layout:
    """Paths of the parts of a work tree.

    Attributes:
        path: its top, resolved.
        git_dir: its own git directory.
        common_dir: the git directory that all worktrees of the repository share.
        asserted: whether its configuration has to name this work tree still.
        identities: what the git directories were when they were found.
        top: the same of its top.
    """

    path: Path
    git_dir: Path
    common_dir: Path
    asserted: bool
    identities: tuple[Identity, Identity]
    top: Identity


@attrs.frozen(kw_only=True)
class GitCommand:
    """One git command.

    Attributes:
        arguments: the command and its arguments.
        writes: what it changes.
        branch: the branch that HEAD names while it runs, whatever the work tree's own HEAD says by
            then. With the reftable format HEAD is where the refs are, and this has no effect.
        staged: files that the index has beside its own while it runs, by their names.
        staging: how those come there.
        index_of: the commit or tree whose files the index has while it runs, in the place of the
            work tree's own.
        also: folders beside the repository that it writes to.
        extra: variables that this command needs. `GIT_ATTR_SOURCE` names the commit whose
            attributes count (see `OF_THE_TREE`); they come from an empty tree otherwise.
        sent: what git reads on its stdin, which is empty otherwise.
        limit: bytes of output that are taken.
        may_cut: whether more output than that is cut (and the process ended), or an error.
        deadline: seconds for git's work; waiting for a turn does not count.
        accepted: exit codes that are answers.
        reaches: whether it speaks with another machine. Then git has the user's credential helper
            and ssh, and no limits of the system's, which would hold those, too.
        signs: whether it signs a commit. Then git has the user's key and what signs with it, and
            no limits of the system's either.
    """

    arguments: tuple[str, ...]
    writes: Writes = Writes.NOTHING
    branch: str | None = None
    staged: Collection[bytes] = ()
    staging: Staging = Staging.NAMED
    index_of: str | None = None
    also: Collection[Path] = ()
    extra: Mapping[str, str] = attrs.field(factory=dict)
    sent: bytes | None = None
    limit: int = ANSWER_LIMIT
    may_cut: bool = False
    deadline: float = DEADLINE
    accepted: Collection[int] = (0,)
    reaches: bool = False
    signs: bool = False

    @property
    def is_free(self) -> bool:
        """Return True where it uses programs of the user's, which the system cannot hold."""
        return self.reaches or self.signs


@attrs.frozen
class GitOutput:
    """Output of a git command. `cut` says that there was more.

    `complaint` is its stderr, after what git said of the files that were staged for it.
    """

    stdout: bytes
    cut: bool
    exit_code: int
    complaint: str

    @property
    def text(self) -> str:
        """Return the output as text, without its last line end; escape bytes that are not UTF-8."""
        return shown(self.stdout).rstrip("\n")


def shown(raw: bytes) -> str:
    r"""Bytes as text for people and JSON: what is not UTF-8 becomes `\xNN`. Not to be undone."""
    return raw.decode("utf-8", errors="backslashreplace")


@attrs.frozen
class Checkout:
    """A verified work tree, on the host of its git.

    It is made anew for every operation, as an agent may have changed any of it since: a checkout is
    never stored. An agent may go on changing it meanwhile, so nothing that a command is held by
    may rest on what was seen.

    Attributes:
        git: works in it.
        layout: where it and its git directories are.
        main: the main work tree of the repository.
        object_format: `sha1` or `sha256`.
        configuration: what the repository's own settings are, keys in lower case but for the
            middle; a key may be there more than once. Git is not told them.
        user: what the user's and the system's configuration say here, in the same way.
        settings: the configuration file that git is given.
    """

    git: Git
    layout: Layout
    main: Path
    object_format: str
    configuration: tuple[Setting, ...]
    user: tuple[Setting, ...]
    settings: bytes

    @property
    def path(self) -> Path:
        """Return the top of the work tree, resolved."""
        return self.layout.path

    @property
    def git_dir(self) -> Path:
        """Return the git directory of this work tree."""
        return self.layout.git_dir

    @property
    def common_dir(self) -> Path:
        """Return the git directory that all worktrees of the repository share."""
        return self.layout.common_dir

    @property
    def linked(self) -> bool:
        """Return True for a linked worktree, False for the main checkout."""
        return self.git_dir != self.common_dir

    async def run(
        self,
        *arguments: str,
        writes: Writes = Writes.NOTHING,
        branch: str | None = None,
        staged: Collection[bytes] = (),
        staging: Staging = Staging.NAMED,
        index_of: str | None = None,
        also: Collection[Path] = (),
        extra: Mapping[str, str] = MappingProxyType({}),
        sent: bytes | None = None,
        limit: int = ANSWER_LIMIT,
        may_cut: bool = False,
        sink: Callable[[bytes], None] | None = None,
        deadline: float = DEADLINE,
        accepted: Collection[int] = (0,),
        reaches: bool = False,
        signs: bool = False,
    ) -> GitOutput:
        """Run a git command here; see `GitCommand` and `Git.run`."""
        command = GitCommand(
            arguments=arguments,
            writes=writes,
            branch=branch,
            staged=staged,
            staging=staging,
            index_of=index_of,
            also=also,
            extra=dict(extra),
            sent=sent,
            limit=limit,
            may_cut=may_cut,
            deadline=deadline,
            accepted=accepted,
            reaches=reaches,
            signs=signs,
        )
        return await self.git.run(self, command, sink)


@attrs.frozen
class SeenEntry:
    """A thing in a folder: its name as the system has it, and what a link says as its `target`."""

    name: str
    kind: EntryKind
    size: int = 0
    target: str | None = None


@attrs.frozen
class SeenFolder:
    """A folder of a work tree, and the things in it; `is_cut` says that there are more."""

    entries: tuple[SeenEntry, ...]
    is_cut: bool


@attrs.frozen
class SeenFile:
    """A part of a file, the bytes of all of it, and a mark that is another once it has changed."""

    content: bytes
    size: int
    mark: str


@attrs.frozen(kw_only=True)
class TextSearch:
    """A search for a text in files of a work tree.

    Attributes:
        query: what is looked for, in any case of its letters unless it has capital ones.
        names: the files, as git names them; a binary one is passed over.
        limit: lines that are found at most.
        of_a_file: those of one file.
        size: bytes of a file that are searched, from its beginning.
        deadline: seconds.
    """

    query: str
    names: Collection[bytes]
    limit: int
    of_a_file: int
    size: int
    deadline: float


@attrs.frozen
class SeenLine:
    """A line that has a text: the file as git names it, the number from 1, and a part of it."""

    name: bytes
    line: int
    text: str


@attrs.frozen
class SeenLines:
    """The lines that have a text; `is_cut` says that not all was searched, or there are more."""

    lines: tuple[SeenLine, ...]
    is_cut: bool


class Git(Protocol):
    """Git on a host, held against repositories that are hostile input: an agent writes to them."""

    async def version(self) -> str:
        """Return what git says of its version. Raises `GitMissing` where runs could not use it."""

    async def open(self, path: Path, *, common_dir: Path | None = None) -> Checkout:
        """Look at a work tree before working in it.

        Args:
            path: the top of the work tree.
            common_dir: the git directory that it is known to belong to, if it is known.

        Raises:
            NotAWorkTree: it is none, or not the one that it was.
            UnsafeRepository: git could not be run in it safely.
        """

    async def run(
        self, checkout: Checkout, command: GitCommand, sink: Callable[[bytes], None] | None = None
    ) -> GitOutput:
        """Run a command in a checkout, when it is that repository's turn.

        `sink` takes the output as it comes, which is then not kept.

        Raises:
            UnsafeRepository: a pipe or the like is in the place of one of git's files.
            Conflict: the index is to be written, and another git holds it.
            GitMissing: there is no git, or one that is too old.
            GitTimedOut: the deadline passed.
            GitAnswerTooLong: more output than the limit, where it may not be cut.
            GitFailed: any other exit code.
        """

    async def says_something(self, checkout: Checkout, name: str) -> bool:
        """Say whether a small file of the common directory has more in it than comments."""

    async def read_file(self, checkout: Checkout, name: str, limit: int) -> bytes | None:
        """Read a file of a work tree; None if there is none, or a folder on the way to it is none.

        Raises:
            UnsafeRepository: it is a link, no regular file, or larger than the limit in bytes.
        """

    async def look(
        self, checkout: Checkout, name: str, begin: int, size: int
    ) -> SeenFolder | SeenFile | None:
        """Show a folder of a work tree, or a part of a file; None where there is nothing.

        The git directory is never shown, and a repository within the work tree is not entered. No
        name leads out of the work tree, whoever made it.

        Args:
            checkout: the work tree.
            name: the path from its top, which is empty.
            begin: bytes of a file that are passed over.
            size: bytes of a file that are read at most.

        Raises:
            UnsafeRepository: it is a link, no regular file, in a repository of its own, no path
                in the work tree, or cannot be read.
        """

    async def search(self, checkout: Checkout, wanted: TextSearch) -> SeenLines:
        """Find the lines that have a text, in the order of the names.

        What `look` refuses, and what is gone or cannot be read, is passed over.

        Raises:
            UnsafeRepository: the work tree is gone.
        """

    async def copy_files(
        self, source: Checkout, target: Checkout, names: Sequence[bytes], limit: int
    ) -> list[bytes]:
        """Copy files from one work tree to another; what is there already stays as it is.

        A link is copied as one if what it leads to lies in the source. Asking again goes on where
        a crash cut it off.

        Args:
            source: a work tree that an agent may change meanwhile.
            target: the other.
            names: the files, as git names them.
            limit: bytes of all files together.

        Returns:
            the names of those that are regular files or links; others are passed over.

        Raises:
            Conflict: a link leads out of the source, there is more than the limit, or a file
                cannot be read or written; the file is named.
        """

    async def measure(self, checkout: Checkout, names: Sequence[bytes], limit: int) -> int:
        """Add up the bytes of files of a work tree, no further than beyond the limit.

        What is gone counts nothing, and no link is followed.
        """

    async def find_standing(self, checkout: Checkout, names: Collection[bytes]) -> list[bytes]:
        """Return those of the names that are files or links of a work tree just now."""

    async def find_lost(
        self, checkout: Checkout, added: Mapping[bytes, str], removed: Collection[bytes]
    ) -> bytes | None:
        """Name a file of a work tree that would be lost if others were written there.

        Args:
            checkout: the work tree.
            added: files that would be written, each with the id that its content has as a blob;
                one that is there with that very content is not lost.
            removed: files that are kept elsewhere.

        Raises:
            Conflict: something there cannot be read.
        """

    async def commit_folders(self, checkout: Checkout) -> list[Path]:
        """Name the folders that a commit writes to, as they are now; no link among them."""

    async def make_folder(self, path: Path) -> None:
        """Make a folder for a worktree, and those above it.

        Raises:
            Conflict: it cannot be made.
        """

    async def claim_worktree(self, main: Checkout, path: Path) -> None:
        """Have a worktree that was just added name the git directory that it has.

        Raises:
            NotAWorkTree: git has made no worktree of it.
        """

    async def find_unfinished(self, checkout: Checkout) -> Unfinished | None:
        """Name what was begun in a work tree and not finished."""

    async def has_index(self, checkout: Checkout) -> bool:
        """Say whether git has written an index, which it does behind the last of the files."""

    async def is_being_filled(self, checkout: Checkout) -> bool:
        """Say whether git writes the files of a work tree just now."""

    async def read_begun(self, checkout: Checkout, algorithm: str) -> Mapping[bytes, str]:
        """Name all files of a work tree, each with the id that its content has as a blob.

        Raises:
            Conflict: something there cannot be read, or is neither a file nor a link.
        """

    async def reclaim_worktree(self, main: Checkout, path: Path) -> bool:
        """Have a worktree lead to its git directory where git was killed before it did.

        Returns:
            False where git keeps none of that path, its folder is gone, or it leads to something
            else.
        """

    async def delete_worktree(self, main: Checkout, path: Path) -> None:
        """Delete a worktree with all that is in it, and what git keeps of it.

        Raises:
            Conflict: it is none, it is locked, its `.git` does not lead back, or something in it
                cannot be deleted.
        """

    async def forget_worktree(self, main: Checkout, path: Path) -> bool:
        """Delete what git keeps of a worktree; False where it keeps nothing of that path."""

    async def take_away_worktree(self, main: Checkout, path: Path) -> None:
        """Delete what was made of a worktree, and nothing that came in its place meanwhile."""
