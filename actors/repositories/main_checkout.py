"""The main checkout of a registered repository, looked at anew whenever it is used."""

from __future__ import annotations

from pathlib import Path

from command_center.actors.contracts.hosts import Host
from command_center.actors.git import Checkout, NotAWorkTree
from command_center.store import Repository


async def open_main(host: Host, repository: Repository) -> Checkout:
    """Open the main checkout of a registered repository, which must be the one that it was.

    Raises:
        NotAWorkTree: it is gone, another repository is there now, or it lies where none may on
            the host, which may have changed since it was registered.
        UnsafeRepository: git could not be run in it safely.
    """
    path = Path(repository.local_path)
    if not await host.folders.may_have(path):
        raise NotAWorkTree(path, "it lies outside the folders that repositories may be in.")
    git_dir = repository.facts.get("gitDir")
    return await host.git.open(path, common_dir=Path(git_dir) if isinstance(git_dir, str) else None)
