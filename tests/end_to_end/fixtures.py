"""Fixtures for tests that use the whole product as a user does."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from tests.actors.git.repository import make_repository
from tests.end_to_end.dialling import WITHOUT_CODEX, DialledHost
from tests.end_to_end.server import Client, Server, client_of, end_left, left_in


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have the report of a failed test say what became of its servers, and what they logged."""
    report = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if report.failed and folder is not None:
        report.sections += [server.describe() for server in left_in(folder)]
    return report


@pytest.fixture(autouse=True)
def _no_server_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let no test meet what one before it left behind in a folder of its own."""
    yield
    folder = request.node.funcargs.get("tmp_path")
    if folder is not None:
        end_left(folder)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with one commit."""
    path = tmp_path / "project"
    path.mkdir()
    (path / "README.md").write_text("# A project\n")
    git = ["git", "-C", str(path), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    return path


@pytest.fixture
def other_machine(tmp_path: Path, codex_binary: Path, codex_home: Path) -> dict[str, str]:
    """The variables of a user of another machine, who has Codex in `~/bin`, and a repository."""
    home = tmp_path / "box" / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "codex").symlink_to(codex_binary)
    make_repository(home / "project")
    path = f"{home / 'bin'}:/usr/bin:/bin"
    return {"HOME": str(home), "CODEX_HOME": str(codex_home), "PATH": path}


@pytest.fixture
def dialling_host(tmp_path: Path, other_machine: dict[str, str]) -> Iterator[DialledHost]:
    """The program of a host on that machine, which was not started yet."""
    found = DialledHost(tmp_path / "box" / "data", other_machine)
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Server]:
    """A server that has no Codex on its own machine."""
    found = Server(tmp_path / "data", WITHOUT_CODEX).start()
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
async def centre_client(centre: Server) -> AsyncIterator[Client]:
    """A client of that server."""
    async with client_of(centre) as found:
        yield found


@pytest.fixture(scope="module")
def stub_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without Codex, shared by the tests of a module."""
    folder = tmp_path_factory.mktemp("stub")
    server = Server(folder / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    yield server
    server.end()


@pytest.fixture
async def stub_client(stub_server: Server) -> AsyncIterator[Client]:
    """A client of a server without Codex."""
    async with client_of(stub_server) as client:
        yield client


@pytest.fixture
def codex_server(tmp_path: Path, codex_binary: Path, codex_home: Path) -> Iterator[Server]:
    """A server with the real Codex, whose model is the test's script."""
    server = Server(
        tmp_path / "data",
        {"CC_CODEX_COMMAND": str(codex_binary), "CODEX_HOME": str(codex_home)},
    ).start()
    yield server
    server.end()


@pytest.fixture
def spawning_server(tmp_path: Path, codex_binary: Path, codex_home: Path) -> Iterator[Server]:
    """A server whose Codex ends with it."""
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_COMMAND": str(codex_binary),
            "CC_CODEX_TRANSPORT": "spawn",
            "CODEX_HOME": str(codex_home),
        },
    ).start()
    yield server
    server.end()


@pytest.fixture
async def codex_client(codex_server: Server) -> AsyncIterator[Client]:
    """A client of a server with the real Codex."""
    async with client_of(codex_server) as client:
        yield client
