"""The start of a session's turn: the thread is opened, and prompted once.

**No prompt is sent twice.** The thread's id is committed before `turn/start` is sent, and the
prompt carries an id of ours (`clientUserMessageId`). After a crash in between, the thread's own
turns tell whether the prompt arrived: it is sent only if none of them has that id.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog
import trio

from command_center.actors.codex import requests
from command_center.actors.codex.active_turns import is_active
from command_center.actors.codex.confinement import Confinement
from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.messages import BridgeMessage, Call
from command_center.actors.contracts.bridges import ExplainAbsence
from command_center.actors.contracts.turns import (
    LaunchDelayed,
    LaunchFailed,
    ThreadOpened,
    TurnOpened,
)
from command_center.actors.rules.choices import choices_of
from command_center.actors.rules.errors import Conflict, TooBusy
from command_center.actors.sessions.prompts import Assignment
from command_center.actors.sessions.runner import FAILURES, SessionRef
from command_center.actors.sessions.runners.codex.errors import (
    NOTHING_KEPT,
    PUT_AWAY,
    UNCERTAIN,
    may_pass,
)
from command_center.actors.sessions.runners.codex.read_ahead import ReadAhead
from command_center.actors.sessions.runners.codex.session_thread import SessionThread
from command_center.actors.sessions.runners.codex.turn_events import turn_named
from command_center.actors.sessions.runners.codex.turns import (
    LOOK_SECONDS,
    SETTLE_SECONDS,
    count_queued,
    find_turn,
    interrupt_when_listed,
    message_id,
    queue_reason,
)
from command_center.runtime import ActorRef, Refusal
from command_center.store import Session
from command_center.store.records import LOCAL

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LAUNCH_SECONDS = 60.0
"""Seconds that a launch waits for a connection to Codex, as long as nothing was sent."""

DELAY_SECONDS = 3.0
"""Seconds after which a launch says what it waits for, and between two looks at that."""

GIVEN_UP = f"The session fails if Codex does not answer within {LAUNCH_SECONDS:.0f} seconds."
"""The end of what a launch waits for while there is no connection to Codex."""

QUEUED_AGAIN = (
    f"If Codex does not answer within {LAUNCH_SECONDS:.0f} seconds, the session fails, or waits in "
    "the queue while its host is away."
)
"""The same, on another host."""

NOT_BEGUN = "Codex has not begun yet. It may be starting the MCP servers of its configuration."
"""The reason why a launch waits while there is a connection."""

UNDEFINED = "default_permissions"
"""Codex's word for a permission profile of which the thread does not know, as others loaded it."""

PAUSE_SECONDS = 0.5
"""Seconds to wait before Codex is asked again."""

LATE_SECONDS = 30.0
"""Seconds that Codex may take to say which turn a prompt began, once nobody wants it any more."""


