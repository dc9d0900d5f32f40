"""The wheel and the sdist: what they have, and the runtime as a package of its own."""

import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from command_center.http.documentation.contents import files, names
from tests.checkout import CLIENT, FOLDERS, MANUAL, ROOT, run, source_files
from tests.installing.wheel import BIN, build, uv

pytestmark = pytest.mark.timeout(600)

MOST_BYTES = 3_000_000
"""Of the wheel, the documentation and its pictures included."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    return build(tmp_path_factory)


def test_wheel_and_sdist_have_every_module_and_nothing_of_the_tests(built: Path) -> None:
    web = ROOT / "http" / "web"
    unshipped = {web / "jsconfig.json", *web.rglob("*.d.ts")}
    pages = (path for path in web.rglob("*") if path.is_file() and path not in unshipped)
    expected = {
        *map(str, source_files()),
        *(f"{folder}/py.typed" for folder in (*FOLDERS, CLIENT.as_posix())),
        "store/__init__.pyi",  # read at run time
        *(path.relative_to(ROOT).as_posix() for path in pages),
        *(f"docs/{name}" for name in (*names(), *files())),
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
    assert wheel.stat().st_size < MOST_BYTES
    assert not [name for name in in_sdist if name.startswith("tests")]


def test_the_runtime_is_a_package_of_its_own(tmp_path: Path) -> None:
    """It is built of its folder alone, needs trio and attrs alone, and carries the examples."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "runtime", copy, ignore=shutil.ignore_patterns("__pycache__"))
    uv("build", "--wheel", "--out-dir", tmp_path, cwd=copy)
    uv("venv", "--python", sys.executable, "venv", cwd=tmp_path)
    python = tmp_path / "venv" / BIN / "python"
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
