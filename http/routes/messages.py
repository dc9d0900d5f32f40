"""Messages: one way to say something to a session, whatever its state."""

from __future__ import annotations

from command_center.actors.center import Center
from command_center.actors.contracts.messages import NewMessage, Said
from command_center.actors.sessions.steering import said_of
from command_center.http.wire.operation import Api

api = Api[Center]("Messages")


def said_status(said: Said) -> int:
    """Return 202 where the session that says it waits for an approval, else 200."""
    return 202 if said.is_blocked else 200


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/messages",
    answers=(200, 202),
    status=said_status,
    refuses=(409,),
    outcome_of=said_of,
)
async def say(center: Center, session_id: int, body: NewMessage) -> Said:
    """Say something to a session, whatever its state."""
    return await center.sessions.say(session_id, body)
