"""/api/github/webhook: where GitHub leaves its deliveries; not for general clients.

A delivery is signed with the secret: an HMAC over the body, compared in constant time before
anything of the body is read. It is kept before it is answered, and one that comes again does
nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from quart import Response, request

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import PULL_REQUESTS
from command_center.actors.contracts.pull_requests import KeepDelivery
from command_center.actors.forges.settings import GitHubSettings
from command_center.actors.hosts.local.gh import gh_token
from command_center.actors.rules.forge_links import told_kinds
from command_center.http.config.settings import Settings
from command_center.http.wire.operation import NOTHING, Api
from command_center.http.wire.problems import Problem, error_response

SIGNATURE: Final = "X-Hub-Signature-256"
DELIVERY: Final = "X-GitHub-Delivery"
EVENT: Final = "X-GitHub-Event"

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")

api = Api[Center]("GitHub")


@api.operation(
    "POST",
    "/api/github/webhook",
    body=dict,
    answers={200: NOTHING},
    refuses=(404,),
    is_done_once=False,
    is_open=True,
)
async def receive_delivery(center: Center) -> Response:
    """Take a delivery; for GitHub alone."""
    secret = center.settings.github.webhook_secret
    if secret is None:
        return error_response(
            Problem(404, "The webhook is off. To turn it on, set CC_GITHUB_WEBHOOK_SECRET.")
        )
    body = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    if not is_signed(body, request.headers.get(SIGNATURE), secret):
        return error_response(
            Problem(401, f"Sign the delivery with the webhook's secret, in {SIGNATURE}.")
        )
    delivery, event = request.headers.get(DELIVERY, ""), request.headers.get(EVENT, "")
    if not (_NAME.fullmatch(delivery) and _NAME.fullmatch(event)):
        return error_response(Problem(400, f"{DELIVERY} and {EVENT} are missing, or no names."))
    await center.ask(PULL_REQUESTS, KeepDelivery(delivery, event, body))
    return Response(b"", status=200)


def github_settings(settings: Settings) -> GitHubSettings:
    """Return how GitHub is reached."""
    token, secret = settings.github_token, settings.github_webhook_secret
    return GitHubSettings(
        token=None if token is None else token.reveal(),
        find_token=gh_token,
        api_base=settings.github_api_base,
        forges=told_kinds(settings.forges),
        webhook_secret=None if secret is None else secret.reveal(),
    )


def is_signed(body: bytes, given: str | None, secret: str) -> bool:
    """Return True if the header has the body's signature; the time tells nothing about it."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    wanted = f"sha256={signature}".encode()
    return hmac.compare_digest((given or "").encode("utf-8", "surrogateescape"), wanted)
