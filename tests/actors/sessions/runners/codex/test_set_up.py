"""The set-up of a worktree ends with a reason, also where Codex itself cannot be started."""

from __future__ import annotations

from pathlib import Path

import trio

from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.turns import ItemSeen, SetUpTold
from command_center.actors.contracts.worktrees import SetUpScript
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.sessions.runners.codex.set_up import run_set_up
from command_center.runtime import Actor, ChildSpec, handles
from tests.actors.rows import rig
from tests.codex.confining import confined


async def test_a_set_up_says_why_codex_cannot_be_started(tmp_path: Path) -> None:
    told: list[ItemSeen] = []
    ended = trio.Event()

    class Hearer(Actor):
        """Stands for the session."""

        @handles(SetUpTold)
        async def hear(self, message: SetUpTold) -> None:
            assert isinstance(message.fact, ItemSeen)
            told.append(message.fact)
            if message.fact.completed:
                ended.set()

    codex = LocalCodex(BridgeSettings(command=(str(tmp_path / "missing"),)))
    script = SetUpScript(text="true", source=str(tmp_path))
    async with rig(tmp_path / "db.sqlite3", ChildSpec(id="session", start=Hearer)) as found:
        ref = found.system.lookup("/session")
        reason = await run_set_up(codex, confined(str(tmp_path)), script, ref, seconds=60)
        with trio.fail_after(30):
            await ended.wait()

    assert reason is not None
    assert "could not be run" in reason
    assert "was not found" in reason
    assert [("inProgress", False), ("failed", True)] == [
        (fact.body["status"], fact.completed) for fact in told
    ]
