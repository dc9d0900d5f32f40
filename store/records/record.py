"""The type that every record is."""

import msgspec

from command_center.store.timestamps import Timestamp


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A row of a table."""

    id: int
    created_at: Timestamp
    updated_at: Timestamp
