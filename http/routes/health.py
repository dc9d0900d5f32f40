"""/health: whether the server can do its work; open to anybody who reaches it."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any, Final

import attrs
import trio

from command_center.actors.center import Center
from command_center.actors.contracts.backups import RETENTION, SIZE_WATCH, STORE_CHECK
from command_center.actors.contracts.bridges import (
    BridgeHealth,
    BridgeStatus,
)
from command_center.actors.contracts.releases import RELEASE_WATCH
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.core.store_probe import PROBE_SECONDS, StoreProbe
from command_center.actors.core.writer import STORE
from command_center.actors.git.ports import PROGRAM
from command_center.http.routes.hosts import bridges_of
from command_center.http.wire.operation import Api
from command_center.http.wire.responses import Health
from command_center.runtime import ActorNotFound, Address, Status
from command_center.runtime.threads import Threads
from command_center.store.records import LOCAL

WELL = frozenset({"ok", "checking", "disabled", "untested"})
"""The states of a check with which the server can do its work."""


CLUSTER_FACTS = frozenset({"role", "leader", "epoch"})
"""The part of what is known of a cluster that is told to anybody."""

GIT_SECONDS = 10.0
"""Seconds for which it holds whether there is a git."""

LOOKING: Final = Threads("look for git", at_once=1)
"""Looks for git: a folder of the PATH may lie on a disk that does not answer."""


@attrs.define(eq=False)
class GitProbe:
    """Looks for git now and then, and waits for it once; later looks are made meanwhile."""

    _state: str = attrs.field(default="unknown", init=False)
    _looked: float = attrs.field(default=-math.inf, init=False)

    async def state(self) -> str:
        """Return `ok` or `missing`, as it was a moment ago; `unknown` while no look has ended."""
        now = trio.current_time()
        if now - self._looked >= GIT_SECONDS:
            self._looked = now
            if self._state == "unknown":
                await self._look()
            else:
                trio.lowlevel.spawn_system_task(self._look)
        return self._state

    async def _look(self) -> None:
        # A system task must raise nothing: a machine may have no thread left.
        with trio.move_on_after(PROBE_SECONDS), suppress(OSError, RuntimeError):
            found = await LOOKING.run(shutil.which, PROGRAM, is_abandoned=True)
            self._state = "missing" if found is None else "ok"


@attrs.frozen
class Probe:
    """The center that is probed, and the moment at which it began to serve."""

    center: Center
    cluster: Callable[[], Mapping[str, Any]] = dict
    release: str = attrs.field(factory=lambda: version("command-center"))
    store: StoreProbe = attrs.field(
        default=attrs.Factory(lambda probe: StoreProbe(probe.center.storage), takes_self=True)
    )
    git: GitProbe = attrs.field(factory=GitProbe)
    started: float = attrs.field(factory=time.monotonic)


api = Api[Probe]("Health")


@api.operation("GET", "/health", is_open=True)
async def health(probe: Probe) -> Health:
    """Tell whether the server can do its work."""
    center = probe.center
    bridges = await bridges_of(center)
    bridge = bridges.get(LOCAL)
    checks = {
        "store": await _store(probe),
        "integrity": _state_of(center, STORE_CHECK),
        "size": _state_of(center, SIZE_WATCH),
        PROGRAM: await probe.git.state(),
        **checks_of(bridges),
    }
    well = all(check in WELL for check in checks.values())
    return Health(
        status="ok" if well else "degraded",
        version=probe.release,
        new_version=_told_by(center, RELEASE_WATCH).get("newest"),
        log_id=center.log_id,
        oldest_event_id=_told_by(center, RETENTION).get("oldestId"),
        runner_mode=center.settings.runner,
        runners={name: RUNNERS[name] for name in RUNNERS},
        codex_version=None if bridge is None else bridge.version,
        app_server=None if bridge is None else bridge.app_server,
        uptime_seconds=round(time.monotonic() - probe.started, 3),
        checks=checks,
        **{name: told for name, told in probe.cluster().items() if name in CLUSTER_FACTS},
    )


async def _store(probe: Probe) -> str:
    """Return `ok` if the store can be read and written now, or what cannot be done."""
    try:
        store = probe.center.system.snapshot_of(STORE)
    except ActorNotFound:
        return "unavailable"
    if store.status not in {Status.IDLE, Status.BUSY}:
        return "unavailable"
    return await probe.store.state(store.description.get("secondsSinceEvent"))


def _state_of(center: Center, actor: Address[Any]) -> str:
    """Return what an actor has found of the database since the start."""
    return str(_told_by(center, actor).get("state", "unavailable"))


def _told_by(center: Center, actor: Address[Any]) -> Mapping[str, Any]:
    """Return what an actor shows of itself; nothing while it is not there."""
    try:
        return center.system.snapshot_of(actor).description
    except ActorNotFound:
        return {}


def checks_of(bridges: Mapping[str, BridgeHealth | None]) -> dict[str, str]:
    """Return the state of the bridges to Codex and of its versions; of several hosts the worst."""
    if not bridges:
        return {"bridge": "disabled", "codex": "disabled"}
    checks = [_checks_of(bridge) for bridge in bridges.values()]
    return {
        name: max(
            (check[name] for check in checks), key=lambda state: (state not in WELL, state != "ok")
        )
        for name in ("bridge", "codex")
    }


def _checks_of(bridge: BridgeHealth | None) -> dict[str, str]:
    if bridge is None:
        return {"bridge": "unavailable", "codex": "unknown"}
    reached = bridge.status is BridgeStatus.CONNECTED
    if bridge.warning is not None:
        codex = "untested" if reached else "unsupported"
    else:
        codex = "ok" if reached else "unknown"
    return {"bridge": "ok" if reached else bridge.status.value, "codex": codex}
