"""A backup that a passphrase closes, in the format of age, which other programs read as well.

The content is encrypted for a key that is made for this backup alone, piece by piece, so that it
may be of any size. The passphrase encrypts that key. So the file is a tar of two: `key.age`, an
identity that a passphrase protects, and `content.age`. Without Command Center:

    tar -xf FILE && age --decrypt --identity key.age content.age | tar -xz
"""

from __future__ import annotations

import tarfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import IO, Final

from command_center.store.backups.errors import BadBackup, EncryptionNotInstalled, WrongPassphrase
from command_center.store.private_files import new_private_file

KEY: Final = "key.age"
CONTENT: Final = "content.age"

MOST_KEY_BYTES: Final = 64 * 1024


def is_installed() -> bool:
    """Return True if backups can be encrypted here."""
    return find_spec("pyrage") is not None


def encrypt(content: Path, target: Path, passphrase: str) -> None:
    """Write what `content` has to `target`, encrypted; `target` is made anew.

    Raises:
        EncryptionNotInstalled: the extra `backup` is not installed.
        OSError: the system refuses.
    """
    pyrage = _pyrage(target)
    identity = pyrage.x25519.Identity.generate()
    closed = content.with_name(f"{content.name}.{CONTENT}")
    key = content.with_name(f"{content.name}.{KEY}")
    try:
        with content.open("rb") as plain, new_private_file(closed) as sealed:
            pyrage.encrypt_io(plain, sealed, [identity.to_public()])
        with new_private_file(key) as protected:
            protected.write(pyrage.passphrase.encrypt(str(identity).encode(), passphrase))
        with (
            new_private_file(target) as file,
            tarfile.open(fileobj=file, mode="w:", format=tarfile.GNU_FORMAT) as archive,
        ):
            archive.add(key, KEY)
            archive.add(closed, CONTENT)
    finally:
        closed.unlink(missing_ok=True)
        key.unlink(missing_ok=True)


def is_encrypted(file: Path) -> bool:
    """Return True for a backup that a passphrase closes, by its first bytes."""
    with file.open("rb") as opened:
        return opened.read(len(KEY)) == KEY.encode()


def decrypt(file: Path, target: Path, passphrase: str) -> None:
    """Write what `encrypt` was given to `target`, which is made anew.

    Raises:
        EncryptionNotInstalled: the extra `backup` is not installed.
        WrongPassphrase: it is another's.
        BadBackup: the file is none, or is not whole.
        OSError: the system refuses.
    """
    pyrage = _pyrage(file)
    try:
        with tarfile.open(file, "r:") as archive:
            key, content = _part(archive, KEY, file), _part(archive, CONTENT, file)
            try:
                opened = pyrage.passphrase.decrypt(key.read(MOST_KEY_BYTES), passphrase)
            except pyrage.DecryptError as error:
                raise WrongPassphrase(
                    file, "the passphrase is not the one of this file."
                ) from error
            identity = pyrage.x25519.Identity.from_str(opened.decode())
            with new_private_file(target) as plain:
                pyrage.decrypt_io(content, plain, [identity])
    except OSError as error:
        if error.errno is None:  # the library tells so of a content that is not as it was made
            raise BadBackup(file, f"this is not a whole backup ({error}).") from error
        raise
    except (tarfile.TarError, pyrage.DecryptError, pyrage.IdentityError, ValueError) as error:
        raise BadBackup(file, f"this is not a whole backup ({error}).") from error


def _part(archive: tarfile.TarFile, name: str, file: Path) -> IO[bytes]:
    try:
        part = archive.extractfile(name)
    except KeyError:
        part = None
    if part is None:
        raise BadBackup(file, f"this is not a whole backup (it has no {name}).")
    return part


def _pyrage(file: Path) -> ModuleType:
    try:
        return import_module("pyrage")  # who encrypts nothing starts without it
    except ImportError as error:
        raise EncryptionNotInstalled(file) from error
