"""The wheel and the sdist: built, installed away from the checkout, and run there."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.checkout import CLIENT, FOLDERS, MANUAL, ROOT, run, source_files

pytestmark = pytest.mark.timeout(600)


def uv(*words: str | Path, cwd: Path) -> str:
    """Run uv. Without it, or where it cannot reach a package index, the test is skipped."""
    program = os.environ.get("UV") or shutil.which("uv")  # `uv run` names itself in UV
    if program is None:
        pytest.skip("uv is not installed")
    done = run(program, *words, cwd=cwd, variables={"VIRTUAL_ENV": "", "UV_PYTHON": sys.executable})
    if re.search(r"error sending request|dns error|Connection refused|timed out", done.stdout):
        pytest.skip(f"uv cannot reach the package index: {done.stdout[-500:]}")
    assert 0 == done.returncode, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    built = tmp_path_factory.mktemp("built")
    uv("build", "--out-dir", built, cwd=copy)
    return built


@pytest.fixture(scope="module")
def program(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`command-center`, installed from the wheel into an environment of its own."""
    return installed(built, tmp_path_factory.mktemp("installed"), sys.executable)


def installed(built: Path, folder: Path, python: str | Path) -> Path:
    """`command-center`, installed from the wheel into an environment in the folder."""
    (wheel,) = built.glob("*.whl")
    uv("venv", "--python", python, "venv", cwd=folder)
    scripts = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    uv("pip", "install", "--python", scripts / "python", wheel, cwd=folder)
    return scripts / "command-center"


def test_wheel_and_sdist_have_every_module_and_nothing_of_the_tests(built: Path) -> None:
    web = ROOT / "http" / "web"
    unshipped = {web / "jsconfig.json", *web.rglob("*.d.ts")}
    pages = (path for path in web.rglob("*") if path.is_file() and path not in unshipped)
    expected = {
        *map(str, source_files()),
        *(f"{folder}/py.typed" for folder in (*FOLDERS, CLIENT.as_posix())),
        *(path.relative_to(ROOT).as_posix() for path in pages),
    }
    (wheel,) = built.glob("*.whl")
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    client = f"{CLIENT.as_posix()}/"
    assert {
        f"command_center_client/{name.removeprefix(client)}"
        if name.startswith(client)
        else f"command_center/{name}"
        for name in expected
    } == {name for name in in_wheel if ".dist-info/" not in name and ".data/" not in name}
    assert {f"man/man1/{MANUAL.name}", "command-center/openapi.d.ts"} == {
        name.partition(".data/data/share/")[2] for name in in_wheel if ".data/" in name
    }
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    assert expected <= in_sdist
    assert not [name for name in in_sdist if name.startswith("tests")]


def test_the_installed_program_tells_its_version(program: Path, tmp_path: Path) -> None:
    done = run(program, "--version", cwd=tmp_path)
    assert (0, "command-center, version 0.1.0\n") == (done.returncode, done.stdout)


def test_the_installed_package_runs_as_a_module(program: Path, tmp_path: Path) -> None:
    python = program.parent / "python"
    done = run(python, "-m", "command_center.http", "config", "--json", cwd=tmp_path)
    assert 0 == done.returncode, done.stdout
    assert "CC_PORT" in json.loads(done.stdout)["settings"]


@contextmanager
def serving(program: Path, folder: Path) -> Iterator[str]:
    """Serve with the stub runner on a free port, and give the address; at the end it must stop."""
    (folder / "config.toml").touch()
    variables = {key: value for key, value in os.environ.items() if not key.startswith("CC_")}
    server = subprocess.Popen(
        [program, "--port", "0", "--codex-runner-mode", "stub", "--data-dir", folder / "data"],
        cwd=folder,
        env={**variables, "CC_CONFIG": str(folder / "config.toml")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert server.stderr is not None
    try:
        greeting = server.stdout.readline()
        address = re.search(r"listens on (http://127\.0\.0\.1:\d+)", greeting)
        assert address, greeting + server.stderr.read()
        yield address[1]
    finally:
        server.terminate()
        _, told = server.communicate(timeout=30)
    if sys.platform != "win32":
        assert 0 == server.returncode, told


def check_serving(program: Path, folder: Path) -> None:
    """Serve, look, and have something done."""
    with (
        serving(program, folder) as address,
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        health = client.get("/health").json()
        asked = client.post("/api/approvals", json={"title": "Is this read?"})
    assert ("ok", "0.1.0", "stub") == (health["status"], health["version"], health["runnerMode"])
    assert 201 == asked.status_code, asked.text


def test_the_installed_program_serves_and_stops_when_told_to(program: Path, tmp_path: Path) -> None:
    check_serving(program, tmp_path)


def test_the_installed_program_serves_on_every_python_that_is_here(
    built: Path, tmp_path: Path
) -> None:
    for version, python in others():
        folder = tmp_path / version
        folder.mkdir()
        check_serving(installed(built, folder, python), folder)


def others() -> Iterator[tuple[str, str]]:
    """The other Pythons that this is for, of which uv knows: the version of each and its path."""
    told = uv("python", "list", "--only-installed", "--output-format=json", cwd=ROOT)
    (listed,) = [line for line in told.splitlines() if line.startswith("[{")]  # behind warnings
    seen = {sys.version_info[:2]}
    for found in json.loads(listed):
        version = (found["version_parts"]["major"], found["version_parts"]["minor"])
        is_plain = (found["implementation"], found["variant"]) == ("cpython", "default")
        if is_plain and version >= (3, 11) and version not in seen:
            seen.add(version)
            yield found["version"], found["path"]


def test_the_runtime_is_a_package_of_its_own(tmp_path: Path) -> None:
    """It is built of its folder alone, needs trio and attrs alone, and carries the examples."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "runtime", copy, ignore=shutil.ignore_patterns("__pycache__"))
    uv("build", "--wheel", "--out-dir", tmp_path, cwd=copy)
    uv("venv", "--python", sys.executable, "venv", cwd=tmp_path)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    uv("pip", "install", "--python", python, *tmp_path.glob("*.whl"), cwd=tmp_path)
    look = "import sys, command_center.runtime; print(*sorted(sys.modules))"
    loaded = run(python, "-I", "-c", look, cwd=tmp_path).stdout.split()
    assert "command_center.runtime.system" in loaded, loaded
    assert not {"structlog", "msgspec", "trio.testing"} & set(loaded)
    for example in sorted((ROOT / "docs" / "examples").glob("*.py")):
        done = run(python, "-I", example, cwd=tmp_path)
        assert 0 == done.returncode, done.stdout
    from_kit = run(python, "-I", "-c", "import command_center.runtime.testing", cwd=tmp_path)
    assert 0 == from_kit.returncode, from_kit.stdout
