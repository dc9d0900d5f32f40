"""Making a commit of a tree: among git's objects alone, on no branch, and signed if that is wanted.

What signs is the user's: `gpg.*` and `user.signingKey` of their own configuration, their ssh agent,
their gpg. What a repository says of that does not count, nor does what lies in it: a program or a
key whose place depends on the folder is refused. Nothing but that one command has the user's
programs, and it writes one object. So a key that is missing, or an agent that does not answer,
leaves everything as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Final

from command_center.actors.git.errors import GitFailed, GitTimedOut
from command_center.actors.git.ports import Checkout, Writes
from command_center.actors.git.settings import Setting, values
from command_center.actors.rules.errors import Conflict, Unavailable

NOBODY: Final = MappingProxyType(
    {
        "GIT_AUTHOR_NAME": "Command Center",
        "GIT_AUTHOR_EMAIL": "command-center@localhost",
        "GIT_COMMITTER_NAME": "Command Center",
        "GIT_COMMITTER_EMAIL": "command-center@localhost",
    }
)
"""Author and committer of a commit that Command Center makes by itself."""

SIGNING_DEADLINE: Final = 30.0
"""Seconds in which a commit has to be signed: time to touch a key, or to type a PIN."""

PROGRAMS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "openpgp": ("gpg.program", "gpg.openpgp.program"),
        "ssh": ("gpg.ssh.program", "gpg.ssh.defaultkeycommand"),
        "x509": ("gpg.x509.program",),
    }
)
"""The keys that name programs, by the format of a signature."""


class NotSigned(Conflict):
    """A commit could not be signed, so it was not made."""

    def __init__(self, problem: str) -> None:
        """Say why, and what to do."""
        super().__init__(
            f"The commit could not be signed, so nothing was changed: {problem} Mend it so that "
            "`git commit -S` works in a terminal, or switch signCommits off."
        )


class SigningTimedOut(Unavailable):
    """Nobody has signed a commit in time, so that it was not made."""

    def __init__(self) -> None:
        """Say for how long, and what to do."""
        super().__init__(
            f"The commit was not signed within {SIGNING_DEADLINE:g} s, so nothing was changed. "
            "Unlock your key (`ssh-add`, or `gpg --sign` in a terminal), and try again."
        )


async def make_commit(
    checkout: Checkout,
    tree: str,
    parents: Sequence[str],
    message: str,
    *,
    signs: bool = False,
    extra: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Make a commit, and return its name.

    Args:
        checkout: of the repository.
        tree: what it has.
        parents: the commits that it follows.
        message: its message, as it is to be.
        signs: whether it is signed, with the user's key.
        extra: variables that say who commits, if it is not the user.

    Raises:
        NotSigned: there is no key, or what signs with it says no.
        SigningTimedOut: it does not answer.
    """
    how = _key_option(checkout.user) if signs else "--no-gpg-sign"
    try:
        made = await checkout.run(
            "commit-tree",
            how,
            *(argument for parent in parents for argument in ("-p", parent)),
            tree,
            writes=Writes.OBJECTS,
            sent=message.encode(),
            extra=extra,
            signs=signs,
            deadline=SIGNING_DEADLINE,
        )
    except GitFailed as error:
        if not signs:
            raise
        raise NotSigned(_reason(error.complaint)) from error
    except GitTimedOut as error:
        if not signs:
            raise
        raise SigningTimedOut from error
    return made.text


def _key_option(user: Sequence[Setting]) -> str:
    """Return the option that names the key, as the user has configured it.

    Raises:
        NotSigned: none is configured, or its place depends on the folder that git works in.
    """

    def last(key: str) -> str:
        return (values(user, key) or [""])[-1]

    kind = last("gpg.format") or "openpgp"
    for key in PROGRAMS.get(kind, ()):
        program = last(key).partition(" ")[0]
        if re.search(r"[/\\]", program) and not _is_fixed(program):
            raise NotSigned(f"{key} of your git configuration has to be a full path.")
    key = last("user.signingkey")
    if kind == "ssh":
        if not key and not last("gpg.ssh.defaultkeycommand"):
            raise NotSigned("user.signingKey of your git configuration names no key.")
        if key and not key.startswith(("key::", "ssh-")) and not _is_fixed(key):
            raise NotSigned("user.signingKey of your git configuration has to be a full path.")
        return "--gpg-sign"
    if key:
        return "--gpg-sign"
    # Git would take the committer's address, which the repository may say.
    address = last("committer.email") or last("user.email")
    if not address:
        raise NotSigned("user.signingKey of your git configuration names no key.")
    return f"--gpg-sign={address}"


def _is_fixed(path: str) -> bool:
    """Say whether a path leads to the same place from every folder."""
    return (
        path.startswith("~")
        or PurePosixPath(path).is_absolute()
        or PureWindowsPath(path).is_absolute()
    )


def _reason(complaint: str) -> str:
    """Return what signs has complained of, in a line."""
    lines = [line.strip() for line in complaint.splitlines()]
    told = "; ".join(line for line in lines if line and not line.startswith("[GNUPG:]"))
    return f"{told[:400] or 'git does not say why'}."
