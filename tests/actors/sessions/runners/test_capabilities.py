"""A runner does what it declares; what it lacks is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from command_center.actors.contracts.runners import RUNNERS, WITHOUT
from command_center.actors.contracts.sessions import GoalChanges
from command_center.actors.contracts.turns import LaunchFailed, TurnLost
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions.runner import Runner, SessionRef
from command_center.actors.sessions.runners.codex.app_server import AppServerRunner
from command_center.actors.sessions.runners.registry import MAKERS, make_runner
from command_center.actors.sessions.runners.workshop import Workshop
from command_center.runtime import Actor, ChildSpec, SupervisorSpec, handles, open_system
from command_center.store import Session
from command_center.store.records import Runner as RunnerName
from tests.actors.hosts.machines import this_machine
from tests.actors.rows import insert_repository, insert_session, insert_task, rig

LACKING = [name for name in RUNNERS if not RUNNERS[name].can_steer]


class Hearer(Actor):
    """Stands for a session's actor, and keeps what its runner reports."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    @handles(object)
    def hear(self, message: object) -> None:
        self.heard.append(message)


async def a_session(path: Path, runner: str) -> Session:
    async with rig(path) as made:
        return await made.storage.write(
            lambda tx: insert_session(
                tx, insert_task(tx, insert_repository(tx)), runner=runner, codex_turn_id="u"
            )
        )


def made_for(session: Session, ref: SessionRef, lookup: Any, data_dir: Path) -> Runner:
    workshop = Workshop(hosts=this_machine(data_dir), lookup=lookup, uploads=data_dir / "uploads")
    return MAKERS[session.runner](workshop, session, ref)


@pytest.mark.parametrize("name", LACKING)
async def test_what_a_runner_lacks_it_refuses_in_the_words_of_its_capability(
    name: RunnerName, tmp_path: Path
) -> None:
    session = await a_session(tmp_path / "db.sqlite3", name)
    spec = SupervisorSpec("", [ChildSpec("hearer", Hearer)])
    async with open_system(spec) as system:
        runner = made_for(session, system.lookup("/hearer"), system.lookup, tmp_path)
        with pytest.raises(Conflict, match=WITHOUT["can_steer"]) as refused:
            await runner.steer(session, "More.", "id")
        assert f"Session {session.id} runs on the {name} runner; " in str(refused.value)
        with pytest.raises(Conflict, match=WITHOUT["pursues_goals"]):
            await runner.change_goal(session, GoalChanges(status="paused"))


def test_who_can_be_steered_pursues_goals_too_and_is_the_app_server() -> None:
    able = [name for name, can in RUNNERS.items() if can.can_steer or can.pursues_goals]
    assert [AppServerRunner.name] == able


async def test_a_runner_that_is_not_here_refuses_all_for_that_reason(tmp_path: Path) -> None:
    session = await a_session(tmp_path / "db.sqlite3", "app-server")
    hearer = Hearer()
    async with open_system(SupervisorSpec("", [ChildSpec("hearer", lambda: hearer)])) as system:
        workshop = Workshop(
            hosts=this_machine(tmp_path), lookup=system.lookup, uploads=tmp_path / "uploads"
        )
        runner = make_runner(workshop, "cli", session, system.lookup("/hearer"))
        for act in (
            lambda: runner.steer(session, "More.", "id"),
            lambda: runner.change_goal(session, None),
        ):
            with pytest.raises(Conflict, match=r"accepted for the app-server runner.* now cli"):
                await act()
        await runner.launch(session)
        await trio.testing.wait_all_tasks_blocked()
        assert [LaunchFailed] == [type(message) for message in hearer.heard]


class Refusing:
    """Stands for a bridge that refuses whatever is asked, and a session's actor that hears all."""

    def __init__(self) -> None:
        self.told: list[object] = []

    async def tell(self, message: object) -> None:
        self.told.append(message)

    async def ask(self, *_: object, **__: object) -> object:
        raise Conflict("No.")


async def test_a_turn_is_not_given_up_whose_host_goes_away_as_it_is_joined(tmp_path: Path) -> None:
    session = await a_session(tmp_path / "db.sqlite3", "app-server")
    session = msgspec.structs.replace(session, codex_thread_id="thread", codex_turn_id="turn")
    reasons: list[Exception] = [Conflict("No."), Standing("box").away("It has ended.")]

    async def confine(_: Session) -> Any:
        raise reasons.pop()

    stub: Any = Refusing()
    runner = AppServerRunner(stub, stub, stub, stub, confine, attach=stub, survives_restart=True)
    await runner.recover(session)
    assert TurnLost(reason="No.", leaves_turn=True) == stub.told[-1]
