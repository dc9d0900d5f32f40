"""/api/sessions: runs of tasks, live and ended."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Annotated

import msgspec
from quart import request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.sessions import (
    AbandonTurn,
    ChangeGoal,
    ClearGoal,
    GoalChanges,
    LabelSession,
    PatchSession,
    SessionChanges,
    SessionLabel,
    SteerReceipt,
    SteerSession,
    StopSession,
)
from command_center.actors.ledger.hosts import states_of
from command_center.actors.ledger.left_commands import lingering_sessions
from command_center.actors.ledger.usage_limits import why_it_waits
from command_center.actors.sessions.slots import live_sessions, waiting_for
from command_center.actors.sessions.steering import outcome_of
from command_center.http.routes.events import EventsQuery, read_events
from command_center.http.wire.codec import Cursor, PageQuery
from command_center.http.wire.etags import condition
from command_center.http.wire.operation import Api
from command_center.http.wire.responses import (
    EventPage,
    SessionDiff,
    SessionGoal,
    SessionPlan,
    SessionStopped,
)
from command_center.store import (
    Agent,
    Event,
    Item,
    Page,
    Session,
    agents,
    items,
    orphaned_turns,
    sessions,
    usage_limits,
)
from command_center.store.lists.where import Scalar
from command_center.store.records import Runner, SessionStatus, TaskType

api = Api[Center]("Sessions")


class SessionsQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of the list of sessions.

    Attributes:
        query: words that all stand in the session's title or its number (`#12`), in letters of
            either case.
        status: may be given more than once, for any of them.
        archived: whether those are wanted that are archived; both unless it is given.
        diff: false leaves their diffs out, which may be long.
    """

    query: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    repository_id: int | None = None
    task_id: int | None = None
    type: TaskType | None = None
    status: tuple[SessionStatus, ...] = ()
    runner: Runner | None = None
    archived: bool | None = None
    diff: bool = True

    def filters(self) -> dict[str, Scalar | Sequence[Scalar]]:
        """Return the filters that were given; `query` and `diff` are none."""
        others = {"query", "diff"}
        return {name: value for name, value in super().filters().items() if name not in others}


