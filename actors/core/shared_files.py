"""Files that all centres of a cluster have; a server in no cluster shares none."""

from __future__ import annotations

from typing import Protocol


class SharedFiles(Protocol):
    """The uploads of a cluster, each by its name. All methods raise Unavailable."""

    async def put(self, name: str, content: bytes) -> None:
        """Keep a file where the other centres find it; one that is there stays as it is."""

    async def get(self, name: str) -> bytes | None:
        """Return what a file has; None if there is none that is whole."""

    async def names(self) -> frozenset[str]:
        """Return the names of all."""

    async def delete(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
