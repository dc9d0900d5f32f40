"""Encryption of pieces, by a key that the centres of a cluster have, and no server between them.

AES-256-GCM by `cryptography`, which is loaded only here. A key may close no two texts with one
nonce, and chance alone is not enough for years of commits. So each life derives a key of its own
(HKDF-SHA256 with a salt of 16 random bytes) and counts. A piece closed for another cluster, cut,
changed or made by somebody else is refused; that none is missing or comes twice, the pieces say.
"""

import os
import re
import secrets
import stat
import struct
import sys
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from command_center.store.replication.errors import DamagedPiece, UnusableKey

_MAGIC: Final = b"CCE1"
_SALT: Final = 16
_NONCE: Final = struct.Struct(">4xQ")
_TAG: Final = 16
_HEAD: Final = len(_MAGIC) + _SALT + _NONCE.size
_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
_KEPT: Final = 8

OVERHEAD: Final = _HEAD + _TAG
"""Bytes by which a closed piece is longer."""


class PieceCipher:
    """Closes and opens pieces. It is for one thread.

    Args:
        key: 32 bytes.
        cluster: the name of the cluster; what was closed for another one is not opened.
    """

    def __init__(self, key: bytes, cluster: str) -> None:
        self._key = key
        self._cluster = cluster.encode()
        self._salt = secrets.token_bytes(_SALT)
        self._own = self._derived(self._salt)
        self._count = 0
        self._others: dict[bytes, AESGCM] = {}

    def seal(self, piece: bytes) -> bytes:
        """Return the piece, closed."""
        nonce = _NONCE.pack(self._count)
        self._count += 1
        head = _MAGIC + self._salt + nonce
        return head + self._own.encrypt(nonce, piece, head + self._cluster)

    def unseal(self, data: bytes) -> bytes:
        """Return the piece that was closed.

        Raises:
            DamagedPiece: it was closed with another key or for another cluster, or was changed.
        """
        head, body = data[:_HEAD], data[_HEAD:]
        if len(data) < OVERHEAD or not head.startswith(_MAGIC):
            raise DamagedPiece("it is not encrypted as pieces are")
        salt, nonce = head[len(_MAGIC) : -_NONCE.size], head[-_NONCE.size :]
        try:
            return self._of(salt).decrypt(nonce, body, head + self._cluster)
        except InvalidTag:
            raise DamagedPiece("it was closed with another key, or was changed") from None

    def _of(self, salt: bytes) -> AESGCM:
        if salt not in self._others:
            while len(self._others) >= _KEPT:
                del self._others[next(iter(self._others))]
            self._others[salt] = self._derived(salt)
        return self._others[salt]

    def _derived(self, salt: bytes) -> AESGCM:
        hkdf = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"command-center pages")
        return AESGCM(hkdf.derive(self._key))


def read_key(path: Path) -> bytes:
    """Return the key of a file: 64 hexadecimal digits.

    The file is for its owner alone. One that is root's may be read by a group of ours, too: so
    Kubernetes mounts a secret for a pod that is not root's. PostgreSQL has the same rule for the
    keys of its certificates.

    Raises:
        UnusableKey: it has none, or others may read it.
        OSError: it cannot be read.
    """
    with path.open(encoding="ascii", errors="replace") as file:
        if others_may_read(os.fstat(file.fileno())):
            raise UnusableKey(path, "may be read by others than its owner")
        text = file.read(200).strip()
    if not _KEY.fullmatch(text):
        raise UnusableKey(path, "has no key of 64 hexadecimal digits")
    return bytes.fromhex(text)


def others_may_read(found: os.stat_result) -> bool:
    """Tell whether a file is for others than its owner, and the group that root gave it to."""
    refused = 0
    if sys.platform != "win32":
        ours = {os.getegid(), *os.getgroups()}
        is_roots = found.st_uid == 0 and os.geteuid() != 0 and found.st_gid in ours
        refused = 0o037 if is_roots else 0o077
    return bool(stat.S_IMODE(found.st_mode) & refused)
