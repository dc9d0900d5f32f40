"""Facts of a repository, read without changing it: state, remotes, worktrees, size, history.

Everything is bounded: files are counted up to a limit, and the facts say when they were cut.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

import attrs
import msgspec

from command_center.actors.git.ports import Checkout, shown

STATUS_LIMIT: Final = 64 * 1024
"""Bytes of a status that are read: more than that is dirty anyway."""

TREE_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a commit's list of files that are counted; they are not kept."""

SCAN_DEADLINE: Final = 60.0
"""Seconds for each command of a scan."""

LIST_LIMIT: Final = 1024 * 1024
"""Bytes of a list of worktrees, refs or commits."""

COMMITS: Final = 10
"""Number of commits that a scan shows, the newest first."""

LANGUAGES: Final = MappingProxyType(
    {
        ".c": "C",
        ".h": "C",
        ".cc": "C++",
        ".cpp": "C++",
        ".cxx": "C++",
        ".hpp": "C++",
        ".cs": "C#",
        ".css": "CSS",
        ".scss": "CSS",
        ".dart": "Dart",
        ".ex": "Elixir",
        ".exs": "Elixir",
        ".erl": "Erlang",
        ".go": "Go",
        ".hs": "Haskell",
        ".html": "HTML",
        ".java": "Java",
        ".js": "JavaScript",
        ".cjs": "JavaScript",
        ".mjs": "JavaScript",
        ".jsx": "JavaScript",
        ".kt": "Kotlin",
        ".lua": "Lua",
        ".md": "Markdown",
        ".ml": "OCaml",
        ".php": "PHP",
        ".pl": "Perl",
        ".ps1": "PowerShell",
        ".py": "Python",
        ".pyi": "Python",
        ".r": "R",
        ".rb": "Ruby",
        ".rs": "Rust",
        ".scala": "Scala",
        ".sh": "Shell",
        ".sql": "SQL",
        ".svelte": "Svelte",
        ".swift": "Swift",
        ".tf": "Terraform",
        ".ts": "TypeScript",
        ".tsx": "TypeScript",
        ".vue": "Vue",
        ".zig": "Zig",
    }
)
"""The language of a file by the end of its name."""


