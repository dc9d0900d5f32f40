"""The set-up of a worktree: what the main checkout says of it, as a person decides about it.

`.worktreeinclude` names ignored files to bring along. The `environment.toml` that the Codex app
writes has a script; one of its own for a system outweighs that for all, also an empty one.

Source: https://developers.openai.com/codex/app/local-environments
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import PurePosixPath
from typing import Any, Final

import attrs
import msgspec

from command_center.actors.contracts.worktrees import SeenSetup
from command_center.actors.git import Checkout
from command_center.actors.git.including import NAME, list_included, read_patterns
from command_center.actors.git.ports import shown
from command_center.actors.ledger.worktrees import MOST_NAMED
from command_center.actors.rules.errors import Conflict
from command_center.store.trusted_configurations import SETUP

ENVIRONMENT: Final = str(PurePosixPath(".codex", "environments", "environment.toml"))
"""The file that has the script."""

ENVIRONMENT_LIMIT: Final = 64 * 1024
"""Bytes of it."""


@attrs.frozen
class Setup:
    """The things that a new worktree is given: ignored files, and a script that runs in it."""

    patterns: tuple[str, ...] = ()
    included: tuple[bytes, ...] = ()
    script: str = ""

    @property
    def is_empty(self) -> bool:
        """Return True if there is nothing to agree to."""
        return not self.patterns and not self.script

    def seen(self) -> SeenSetup:
        """Return it as a person sees it."""
        patterns = [shown(os.fsencode(pattern)) for pattern in self.patterns]
        texts = {}
        if self.patterns:
            texts[NAME] = "".join(f"{pattern}\n" for pattern in patterns)
        if self.script:
            texts[ENVIRONMENT] = self.script.rstrip("\n") + "\n"
        content = msgspec.json.encode([patterns, self.script])
        return SeenSetup(
            digest=SETUP + hashlib.sha256(content).hexdigest(),
            texts=texts,
            included=[shown(name) for name in self.included[:MOST_NAMED]],
            included_count=len(self.included),
        )


async def read_setup(main: Checkout, platform: str) -> Setup:
    """Read how worktrees are set up, from the main checkout as it is now.

    Raises:
        UnsafeRepository: a file is a link, no regular file, or too large.
        Conflict: the file with the script cannot be read, or too many files are named.
    """
    content = await main.git.read_file(main, ENVIRONMENT, ENVIRONMENT_LIMIT)
    script = "" if content is None else script_of(content, platform)
    patterns = await read_patterns(main)
    included = await list_included(main, patterns)
    return Setup(tuple(patterns), tuple(included), script)


def script_of(content: bytes, platform: str) -> str:
    """Return the set-up script for a system; empty if there is none.

    Raises:
        Conflict: the file is not as the Codex app writes it.
    """
    try:
        setup = tomllib.loads(content.decode()).get("setup", {})
        own = setup.get(platform, {}).get("script")
        script: Any = setup.get("script", "") if own is None else own
    except (ValueError, AttributeError) as error:
        raise Conflict(f"{ENVIRONMENT} cannot be read: {error}") from error
    if not isinstance(script, str) or "\0" in script:
        raise Conflict(f"{ENVIRONMENT} cannot be read: setup.script is no text.")
    return script if script.strip() else ""
