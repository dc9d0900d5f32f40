"""Two hosts: the same path on both is two places, and a run touches no machine but its own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from command_center.actors.center import Center, open_center
from command_center.actors.codex import requests
from command_center.actors.codex.messages import Call, codex_on
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.addresses import REPOSITORIES, TASKS
from command_center.actors.contracts.hosts import HostMissing, Hosts
from command_center.actors.contracts.repositories import CreateRepository, ScanRepository
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.contracts.tasks import CreateTask, RunTask
from command_center.actors.contracts.worktrees import CreateWorktree, ListWorktrees, WorktreeRequest
from command_center.actors.hosts.local.host import LocalHost
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.actors.rules.policy import RunInput
from command_center.actors.tree import CenterSettings
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.runtime import Restarted
from command_center.store import Repository, Session, sessions
from command_center.store.records import LOCAL, Runner
from tests.actors.git.repository import make_repository, plain_git
from tests.actors.hosts.far import NAME, FarHost, Machine, can_be_had
from tests.actors.rows import make_database
from tests.codex.bridging import real
from tests.codex.script import AddFile, Gate, Say
from tests.codex.scripted_model import ScriptedModel
from tests.http.live import client_of

pytestmark = pytest.mark.skipif(
    not can_be_had(),
    reason="the other machine is a mount namespace, which this system does not give",
)

LOOKS = {"open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}
"""Python's names in an audit for a look at the disk."""


@attrs.define
class Audit:
    """Acts of this process on its own machine, in the folder and by starting programs."""

    folder: str | None = None
    seen: list[str] = attrs.field(factory=list)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        if event in LOOKS and str(arguments[0]).startswith(self.folder):
            self.seen.append(f"{event} {arguments[0]}")
        if event == "subprocess.Popen":
            self.seen.append(f"{event} {arguments[0]}")


AUDIT = Audit()


@pytest.fixture(scope="module", autouse=True)
def _audit() -> None:
    sys.addaudithook(AUDIT.hear)  # it stays, and hears nothing where no folder is set


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Both have a repository at the same path."""
    machine = Machine(here=tmp_path / "srv", there=tmp_path / "disk-of-the-other")
    for disk in (machine.here, machine.there):
        make_repository(disk / "project")
    return machine


@pytest.fixture
def codex(codex_binary: Path, codex_home: Path) -> BridgeSettings:
    return real(codex_binary, codex_home)


@pytest.fixture
def audited(machine: Machine) -> Iterator[Audit]:
    """Yield what this process does to its own machine from here on."""
    AUDIT.folder, AUDIT.seen = str(machine.here), []
    yield AUDIT
    AUDIT.folder = None


UNUSED = BridgeSettings(disabled="It is not used here.")


def settings_in(folder: Path, runner: Runner) -> CenterSettings:
    """The product's settings, by which there is no Codex on this machine."""
    make_database(folder / "center.sqlite3")
    return CenterSettings(
        database=folder / "center.sqlite3",
        data_dir=folder,
        runner=runner,
        bridge=UNUSED,
        max_sessions=4,
        approval_seconds=60,
    )


@asynccontextmanager
async def center_with(
    machine: Machine, folder: Path, codex: BridgeSettings, runner: Runner = "app-server"
) -> AsyncIterator[tuple[Center, FarHost]]:
    """The product, which has both machines; Codex is on the other one."""
    settings = settings_in(folder, runner)
    if not RUNNERS[runner].has_threads:
        codex = attrs.evolve(codex, disabled="No runner needs it.")
    far = FarHost.of(machine, machine.here / "data", codex)
    ours = LocalHost.of(folder, UNUSED)
    async with open_center(settings, hosts=Hosts({LOCAL: ours, NAME: far})) as center:
        yield center, far


async def register(center: Center, machine: Machine, host: str) -> Repository:
    wish = CreateRepository(
        local_path=str(machine.here / "project"),
        host=host,
        allow_write=True,
        workplace="main_checkout",
    )
    return await center.ask(REPOSITORIES, wish, timeout=60)


