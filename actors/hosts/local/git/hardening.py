"""The environment of a git process, which is all that git is told beside its stand-in.

A repository is hostile input: an agent writes to it, at any moment. Git runs programs that a
repository's own configuration names, on commands that only read: `status` starts `core.fsmonitor`,
`diff` starts external differs, text converters and clean filters, a checkout runs hooks and smudge
filters, and a missing object of a partial clone is fetched over a transport that is a program.

Git reads none of that here, because it is given a git directory of ours (see `shadow`), with a
configuration of ours (see `settings`). Its environment keeps from it what the server's own would
bring in: nothing of `GIT_*`, `CC_*` or a token, no configuration of the user's or the system's, no
terminal, no prompt, no transport, no lazy fetch, no replacement objects. Attributes come from an
empty tree (`GIT_ATTR_SOURCE`, git 2.41), so that those of the work tree are not read either.

What a filter would have done is therefore not done: files of git-lfs or git-crypt are seen as git
stores them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from command_center.actors.git.settings import NOTHING

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

TO_REACH: Final = frozenset(
    {
        "ALL_PROXY",
        "CURL_CA_BUNDLE",
        "DBUS_SESSION_BUS_ADDRESS",
        "GH_CONFIG_DIR",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GNUPGHOME",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "SSH_AUTH_SOCK",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
    }
)
"""Those that reach it beside, if it speaks with another machine: the user's ssh, helpers, proxy."""

TO_SIGN: Final = frozenset(
    {
        "DBUS_SESSION_BUS_ADDRESS",
        "DISPLAY",
        "GNUPGHOME",
        "SSH_AUTH_SOCK",
        "WAYLAND_DISPLAY",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
    }
)
"""Those that reach it beside, if it signs: the user's agents, and where they ask for a PIN."""

TRANSPORTS: Final = "https:ssh"
"""The transports by which it may."""

ENVIRONMENT: Final = MappingProxyType(
    {
        "GIT_ALLOC_LIMIT": "256m",
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

NOWHERE: Final = MappingProxyType({"GIT_DIR": NOTHING})
"""For a command that needs no repository: it looks for none."""


def environment(
    inherited: Mapping[str, str],
    *,
    ceiling: Path | None = None,
    users: bool = False,
    reaches: bool = False,
    signs: bool = False,
    extra: Mapping[str, str] = NOWHERE,
) -> dict[str, str]:
    """Make the whole environment of one git process.

    Args:
        inherited: the server's environment; only `KEPT` is taken from it.
        ceiling: the folder above which git does not look for a repository, itself excluded.
        users: whether git reads the configuration of the user and of the system.
        reaches: whether it speaks with another machine.
        signs: whether it signs a commit.
        extra: where the repository is, and what else this command needs.
    """
    kept = KEPT | (TO_REACH if reaches else frozenset()) | (TO_SIGN if signs else frozenset())
    made = {name: value for name, value in inherited.items() if name.upper() in kept}
    made.update(ENVIRONMENT)
    if reaches:
        made["GIT_ALLOW_PROTOCOL"] = TRANSPORTS
    if not users:
        made["GIT_CONFIG_GLOBAL"] = NOTHING
        made["GIT_CONFIG_NOSYSTEM"] = "1"
    for name, value in made.items():
        if name.upper() == "PATH":  # nothing that lies in a work tree is started by its name
            folders = value.split(os.pathsep)
            made[name] = os.pathsep.join(each for each in folders if Path(each).is_absolute())
    if ceiling is not None:
        made["GIT_CEILING_DIRECTORIES"] = os.fspath(ceiling)
    made.update(extra)
    return made
