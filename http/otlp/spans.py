"""Spans, as OpenTelemetry knows them.

Ids are made of the words by which this server knows a story, its correlation, and a request, its
id. So whoever sees a part of a story knows its trace, and nothing has to be handed along. A story
that began with a request of somebody's trace has that trace in its correlation.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs

Value: TypeAlias = "str | int"
Kind: TypeAlias = Literal["internal", "server", "client"]

NANOSECONDS: Final = 1_000_000_000


@attrs.frozen(kw_only=True)
class Span:
    """A part of a trace. Times are nanoseconds since 1970.

    Attributes:
        attributes: names, numbers and ids, but no text that a person or an agent wrote.
        events: moments within it, by their names.
        is_error: what it stands for has failed.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: Kind = "internal"
    start: int
    end: int
    attributes: Mapping[str, Value] = attrs.field(factory=dict)
    events: tuple[tuple[int, str], ...] = ()
    is_error: bool = False


_TRACE_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}"
)
_OF_A_CALLER = re.compile(r"([0-9a-f]{32})-[0-9a-f]{16}")


@attrs.frozen
class TraceParent:
    """The span of a caller, as W3C's `traceparent` names it."""

    trace_id: str
    span_id: str

    @classmethod
    def read(cls, header: str) -> TraceParent | None:
        """Read the header; None where it is not valid.

        A later version may have more behind these four parts; version 00 has not.
        """
        found = _TRACE_PARENT.match(header)
        if found is None:
            return None
        more = header[found.end() :]
        if more and (header.startswith("00") or not more.startswith("-")):
            return None
        return cls(found[1], found[2])


def trace_of(story: str) -> str:
    """Return the id of the trace of a story, by its correlation."""
    if joined := _OF_A_CALLER.fullmatch(story):
        return joined[1]
    return hashlib.sha256(f"trace {story}".encode()).hexdigest()[:32]


def span_of(what: str) -> str:
    """Return the id of a span, by words that only it has."""
    return hashlib.sha256(f"span {what}".encode()).hexdigest()[:16]


def request_span_of(name: str) -> str:
    """Return the id of the span of a request, by the request's id."""
    return span_of(f"request {name}")
