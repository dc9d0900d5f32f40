"""Each way to install, by its line in the documentation, and what the program then does."""

import json
import re
import sys
from itertools import product
from pathlib import Path

import httpx
import pytest

from tests.checkout import ROOT, pyproject, run
from tests.installing.first_run import approve_a_run
from tests.installing.ways import WAYS, Installed, install
from tests.installing.wheel import build, serving, uv

pytestmark = pytest.mark.timeout(600)

VERSION = pyproject()["project"]["version"]
PYTHONS = re.findall(r"Python :: (\d+\.\d+)", " ".join(pyproject()["project"]["classifiers"]))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (wheel,) = build(tmp_path_factory).glob("*.whl")
    return wheel


def said(installed: Installed, *words: str, folder: Path) -> tuple[int, str]:
    done = run(*installed.command, *words, cwd=folder, variables=installed.variables)
    return done.returncode, done.stdout


def check_version(installed: Installed, folder: Path) -> None:
    assert (0, f"command-center, version {VERSION}\n") == said(
        installed, "--version", folder=folder
    )


def check_whole(installed: Installed, folder: Path) -> None:
    """Serve, look at the page, have something done, and have the doctor look."""
    check_version(installed, folder)
    with (
        serving([*installed.command, "serve"], folder, installed.variables) as address,
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        health = client.get("/health").json()
        assert "<h1" in client.get("/docs/doctor.html").text
        assert ("ok", VERSION, "stub") == (
            health["status"],
            health["version"],
            health["runnerMode"],
        )
        asked = client.post("/api/approvals", json={"title": "Is this read?"})
        assert 201 == asked.status_code, asked.text
        page = client.get("/").text
        parts = re.findall(r'(?:href|src)="(/[^"]+\.(?:js|css))"', page)
        assert len(parts) > 10
        assert {200} == {client.get(part).status_code for part in parts}
        code, found = said(installed, "doctor", "--json", "--server", address, folder=folder)
    assert code in {0, 1}, found
    assert json.loads(found)["findings"]
    code, told = said(installed, "tui", folder=folder)
    assert (2, 1) == (code, told.count("\n")), told
    assert "uv tool install 'command-center[tui]'" in told


@pytest.mark.parametrize("way", WAYS)
def test_a_line_of_the_documentation_installs_the_program(
    way: str, wheel: Path, tmp_path: Path
) -> None:
    installed = install(way, wheel, sys.executable, tmp_path)
    if way == "pip":  # all that follows is the same wheel's
        check_whole(installed, tmp_path)
        python = tmp_path / Path(WAYS[way].program).with_name("python")
        done = run(python, "-m", "command_center.http", "config", "--json", cwd=tmp_path)
        assert "CC_PORT" in json.loads(done.stdout)["settings"]
    else:
        check_version(installed, tmp_path)


@pytest.mark.pythons
@pytest.mark.parametrize(("way", "python"), [*product(WAYS, PYTHONS)])
def test_each_way_brings_the_whole_program_on_each_python(
    way: str, python: str, wheel: Path, tmp_path: Path
) -> None:
    installed = install(way, wheel, found(python), tmp_path)
    check_whole(installed, tmp_path)
    if python == PYTHONS[0]:
        (tmp_path / "again").mkdir()
        assert "Decided." == approve_a_run(installed, tmp_path / "again")


def found(version: str) -> Path:
    """Return a Python of this version; without one, the test is skipped."""
    listed = uv(*("python", "list", "--only-installed", "--output-format=json", version), cwd=ROOT)
    (line,) = [line for line in listed.splitlines() if line.startswith("[")]  # behind warnings
    for one in json.loads(line):
        if (one["implementation"], one["variant"]) == ("cpython", "default"):
            return Path(one["path"])
    pytest.skip(f"no Python {version} is on the PATH or known to uv: uv python install {version}")


def test_the_documentation_tells_each_line() -> None:
    told = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
    wheel = f"command_center-{VERSION}-py3-none-any.whl"
    for way in WAYS.values():
        assert f"    {way.line.format(wheel=wheel)}\n" in told
    (promised,) = re.findall(r"with Python (.+?)\.\n", told)
    assert PYTHONS == re.findall(r"3\.\d+", promised)
    extras = pyproject()["project"]["optional-dependencies"]
    assert sorted(extras) == re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)
