"""Errors of backups; each message says what to do."""

from __future__ import annotations

from pathlib import Path


class BackupFailed(Exception):
    """A backup could not be made, or not be put back. What was there is as it was."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class BadBackup(BackupFailed):
    """The file is no backup, or not one that can be put back here."""


class DamagedBackup(BadBackup):
    """The backup has records that were damaged when it was made."""

    def __init__(self, path: Path, damaged: list[str]) -> None:
        super().__init__(
            path,
            f"the server had damaged records when it was made ({', '.join(damaged[:3])}). Take an "
            "older backup, or put it back with --damaged: the server then says which are damaged.",
        )


class WrongPassphrase(BackupFailed):
    """The backup is encrypted, and not by this passphrase."""


class EncryptionNotInstalled(BackupFailed):
    """The library that encrypts and decrypts backups is not installed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, 'an encrypted backup needs age: install "command-center[backup]".')
