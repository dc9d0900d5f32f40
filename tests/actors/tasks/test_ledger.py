"""What is written of a task."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_center.actors.errors import Invalid
from command_center.actors.tasks.ledger import prompt_thread
from command_center.actors.tasks.messages import ThreadPrompt
from command_center.store import Transaction
from tests.actors.rows import insert_repository, rig


@pytest.mark.parametrize("cwd", ["../..", "a\x00b", "/srv/" + "a" * 300])
async def test_a_place_for_a_thread_that_cannot_be_is_refused_by_its_own_name(
    tmp_path: Path, cwd: str
) -> None:
    def write(tx: Transaction) -> None:
        repository = insert_repository(tx)
        wanted = ThreadPrompt(repository_id=repository.id, prompt="Go on.", cwd=cwd)
        prompt_thread(tx, "t", wanted, preview="", runner="app-server", approval_seconds=60)

    async with rig(tmp_path / "db") as made:
        with pytest.raises(Invalid) as refused:
            await made.storage.write(write)
    assert "cwd" == refused.value.details[0]["path"]
