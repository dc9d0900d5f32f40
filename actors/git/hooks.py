"""Hooks that a repository has for what is done here: none runs, and the answer names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from command_center.actors.git.ports import Checkout
from command_center.actors.git.settings import values

COMMIT_HOOKS: Final = ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit")
"""The hooks that git runs for a commit, in its order."""


async def list_hooks(checkout: Checkout, names: Sequence[str]) -> list[str]:
    """List those of the hooks that the repository has, where its configuration has them.

    They are looked at as texts, from outside: one that git would pass over, as nobody may execute
    it, is named as well.
    """
    *_, folder = ("", *values(checkout.user + checkout.configuration, "core.hookspath"))
    place = checkout.path / folder if folder else checkout.common_dir / "hooks"
    return [
        name for name in names if await checkout.git.says_something(checkout, str(place / name))
    ]
