"""/health of a server that cannot do its work."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_center.actors.contracts.bridges import (
    BridgeHealth,
    BridgeStatus,
)
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.http.routes.health import checks_of
from tests.actors.automations.rig import opened
from tests.http.live import client_of


async def test_a_store_that_nobody_writes_to_is_not_well(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        well = (await http.get("/health")).json()
        await rig.center.system.stop_child("/store", reason="a test")
        ill = (await http.get("/health")).json()
        await rig.center.system.restart("/store", reason="a test")
        again = (await http.get("/health")).json()
    assert ("ok", "ok", "checking") == (
        well["status"],
        well["checks"]["store"],
        well["checks"]["integrity"],
    )
    assert ("degraded", "unavailable") == (ill["status"], ill["checks"]["store"])
    assert "ok" == again["status"]


async def test_a_server_without_git_is_not_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        monkeypatch.setenv("PATH", str(tmp_path))
        told = (await http.get("/health")).json()
    assert ("degraded", "missing") == (told["status"], told["checks"]["git"])


def bridge(status: BridgeStatus, warning: str | None = None) -> BridgeHealth:
    return BridgeHealth(
        status=status,
        command="codex",
        transport="auto",
        message="It is so.",
        supported="1 to 2",
        warning=warning,
    )


def test_of_the_bridges_of_several_hosts_the_worst_is_told() -> None:
    well = bridge(BridgeStatus.CONNECTED)
    new = bridge(BridgeStatus.CONNECTED, warning="It was not tested.")
    gone = bridge(BridgeStatus.UNAVAILABLE)
    assert {"bridge": "ok", "codex": "ok"} == checks_of({"local": well, "far": well})
    assert {"bridge": "ok", "codex": "untested"} == checks_of({"local": well, "far": new})
    assert {"bridge": "unavailable", "codex": "unknown"} == checks_of({"local": new, "far": gone})
    assert {"bridge": "unavailable", "codex": "unknown"} == checks_of({"local": well, "far": None})
    assert {"bridge": "disabled", "codex": "disabled"} == checks_of({})
