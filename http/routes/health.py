"""/health: whether the server can do its work; open to anybody who reaches it."""

from __future__ import annotations

import time
from importlib.metadata import version

import attrs
import trio

from command_center.actors.center import Center
from command_center.actors.codex.messages import BRIDGE, BridgeStatus, ProbeHealth
from command_center.http.wire.operation import Api
from command_center.http.wire.responses import Health
from command_center.runtime import Status
from command_center.store import events

PROBE_SECONDS = 2.0
"""How long a part may take to show that it is well."""


@attrs.frozen
class Probe:
    """What is asked about its health, and since when it serves."""

    center: Center
    release: str = attrs.field(factory=lambda: version("command-center"))
    started: float = attrs.field(factory=time.monotonic)


api = Api[Probe]("Health")


@api.operation("GET", "/health")
async def health(probe: Probe) -> Health:
    """Tell whether the server can do its work."""
    center = probe.center
    checks = {"store": await _store(center), "bridge": await _bridge(center)}
    well = all(check in {"ok", "disabled"} for check in checks.values())
    return Health(
        status="ok" if well else "degraded",
        version=probe.release,
        runner_mode=center.settings.runner,
        uptime_seconds=round(time.monotonic() - probe.started, 3),
        checks=checks,
    )


async def _store(center: Center) -> str:
    """Whether the store can be read, and whether its writer is there to write."""
    try:
        if center.system.snapshot_of("/store").status not in {Status.IDLE, Status.BUSY}:
            return "unavailable"
        with trio.fail_after(PROBE_SECONDS):
            await center.storage.read(events.last_id)
    except Exception:  # noqa: BLE001 - whatever it is, the answer is that the store is not well
        return "unavailable"
    return "ok"


async def _bridge(center: Center) -> str:
    if center.settings.runner != "app-server":
        return "disabled"
    try:
        with trio.fail_after(PROBE_SECONDS):
            found = await center.ask(BRIDGE, ProbeHealth())
    except Exception:  # noqa: BLE001 - whatever it is, the answer is that the bridge is not well
        return "unavailable"
    return "ok" if found.status is BridgeStatus.CONNECTED else found.status.value
