"""Git is started in one place."""

import ast
from pathlib import Path

from tests.checkout import ROOT, source_files

STARTERS = {
    "Popen",
    "call",
    "check_call",
    "check_output",
    "execv",
    "execve",
    "open_process",
    "run_process",
    "spawnv",
    "system",
}
HOME = Path("actors", "git", "process.py")


def starts(path: Path) -> set[str]:
    """The functions that start a program which a file calls."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    return called & STARTERS


def names_git(path: Path) -> bool:
    """Whether a file has the program's name as a text of its own."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.Constant) and node.value == "git" for node in ast.walk(tree))


def test_only_the_wrapper_starts_git() -> None:
    assert starts(HOME)
    assert [HOME] == [path for path in source_files() if names_git(path)]


def test_within_the_wrapper_only_one_file_starts_anything() -> None:
    inside = [path for path in source_files() if path.parts[:2] == ("actors", "git")]

    assert [HOME] == [path for path in inside if starts(path)]
