"""The sending of spans: from a bounded queue, in batches, by one task.

Whoever has a span puts it there and goes on. What finds no room is counted and left out, and so is
a batch that the receiver refuses. Where it cannot be reached, the batch is sent again with growing
pauses, while the queue fills. Of an answer only its status is read, and each must have come within
ten seconds. At the end of the server what is left gets two seconds. A fault in here ends the
sending and nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs
import structlog
import trio

from command_center.actors.core.events import Fanout
from command_center.http.otlp.encoding import encoded
from command_center.http.otlp.spans import Span
from command_center.http.otlp.stories import AnsweredRequest, Stories, request_span
from command_center.store import EventFilter

if TYPE_CHECKING:
    import httpx

log: structlog.stdlib.BoundLogger = structlog.get_logger("command_center.http.otlp")

ROOM: Final = 8192
BATCH: Final = 512
PAUSE_SECONDS: Final = 2.0
FIRST_PAUSE_SECONDS: Final = 1.0
MOST_SECONDS: Final = 60.0
ANSWER_SECONDS: Final = 10.0
END_SECONDS: Final = 2.0
AGAIN: Final = frozenset({408, 429, 502, 503, 504})
"""Statuses after which the same is sent again, as OTLP says."""

Outcome: TypeAlias = Literal["sent", "dropped"]


def traces_url(base: str) -> str:
    """Return the address of traces below the address of a receiver."""
    base = base.rstrip("/")
    return base if base.endswith("/v1/traces") else f"{base}/v1/traces"


@attrs.define(eq=False)
class Exporter:
    """Sends spans to `url`.

    Attributes:
        count: is told how many spans were sent or left out.
    """

    url: str
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    count: Callable[[Outcome, int], None] = lambda _outcome, _number: None
    _queue: deque[Span] = attrs.field(factory=deque)
    _full: trio.Event = attrs.field(factory=trio.Event)
    _work: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _problem: str = ""

    def answered(self, told: AnsweredRequest) -> None:
        """Take a request; never wait."""
        self.put(request_span(told))

    def put(self, span: Span) -> None:
        """Take a span; never wait."""
        if len(self._queue) >= ROOM:
            self.count("dropped", 1)
            return
        self._queue.append(span)
        if len(self._queue) >= BATCH:
            self._full.set()

    async def run(self, fanout: Fanout) -> None:
        """Send what is put and what the log tells, until `stop`; then what is left."""
        try:
            await self._run(fanout)
        except Exception:
            log.exception("otlp.ended")

    async def _run(self, fanout: Fanout) -> None:
        import httpx  # noqa: PLC0415 - a server that exports nothing stays smaller

        from command_center.actors.core.cancellable import cancellable  # noqa: PLC0415 - the same

        async with httpx.AsyncClient(
            timeout=None,  # noqa: S113 - each answer has a deadline for the whole of it
            event_hooks={"request": [cancellable]},
            trust_env=False,  # a proxy of the environment would read the headers
        ) as client:
            try:
                with self._work:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._follow, fanout)
                        nursery.start_soon(self._send_all, client)
            finally:
                with trio.move_on_after(END_SECONDS, shield=True):
                    while self._queue:
                        await self._deliver(client, self._batch(), tries=1)

    def stop(self) -> None:
        """Have `run` end soon."""
        self._work.cancel()

    async def _follow(self, fanout: Fanout) -> None:
        """Make spans of events until the log is closed; what a full buffer lost is left out."""
        stories = Stories()
        while True:
            with fanout.subscribe(EventFilter()) as news:
                while taken := await news.take():
                    for published in taken:
                        if published.event.id:
                            for span in stories.told(published.event):
                                self.put(span)
            if news.closed == "shutdown":
                return

    async def _send_all(self, client: httpx.AsyncClient) -> None:
        while True:
            with trio.move_on_after(PAUSE_SECONDS):
                await self._full.wait()
            self._full = trio.Event()
            while self._queue:
                await self._deliver(client, self._batch())

    def _batch(self) -> list[Span]:
        return [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]

    async def _deliver(
        self, client: httpx.AsyncClient, batch: list[Span], tries: int | None = None
    ) -> None:
        """Send a batch until it is taken, refused, or was tried so often."""
        pause, body = FIRST_PAUSE_SECONDS, encoded(batch)
        try:
            while True:
                problem, is_settled = await self._send(client, body)
                tries = None if tries is None else tries - 1
                if is_settled or tries == 0:
                    break
                self._tell("otlp.unreachable", problem, pause=pause)
                await trio.sleep(pause)
                pause = min(pause * 2, MOST_SECONDS)
        except trio.Cancelled:
            self._queue.extendleft(reversed(batch))  # the end sends it once more
            raise
        self.count("dropped" if problem else "sent", len(batch))
        if problem:
            self._tell("otlp.dropped", problem, spans=len(batch))
        else:
            self._problem = ""

    def _tell(self, event: str, problem: str, **more: float) -> None:
        """Log a problem; as a warning where it is not the one that was told last."""
        told = log.debug if problem == self._problem else log.warning
        self._problem = problem
        told(event, problem=problem, **more)

    async def _send(self, client: httpx.AsyncClient, body: bytes) -> tuple[str, bool]:
        """Send it once; return what was wrong, and True where it is settled."""
        import httpx  # noqa: PLC0415 - the same

        headers = {**self.headers, "Content-Type": "application/json"}
        with trio.move_on_after(ANSWER_SECONDS):
            try:
                # What else the answer has is for nobody, and may be endless.
                async with client.stream("POST", self.url, content=body, headers=headers) as answer:
                    status = answer.status_code
            except httpx.HTTPError as error:
                return f"{type(error).__name__}: {error}", False
            if answer.is_success:
                return "", True
            return f"the receiver answered {status}", status not in AGAIN
        return f"no answer came within {ANSWER_SECONDS:.0f} seconds", False
