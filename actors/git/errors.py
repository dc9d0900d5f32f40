"""Errors of git, each as the domain error that its caller sees."""

from __future__ import annotations

from pathlib import Path

from command_center.actors.rules.branch_names import LONGEST
from command_center.actors.rules.errors import Conflict, Invalid, NotFound, Unavailable


class GitMissing(Unavailable):
    """There is no git on this machine, or none that is new enough."""

    def __init__(self, problem: str) -> None:
        """Say what is missing; the sentence ends with what to do."""
        super().__init__(f"{problem} Install git 2.41 or newer and see that it is on the PATH.")


class GitTimedOut(Unavailable):
    """Git had not ended by its deadline and was killed."""

    def __init__(self, command: str, seconds: float) -> None:
        """Name the command and the deadline in seconds."""
        super().__init__(f"git {command} took longer than {seconds:g} s and was ended.")
        self.command = command
        self.seconds = seconds


class GitFailed(Conflict):
    """Git ran and said no; the message is its own."""

    def __init__(self, command: str, exit_code: int, complaint: str) -> None:
        """Keep the command's name, git's exit code and what it printed on stderr, cut short."""
        told = complaint.strip().removeprefix("fatal: ").removeprefix("error: ")
        super().__init__(f"git {command} failed: {told[:500] or f'exit code {exit_code}'}")
        self.command = command
        self.exit_code = exit_code
        self.complaint = told


class StepCutOff(Conflict):
    """Git began to replace the files of a work tree, and did not come to the end."""


class GitAnswerTooLong(Conflict):
    """Git printed more than can be kept, where a part of it would mislead."""

    def __init__(self, command: str, limit: int) -> None:
        """Name the command and the limit in bytes."""
        super().__init__(f"git {command} printed more than {limit} bytes.")
        self.command = command
        self.limit = limit


class NotAWorkTree(Conflict):
    """The folder is not the top of a git work tree that may be used; `problem` says why."""

    def __init__(self, path: Path, problem: str) -> None:
        """Name the folder; `problem` is a sentence about it."""
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class WorktreeUnfinished(Unavailable):
    """A worktree has some of its files, and git is still writing the others, or was cut off."""

    def __init__(self, path: Path) -> None:
        """Name the worktree, and the way out where git was cut off."""
        super().__init__(
            f"{path}: git has not finished writing the files of this worktree. If it was cut off "
            "at that, remove the worktree with force=true; its branch stays."
        )
        self.path = path


class UnsafeRepository(Conflict):
    """The repository is set up so that git cannot be run in it safely."""

    def __init__(self, path: Path, problem: str) -> None:
        """Name the folder; `problem` is a sentence about it."""
        text = str(path).encode("utf-8", errors="backslashreplace").decode()
        super().__init__(f"{text}: {problem}")
        self.path = path
        self.problem = problem


class BadBranchName(Invalid):
    """Git does not accept the name for a branch."""

    def __init__(self, name: str, field: str) -> None:
        """Name the branch, and the field that it comes in."""
        message = f"{name!r} is not a branch name that git accepts."
        super().__init__(f"{field}: {message}", details=[{"path": field, "message": message}])


class FileChanged(Conflict):
    """A file has changed since the page before, so that the next one would not fit."""

    def __init__(self, path: str) -> None:
        """Name the file."""
        super().__init__(f"{path} has changed since: read it again from the beginning.", path=path)
        self.path = path


class UnknownRef(NotFound):
    """The repository has no commit of that name."""

    def __init__(self, name: str) -> None:
        """Name the ref, as far as it can be shown."""
        super().__init__("Commit", repr(name[:LONGEST]))
        self.name = name