class ItemsQuery(PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The query of a session's transcript.

    Attributes:
        newest_first: the order; else the oldest come first.
        agent_id: the sub-agent whose transcript it is; else the session's own.
    """

    newest_first: bool = False
    agent_id: int | None = None


class PieceQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The piece of a long text.

    Attributes:
        cursor: the `nextCursor` of the piece before.
    """

    cursor: Cursor | None = None


class AgentsQuery(PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The query of a session's sub-agents.

    Attributes:
        diff: false leaves their diffs out, which may be long.
    """

    diff: bool = True


@api.operation("GET", "/api/sessions")
async def list_sessions(center: Center, query: SessionsQuery) -> Page[Session]:
    """List the sessions, the newest first."""
    page = await center.storage.read_long(
        lambda db: sessions.page(
            db,
            query.filters(),
            words=query.query,
            limit=query.limit,
            cursor=query.cursor,
            newest_first=True,
        )
    )
    shown = await center.storage.read_long(lambda db: explained(center, db, page.items))
    if not query.diff:
        shown = [msgspec.structs.replace(session, diff=None) for session in shown]
    return msgspec.structs.replace(page, items=shown)


@api.operation("GET", "/api/sessions/<id:session_id>")
async def get_session(center: Center, session_id: int) -> Session:
    """Show a session."""
    return await center.storage.read(lambda db: _shown(center, db, session_id))


@api.operation("PATCH", "/api/sessions/<id:session_id>", refuses=(409,))
async def patch_session(center: Center, session_id: int, body: SessionChanges) -> Session:
    """Start or stop a session."""
    seen = condition(request, lambda db: _shown(center, db, session_id))
    return await center.sessions.ask(session_id, PatchSession(body, seen))


@api.operation("PATCH", "/api/sessions/<id:session_id>/label", refuses=(409,))
async def label_session(center: Center, session_id: int, body: SessionLabel) -> Session:
    """Name a session, archive it once it has ended, or bring it back."""
    seen = condition(request, lambda db: _shown(center, db, session_id))
    return await center.sessions.label(session_id, LabelSession(body, seen))


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/stop",
    refuses=(409,),
    location="/api/sessions/{session.id}",
    is_repeatable=True,
)
async def stop_session(center: Center, session_id: int, body: StopSession) -> SessionStopped:
    """Stop a session."""
    return SessionStopped(session=await center.sessions.stop(session_id, body))


@api.operation("POST", "/api/sessions/<id:session_id>/abandon", refuses=(409,), is_repeatable=True)
async def abandon_turn(center: Center, session_id: int, body: AbandonTurn) -> SessionStopped:
    """Wait no longer for a turn that may still run on a host that does not come back.

    Its session has ended, and others wait for its thread or folder. They may begin now. Should the
    host come back, the turn is ended there.
    """
    return SessionStopped(session=await center.sessions.abandon_turn(session_id, body))


@api.operation("POST", "/api/sessions/<id:session_id>/steer", refuses=(409,), outcome_of=outcome_of)
async def steer_session(center: Center, session_id: int, body: SteerSession) -> SteerReceipt:
    """Say something to the running turn."""
    return await center.sessions.ask(session_id, body)


@api.operation(
    "GET", "/api/sessions/<id:session_id>/events", answers={200: EventPage[Event]}, refuses=(410,)
)
async def list_session_events(
    center: Center, session_id: int, query: EventsQuery
) -> EventPage[msgspec.Raw]:
    """List a session's events."""
    await center.storage.read(lambda db: sessions.get(db, session_id))
    return await read_events(center, query, session_id=session_id)


@api.operation("GET", "/api/sessions/<id:session_id>/items")
async def list_items(center: Center, session_id: int, query: ItemsQuery) -> Page[Item]:
    """List a session's transcript, or that of a sub-agent of it."""

    def read(db: Database) -> Page[Item]:
        if sessions.get(db, session_id).transcript_removed_at is not None:
            return Page(items=[])  # the last of its rows may still be there
        return items.page(
            db,
            {"session_id": session_id, "agent_id": query.agent_id},
            limit=query.limit,
            cursor=query.cursor,
            newest_first=query.newest_first,
        )

    return await center.storage.read_long(read)


@api.operation("GET", "/api/sessions/<id:session_id>/agents")
async def list_agents(center: Center, session_id: int, query: AgentsQuery) -> Page[Agent]:
    """List the sub-agents that work for a session, each after the one that started it."""

    def read(db: Database) -> Page[Agent]:
        sessions.get(db, session_id)
        where = {"session_id": session_id}
        return agents.page(db, where, limit=query.limit, cursor=query.cursor)

    page = await center.storage.read_long(read)
    if query.diff:
        return page
    shown = [msgspec.structs.replace(agent, diff=None) for agent in page.items]
    return msgspec.structs.replace(page, items=shown)


@api.operation("GET", "/api/sessions/<id:session_id>/plan")
async def get_plan(center: Center, session_id: int) -> SessionPlan:
    """Show a session's plan."""
    session = await center.storage.read(lambda db: sessions.get(db, session_id))
    return SessionPlan(session_id=session.id, plan=session.plan)


@api.operation("GET", "/api/sessions/<id:session_id>/diff")
async def get_diff(center: Center, session_id: int, query: PieceQuery) -> SessionDiff:
    """Show a session's diff, a long one piece by piece."""
    found = await center.storage.read_long(
        lambda db: sessions.piece(db, session_id, "diff", query.cursor)
    )
    return SessionDiff(
        session_id=session_id, diff=found.text or None, next_cursor=found.next_cursor
    )


@api.operation("GET", "/api/sessions/<id:session_id>/goal")
async def get_goal(center: Center, session_id: int) -> SessionGoal:
    """Show a session's goal."""
    session = await center.storage.read(lambda db: sessions.get(db, session_id))
    return SessionGoal(session_id=session.id, goal=session.goal)


@api.operation("PUT", "/api/sessions/<id:session_id>/goal", refuses=(409,))
async def change_goal(center: Center, session_id: int, body: GoalChanges) -> SessionGoal:
    """Change, pause or resume the goal of a live session."""
    session = await center.sessions.ask(session_id, ChangeGoal(body))
    return SessionGoal(session_id=session.id, goal=session.goal)


@api.operation("DELETE", "/api/sessions/<id:session_id>/goal", refuses=(409,))
async def clear_goal(center: Center, session_id: int) -> SessionGoal:
    """Take the goal of a live session away; its turn is the last one."""
    session = await center.sessions.ask(session_id, ClearGoal())
    return SessionGoal(session_id=session.id, goal=session.goal)


def _shown(center: Center, db: Database, session_id: int) -> Session:
    return explained(center, db, [sessions.get(db, session_id)])[0]


def explained(center: Center, db: Database, shown: Sequence[Session]) -> list[Session]:
    """Add to each waiting session what it waits for: its place in the queue, or when it goes on."""
    if not any(session.status in {"queued", "waiting_limit"} for session in shown):
        return list(shown)
    live, limit = live_sessions(db), center.settings.max_sessions
    limits_on = cache(partial(usage_limits.known, db))
    states = states_of(db)
    left_in = cache(lambda host, cwd: lingering_sessions(db, host, cwd=cwd))
    unsettled = orphaned_turns.waited_for(db)

    def explain(session: Session) -> Session:
        if session.status == "waiting_limit":
            until = limits_on(session.host).held_until
            return msgspec.structs.replace(
                session, wait_reason=why_it_waits(until), begin_after=until
            )
        if session.status != "queued":
            return session
        left = left_in(session.host, session.cwd)
        state = states.get(session.host)
        away = center.hosts.absence_of(session)
        wait = waiting_for(session, live, left, unsettled, limit=limit, state=state, absence=away)
        return msgspec.structs.replace(session, wait_reason=wait.reason, waits_for=wait.session_id)

    return [explain(session) for session in shown]
