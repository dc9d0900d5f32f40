"""Fixtures for every test that drives the real Codex."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from command_center.actors.codex.settings import Transport
from tests.codex.binary import CodexNotFound, find_codex
from tests.codex.scripted_model import OLD_MODEL, ScriptedModel, write_codex_home

HELLO = b'{"id":1,"method":"initialize","params":{"clientInfo":{"name":"tests","version":"1"}}}\n'
"""Asks an app-server to begin."""


@pytest.fixture(scope="session")
def codex_binary() -> Path:
    """The Codex under test. Without one the test is skipped, but in CI it fails."""
    try:
        return find_codex()
    except CodexNotFound as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI must test against the real Codex. {error}")
        pytest.skip(str(error))


@pytest.fixture
def scripted_model() -> Iterator[ScriptedModel]:
    """A model on loopback; set its `script` before the turn begins."""
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def codex_model() -> str | None:
    """The model that Codex believes to call: its own default, if it is None.

    `both_models` runs a test with each kind.
    """
    return None


both_models = pytest.mark.parametrize(
    "codex_model", [OLD_MODEL, None], ids=["old-model", "default-model"]
)
"""Run a test with plain tools, and with what the catalogue's own default model is offered."""


def models_over(reached: str, ways: Sequence[Transport]) -> pytest.MarkDecorator:
    """Run a test over each way to Codex, and over the first with plain tools, too.

    Codex offers a model its tools however Codex is reached, so not each pair of the two is tried.
    `reached` names the fixture of the ways.
    """
    cases = [(ways[0], OLD_MODEL), *((way, None) for way in ways)]
    ids = [f"{way.value}-{'old' if model else 'default'}-model" for way, model in cases]
    return pytest.mark.parametrize((reached, "codex_model"), cases, indirect=[reached], ids=ids)


@pytest.fixture(scope="session")
def begun_codex_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `CODEX_HOME` in which Codex has started once, or an empty folder where there is none.

    A first start unpacks skills and makes five databases, for half of what a start costs.
    """
    home = tmp_path_factory.mktemp("begun-codex-home")
    try:
        command = [str(find_codex()), "app-server"]
    except CodexNotFound:
        return home
    with (
        ScriptedModel() as model,
        subprocess.Popen(
            command,
            env={**os.environ, "CODEX_HOME": str(write_codex_home(home, model))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(HELLO)
        server.stdin.flush()
        assert b'"result"' in server.stdout.readline()
        server.stdin.close()
    return home


@pytest.fixture
def codex_home(
    tmp_path: Path,
    begun_codex_home: Path,
    scripted_model: ScriptedModel,
    codex_model: str | None,
) -> Path:
    """A `CODEX_HOME` whose only provider is `scripted_model`; Codex has started in it before."""
    home = shutil.copytree(begun_codex_home, tmp_path / "codex-home")
    return write_codex_home(home, scripted_model, called=codex_model)
