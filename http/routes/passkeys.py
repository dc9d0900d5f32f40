"""/api/passkeys: a browser signs in by its authenticator, in place of a token or a code."""

from __future__ import annotations

from typing import cast

from quart import Response, request

from command_center.actors.contracts.addresses import DEVICES
from command_center.actors.contracts.passkeys import (
    AskChallenge,
    KeepPasskey,
    NewPasskey,
    PasskeyChallenge,
    PasskeyProof,
    RemovePasskey,
    ShownPasskey,
    UsePasskey,
)
from command_center.actors.devices.passkeys import is_installed
from command_center.actors.rules.errors import Conflict, MissingScope
from command_center.http.middleware.gate import PASSKEY_CHALLENGE, PASSKEY_SIGN_IN
from command_center.http.middleware.throttle import client_key
from command_center.http.routes.pairing import Doorway
from command_center.http.routes.repos import RequesterQuery
from command_center.http.routes.signin import SENT, set_device_cookie
from command_center.http.wire.asgi import Scope
from command_center.http.wire.caller import Caller, caller_of
from command_center.http.wire.codec import PageQuery, json_response
from command_center.http.wire.operation import Api
from command_center.store import Device, Page, passkeys

api = Api[Doorway]("Devices")


@api.operation("GET", PASSKEY_CHALLENGE, refuses=(409,), is_open=True)
async def make_passkey_challenge(doorway: Doorway) -> PasskeyChallenge:
    """Make what an authenticator is to sign, once, within five minutes."""
    _check(doorway)
    return await doorway.center.ask(DEVICES, AskChallenge())


@api.operation("GET", "/api/passkeys", is_for_all=True)
async def list_passkeys(doorway: Doorway, query: PageQuery) -> Page[ShownPasskey]:
    """List the passkeys of the device; all of them for who has `admin`."""
    device_id = _whose(caller_of(request.scope))
    where = {} if device_id is None else {"device_id": device_id}
    page = await doorway.center.storage.read_long(
        lambda db: passkeys.page(db, where, limit=query.limit, cursor=query.cursor)
    )
    return Page(
        items=[*map(ShownPasskey.of, page.items)],
        next_cursor=page.next_cursor,
        damaged=page.damaged,
    )


@api.operation(
    "POST",
    "/api/passkeys",
    answers=201,
    refuses=(409,),
    is_done_once=False,
    is_for_all=True,
)
async def keep_passkey(doorway: Doorway, body: NewPasskey) -> ShownPasskey:
    """Keep a passkey of this device, which signs it in from now on."""
    _check(doorway)
    caller = caller_of(request.scope)
    if doorway.center.settings.wants_passkeys:
        _check_may_make(caller)
    message = KeepPasskey(body, request.headers.get("Origin"), caller.device_id, caller.scopes)
    return ShownPasskey.of(await doorway.center.ask(DEVICES, message))


@api.operation(
    "POST",
    PASSKEY_SIGN_IN,
    answers={200: Device},
    refuses=(409,),
    is_done_once=False,
    headers=SENT,
    is_open=True,
)
async def sign_in_with_passkey(doorway: Doorway, body: PasskeyProof) -> Response:
    """Let the device in that brings a proof by its passkey, and give it a cookie."""
    _check(doorway)
    with doorway.wrong.guess(client_key(cast("Scope", request.scope))):
        message = UsePasskey(body, request.headers.get("Origin"))
        device = await doorway.center.ask(DEVICES, message)
    answer = json_response(device)
    known = doorway.center.roster.by_id(device.id)
    if known is not None:
        set_device_cookie(answer, doorway.credentials.sign_ins, known)
    return answer


@api.operation("DELETE", "/api/passkeys/<id:passkey_id>", is_for_all=True)
async def remove_passkey(doorway: Doorway, passkey_id: int, query: RequesterQuery) -> ShownPasskey:
    """Let a passkey sign in no more."""
    message = RemovePasskey(passkey_id, _whose(caller_of(request.scope)), query.requested_by)
    return ShownPasskey.of(await doorway.center.ask(DEVICES, message))


def _whose(caller: Caller) -> int | None:
    """Return the device whose passkeys a caller may see; None for all."""
    return None if "admin" in caller.scopes else caller.device_id


def _check_may_make(caller: Caller) -> None:
    """Refuse a passkey to who could make themselves the proof that approvals want.

    Raises:
        MissingScope: they have no `admin`.
    """
    if "admin" not in caller.scopes:
        raise MissingScope(
            "admin", "Passkeys approve here (CC_APPROVAL_PASSKEYS), so only who has it makes one."
        )


def _check(doorway: Doorway) -> None:
    """Refuse where passkeys are of no use.

    Raises:
        Conflict: the extra is not installed, or nobody needs to sign in.
    """
    if doorway.credentials.sign_ins.token is None:
        raise Conflict("This server wants no token, so nobody signs in. Set CC_API_TOKEN first.")
    if not is_installed():
        raise Conflict('Passkeys need a library: install "command-center[passkeys]".')
