"""Lint, format, types and import direction, so that the one test command checks them too."""

import shutil
from pathlib import Path

import pytest

from tests.checkout import FOLDERS, ROOT, run, script


def test_ruff_finds_nothing() -> None:
    done = run(script("ruff"), "check", "--no-fix", ".")
    assert 0 == done.returncode, done.stdout


def test_ruff_would_format_nothing() -> None:
    done = run(script("ruff"), "format", "--check", ".")
    assert 0 == done.returncode, done.stdout


@pytest.mark.timeout(600)
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_types_hold_on(platform: str) -> None:
    cache = f".mypy_cache/{platform}"
    done = run(script("mypy"), "--platform", platform, "--cache-dir", cache)
    assert 0 == done.returncode, done.stdout


def imports_are_linted_in(root: Path) -> tuple[int, str]:
    """Run import-linter on a checkout. It sees `http` through typings/ and not otherwise."""
    typings = {"PYTHONPATH": str(root / "typings"), "COLUMNS": "200"}
    linter = (script("lint-imports"), "--no-cache", "--no-logo")
    done = run(*linter, cwd=root, variables=typings)
    return done.returncode, done.stdout


def test_imports_go_from_http_to_actors_to_store_and_runtime() -> None:
    code, told = imports_are_linted_in(ROOT)
    assert 0 == code, told
    assert "0 broken" in told


def copied(root: Path) -> Path:
    """Copy what import-linter reads to below `root`; return where our folders lie there."""
    folders = root / "typings" / "command_center"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, folders / folder)
    shutil.copy(ROOT / "pyproject.toml", root)
    return folders


PLANTED = (
    ("store", "command_center.runtime"),
    ("store", "command_center.http.config.settings"),
    ("runtime", "command_center.store"),
    ("actors", "command_center.http.config.settings"),
    ("runtime", "sqlite3"),
    ("store", "trio"),
    ("actors", "quart"),
    ("actors/sessions", "command_center.actors.codex.messages"),
    ("actors/ledger", "command_center.actors.codex.messages"),
    ("actors/approvals", "command_center.actors.codex.approvals"),
    ("actors/tasks", "command_center.actors.codex.requests"),
    ("actors/tasks", "command_center.actors.sessions.runners.codex.turns"),
    ("actors/contracts", "command_center.actors.codex.ports"),
    ("actors/operator", "command_center.actors.codex.messages"),
    ("actors/telegram", "command_center.actors.codex.errors"),
    ("http/wire", "command_center.actors.codex.messages"),
    ("http/routes", "asyncio"),
    ("http/wire", "command_center.http.routes.tasks"),
    ("http/transport", "command_center.http.middleware.gate"),
)
"""Imports against the direction: the folder that imports, and what it may not."""

UPWARD = (("runtime/reply", "runtime/system"), ("store/statuses", "store/tables"))
"""Imports upward within a flat folder, whose contract names each module."""


def test_every_import_against_the_direction_is_found(tmp_path: Path) -> None:
    folders = copied(tmp_path)
    expected = set()
    for number, (importer, imported) in enumerate(PLANTED):
        module = f"planted_{number}"
        (folders / importer / f"{module}.py").write_text(f"import {imported}\n", encoding="utf-8")
        expected.add(f"command_center.{importer.replace('/', '.')}.{module} -> {imported}")
    for below, above in UPWARD:
        importer, imported = (f"command_center.{name.replace('/', '.')}" for name in (below, above))
        _import_while_checking(folders / f"{below}.py", imported)
        expected.add(f"{importer} -> {imported}")
    code, told = imports_are_linted_in(tmp_path)
    assert 1 == code, told
    assert set() == {found for found in expected if f"{found} " not in told}, told


def test_a_circle_of_files_is_found(tmp_path: Path) -> None:
    below = copied(tmp_path) / "http" / "transport" / "channel.py"
    _import_while_checking(below, "command_center.http.transport.connection")
    code, told = imports_are_linted_in(tmp_path)
    assert 1 == code, told
    assert "no files or folders import each other in a circle BROKEN" in told


def _import_while_checking(module: Path, imported: str) -> None:
    """Add an import to a module's end, for its types alone."""
    added = f"if TYPE_CHECKING:\n    import {imported}\n"
    module.write_text(module.read_text(encoding="utf-8") + added, encoding="utf-8")
