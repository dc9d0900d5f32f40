"""/api/devices: who else may use this server, each with a token and scopes of their own."""

from __future__ import annotations

import msgspec
from quart import request

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import DEVICES
from command_center.actors.contracts.devices import (
    CreateDevice,
    DeviceChanges,
    DeviceToken,
    NewDevice,
    PatchDevice,
    RevokeDevice,
)
from command_center.actors.rules.scopes import ordered
from command_center.http.routes.repos import RequesterQuery
from command_center.http.wire.caller import caller_of
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.etags import condition
from command_center.http.wire.operation import Api
from command_center.store import Device, Page, Scope, devices

api = Api[Center]("Devices")


class Identity(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The caller, and what they may do; `device` is null for who needs to be none."""

    device: Device | None
    scopes: list[Scope]


@api.operation("GET", "/api/devices", scope="admin")
async def list_devices(center: Center, query: PageQuery) -> Page[Device]:
    """List the devices."""
    page = await center.storage.read_long(
        lambda db: devices.page(db, {}, limit=query.limit, cursor=query.cursor)
    )
    return msgspec.structs.replace(page, items=[_as_seen(center, one) for one in page.items])


@api.operation(
    "POST",
    "/api/devices",
    answers=201,
    location="/api/devices/{id}",
    scope="admin",
    is_done_once=False,
)
async def create_device(center: Center, body: NewDevice) -> DeviceToken:
    """Make a device, and show its token this once."""
    return await center.ask(DEVICES, CreateDevice(body, caller_of(request.scope).scopes))


@api.operation("GET", "/api/devices/current", is_for_all=True)
async def get_current_device(center: Center) -> Identity:
    """Tell who asks, and what they may do."""
    caller = caller_of(request.scope)
    device_id, device = caller.device_id, None
    if device_id is not None:
        stored = await center.storage.read(lambda db: devices.get(db, device_id))
        device = _as_seen(center, stored)
    return Identity(device=device, scopes=ordered(caller.scopes))


@api.operation("GET", "/api/devices/<id:device_id>", scope="admin")
async def get_device(center: Center, device_id: int) -> Device:
    """Show a device."""
    return _as_seen(center, await center.storage.read(lambda db: devices.get(db, device_id)))


@api.operation("PATCH", "/api/devices/<id:device_id>", scope="admin")
async def patch_device(center: Center, device_id: int, body: DeviceChanges) -> Device:
    """Change a device; its open streams end where its access changed."""
    seen = condition(request, lambda db: _as_seen(center, devices.get(db, device_id)))
    granted = caller_of(request.scope).scopes
    return await center.ask(DEVICES, PatchDevice(device_id, body, granted, seen))


@api.operation("DELETE", "/api/devices/<id:device_id>", scope="admin")
async def revoke_device(center: Center, device_id: int, query: RequesterQuery) -> Device:
    """Revoke a device: it is let in no more, and its open streams end."""
    seen = condition(request, lambda db: _as_seen(center, devices.get(db, device_id)))
    return await center.ask(DEVICES, RevokeDevice(device_id, query.requested_by, seen))


def _as_seen(center: Center, device: Device) -> Device:
    """Return the device with when it was seen last, which is written later."""
    known = center.roster.by_id(device.id)
    if known is None or known.seen is None:
        return device
    at, address = known.seen
    return msgspec.structs.replace(device, last_seen_at=at, last_seen_from=address)
