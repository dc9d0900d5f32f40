"""The rows and events of a task."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from command_center.actors.contracts.tasks import CreateTask, RunOutcome, TaskChanges, ThreadPrompt
from command_center.actors.ledger.sessions import move, record_thread
from command_center.actors.ledger.tasks import create_task, patch_task, prompt_thread
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.store import Task, Transaction
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


async def test_a_thread_keeps_its_task_also_where_a_prompt_began_another_beside_it(
    tmp_path: Path,
) -> None:
    def write(tx: Transaction) -> list[int]:
        repository = insert_repository(tx)
        used = []
        for thread_id, resume in (("t1", False), ("t1", True), ("t2", True), ("t1", False)):
            wanted = ThreadPrompt(repository_id=repository.id, prompt="Go on.", resume=resume)
            outcome = prompt_thread(
                tx, thread_id, wanted, preview="", runner="app-server", approval_seconds=60
            )
            if not resume:
                record_thread(tx, outcome.session.id, "t2", codex_ref="app-server:t2")
            move(tx, outcome.session.id, "stopped")
            used.append(outcome.task.id)
        return used

    async with rig(tmp_path / "db") as made:
        assert 1 == len(set(await made.storage.write(write)))


async def test_a_task_s_own_wishes_about_pull_requests_are_set_and_given_up_again(
    tmp_path: Path,
) -> None:
    def write(tx: Transaction) -> list[Task]:
        repository = insert_repository(tx, on_checks_failed="follow_up", forge_followups=5)
        wanted = CreateTask(
            repository_id=repository.id, title="t", prompt="p", forge_followups=0, on_review="tell"
        )
        made = create_task(tx, wanted)
        return [
            made,
            patch_task(tx, made.id, TaskChanges(on_checks_failed="tell", merge_when="checks_pass")),
            patch_task(tx, made.id, TaskChanges(on_checks_failed=None, forge_followups=None)),
        ]

    async with rig(tmp_path / "db") as rows:
        seen = [
            (task.on_checks_failed, task.on_review, task.forge_followups, task.merge_when)
            for task in await rows.storage.write(write)
        ]
    assert [
        (None, "tell", 0, None),
        ("tell", "tell", 0, "checks_pass"),
        (None, "tell", None, "checks_pass"),
    ] == seen