async def until_ended(center: Center, session_id: int) -> Session:
    with trio.fail_after(60):
        while True:
            session = await center.storage.read(lambda db: sessions.get(db, session_id))
            if session.finished_at is not None:
                return session
            await trio.sleep(0.05)


async def until_followed(center: Center, session: Session) -> Session:
    with trio.fail_after(60):
        while True:
            last = (await center.storage.read(lambda db: sessions.every(db, {})))[-1]
            if last.id != session.id:
                return last
            await trio.sleep(0.05)


async def test_the_same_folder_on_two_hosts_is_two_repositories(
    machine: Machine, tmp_path: Path, codex: BridgeSettings
) -> None:
    async with center_with(machine, tmp_path, codex, "stub") as (center, _):
        ours = await register(center, machine, LOCAL)
        theirs = await register(center, machine, NAME)
        assert (LOCAL, NAME) == (ours.host, theirs.host)
        assert ours.local_path == theirs.local_path
        heads = [
            plain_git(disk / "project", "rev-parse", "HEAD")
            for disk in (machine.here, machine.there)
        ]
        assert heads == [ours.head_sha, theirs.head_sha]
        with pytest.raises(Conflict, match=f"repository {theirs.id} "):
            await register(center, machine, NAME)
        with pytest.raises(Invalid, match=r"no host 'nowhere'\. Hosts of this server: far, local"):
            await register(center, machine, "nowhere")


async def test_a_worktree_of_another_host_is_made_and_seen_there_alone(
    machine: Machine, tmp_path: Path, codex: BridgeSettings, audited: Audit
) -> None:
    async with center_with(machine, tmp_path, codex, "stub") as (center, _):
        theirs = await register(center, machine, NAME)
        audited.seen.clear()  # the program over there was started
        made = await center.ask(
            REPOSITORIES, CreateWorktree(theirs.id, WorktreeRequest(branch_name="work")), timeout=60
        )
        listed = await center.ask(REPOSITORIES, ListWorktrees(theirs.id), timeout=60)
        scanned = await center.ask(REPOSITORIES, ScanRepository(theirs.id), timeout=60)
        assert [] == audited.seen
    assert [theirs.local_path, made.path] == [state.path for state in listed]
    assert 2 == scanned.facts["contents"]["files"]
    assert (machine.there / Path(made.path).relative_to(machine.here) / "readme.txt").exists()
    assert not Path(made.path).exists()


@pytest.mark.parametrize("runner", ["app-server", "cli"])
async def test_a_run_on_another_host_touches_no_machine_but_that(  # noqa: PLR0917 - fixtures
    machine: Machine,
    tmp_path: Path,
    codex: BridgeSettings,
    scripted_model: ScriptedModel,
    audited: Audit,
    runner: Runner,
) -> None:
    scripted_model.script = (AddFile("new.txt", "hello"), Say.text("Done."))
    async with center_with(machine, tmp_path, codex, runner) as (center, _):
        theirs = await register(center, machine, NAME)
        task = await center.ask(
            TASKS, CreateTask(repository_id=theirs.id, title="Write", prompt="Write it.")
        )
        run = RunInput(sandbox="workspace-write")
        outcome = await center.ask(TASKS, RunTask(task.id, run))
        ended = await until_ended(center, outcome.session.id)
    assert ("completed", NAME) == (ended.status, ended.host), ended.exit_reason
    assert "hello\n" == (machine.there / "project" / "new.txt").read_text(encoding="utf-8")
    assert not (machine.here / "project" / "new.txt").exists()
    # This process has started the program over there, and nothing else.
    assert 1 == len(audited.seen), audited.seen
    assert "unshare" in audited.seen[0]


