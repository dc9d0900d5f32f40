"""Signs: the words of centres in the stream, beside pieces, sealed with their key.

So nobody else can say who leads, though NATS itself is asked to keep others out, too.
"""

from typing import Final, TypeVar

import msgspec

from command_center.actors.cluster.errors import UnreadableSign
from command_center.store.replication.encryption import PieceCipher
from command_center.store.replication.errors import DamagedPiece

PAGES: Final = "pages"
LEAD: Final = "lead"
BASE: Final = "base"

T = TypeVar("T")


class LeaderSign(msgspec.Struct, frozen=True, kw_only=True):
    """A centre leads: it has just claimed that, still does, or ends.

    Attributes:
        epoch: the number of this leadership, one more than that of the one before.
        centre: the random name of the leader's life.
        url: where clients reach it.
        schema: the newest step of its database's schema.
        version: of its program.
        ends: it leads no more; another centre may claim at once.
    """

    epoch: int
    centre: str
    url: str
    schema: str
    version: str
    ends: bool = False


class BaseSign(msgspec.Struct, frozen=True, kw_only=True):
    """A whole database is kept, with which a copy can begin.

    Attributes:
        cluster: the random id of the cluster.
        object: its name in the object store.
        sequence: of the stream, up to which it has everything.
        commit: the last commit that it has.
        page_size: bytes of its pages.
        schema: the newest step of its schema.
        epoch: of the leader who kept it; 0 before the first.
    """

    cluster: str
    object: str
    sequence: int
    commit: int
    page_size: int
    schema: str
    epoch: int = 0


class SignCipher:
    """Seals and unseals signs. It is for one thread."""

    def __init__(self, key: bytes, cluster: str) -> None:
        self._cipher = PieceCipher(key, f"{cluster} signs")

    def seal(self, sign: LeaderSign | BaseSign) -> bytes:
        """Return the sign as it is published."""
        return self._cipher.seal(msgspec.json.encode(sign))

    def unseal(self, payload: bytes, kind: type[T]) -> T:
        """Return the sign that was published.

        Raises:
            UnreadableSign: it was closed with another key, or is none.
        """
        try:
            return msgspec.json.decode(self._cipher.unseal(payload), type=kind)
        except (DamagedPiece, msgspec.DecodeError) as error:
            raise UnreadableSign from error
