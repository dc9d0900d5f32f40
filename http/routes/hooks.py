"""/api/hooks: where others start an automation, and who lets them.

A delivery proves that it knows the hook's secret: by an HMAC-SHA256 over its body, as GitHub signs,
or by the secret itself as a bearer. It is proved before anything of the body is read. A signed one
names itself, so that a sender that tries again starts nothing. The name is in a header, which the
signature does not cover: it tells the sender's tries apart, and holds off nobody who has seen one.
"""

from __future__ import annotations

import hmac
import re
import uuid
from typing import Any, Final

from quart import request

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import SCHEDULER
from command_center.actors.contracts.automations import (
    Deliver,
    HookReceipt,
    HookSecret,
    MakeHook,
    RemoveHook,
    RunByHand,
)
from command_center.http.routes.automations import DeleteQuery
from command_center.http.routes.github import DELIVERY as GITHUB_DELIVERY
from command_center.http.routes.github import SIGNATURE, is_signed
from command_center.http.wire.codec import decode_plain, refuse_query
from command_center.http.wire.operation import Api
from command_center.http.wire.problems import Refused
from command_center.store import Automation, automation_hooks

api = Api[Center]("Hooks")

BODY_BYTES: Final = 256 * 1024
"""Bytes of the largest delivery."""

NAMES: Final = ("Idempotency-Key", "webhook-id", GITHUB_DELIVERY)
"""Headers that may name a delivery; the first that is there counts, of a signed one the last.

What signs has a name of its own, which whatever hands the delivery on leaves as it is.
"""

_NAME: Final = re.compile(r"[\x21-\x7e]{1,255}")


@api.operation(
    "POST",
    "/api/automations/<id:automation_id>/hook",
    answers=201,
    scope="admin",
    is_done_once=False,
)
async def make_hook(center: Center, automation_id: int, body: RunByHand) -> HookSecret:
    """Give an automation a hook, or its hook another secret, which is shown this once."""
    return await center.ask(SCHEDULER, MakeHook(automation_id, body.requested_by))


@api.operation("DELETE", "/api/automations/<id:automation_id>/hook", scope="admin")
async def remove_hook(center: Center, automation_id: int, query: DeleteQuery) -> Automation:
    """Take an automation's hook away."""
    return await center.ask(SCHEDULER, RemoveHook(automation_id, query.requested_by))


@api.operation(
    "POST",
    "/api/hooks/<id:automation_id>",
    body=dict,
    answers=(201, 200),
    status=lambda receipt: 200 if receipt.is_repeated else 201,
    refuses=(401, 409),
    is_done_once=False,
    is_open=True,
)
async def receive_hook(center: Center, automation_id: int) -> HookReceipt:
    """Take a delivery, and start the automation's run once for it."""
    refuse_query(request)
    body = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    if len(body) > BODY_BYTES:
        raise Refused(413, f"The body is larger than {BODY_BYTES} bytes.")
    secret = await center.storage.read(lambda db: automation_hooks.secret_of(db, automation_id))
    if secret is None:
        raise Refused(404, "There is no such hook.")
    is_to_be_signed = SIGNATURE in request.headers
    names = reversed(NAMES) if is_to_be_signed else NAMES
    name = next((request.headers[header] for header in names if header in request.headers), None)
    if is_to_be_signed:
        if not is_signed(body, request.headers[SIGNATURE], secret):
            raise _not_proved()
        if name is None:
            raise Refused(400, f"Name the delivery in {', '.join(NAMES[:-1])} or {NAMES[-1]}.")
    elif not _is_bearer(request.headers.get("Authorization", ""), secret):
        raise _not_proved()
    if name is None:
        name = uuid.uuid4().hex
    elif not _NAME.fullmatch(name):
        raise Refused(400, "The delivery's name is 1 to 255 printable ASCII characters.")
    fields: dict[str, Any] = decode_plain(body)
    return await center.ask(SCHEDULER, Deliver(automation_id, name, fields))


def _is_bearer(given: str, secret: str) -> bool:
    return hmac.compare_digest(
        given.encode("utf-8", "surrogateescape"), f"Bearer {secret}".encode()
    )


def _not_proved() -> Refused:
    return Refused(
        401,
        f"Sign the body with the hook's secret, in {SIGNATURE}, or send the secret as "
        '"Authorization: Bearer <secret>".',
    )
