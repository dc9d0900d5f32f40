"""The four folders, and how they become one import package."""

import ast
import importlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import attrs
import pytest

from tests.checkout import CLIENT, FOLDERS, ROOT, pyproject, source_files


def test_http_is_a_namespace_package_or_it_would_shadow_the_standard_librarys() -> None:
    assert not (ROOT / "http" / "__init__.py").exists()


def test_the_standard_librarys_http_is_found_from_the_root() -> None:
    code = "import http, http.client; print(http.__file__); print(http.client.OK)"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert ROOT not in Path(found[0]).parents
    assert "200" == found[1]


def test_no_part_of_http_is_named_like_one_of_the_standard_librarys() -> None:
    (package,) = importlib.import_module("http").__path__
    theirs = {path.stem for path in Path(package).iterdir()}
    ours = {path.stem for path in (ROOT / "http").iterdir() if path.name != "__pycache__"}
    assert {"client", "cookiejar", "cookies", "server"} <= theirs
    assert set() == ours & theirs


@pytest.mark.parametrize("folder", FOLDERS)
def test_type_checkers_see_each_folder_through_a_relative_link(folder: str) -> None:
    link = ROOT / "typings" / "command_center" / folder
    assert link.is_symlink()
    assert Path("..", "..", folder) == link.readlink()
    assert (ROOT / folder).resolve() == link.resolve()


def test_typings_has_nothing_else() -> None:
    there = {path.name: path for path in (ROOT / "typings").iterdir()}
    assert {"command_center", CLIENT.name} == there.keys()
    assert Path("..", CLIENT) == there[CLIENT.name].readlink()
    linked = {path.name for path in (ROOT / "typings" / "command_center").iterdir()}
    assert set(FOLDERS) == linked


def test_every_folder_with_modules_is_packaged() -> None:
    setuptools = pyproject()["tool"]["setuptools"]
    folders = {path.parent for path in source_files()}
    folders.remove(CLIENT)
    expected = {".".join(("command_center", *folder.parts)) for folder in [*folders, Path("docs")]}
    assert sorted({*expected, CLIENT.name}) == setuptools["packages"]
    mapped = {f"command_center.{folder}": folder for folder in (*FOLDERS, "docs")}
    mapped[CLIENT.name] = CLIENT.as_posix()
    assert mapped == setuptools["package-dir"]


def test_every_folder_but_http_says_in_its_init_what_lives_there() -> None:
    folders = {path.parent for path in source_files()} - {Path("http")}
    assert [] == [str(f) for f in sorted(folders) if not (ROOT / f / "__init__.py").is_file()]


@pytest.mark.parametrize("folder", [*FOLDERS, str(CLIENT)])
def test_each_folder_tells_type_checkers_that_it_is_typed(folder: str) -> None:
    assert (ROOT / folder / "py.typed").is_file()


def test_every_module_says_what_it_is() -> None:
    first_lines = {path: (ROOT / path).read_text(encoding="utf-8")[:4] for path in source_files()}
    assert [] == [str(path) for path, begin in first_lines.items() if '"""' not in begin]


_SQL = re.compile(
    r"\s*(select\s.+\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s*\()",
    re.IGNORECASE | re.DOTALL,
)


@attrs.frozen
class Facts:
    """Facts that are looked for in a source: lines of statements and of paths, imported names."""

    statements: tuple[int, ...]
    literal_paths: tuple[int, ...]
    imported: frozenset[str]


def facts_in(source: str) -> Facts:
    """Parse a source and return what is looked for in it."""
    nodes = list(ast.walk(ast.parse(source)))
    return Facts(
        statements=tuple(statements_in(nodes)),
        literal_paths=tuple(literal_paths_in(nodes)),
        imported=frozenset(node.name for node in nodes if isinstance(node, ast.alias)),
    )


@cache
def facts_of(path: Path) -> Facts:
    """Parse a file once for all tests. Keep no tree: those of all files fill a worker."""
    return facts_in((ROOT / path).read_text(encoding="utf-8"))


def statements_in(nodes: list[ast.AST]) -> list[int]:
    """The lines on which a text of SQL begins, or a connection is told to run one."""
    return [
        node.lineno
        for node in nodes
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and _SQL.match(node.value)
        )
        or (isinstance(node, ast.Attribute) and node.attr in {"execute", "executescript"})
    ]


@pytest.mark.parametrize(
    "line",
    [
        "rows = list(db.query('SELECT id FROM tasks'))",
        "tx.db.execute(found)",
        'sql = f"delete from events where {column} = ?"',
        "CHANGE = 'UPDATE tasks SET title = NULL'",
    ],
)
def test_a_statement_of_sql_is_found(line: str) -> None:
    assert [1] == sorted(set(facts_in(line).statements))


def test_sql_stands_in_store_alone() -> None:
    found = {
        f"{path}:{line}"
        for path in source_files()
        if path.parts[0] != "store"
        for line in facts_of(path).statements
    }
    assert set() == found


def literal_paths_in(nodes: list[ast.AST]) -> list[int]:
    """The lines on which an actor is looked up, or asked, at a path that is written there."""
    called = {"lookup", "find", "ask", "tell", "_ask", "_tell"}
    return [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in called
        and node.args
        and any(
            isinstance(part, ast.Constant) and str(part.value).startswith("/")
            for part in ast.walk(node.args[0])
        )
    ]


@pytest.mark.parametrize(
    "line",
    ['ctx.lookup("/tasks")', 'self.find(f"/sessions/{number}")', 'await center.ask("/x", m)'],
)
def test_a_path_of_an_actor_that_is_written_out_is_found(line: str) -> None:
    assert (1,) == facts_in(f"async def f():\n {line}".replace("\n", "")).literal_paths


def test_actors_are_found_by_their_addresses() -> None:
    """An `Address` knows what messages are taken there, and a path that is written out does not."""
    found = {
        f"{path}:{line}"
        for path in source_files()
        if path.parts[0] in {"actors", "http"}
        for line in facts_of(path).literal_paths
    }
    assert set() == found


CODEX_SENDS = frozenset({"CodexNotification", "CodexServerRequest"})
READERS = ("actors/codex/", "actors/sessions/runners/codex/")


def test_what_codex_sends_is_read_by_codex_and_its_runners_alone() -> None:
    """A session hears its runner in words that are no agent's."""
    found = {path.as_posix() for path in source_files() if facts_of(path).imported & CODEX_SENDS}
    assert set() == {path for path in found if not path.startswith(READERS)}
    assert found
