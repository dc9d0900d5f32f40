"""Starts of the program of a host: each is a life, with a number that only grows and a random id.

It is apart from the keys, so that the program of a host, which has no database, loads none.
"""

from __future__ import annotations

from typing import NamedTuple


class HostLife(NamedTuple):
    """A life of a host's program; of two with one number and different ids, one is a copy."""

    number: int
    id: str
