"""Pushing over ssh: to OpenSSH's own server, with the user's own agent and known_hosts."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from command_center.actors.contracts.pushes import PushRequest, PushWork
from command_center.actors.contracts.repositories import PatchRepository, RepositoryChanges
from command_center.actors.git import remotes
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.store import Push, pushes
from tests.actors.git.repository import commit, plain_git
from tests.actors.git.ssh_server import (
    Agent,
    SshServer,
    make_key,
    run_agent,
    serve_ssh,
    use_ssh,
)
from tests.actors.repositories.rig import Rig, open_rig
from tests.actors.repositories.work import Work

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="OpenSSH's server is a service.")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with serve_ssh(tmp_path / "ssh") as server:
        yield server


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with run_agent(tmp_path) as agent:
        yield agent


@pytest.fixture
async def rig(tmp_path: Path, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent.socket))
    home = tmp_path / "rig" / "home"
    home.mkdir(parents=True)
    use_ssh(home, known_hosts="")  # git is told of it before it is first asked anything
    async with open_rig(tmp_path / "rig") as rig:
        yield rig


@attrs.frozen
class Session:
    """A session with a commit that goes to the server."""

    work: Work
    project: Path

    async def push(self, **wanted: Any) -> Push:
        request = PushRequest(requested_by="ada", **wanted)
        return await self.work.rig.ask(PushWork(self.work.session.id, request))

    async def pushes(self) -> list[Push]:
        return await self.work.rig.storage.read(lambda db: pushes.every(db, {}))


@pytest.fixture
async def session(rig: Rig, server: SshServer, project: Path) -> Session:
    plain_git(project, "remote", "add", "origin", server.url)
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    begun = await rig.start_session(
        repository, cwd=made.path, worktree_path=made.path, branch_name="work"
    )
    await rig.end_session(begun)
    await rig.ask(PatchRepository(repository.id, RepositoryChanges(allow_push=True)))
    work = Work(rig, begun, Path(made.path))
    commit(work.folder, {"one.txt": "1\n"}, "First")
    return Session(work, project)


def home_of(session: Session) -> Path:
    return session.work.rig.data_dir.parent / "home"


async def test_a_push_goes_over_ssh_with_the_users_agent_and_known_hosts(
    session: Session, server: SshServer, agent: Agent, tmp_path: Path
) -> None:
    use_ssh(home_of(session), known_hosts=server.known_host)
    server.let_in(make_key(tmp_path / "key"))
    agent.add(tmp_path / "key")
    push = await session.push()
    assert ("pushed", push.sha) == (push.status, server.head("work"))
    commit(session.work.folder, {"two.txt": "2\n"})
    tree = plain_git(server.bare, "rev-parse", "work^{tree}")
    theirs = plain_git(server.bare, "commit-tree", tree, "-p", "work", "-m", "Theirs")
    plain_git(server.bare, "update-ref", "refs/heads/work", theirs)
    with pytest.raises(Conflict, match="Fetch and merge"):
        await session.push()
    assert theirs == server.head("work")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ("", r"does not know the key of .*Connect once by hand \(ssh -p \d+ \S+@127\.0\.0\.1\)"),
        ("another", r"is another than .*ssh-keygen -R '\[127\.0\.0\.1\]:\d+'"),
    ],
)
async def test_a_server_that_is_not_known_or_is_another_one_gets_nothing(
    session: Session, server: SshServer, tmp_path: Path, known: str, words: str
) -> None:
    if known:
        kind, key = make_key(tmp_path / "other").split()[:2]
        known = f"[127.0.0.1]:{server.port} {kind} {key}\n"
    use_ssh(home_of(session), known_hosts=known)
    server.let_in(make_key(tmp_path / "key"))
    with pytest.raises(Conflict, match=words):
        await session.push()
    assert ("", []) == (server.head("work"), await session.pushes())
    assert known == (home_of(session) / "known_hosts").read_text()


@pytest.mark.parametrize("has_key", [True, False])
async def test_a_key_that_is_refused_or_missing_says_what_to_do(
    session: Session, server: SshServer, agent: Agent, tmp_path: Path, *, has_key: bool
) -> None:
    use_ssh(home_of(session), known_hosts=server.known_host)
    server.let_in(make_key(tmp_path / "key"))
    make_key(tmp_path / "other")
    if has_key:
        agent.add(tmp_path / "other")
    with pytest.raises(Conflict, match=r"did not let git in: .*publickey.*ssh-add"):
        await session.push()
    assert "" == server.head("work")


async def test_a_key_with_a_passphrase_that_no_agent_has_asks_nobody(
    session: Session, server: SshServer, tmp_path: Path
) -> None:
    server.let_in(make_key(tmp_path / "key", phrase="secret words"))
    use_ssh(
        home_of(session),
        known_hosts=server.known_host,
        IdentityFile=str(tmp_path / "key"),
    )
    with pytest.raises(Conflict, match=r"did not let git in.*ssh-add"):
        await session.push()


@pytest.mark.parametrize("answer", ["exit 1", "exec sleep 60"], ids=["no", "never"])
async def test_an_agent_that_asks_for_each_use_is_waited_for_until_the_deadline(
    session: Session,
    server: SshServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
) -> None:
    asked, asks = tmp_path / "asked", tmp_path / "askpass"
    asks.write_text(f"#!/bin/sh\necho $$ > {asked}\n{answer}\n")
    asks.chmod(0o755)
    (tmp_path / "confirming").mkdir()
    server.let_in(make_key(tmp_path / "key"))
    variables = {"SSH_ASKPASS": str(asks), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
    with run_agent(tmp_path / "confirming", **variables) as agent:
        agent.add(tmp_path / "key", "-c")
        use_ssh(home_of(session), known_hosts=server.known_host, IdentityAgent=str(agent.socket))
        if answer == "exit 1":
            with pytest.raises(Conflict, match=r"agent refused.*did not let|did not let.*agent"):
                await session.push()
        else:
            monkeypatch.setattr(f"{remotes.__name__}.LOOK_DEADLINE", 3.0)
            with pytest.raises(Unavailable, match=r"did not answer.*agent.*asks"):
                await session.push()
            os.kill(int(asked.read_text()), signal.SIGTERM)
    assert asked.exists()
    assert "" == server.head("work")


async def test_a_server_that_takes_the_connection_and_is_silent_is_given_up(
    session: Session, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.is_silent = True
    use_ssh(home_of(session), known_hosts=server.known_host)
    monkeypatch.setattr(f"{remotes.__name__}.LOOK_DEADLINE", 1.0)
    with pytest.raises(Unavailable, match="did not answer within 1 s"):
        await session.push()
    assert 1 == server.taken


async def test_a_server_that_is_not_there_is_no_matter_of_keys(session: Session) -> None:
    use_ssh(home_of(session), known_hosts="")
    plain_git(session.project, "remote", "set-url", "origin", "ssh://ada@127.0.0.1:1/work.git")
    with pytest.raises(Unavailable, match=r"cannot be reached.*Connection refused"):
        await session.push()


async def test_a_repository_that_is_not_there_says_so(
    session: Session, server: SshServer, agent: Agent, tmp_path: Path
) -> None:
    use_ssh(home_of(session), known_hosts=server.known_host)
    server.let_in(make_key(tmp_path / "key"))
    agent.add(tmp_path / "key")
    plain_git(session.project, "remote", "set-url", "origin", f"{server.url}-gone")
    with pytest.raises(Conflict, match="does not appear to be a git repository"):
        await session.push()
