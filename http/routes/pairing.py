"""Pairing: a code, shown with an address and as a QR code, lets a device in.

The code stands behind the `#` of the address, which a browser sends to nobody. The page that is
opened there sends it in a body, and gets the cookie of a new device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import attrs
import msgspec
import trio
from quart import Response, request

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import DEVICES
from command_center.actors.contracts.devices import NewPairing, OfferPairing, Pairing, RedeemCode
from command_center.http.config.urls import is_loopback_url
from command_center.http.middleware.authentication import Credentials
from command_center.http.middleware.gate import PAIR
from command_center.http.middleware.throttle import WrongGuesses, client_key
from command_center.http.routes.signin import SENT, set_device_cookie
from command_center.http.wire.asgi import Scope
from command_center.http.wire.caller import caller_of
from command_center.http.wire.codec import json_response
from command_center.http.wire.operation import Api
from command_center.store import Device


@attrs.frozen
class Doorway:
    """The devices' actor, the cookies, and what is counted of wrong codes.

    Attributes:
        urls: tells the addresses under which the page can be opened.
    """

    center: Center
    credentials: Credentials
    wrong: WrongGuesses
    urls: Callable[[], Sequence[str]]


class PairingPlace(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An address that lets the device in which opens it.

    Attributes:
        qr: the same as a QR code: rows of `1` for dark and `0` for light.
    """

    url: str
    qr: list[str]


class PairingOffer(Pairing, frozen=True, kw_only=True, rename="camel"):
    """A code, and each address that it can be used at."""

    places: list[PairingPlace]


class PageAddress(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An address under which the page can be opened.

    Attributes:
        is_encrypted: it is one of https.
        is_loopback: it leads to this machine alone.
    """

    url: str
    is_encrypted: bool
    is_loopback: bool


class PageAddresses(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Each address under which the page can be opened, the most useful to others first."""

    items: list[PageAddress]


api = Api[Doorway]("Devices")


@api.operation("GET", "/api/addresses")
async def list_addresses(doorway: Doorway) -> PageAddresses:
    """List the addresses under which the page can be opened."""
    urls = await trio.to_thread.run_sync(doorway.urls)
    return PageAddresses(
        items=[
            PageAddress(
                url=url,
                is_encrypted=url.startswith("https://"),
                is_loopback=is_loopback_url(url),
            )
            for url in urls
        ]
    )


@api.operation("POST", "/api/devices/pairings", answers=201, scope="admin", is_done_once=False)
async def offer_pairing(doorway: Doorway, body: NewPairing) -> PairingOffer:
    """Make a code that lets a device in once, within five minutes."""
    caller = caller_of(request.scope)
    message = OfferPairing(body, caller.scopes, caller.name, caller.device_id)
    pairing = await doorway.center.ask(DEVICES, message)
    urls = await trio.to_thread.run_sync(doorway.urls)
    places = await trio.to_thread.run_sync(_places, urls, pairing.code)
    return PairingOffer(code=pairing.code, expires_at=pairing.expires_at, places=places)


@api.operation(
    "POST",
    PAIR,
    answers={201: Device},
    refuses=(409,),
    location="/api/devices/{id}",
    is_done_once=False,
    headers=SENT,
    is_open=True,
)
async def redeem_code(doorway: Doorway, body: RedeemCode) -> Response:
    """Let the device in that brings the code, and give it its cookie."""
    with doorway.wrong.guess(client_key(cast("Scope", request.scope))):
        device = await doorway.center.ask(DEVICES, body)
    answer = json_response(device, 201)
    known = doorway.center.roster.by_id(device.id)
    if known is not None:
        set_device_cookie(answer, doorway.credentials.sign_ins, known)
    return answer


def _places(urls: Sequence[str], code: str) -> list[PairingPlace]:
    import segno  # noqa: PLC0415 - a server that pairs nothing starts sooner without it

    def place(url: str) -> PairingPlace:
        matrix = segno.make_qr(url, error="m").matrix
        return PairingPlace(url=url, qr=["".join(map(str, row)) for row in matrix])

    return [place(f"{url}/#/pair/{code}") for url in urls]
