"""Cursors: where a page of a list ended, as text that a client only hands back.

A cursor names the list that it came from, the direction, and the last id shown. It holds
nothing secret and is not signed: a forged one shows no more than ``limit`` and filters do.
"""

import base64
import binascii

import msgspec

from command_center.store.errors import InvalidCursor


class _Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    listing: str
    newest_first: bool
    last_id: int


def encode_cursor(listing: str, *, newest_first: bool, last_id: int) -> str:
    """Give the cursor of the page that ended with ``last_id``; URL-safe, without padding."""
    position = _Position(listing, newest_first, last_id)
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def decode_cursor(cursor: str, listing: str, *, newest_first: bool) -> int:
    """Give the last id that the page before had shown.

    Raises:
        InvalidCursor: it is no cursor, or one of another list or direction.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = msgspec.json.decode(text, type=_Position)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise InvalidCursor(cursor) from error
    if (position.listing, position.newest_first) != (listing, newest_first):
        raise InvalidCursor(cursor)
    if not -(2**63) <= position.last_id < 2**63:
        raise InvalidCursor(cursor)
    return position.last_id
