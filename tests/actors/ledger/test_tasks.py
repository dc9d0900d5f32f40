"""What is written of a task."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from command_center.actors.contracts.tasks import RunOutcome, ThreadPrompt
from command_center.actors.ledger.tasks import prompt_thread
from command_center.actors.rules.errors import Conflict, Invalid
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


async def test_a_thread_has_one_session_at_a_time_in_whichever_repository_it_is_prompted(
    tmp_path: Path,
) -> None:
    def prompt(tx: Transaction, *, path: str, resume: bool = True) -> RunOutcome:
        repository = insert_repository(tx, local_path=path)
        wanted = ThreadPrompt(repository_id=repository.id, prompt="Go on.", resume=resume)
        return prompt_thread(tx, "t", wanted, preview="", runner="app-server", approval_seconds=60)

    async with rig(tmp_path / "db") as made:
        first = await made.storage.write(partial(prompt, path="/srv/one"))
        with pytest.raises(Conflict) as refused:
            await made.storage.write(partial(prompt, path="/srv/two"))
        assert first.session.id == refused.value.facts["sessionId"]
        await made.storage.write(partial(prompt, path="/srv/three", resume=False))
