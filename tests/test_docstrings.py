"""Docstrings say what is done, in the imperative, and names of classes are told apart."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import attrs
import pytest

from tests.checkout import FOLDERS as FOUR
from tests.checkout import ROOT, run, script, source_files


@cache
def all_files() -> tuple[Path, ...]:
    """Every Python file of the checkout."""
    return tuple(source_files(*FOUR, "tests"))


def files_of(folder: str) -> Iterator[Path]:
    """Every Python file in a folder, or the one file of that name."""
    for path in all_files():
        if path.as_posix() == folder or path.as_posix().startswith(f"{folder}/"):
            yield path


FOLDERS = tuple(
    folder
    for top in FOUR
    for folder in sorted(
        {"/".join(path.parts[: 2 if top == "actors" else 1]) for path in files_of(top)}
    )
)
"""Folders whose docstrings are held to it: those of the four, and what lies in `actors/`."""

QUESTIONS = frozenset({"Whether", "What", "Which", "How", "Where", "Who", "When", "Why", "As"})
NOUNS = re.compile(r"(The|An?|Its|One|Each|Every|All|Those|Itself)\b")


@attrs.frozen
class Facts:
    """A file's explanations and its functions' docstrings, with their lines, and its classes."""

    explanations: tuple[tuple[int, str], ...]
    of_functions: tuple[tuple[int, str], ...]
    public_classes: tuple[str, ...]


@cache
def facts_of(path: Path) -> Facts:
    """Parse a file once for all tests. Keep no tree: those of a thousand files fill a worker."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    return Facts(
        explanations=tuple(explanations_of(nodes)),
        of_functions=tuple(
            (node.lineno, ast.get_docstring(node) or "")
            for node in nodes
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
        public_classes=tuple(
            node.name
            for node in tree.body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        ),
    )


def explanations_of(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """Every text that explains what stands before or around it, with its line."""
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            text = node.value.value
            if isinstance(text, str) and text.split():
                yield node.lineno, text


@pytest.mark.parametrize("folder", [*FOLDERS, "tests"])
def test_no_docstring_begins_as_a_question(folder: str) -> None:
    assert [] == [
        f"{path}:{line}: {text.splitlines()[0]}"
        for path in files_of(folder)
        for line, text in facts_of(path).explanations
        if text.split()[0] in QUESTIONS
    ]


def test_ruff_takes_the_first_word_of_each_for_an_imperative() -> None:
    done = run(script("ruff"), "check", "--no-fix", "--select", "D401", *FOUR)
    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_docstrings_of_functions_begin_with_a_verb_in_the_imperative(folder: str) -> None:
    assert [] == [
        f"{path}:{line}: {text.splitlines()[0]}"
        for path in files_of(folder)
        for line, text in facts_of(path).of_functions
        if NOUNS.match(text)
    ]


def test_no_two_public_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for folder in FOUR:
        for path in files_of(folder):
            for name in facts_of(path).public_classes:
                places.setdefault(name, []).append(path.as_posix())
    assert {} == {name: where for name, where in places.items() if len(where) > 1}
