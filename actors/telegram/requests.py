"""Requests to other actors for a person on the phone, as slow acts."""

from __future__ import annotations

from collections.abc import Sequence

from command_center.actors.contracts.addresses import APPROVALS
from command_center.actors.contracts.approvals import Resolution, ResolveApproval
from command_center.actors.contracts.sessions import (
    PatchSession,
    SessionChanges,
    SteerSession,
    StopSession,
)
from command_center.actors.ledger.approvals import AlreadySettled
from command_center.actors.telegram import approval_wording
from command_center.actors.telegram.channel import where_of
from command_center.actors.telegram.chats import known_chat
from command_center.actors.telegram.effects import TOAST, Act, Desk, Visit, say
from command_center.actors.telegram.outgoing import Outgoing
from command_center.store import Transaction, sessions


def send_later(desk: Desk, visit: Visit, session_id: int, message: str) -> Act:
    """Steer a session. What may have reached Codex is not sent again."""

    async def slow() -> Act:
        steer = SteerSession(message=message, attachments=visit.attachments, requested_by=visit.who)
        receipt = await desk.sessions.ask(session_id, steer)
        return say(
            visit.reply(f"💬 Session {receipt.session.id} has it.", session_id=session_id),
            toast="Codex has it.",
        )

    return Act(slow=slow, once=True)


def stop_later(desk: Desk, visit: Visit, session_id: int) -> Act:
    """Stop a session; to stop it again changes nothing. How it ended is told by the notifier."""

    async def slow() -> Act:
        request = StopSession(reason="Stopped from Telegram.", requested_by=visit.who)
        before = await desk.storage.read(lambda db: sessions.get(db, session_id))
        will_be_told = before.finished_at is None
        session = await desk.sessions.stop(session_id, request)
        said = f"Session {session.id} is {session.status.replace('_', ' ')}."

        def unit(tx: Transaction) -> Sequence[Outgoing]:
            if will_be_told and "sessions" not in known_chat(tx, visit.chat_id).muted:
                return ()
            return [visit.reply(f"⏹ {said}", session_id=session_id)]

        return Act(unit=unit, toast=said)

    return Act(slow=slow)


def go_on_later(desk: Desk, visit: Visit, session_id: int) -> Act:
    """Have a session go on before the limit that it waits for resets."""

    async def slow() -> Act:
        changes = SessionChanges(status="queued", requested_by=visit.who)
        session = await desk.sessions.ask(session_id, PatchSession(changes))
        return Act(toast=f"Session {session.id} is {session.status.replace('_', ' ')}.")

    return Act(slow=slow)


def resolve_later(desk: Desk, visit: Visit, approval_id: int, resolution: Resolution) -> Act:
    """Settle an approval, as any other caller does. Every message that shows it is then edited."""

    async def slow() -> Act:
        try:
            settled = await desk.ask(APPROVALS, ResolveApproval(approval_id, resolution))
        except AlreadySettled as error:
            settled = error.approval
            if settled.resolved_by != visit.who or settled.status != resolution.status:
                return Act(toast=str(error)[:TOAST])
        where = await desk.storage.read(lambda db: where_of(db, settled, desk.zone))
        said = "".join(piece.text for piece in approval_wording.outcome_text(settled, where))
        return Act(toast=said[:TOAST])

    return Act(slow=slow)
