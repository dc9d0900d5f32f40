"""The first frame of a stream of events, which describes the stream."""

from __future__ import annotations

from command_center.actors.contracts.events.sessions import LiveEventData


class StreamOpened(LiveEventData, frozen=True, kw_only=True, tag="stream.opened"):
    """A stream begins with what happens now; only live.

    `after` is the last event before it, in the log `logId`.
    """

    log_id: str
    after: int


class StreamResumed(LiveEventData, frozen=True, kw_only=True, tag="stream.resumed"):
    """A stream goes on after the event `after` of the log `logId`, as was asked; only live."""

    log_id: str
    after: int
