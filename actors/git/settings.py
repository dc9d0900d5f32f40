r"""The configuration that git works with: written by us, of keys from a list, with checked values.

Git takes programs to run from some sixty keys, and each version adds more. So nothing is crossed
out of a repository's configuration; what is known to be harmless is taken over from it instead, and
so it is from the user's own. A key that is on neither list has git's default, whoever set it.

Some keys say how the repository's data are to be read (`extensions.*`). One of those that is not
known is handed on, so that git refuses what it does not understand itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from command_center.actors.git.errors import UnsafeRepository

Setting = tuple[str, str]
"""A key, in lower case but for its middle, and its value."""

NOTHING: Final = "/dev/null"
"""Git understands this name on Windows too."""

OURS: Final[tuple[Setting, ...]] = (
    ("advice.detachedHead", "false"),
    ("checkout.workers", "1"),
    ("core.attributesFile", NOTHING),
    ("core.bare", "false"),
    ("core.bigFileThreshold", "16m"),
    ("core.fsmonitor", "false"),
    ("core.fsync", "committed,reference"),
    ("core.fsyncMethod", "fsync"),
    ("core.hooksPath", NOTHING),
    ("core.packedGitLimit", "256m"),
    ("core.packedGitWindowSize", "32m"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("core.quotePath", "false"),
    ("core.splitIndex", "false"),
    ("diff.ignoreSubmodules", "dirty"),
    ("fetch.fsckObjects", "true"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.allow", "never"),
    ("safe.bareRepository", "explicit"),
    ("submodule.recurse", "false"),
)
"""Settings that nobody can change. Files over 16 MiB are binary, so that git never holds one whole.

An index is written in one piece, since only that piece is copied back from a stand-in. Objects and
refs are on the disk when git says that they are written; git itself flushes no loose object.
"""

LONGEST_VALUE: Final = 4096
"""Characters of a value that is taken over."""


def _is(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value, re.IGNORECASE) is not None


def _text(value: str) -> bool:
    return value.isprintable() and len(value) <= LONGEST_VALUE


_BOOL = _is(r"true|false|yes|no|on|off|0|1")
_NUMBER = _is(r"-?[0-9]{1,9}[kmg]?")
_WORD = _is(r"[a-z0-9][a-z0-9_.-]{0,63}")

SHARED: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {
        "author.email": _text,
        "author.name": _text,
        "committer.email": _text,
        "committer.name": _text,
        "core.autocrlf": _is(r"true|false|yes|no|on|off|0|1|input"),
        "core.checkstat": _is("default|minimal"),
        "core.compression": _NUMBER,
        "core.eol": _is("lf|crlf|native"),
        "core.filemode": _BOOL,
        "core.ignorecase": _BOOL,
        "core.logallrefupdates": _is(r"true|false|yes|no|on|off|0|1|always"),
        "core.longpaths": _BOOL,
        "core.loosecompression": _NUMBER,
        "core.precomposeunicode": _BOOL,
        "core.sharedrepository": _WORD,
        "core.symlinks": _BOOL,
        "core.trustctime": _BOOL,
        "diff.algorithm": _WORD,
        "diff.renamelimit": _NUMBER,
        "merge.directoryrenames": _WORD,
        "merge.renamelimit": _NUMBER,
        "merge.renames": _WORD,
        "user.email": _text,
        "user.name": _text,
        "user.useconfigonly": _BOOL,
    }
)
"""Keys that a repository and its user may both set, each with the check of its value."""

OF_THE_USER: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {"core.excludesfile": _text}
)
"""Keys that only the user may set: they name files."""

OF_THE_REPOSITORY: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {
        "core.repositoryformatversion": _NUMBER,
        "core.sparsecheckout": _BOOL,
        "core.sparsecheckoutcone": _BOOL,
        "index.sparse": _BOOL,
    }
)
"""Keys that only a repository may set: they say how it is stored."""

TO_REACH: Final = re.compile(r"(credential|http|ssh)\..+|core\.sshcommand", re.DOTALL)
"""Keys of the user's alone, for a command that speaks with another machine: how it is let in."""

TO_SIGN: Final = frozenset(
    {
        "gpg.format",
        "gpg.openpgp.program",
        "gpg.program",
        "gpg.ssh.defaultkeycommand",
        "gpg.ssh.program",
        "gpg.x509.program",
        "user.signingkey",
    }
)
"""Keys of the user's alone, for a command that signs: the key, and what signs with it."""

NAMED: Final = re.compile(r"branch\.(.+)\.(remote|merge)|remote\.(.+)\.fetch", re.DOTALL)
"""Keys with a name in the middle: which branch follows which, so that ahead and behind are told."""

UNNEEDED_EXTENSIONS: Final = frozenset({"extensions.partialclone", "extensions.worktreeconfig"})
"""They are about programs to fetch with and about a file that has been read already."""


def written_settings(path: Path, user: Iterable[Setting], repository: Iterable[Setting]) -> bytes:
    """Write the configuration file that git is given.

    Args:
        path: the work tree, for the message.
        user: all that the user's and the system's configuration say.
        repository: all that the repository's says.

    Raises:
        UnsafeRepository: an extension of the repository's format has a value that cannot be one.
    """
    taken = [setting for setting in user if _may(setting, SHARED, OF_THE_USER)]
    for key, value in repository:
        if key.startswith("extensions."):
            if key in UNNEEDED_EXTENSIONS:
                continue
            if not _WORD(value):
                raise UnsafeRepository(path, f"its {key} is {value[:60]!r}, which is not known.")
            taken.append((key, value))
        elif _may((key, value), SHARED, OF_THE_REPOSITORY) or (
            NAMED.fullmatch(key) is not None and _text(value) and key.isprintable()
        ):
            taken.append((key, value))
    return b"".join(_entry(key, value) for key, value in (*taken, *OURS))


def settings_to_reach(user: Iterable[Setting]) -> bytes:
    """Write what a command is given beside, if it speaks with another machine."""
    return b"".join(
        _entry(key, value)
        for key, value in user
        if TO_REACH.fullmatch(key) is not None
        and key.isprintable()
        and re.sub(r"[\n\t]", "", value).isprintable()
    )


def settings_to_sign(user: Iterable[Setting]) -> bytes:
    """Write what a command is given beside, if it signs a commit."""
    return b"".join(
        _entry(key, value) for key, value in user if key in TO_SIGN and value.isprintable()
    )


def values(settings: Sequence[Setting], key: str) -> list[str]:
    """Return all values of a key, in git's order."""
    return [value for found, value in settings if found == key]


def is_true(settings: Sequence[Setting], key: str, *, unset: bool = False) -> bool:
    """Say whether the last value of a key is a yes, as git understands one."""
    values = [value.lower() for found, value in settings if found == key]
    return values[-1] not in {"false", "no", "off", "0"} if values else unset


def _may(setting: Setting, *lists: Mapping[str, Callable[[str], bool]]) -> bool:
    key, value = setting
    return any(key in allowed and allowed[key](value) for allowed in lists)


def _entry(key: str, value: str) -> bytes:
    section, _, rest = key.partition(".")
    middle, dot, name = rest.rpartition(".")
    head = f"[{section} {_quoted(middle)}]" if dot else f"[{section}]"
    return os.fsencode(f"{head}\n\t{name} = {_quoted(value)}\n")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = escaped.replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
