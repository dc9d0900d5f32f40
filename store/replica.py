"""The replica: whoever must have each commit before it is acknowledged."""

from typing import Protocol

from sqlite_utils import Database


class Replica(Protocol):
    """Whoever must have a commit before it is acknowledged. The writer's thread calls it."""

    def opened(self, db: Database) -> None:
        """Take the connection that writes from now on."""

    def committing(self) -> None:
        """Take note that a commit is about to be seen by whoever reads."""

    def withdrawn(self) -> None:
        """Take note that nothing came of the commit that was about to be."""

    def committed(self) -> None:
        """Return once the others have what was committed since the last call.

        Raises:
            NotReplicated: they may not have it. Nothing may be acknowledged any more.
        """
