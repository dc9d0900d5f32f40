"""/health: whether the server can do its work; open to anybody who reaches it."""

from __future__ import annotations

import time
from importlib.metadata import version

import attrs
import trio

from command_center.actors.center import Center
from command_center.actors.codex.messages import BRIDGE, BridgeHealth, BridgeStatus, ProbeHealth
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.core.store_probe import StoreProbe
from command_center.http.wire.operation import Api
from command_center.http.wire.responses import Health
from command_center.runtime import ActorNotFound, Status

PROBE_SECONDS = 2.0
"""Seconds that a part may take to show that it is well."""


@attrs.frozen
class Probe:
    """The center that is probed, and the moment at which it began to serve."""

    center: Center
    release: str = attrs.field(factory=lambda: version("command-center"))
    store: StoreProbe = attrs.field(
        default=attrs.Factory(lambda probe: StoreProbe(probe.center.storage), takes_self=True)
    )
    started: float = attrs.field(factory=time.monotonic)


api = Api[Probe]("Health")


@api.operation("GET", "/health")
async def health(probe: Probe) -> Health:
    """Tell whether the server can do its work."""
    center = probe.center
    bridge = await _bridge(center)
    checks = {"store": await _store(probe), **_checks_of(center, bridge)}
    well = all(check in {"ok", "disabled", "untested"} for check in checks.values())
    return Health(
        status="ok" if well else "degraded",
        version=probe.release,
        log_id=center.log_id,
        runner_mode=center.settings.runner,
        runners={name: RUNNERS[name] for name in RUNNERS},
        codex_version=None if bridge is None else bridge.version,
        app_server=None if bridge is None else bridge.app_server,
        uptime_seconds=round(time.monotonic() - probe.started, 3),
        checks=checks,
    )


async def _store(probe: Probe) -> str:
    """Return `ok` if the store can be read and written now, or what cannot be done."""
    try:
        status = probe.center.system.snapshot_of("/store").status
    except ActorNotFound:
        return "unavailable"
    if status not in {Status.IDLE, Status.BUSY}:
        return "unavailable"
    return await probe.store.state()


async def _bridge(center: Center) -> BridgeHealth | None:
    """Ask how the bridge to Codex is; None where there is none, or it does not say."""
    if not RUNNERS[center.settings.runner].has_threads:
        return None
    try:
        with trio.fail_after(PROBE_SECONDS):
            return await center.ask(BRIDGE, ProbeHealth())
    except Exception:  # noqa: BLE001 - whatever it is, the answer is that the bridge is not well
        return None


def _checks_of(center: Center, bridge: BridgeHealth | None) -> dict[str, str]:
    """Return how the bridge to Codex is, and if its version can be used."""
    if not RUNNERS[center.settings.runner].has_threads:
        return {"bridge": "disabled", "codex": "disabled"}
    if bridge is None:
        return {"bridge": "unavailable", "codex": "unknown"}
    reached = bridge.status is BridgeStatus.CONNECTED
    if bridge.warning is not None:
        codex = "untested" if reached else "unsupported"
    else:
        codex = "ok" if reached else "unknown"
    return {"bridge": "ok" if reached else bridge.status.value, "codex": codex}
