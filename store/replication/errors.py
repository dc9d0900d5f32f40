"""Errors of replication: a leaf class for each, its facts as attributes."""

from pathlib import Path


class ChangesMissed(Exception):
    """Changes are missing: what follows fits no more. The copy must begin anew with a base."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Changes of the database are missing: {reason}.")
        self.reason = reason


class DamagedPiece(Exception):
    """Some bytes are no piece, or not as they were sent. Nothing of them was taken."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"A piece of the database cannot be taken: {reason}.")
        self.reason = reason


class DamagedCopy(Exception):
    """The copy is not what was written to it. It must begin anew with a base."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"The copy {path} is damaged: {reason}.")
        self.path = path
        self.reason = reason


class LogBusy(Exception):
    """SQLite's log could not be folded into the database now: somebody reads from it."""

    def __init__(self) -> None:
        super().__init__("A reader holds the log that is to be folded into the database.")


class UnusableKey(Exception):
    """The file has no key, or others than its owner may read it. The text has nothing of it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} {reason}. A key is made by: (umask 077 && openssl rand -hex 32 > {path})"
        )
        self.path = path
        self.reason = reason


class ReplacedDatabase(Exception):
    """A centre's database is not the one with which it led, but was put in its place."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was put there since this centre led, by a restore perhaps, and the cluster "
            "goes on with its own. Move that file away and start again; or, if the cluster is to "
            "go on with that file, see docs/cluster.md, A restore."
        )
        self.path = path


class DamagedMembership(Exception):
    """The file that says of which cluster a folder is cannot be read."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is damaged. It says of which cluster the folder is: move the folder away, and "
            "let this centre begin with an empty one."
        )
        self.path = path
