"""Make httpx's requests such that a call may be cancelled at any moment.

This needs httpx: who calls others over HTTP imports it with that.
"""

from __future__ import annotations

import httpx

from command_center.actors.core.sent_body import SentBody


class _SentStream(SentBody, httpx.AsyncByteStream):
    """Is what httpx takes as a body."""


async def cancellable(request: httpx.Request) -> None:
    """Give the request a body that may be left half sent. It is a client's hook for requests."""
    if isinstance(request.stream, httpx.ByteStream):  # one that is redirected has its own already
        request.stream = _SentStream(request.content)
