"""A backup that a passphrase closes, in the format of age, which other programs read as well.

The content is encrypted for a key that is made for this backup alone, piece by piece, so that it
may be of any size. The passphrase encrypts that key. So the file is a zip of two: `key.age`, an
identity that a passphrase protects, and `content.age`. Without Command Center:

    unzip FILE && age --decrypt --identity key.age content.age > content.zip
"""

from __future__ import annotations

import zipfile
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import IO, Final

from command_center.store.backups.errors import BadBackup, EncryptionNotInstalled, WrongPassphrase
from command_center.store.private_files import new_private_file

KEY: Final = "key.age"
CONTENT: Final = "content.age"

ENCRYPTED: Final = "this backup is encrypted: set CC_BACKUP_PASSPHRASE to its passphrase."
"""Said where nobody has given the passphrase."""

MOST_KEY_BYTES: Final = 64 * 1024


def is_installed() -> bool:
    """Return True if backups can be encrypted here."""
    return find_spec("pyrage") is not None


def encrypt(content: Path, target: IO[bytes], passphrase: str, *, named: Path) -> None:
    """Write what `content` has to `target`, encrypted; `named` is what an error speaks of.

    A file is made beside `content`, which has nothing in the clear.

    Raises:
        EncryptionNotInstalled: the extra `backup` is not installed.
        OSError: the system refuses.
    """
    pyrage = _pyrage(named)
    identity = pyrage.x25519.Identity.generate()
    closed = content.with_name(f"{content.name}.{CONTENT}")
    with content.open("rb") as plain, new_private_file(closed) as sealed:
        pyrage.encrypt_io(plain, sealed, [identity.to_public()])
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(KEY, pyrage.passphrase.encrypt(str(identity).encode(), passphrase))
        archive.write(closed, CONTENT)
    closed.unlink()


def is_encrypted(archive: zipfile.ZipFile) -> bool:
    """Return True for a backup that a passphrase closes."""
    return KEY in archive.namelist()


def decrypt(archive: zipfile.ZipFile, target: Path, passphrase: str, *, named: Path) -> None:
    """Write what `encrypt` was given to `target`, which is made anew.

    Raises:
        EncryptionNotInstalled: the extra `backup` is not installed.
        WrongPassphrase: it is another's.
        BadBackup: the file is not whole.
        OSError: the system refuses.
    """
    pyrage = _pyrage(named)
    try:
        identity = pyrage.x25519.Identity.from_str(_open_key(archive, passphrase, named))
        with archive.open(CONTENT) as content, new_private_file(target) as plain:
            pyrage.decrypt_io(content, plain, [identity])
    except OSError as error:
        if error.errno is None:  # the library tells so of a content that is not as it was made
            raise BadBackup(named, f"this is not a whole backup ({error}).") from error
        raise
    except (KeyError, pyrage.DecryptError, pyrage.IdentityError, ValueError) as error:
        raise BadBackup(named, f"this is not a whole backup ({error}).") from error


def check_passphrase(file: Path, passphrase: str | None) -> None:
    """Do nothing if the file can be opened by the passphrase, or needs none.

    A file that is no zip is left to who unpacks it.

    Raises:
        EncryptionNotInstalled: it is encrypted, and the extra `backup` is not installed.
        WrongPassphrase: it is encrypted, and not by this passphrase.
        OSError: the system refuses.
    """
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(file) as archive:
        if not is_encrypted(archive):
            return
        if passphrase is None:
            raise WrongPassphrase(file, ENCRYPTED)
        _open_key(archive, passphrase, file)


def _open_key(archive: zipfile.ZipFile, passphrase: str, named: Path) -> str:
    pyrage = _pyrage(named)
    with archive.open(KEY) as part:
        key = part.read(MOST_KEY_BYTES)
    try:
        opened: bytes = pyrage.passphrase.decrypt(key, passphrase)
    except pyrage.DecryptError as error:
        raise WrongPassphrase(
            named, "the passphrase is not the one of this file, or the file is damaged."
        ) from error
    return opened.decode()


def _pyrage(file: Path) -> ModuleType:
    try:
        return import_module("pyrage")  # who encrypts nothing starts without it
    except ImportError as error:
        raise EncryptionNotInstalled(file) from error
