"""What /health tells of a server that cannot do its work."""

from __future__ import annotations

from pathlib import Path

from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from tests.actors.automations.rig import opened
from tests.http.live import client_of


async def test_a_store_that_nobody_writes_to_is_not_well(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        well = (await http.get("/health")).json()
        await rig.center.system.stop_child("/store", reason="a test")
        ill = (await http.get("/health")).json()
        await rig.center.system.restart("/store", reason="a test")
        again = (await http.get("/health")).json()
    assert ("ok", "ok") == (well["status"], well["checks"]["store"])
    assert ("degraded", "unavailable") == (ill["status"], ill["checks"]["store"])
    assert "ok" == again["status"]
