"""Pictures of two by three red pixels to send, each with what tells of its maker."""

from __future__ import annotations

import base64
import struct
import zlib

SECRET = b"SECRET"
"""The word that each has among what is not shown."""

WIDTH, HEIGHT = 2, 3


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*more: bytes, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A PNG with these parts beside its own, and something behind its end."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xff\0\0" * WIDTH) * HEIGHT
    parts = (
        chunk(b"IHDR", head),
        chunk(b"tEXt", b"Author\0" + SECRET),
        chunk(b"eXIf", SECRET),
        *more,
        chunk(b"IDAT", zlib.compress(rows)),
        chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + SECRET


JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/4QBaRXhpZgAATU0AKgAAAAgAAwEPAAIAAAAOAAAAMgESAAMAAAABAAYAAIglAA"
    "QAAAABAAAAQAAAAABTRUNSRVQgY2FtZXJhAAABAAEAAgAAAAJOAAAAAAAAAP/+AAhTRUNSRVT/2wBDABsSFBcUERsX"
    "FhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE"
    "4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAADAAID"
    "ASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAA"
    "QRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZ"
    "WmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19"
    "jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQD"
    "BAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5Ok"
    "NERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6"
    "wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwChRRRXGfSH/9k="
)
"""A telephone's: turned, with its maker and its place."""

GIF = base64.b64decode(
    "R0lGODlhAgADAIEAAP8AAAAAAAAAAAAAACH+BlNFQ1JFVAAsAAAAAAIAAwAACAYAAQgcGBAAOw=="
)

WEBP = base64.b64decode(
    "UklGRqAAAABXRUJQVlA4WAoAAAAIAAAAAQAAAgAAVlA4ICgAAACQAQCdASoCAAMAB0CWJaACdLoAA5gA/uUK+Cepco"
    "/+N48CvJdjoAAARVhJRlIAAABNTQAqAAAACAADAQ8AAgAAAA4AAAAyARIAAwAAAAEABgAAiCUABAAAAAEAAABAAAAA"
    "AFNFQ1JFVCBjYW1lcmEAAAEAAQACAAAAAk4AAAAAAAAA"
)

MOVING_GIF = base64.b64decode(
    "R0lGODdhAgADAIEAAP8AAAAAAAAAAAAAACwAAAAAAgADAAAIBgABCBwYEAAh+QQBAAABACwAAAAAAgADAIEAAP8AAA"
    "AAAAAAAAAIBgABCBwYEAA7"
)

MOVING_WEBP = base64.b64decode(
    "UklGRsQAAABXRUJQVlA4WAoAAAACAAAAAQAAAgAAQU5JTQYAAAAAAAAAAABBTk1GSgAAAAAAAAAAAAEAAAIAAAAAAA"
    "JWUDggMgAAADABAJ0BKgIAAwABQCYloAADcAD+8ut///mwP/bz/wR6Af//0uD//pcH//S4P/SkAAAAQU5NRkYAAAAA"
    "AAAAAAABAAACAAAAAAAAVlA4IC4AAAA0AQCdASoCAAMAAAAmJaAAA3AA/vtV4///S4P/+lwf/9Lg/9Lg//rV5Vesq6"
    "AA"
)