class Remote(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Another copy of the repository; its address without any name or password in it."""

    name: str
    url: str


class WorktreeEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A work tree of the repository as git lists it.

    `lockedReason` and `prunableReason` are texts, perhaps empty ones, where it is locked or its
    folder is gone.
    """

    path: str
    branch_name: str | None = None
    head_sha: str | None = None
    is_main: bool = False
    locked_reason: str | None = None
    prunable_reason: str | None = None


class Commit(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One commit of the history."""

    sha: str
    author: str
    authored_at: str
    subject: str


class Language(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Files and bytes of the last commit in one language."""

    files: int
    bytes: int


class Contents(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Contents of the last commit; `isCut` says that there are more files than were counted."""

    files: int = 0
    bytes: int = 0
    languages: dict[str, Language] = {}
    has_agents_file: bool = False
    submodules: int = 0
    is_cut: bool = False


@attrs.frozen
class WorkTreeStatus:
    """State of a work tree: its branch, its commit, and its distance to the branch it follows.

    `branch` is None if HEAD is detached, `head` before the first commit. `ahead` and `behind` count
    commits, and are None if the branch follows no other.
    """

    branch: str | None
    head: str | None
    dirty: bool
    ahead: int | None
    behind: int | None


async def read_status(checkout: Checkout) -> WorkTreeStatus:
    """Read the state of the work tree. Untracked files make it dirty, ignored ones do not.

    A submodule makes it dirty if it is at another commit; git does not run inside of submodules.
    """
    answer = await checkout.run(
        "status",
        "--porcelain=v2",
        "--branch",
        "--untracked-files=normal",
        "--ignore-submodules=dirty",
        "--no-renames",
        "-z",
        limit=STATUS_LIMIT,
        may_cut=True,
        deadline=SCAN_DEADLINE,
    )
    headers: dict[str, str] = {}
    dirty = answer.cut
    for record in answer.stdout.split(b"\0"):
        if record.startswith(b"# "):
            key, _, value = shown(record[2:]).partition(" ")
            headers[key] = value
        elif record:
            dirty = True
            break
    branch = headers.get("branch.head")
    head = headers.get("branch.oid")
    counts = re.fullmatch(r"\+(\d+) -(\d+)", headers.get("branch.ab", ""))
    return WorkTreeStatus(
        branch=None if branch == "(detached)" else branch,
        head=None if head == "(initial)" else head,
        dirty=dirty,
        ahead=int(counts[1]) if counts else None,
        behind=int(counts[2]) if counts else None,
    )


async def read_gitlinks(checkout: Checkout) -> list[Path]:
    """Return the folders that git knows as other repositories, submodules among them."""
    found: list[Path] = []
    rest = b""

    def take(chunk: bytes) -> None:
        nonlocal rest
        *records, rest = (rest + chunk).split(b"\0")
        for record in records:
            if record.startswith(b"160000 "):
                name = record.partition(b"\t")[2].decode(errors="surrogateescape")
                found.append(checkout.path / name)

    await checkout.run(
        "ls-files", "--stage", "-z", limit=TREE_LIMIT, sink=take, deadline=SCAN_DEADLINE
    )
    return found


async def read_default_branch(checkout: Checkout, status: WorkTreeStatus) -> str | None:
    """Return the default branch: that of `origin`, else main or master, else the current one."""
    answer = await checkout.run(
        "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD", accepted=(0, 1, 128)
    )
    if answer.exit_code == 0 and answer.text.startswith("refs/remotes/origin/"):
        return answer.text.removeprefix("refs/remotes/origin/")
    answer = await checkout.run(
        "for-each-ref",
        "--format=%(refname)",
        "refs/heads/main",
        "refs/heads/master",
        limit=LIST_LIMIT,
    )
    found = answer.text.split("\n")
    for name in ("main", "master"):
        if f"refs/heads/{name}" in found:
            return name
    return status.branch


def read_remotes(checkout: Checkout) -> list[Remote]:
    """Return the remotes of the configuration, by name, with addresses free of secrets."""
    remotes: dict[str, Remote] = {}
    for key, value in checkout.configuration:
        if key.startswith("remote.") and key.endswith(".url"):
            name = key.removeprefix("remote.").removesuffix(".url")
            remotes.setdefault(name, Remote(name=name, url=bare_address(value)))
    return [remotes[name] for name in sorted(remotes)]


def bare_address(url: str) -> str:
    """Return a remote's address without user, password, query or fragment."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    host, slash, path = rest.partition("/")
    return scheme + mark + host.rpartition("@")[2] + slash + re.split(r"[?#]", path, maxsplit=1)[0]


async def read_worktrees(checkout: Checkout) -> list[WorktreeEntry]:
    """List all work trees of the repository, the main one first.

    The path of the main one is the checkout's: git works on a stand-in for the git directory, and
    so does not know it.
    """
    answer = await checkout.run("worktree", "list", "--porcelain", "-z", limit=LIST_LIMIT)
    entries: list[WorktreeEntry] = []
    for block in answer.stdout.split(b"\0\0"):
        fields: dict[str, str] = {}
        for line in block.split(b"\0"):
            key, _, value = shown(line).partition(" ")
            fields[key] = value
        if "worktree" not in fields:
            continue
        entries.append(
            WorktreeEntry(
                path=str(Path(fields["worktree"]) if entries else checkout.main),
                branch_name=fields["branch"].removeprefix("refs/heads/")
                if "branch" in fields
                else None,
                head_sha=fields.get("HEAD"),
                is_main=not entries,
                locked_reason=fields.get("locked"),
                prunable_reason=fields.get("prunable"),
            )
        )
    return entries


async def read_commits(checkout: Checkout, status: WorkTreeStatus) -> list[Commit]:
    """Return the last `COMMITS` commits, the newest first."""
    if status.head is None:
        return []
    answer = await checkout.run(
        "log",
        f"--max-count={COMMITS}",
        "--format=%H%x00%<(200,trunc)%an%x00%aI%x00%<(500,trunc)%s",
        "--encoding=UTF-8",
        "--no-show-signature",
        "--no-notes",
        "--no-mailmap",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "-z",
        "--end-of-options",
        status.head,
        "--",
        limit=LIST_LIMIT,
        deadline=SCAN_DEADLINE,
    )
    fields = [shown(field).rstrip() for field in answer.stdout.split(b"\0")]
    return [
        Commit(sha=sha, author=author, authored_at=authored_at, subject=subject)
        for sha, author, authored_at, subject in zip(
            fields[0::4], fields[1::4], fields[2::4], fields[3::4], strict=False
        )
    ]


@attrs.define
class _Counter:
    """Counts the files of a tree as their list comes by."""

    rest: bytes = b""
    files: int = 0
    size: int = 0
    submodules: int = 0
    agents: bool = False
    by_language: Counter[str] = attrs.field(factory=Counter)
    bytes_by_language: Counter[str] = attrs.field(factory=Counter)

    def take(self, chunk: bytes) -> None:
        *records, self.rest = (self.rest + chunk).split(b"\0")
        for record in records:
            head, _, name = record.partition(b"\t")
            mode, _kind, _sha, size = head.split()
            if mode == b"160000":
                self.submodules += 1
                continue
            self.files += 1
            count = int(size) if size.isdigit() else 0
            self.size += count
            self.agents = self.agents or name == b"AGENTS.md"
            language = LANGUAGES.get(PurePosixPath(shown(name)).suffix.lower())
            if language is not None:
                self.by_language[language] += 1
                self.bytes_by_language[language] += count


async def read_contents(checkout: Checkout, status: WorkTreeStatus) -> Contents:
    """Count the files of the last commit, by size and language."""
    if status.head is None:
        return Contents()
    counter = _Counter()
    answer = await checkout.run(
        "ls-tree",
        "-r",
        "-l",
        "-z",
        "--full-tree",
        status.head,
        limit=TREE_LIMIT,
        may_cut=True,
        sink=counter.take,
        deadline=SCAN_DEADLINE,
    )
    return Contents(
        files=counter.files,
        bytes=counter.size,
        languages={
            name: Language(files=files, bytes=counter.bytes_by_language[name])
            for name, files in counter.by_language.most_common()
        },
        has_agents_file=counter.agents,
        submodules=counter.submodules,
        is_cut=answer.cut,
    )


async def read_store_size(checkout: Checkout) -> int:
    """Bytes that the repository's objects take on disk, packed and loose."""
    answer = await checkout.run("count-objects", "-v", deadline=SCAN_DEADLINE)
    kibibytes = 0
    for line in answer.text.split("\n"):
        key, _, value = line.partition(": ")
        if key in {"size", "size-pack"} and value.isdigit():
            kibibytes += int(value)
    return kibibytes * 1024


async def read_warnings(checkout: Checkout) -> list[str]:
    """Return warnings to show before an agent is put to work here, one sentence each."""
    keys = {key for key, _ in checkout.configuration}
    own = checkout.configuration
    warnings = []
    if await checkout.git.says_something(checkout, "info/attributes"):
        warnings.append("Attributes in .git/info/attributes are ignored here.")
    if any(key == "core.fsmonitor" and value not in {"false", "true"} for key, value in own):
        warnings.append("core.fsmonitor names a program; it is not run here.")
    if any(key.startswith("include") for key in keys):
        warnings.append("Files that the git configuration includes are not read here.")
    if any(key.startswith("remote.") and key.endswith(".promisor") for key in keys):
        warnings.append("This is a partial clone. Missing objects are not fetched here.")
    if await checkout.git.says_something(checkout, "objects/info/alternates"):
        warnings.append("It borrows objects from another repository (objects/info/alternates).")
    return warnings
