"""The care for the database over the years.

`store_check` is `/store-check`, which reads all of it beside the service (`store.integrity`).
`event_compression` is `/event-compression`, which compresses old events, and `retention` is
`/retention`, which removes those that are too old or too many.
`file_shrinking` is `/file-shrinking`, which gives the room that was freed back to the disk.
`size_watch` is `/size-watch`, which tells where the database has more than is wanted.
"""

from command_center.actors.store_care.event_compression import EventCompression
from command_center.actors.store_care.file_shrinking import FileShrinking
from command_center.actors.store_care.retention import Retention
from command_center.actors.store_care.size_watch import SizeWatch
from command_center.actors.store_care.store_check import StoreCheck

__all__ = ["EventCompression", "FileShrinking", "Retention", "SizeWatch", "StoreCheck"]