async def test_a_turn_that_another_client_begins_on_another_host_gets_a_session_there(
    machine: Machine, tmp_path: Path, codex: BridgeSettings, scripted_model: ScriptedModel
) -> None:
    scripted_model.script = (Say.text("Done."),)
    async with center_with(machine, tmp_path, codex) as (center, _):
        theirs = await register(center, machine, NAME)
        task = await center.ask(
            TASKS, CreateTask(repository_id=theirs.id, title="Work", prompt="Work.")
        )
        outcome = await center.ask(TASKS, RunTask(task.id, RunInput()))
        first = await until_ended(center, outcome.session.id)
        thread = str(first.codex_thread_id)
        bridge = center.system.lookup(codex_on(NAME))
        await bridge.ask(requests.thread_join(thread))
        gate = Gate()
        scripted_model.script = (Say.text("Work", gate, "ing."),)
        said = [{"type": "text", "text": "And now?"}]
        await bridge.ask(Call("turn/start", {"threadId": thread, "input": said}))
        adopted = await until_followed(center, first)
        gate.open()
        adopted = await until_ended(center, adopted.id)
    assert ("completed", NAME, thread) == (adopted.status, adopted.host, adopted.codex_thread_id)


async def test_the_threads_and_the_bridge_of_each_host_are_told_apart(
    machine: Machine, tmp_path: Path, codex: BridgeSettings, scripted_model: ScriptedModel
) -> None:
    scripted_model.script = (Say.text("Done."),)
    async with center_with(machine, tmp_path, codex) as (center, _):
        theirs = await register(center, machine, NAME)
        task = await center.ask(
            TASKS, CreateTask(repository_id=theirs.id, title="Work", prompt="Work.")
        )
        outcome = await center.ask(TASKS, RunTask(task.id, RunInput()))
        ended = await until_ended(center, outcome.session.id)
        async with client_of(create_app(center, Policy())) as client:
            there = {"host": NAME}
            listed = await client.get("/api/codex/threads", params=there)
            assert [ended.codex_thread_id] == [one["id"] for one in listed.json()["items"]]
            loaded = await client.get("/api/codex/threads/loaded", params=there)
            assert [ended.codex_thread_id] == loaded.json()["items"]
            models = await client.get("/api/codex/models", params=there)
            assert models.json()["items"]
            for params, status in (({}, "disabled"), (there, "connected")):
                health = await client.get("/api/codex/bridge/health", params=params)
                assert status == health.json()["status"]
            nowhere = await client.get("/api/codex/threads", params={"host": "nowhere"})
    assert (404, "Host nowhere not found.") == (
        nowhere.status_code,
        nowhere.json()["error"]["message"],
    )


async def test_a_host_that_went_away_is_used_again_when_it_is_back(
    machine: Machine, tmp_path: Path, codex: BridgeSettings
) -> None:
    async with center_with(machine, tmp_path, codex, "stub") as (center, far):
        theirs = await register(center, machine, NAME)
        restarted = trio.Event()

        def observe(signal: object) -> None:
            if isinstance(signal, Restarted) and signal.path == "/hosts/far/link":
                restarted.set()

        center.system.observe(observe)
        assert far.process is not None
        far.process.kill()
        await restarted.wait()
        with trio.fail_after(60):
            while far.absence is not None:  # noqa: ASYNC110 - no event tells of it
                await trio.sleep(0.01)
        again = await center.ask(REPOSITORIES, ScanRepository(theirs.id), timeout=60)
    assert theirs.head_sha == again.head_sha


async def test_a_session_of_a_host_that_is_gone_ends_and_says_why(
    machine: Machine, tmp_path: Path, codex: BridgeSettings, scripted_model: ScriptedModel
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    async with center_with(machine, tmp_path, codex) as (center, _):
        theirs = await register(center, machine, NAME)
        task = await center.ask(
            TASKS, CreateTask(repository_id=theirs.id, title="Work", prompt="Work.")
        )
        outcome = await center.ask(TASKS, RunTask(task.id, RunInput()))
        await trio.to_thread.run_sync(gate.wait_until_reached)
    gate.open()
    async with open_center(settings_in(tmp_path, "app-server")) as center:
        ended = await until_ended(center, outcome.session.id)
        with pytest.raises(HostMissing, match="no host 'far' any more"):
            await center.ask(REPOSITORIES, ScanRepository(theirs.id), timeout=60)
    assert "interrupted" == ended.status
    assert "This server has no host 'far' any more." == ended.exit_reason
