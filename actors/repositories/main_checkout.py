"""The main checkout of a registered repository, looked at anew whenever it is used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from command_center.actors.git import Checkout, Git, NotAWorkTree, open_checkout
from command_center.actors.rules.paths import within
from command_center.store import Repository


async def open_main(git: Git, repository: Repository, roots: Sequence[Path]) -> Checkout:
    """Open the main checkout of a registered repository, which must be the one that it was.

    Raises:
        NotAWorkTree: it is gone, another repository is there now, or it lies outside of `roots`,
            where there are any, which may have changed since it was registered.
        UnsafeRepository: git could not be run in it safely.
    """
    path = Path(repository.local_path)
    if roots and not await within(path, roots):
        raise NotAWorkTree(path, "it lies outside the folders that repositories may be in.")
    git_dir = repository.facts.get("gitDir")
    return await open_checkout(
        git,
        path,
        common_dir=Path(git_dir) if isinstance(git_dir, str) else None,
    )
