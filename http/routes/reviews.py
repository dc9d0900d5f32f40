"""/api/sessions/:id/review: reviews of what a session has changed."""

from __future__ import annotations

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import TASKS
from command_center.actors.contracts.reviews import CHOICES, ReviewRequest, ReviewWork
from command_center.actors.contracts.tasks import RunOutcome
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.http.wire.operation import Api, OneOf
from command_center.http.wire.responses import run_status

api = Api[Center]("Reviews")


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/review",
    answers=(201, 202),
    status=run_status,
    refuses=(409,),
    location="/api/sessions/{session.id}",
    one_of=OneOf(CHOICES),
)
async def review_session(center: Center, session_id: int, body: ReviewRequest) -> RunOutcome:
    """Have what a session has changed reviewed; findings become comments on it."""
    return await center.ask(TASKS, ReviewWork(session_id, body), timeout=GIT_SECONDS)
