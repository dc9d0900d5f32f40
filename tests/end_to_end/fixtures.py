"""Fixtures for tests that use the whole product as a user does."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

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