class TurnStart:
    """Begins the turn of one session, or finds the one that was begun before."""

    def __init__(
        self,
        ref: SessionRef,
        bridge: ActorRef[BridgeMessage],
        thread: SessionThread,
        assign: Callable[[Session], Awaitable[Assignment]],
    ) -> None:
        """Begin it in the thread; `assign` says what Codex is to be told."""
        self._ref = ref
        self._bridge = bridge
        self._thread = thread
        self._assign = assign
        self._queues: dict[str, ReadAhead[int]] = {}
        """The messages that wait in Codex's own queue of a thread, counted."""
        self._opened_here: str | None = None
        """The thread that was opened and is to be prompted, once it is committed."""
        self._ready: ReadAhead[Confinement] | None = None
        """The confinement of its turn, once it is attached to."""
        self._prompted = False
        """True once the prompt may have reached Codex."""
        self._starting = False
        """True while the prompt was sent from here, and its answer is still to come."""
        self._is_cancelled = False
        """True once no prompt is to be sent any more."""
        self._turn_id: str | None = None
        """The turn that Codex answered to have begun."""

    async def look_ahead(self, session: Session) -> None:
        """Ask Codex what a launch will need to know, beside what else has to be done for it."""
        thread_id = session.codex_thread_id
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._thread.look_ahead)
            if thread_id is not None:
                nursery.start_soon(self._queue_of(thread_id).begin)

    def _queue_of(self, thread_id: str) -> ReadAhead[int]:
        if thread_id not in self._queues:
            count = partial(count_queued, self._thread.ask, thread_id)
            self._queues[thread_id] = ReadAhead(count)
        return self._queues[thread_id]

    async def launch(self, session: Session) -> None:
        """Open the thread and report it; once it is committed, start the turn in it.

        What Codex may have done is never done again by guess: where an answer is missing, the
        thread itself is asked once there is a connection again.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_of_delay, session)
            await self._launch_until_known(session)
            nursery.cancel_scope.cancel()

    async def _launch_until_known(self, session: Session) -> None:
        began = trio.current_time()
        while True:
            try:
                await self._launch(session)
            except (*UNCERTAIN, Refusal) as error:
                waited = trio.current_time() - began
                is_late = not self._prompted and waited > LAUNCH_SECONDS
                if is_late or not may_pass(error):
                    await self._ref.tell(LaunchFailed(reason=str(error)))
                    return
                await trio.sleep(PAUSE_SECONDS)
            else:
                return

    async def _tell_of_delay(self, session: Session) -> None:
        """Say what the launch waits for, and again where that is another thing; cancelled."""
        told: str | None = None
        while True:
            await trio.sleep(DELAY_SECONDS)
            with contextlib.suppress(*FAILURES):
                absence = await self._bridge.ask(ExplainAbsence(), timeout=DELAY_SECONDS)
                given_up = GIVEN_UP if session.host == LOCAL else QUEUED_AGAIN
                reason = NOT_BEGUN if absence is None else f"{absence} {given_up}"
                if reason != told:
                    await self._ref.tell(LaunchDelayed(reason=reason))
                    told = reason

    async def _launch(self, session: Session) -> None:
        thread_id = session.codex_thread_id
        if self._turn_id is not None:
            await self._ref.tell(TurnOpened(turn_id=self._turn_id))
        elif self._opened_here not in {None, thread_id}:
            return  # it was reported; the launch goes on once it is committed
        elif thread_id is None:
            await self._open_thread(session)
        elif thread_id == self._opened_here and self._ready is not None:
            self._opened_here = None
            await self._start_turn(session, thread_id, await self._ready.get())
        else:
            await self._join_and_start(session, thread_id)

    def assume_prompt_sent(self) -> None:
        """Look into the thread for a while before the prompt is sent."""
        self._prompted = True

    def cancel_start(self) -> bool:
        """Send no prompt any more; return whether none can have reached Codex."""
        self._is_cancelled = True
        return not self._prompted

    async def call_off(self, session: Session, thread_id: str) -> bool:
        """Begin nothing any more; return whether a turn has begun, or may have.

        A prompt that may have reached Codex, and of whose turn the session never knew, has begun a
        turn that nobody would see or stop: it is looked for, and interrupted.
        """
        has_begun = session.codex_turn_id is not None or self._prompted
        if session.codex_turn_id is None and self._prompted:
            with trio.move_on_after(LATE_SECONDS if self._starting else SETTLE_SECONDS):
                await self._interrupt_late(session, thread_id)
        return has_begun

    async def _interrupt_late(self, session: Session, thread_id: str) -> None:
        while True:
            try:
                await interrupt_when_listed(self._thread.ask, session, thread_id)
            except FAILURES as error:
                log.warning("session.late_turn.unknown", session=session.id, reason=str(error))
                await trio.sleep(LOOK_SECONDS)
            else:
                return

    async def _open_thread(self, session: Session) -> None:
        thread_id = self._opened_here = await self._thread.open(session)
        self._prompted = False
        self._ready = ReadAhead(partial(self._get_ready, session, thread_id))
        await self._ref.tell(ThreadOpened(thread_id=thread_id, model=self._thread.model))
        await self._ready.begin()  # beside the commit

    async def _get_ready(self, session: Session, thread_id: str) -> Confinement:
        await self._thread.attach_opened(thread_id)
        return await self._thread.confine_turn(session)

    async def _join_and_start(self, session: Session, thread_id: str) -> None:
        """Begin the turn in a thread that was kept loaded, or else in one that is resumed."""
        queued = await self._queue_of(thread_id).get()
        if queued and not self._prompted:
            raise Conflict(queue_reason(thread_id, queued), threadId=thread_id)
        confinement = await self._thread.bound(session)
        if not self._prompted and await self._thread.go_on(session, thread_id, confinement):
            try:
                await self._start_turn(session, thread_id, confinement)
            except CodexError as error:  # it began none, and may not have the thread any more
                log.info("session.thread.not_kept", session=session.id, reason=str(error))
            else:
                return
        await self._resume_and_start(session, thread_id, confinement)

    async def _resume_and_start(
        self, session: Session, thread_id: str, confinement: Confinement
    ) -> None:
        """Find the turn that was begun before, or else begin it in a thread that is idle."""
        try:
            thread = await self._thread.join(session, thread_id, confinement)
        except CodexError as error:
            # A run may begin anew where its thread was put away; a message to a session may not.
            is_away = session.origin == "run" and PUT_AWAY.search(error.reason)
            if not is_away and NOTHING_KEPT.search(error.reason) is None:
                raise
            await self._open_thread(session)
            return
        turn = await find_turn(self._thread.ask, session, thread_id)
        patience = trio.current_time() + SETTLE_SECONDS
        while turn is None and (self._prompted or is_active(thread)):
            # Perhaps ours, whose prompt is not listed yet; or else another's, or none.
            if trio.current_time() > patience:
                if is_active(thread):
                    raise Conflict(f"Another turn runs in thread {thread_id}.", threadId=thread_id)
                break
            await trio.sleep(LOOK_SECONDS)
            thread = (await self._thread.ask(requests.thread_read(thread_id)))["thread"]
            turn = await find_turn(self._thread.ask, session, thread_id)
        if turn is None:
            await self._thread.load_anew(session, thread_id)
            await self._start_turn(session, thread_id, await self._thread.confine_turn(session))
            return
        turn_id = turn_named(turn, is_review=session.type == "review_task")
        await self._ref.tell(TurnOpened(turn_id=turn_id))
        await self._thread.goal.give(session, thread_id)
        await self._thread.reports.turn(turn_id, turn)

    async def _start_turn(self, session: Session, thread_id: str, confinement: Confinement) -> None:
        start = await self._start_of(session, thread_id, confinement)
        if self._is_cancelled:
            await self._ref.tell(LaunchFailed(reason="It was stopped before it was prompted."))
            return
        self._prompted = self._starting = True
        try:
            answer = await self._begin(session, thread_id, confinement, start)
        except (CodexError, TooBusy):
            self._prompted = False
            raise
        finally:
            self._starting = False
        self._turn_id = str((answer.get("turn") or await self._begun(session, thread_id))["id"])
        await self._ref.tell(TurnOpened(turn_id=self._turn_id))
        await self._thread.goal.give(session, thread_id)

    async def _begin(
        self, session: Session, thread_id: str, confinement: Confinement, start: Call
    ) -> dict[str, Any]:
        """Begin the turn, in a thread that another program has loaded by its sandbox alone."""
        try:
            return await self._thread.ask(start)
        except CodexError as error:
            is_chosen = confinement.profile is not None
            if not confinement.hides or is_chosen or UNDEFINED not in error.reason:
                raise
            plain = self._thread.uncover(error)
        return await self._thread.ask(await self._start_of(session, thread_id, plain))

    async def _begun(self, session: Session, thread_id: str) -> dict[str, Any]:
        """Return the turn that was begun and that Codex did not name, once it is listed.

        Raises:
            Conflict: none is listed in time.
        """
        patience = trio.current_time() + LATE_SECONDS
        while trio.current_time() < patience:
            turn = await find_turn(self._thread.ask, session, thread_id)
            if turn is not None:
                return turn
            await trio.sleep(LOOK_SECONDS)
        raise Conflict(f"Codex began no turn in thread {thread_id}.", threadId=thread_id)

    async def _start_of(self, session: Session, thread_id: str, confinement: Confinement) -> Call:
        """Return the request that begins the session's turn."""
        if session.origin == "compact":
            return requests.compact_start(thread_id)
        if session.type == "review_task":
            of = session.review
            return requests.review_start(thread_id, instructions=session.prompt, of=of)
        return await self._turn_of(session, thread_id, confinement)

    async def _turn_of(self, session: Session, thread_id: str, confinement: Confinement) -> Call:
        """Return the request that prompts Codex with what is found out just before."""
        assignment = await self._assign(session)
        return requests.turn_start(
            thread_id,
            assignment.prompt,
            confinement,
            images=assignment.images,
            client_message_id=message_id(session),
            choices=requests.model_choices(choices_of(session), thread_model=self._thread.model),
            output_schema=assignment.output_schema,
        )
