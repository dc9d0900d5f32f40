"""Everything that keeps git from running what a repository brought along.

A repository is hostile input: an agent writes to it. Git runs programs that a repository's own
configuration names, on commands that only read: `status` starts `core.fsmonitor`, `diff` starts
external differs, text converters and clean filters, a checkout runs hooks and smudge filters, and
a missing object of a partial clone is fetched over a transport that is a program.

Three layers hold against that, and each is enough for most of the tricks:

1. **Environment.** Git gets a small environment of ours: nothing of `GIT_*`, `CC_*` or a token
   reaches it, no terminal, no prompt, no transport, no lazy fetch, no replacement objects.
2. **Configuration that outranks the repository's**, handed over in the environment
   (`GIT_CONFIG_COUNT`, git 2.31), which has the rank of `-c`, has no trouble with any character
   in a key, and is inherited by the git processes that git starts.
3. **Attributes from an empty tree** (`GIT_ATTR_SOURCE`, git 2.41), so that no `.gitattributes`
   names a filter, a differ or a merge driver. `$GIT_DIR/info/attributes` is read nevertheless, so
   that every filter which the configuration defines is overridden by name as well (`overrides`);
   as configuration may depend on the place (`includeIf`), it is listed where the command runs.

What a filter would have done is therefore not done: files of git-lfs or git-crypt are seen as git
stores them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from command_center.actors.git.errors import UnsafeRepository

KEPT: Final = frozenset(
    {
        "APPDATA",
        "COMSPEC",
        "DEVELOPER_DIR",
        "HOME",
        "HOMEDRIVE",
        "HOMEPATH",
        "LD_LIBRARY_PATH",
        "LOCALAPPDATA",
        "LOGNAME",
        "PATH",
        "PATHEXT",
        "PROGRAMDATA",
        "PROGRAMFILES",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "TMPDIR",
        "USER",
        "USERNAME",
        "USERPROFILE",
        "WINDIR",
        "XDG_CONFIG_HOME",
    }
)
"""The only variables of the server's own environment that reach git."""

ENVIRONMENT: Final = MappingProxyType(
    {
        "GIT_ALLOC_LIMIT": "1g",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_ASKPASS": "",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_EDITOR": ":",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_PAGER": "cat",
        "GIT_SEQUENCE_EDITOR": ":",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "PAGER": "cat",
        "SSH_ASKPASS": "",
    }
)
"""`GIT_ALLOW_PROTOCOL` outranks every `protocol.*` setting; no transport is called `none`."""

NOTHING: Final = "/dev/null"
"""Git understands this name on Windows too."""

CONFIGURATION: Final[tuple[tuple[str, str], ...]] = (
    ("advice.detachedHead", "false"),
    ("checkout.workers", "1"),
    ("color.ui", "false"),
    ("column.ui", "never"),
    ("commit.gpgSign", "false"),
    ("core.alternateRefsCommand", "false"),
    ("core.askPass", ""),
    ("core.attributesFile", NOTHING),
    ("core.bigFileThreshold", "16m"),
    ("core.editor", ":"),
    ("core.fsmonitor", "false"),
    ("core.hooksPath", NOTHING),
    ("core.ignoreStat", "false"),
    ("core.pager", "cat"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("core.quotePath", "false"),
    ("core.sshCommand", "false"),
    ("credential.helper", ""),
    ("diff.ignoreSubmodules", "dirty"),
    ("diff.mnemonicPrefix", "false"),
    ("diff.noPrefix", "false"),
    ("diff.orderFile", NOTHING),
    ("diff.submodule", "short"),
    ("gc.auto", "0"),
    ("gpg.program", "false"),
    ("log.showSignature", "false"),
    ("maintenance.auto", "false"),
    ("merge.verifySignatures", "false"),
    ("protocol.allow", "never"),
    ("safe.bareRepository", "explicit"),
    ("status.submoduleSummary", "false"),
    ("submodule.recurse", "false"),
)
"""Outranks what the repository says. Files over 16 MiB are binary, so that none is held whole."""

EMPTY_TREE: Final = MappingProxyType(
    {
        "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
    }
)
"""The tree without entries by object format: git knows it without having it stored."""

MOST_OVERRIDES: Final = 200
"""More filters than anybody uses; each costs room in the environment."""


def environment(
    inherited: Mapping[str, str],
    *,
    configuration: Sequence[tuple[str, str]] = (),
    attr_source: str | None = None,
    ceiling: Path | None = None,
    extra: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """The whole environment of one git process.

    Args:
        inherited: the server's environment; only `KEPT` is taken from it.
        configuration: overrides found in the repository, beside `CONFIGURATION`.
        attr_source: the empty tree of the repository's object format.
        ceiling: the folder above which git does not look for a repository, itself excluded.
        extra: variables that one command needs.
    """
    made = {name: value for name, value in inherited.items() if name.upper() in KEPT}
    made.update(ENVIRONMENT)
    if attr_source is not None:
        made["GIT_ATTR_SOURCE"] = attr_source
    if ceiling is not None:
        made["GIT_CEILING_DIRECTORIES"] = os.fspath(ceiling)
    made.update(extra)
    pairs = (*CONFIGURATION, *configuration)
    made["GIT_CONFIG_COUNT"] = str(len(pairs))
    for index, (key, value) in enumerate(pairs):
        made[f"GIT_CONFIG_KEY_{index}"] = key
        made[f"GIT_CONFIG_VALUE_{index}"] = value
    return made


def overrides(path: Path, keys: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What disables every program that these configuration keys name by a name of their own.

    A clean, smudge or process filter becomes none, a merge driver one that always conflicts, and
    a hook that the configuration defines (git 2.54) is switched off.

    Raises:
        UnsafeRepository: there are more than `MOST_OVERRIDES`.
    """
    found: dict[str, str] = {}
    for key in keys:
        section, _, rest = key.partition(".")
        name, dot, variable = rest.rpartition(".")
        if not dot:
            continue
        match section, variable:
            case "filter", "clean" | "smudge" | "process":
                found[f"filter.{name}.{variable}"] = ""
                found[f"filter.{name}.required"] = "false"
            case "merge", "driver":
                found[f"merge.{name}.driver"] = "false"
            case "hook", _:
                found[f"hook.{name}.enabled"] = "false"
            case _:
                pass
    if len(found) > MOST_OVERRIDES:
        raise UnsafeRepository(path, f"its configuration defines {len(found)} programs to run.")
    return tuple(found.items())
