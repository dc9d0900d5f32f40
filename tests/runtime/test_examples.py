"""The examples do what they say they print."""

from __future__ import annotations

import ast
import runpy
import textwrap
from pathlib import Path

import pytest
import trio

from command_center.runtime.testing import run
from tests.checkout import ROOT

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))

WAITS_FOR_A_PROCESS = {"supervised_subprocess"}
"""Those of whose waits a clock that jumps knows nothing."""


def promised(example: Path) -> str:
    """Return what an example says that it prints."""
    told = ast.get_docstring(ast.parse(example.read_text(encoding="utf-8"))) or ""
    _, _, block = told.partition("Prints::\n\n")
    return textwrap.dedent(block) + "\n"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: str(path.stem))
def test_an_example_prints_what_it_says(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(example), run_name=example.stem)["main"]
    (trio.run if example.stem in WAITS_FOR_A_PROCESS else run)(main)
    assert promised(example) == capsys.readouterr().out


def test_each_example_is_named_where_the_runtime_is_explained() -> None:
    page = (ROOT / "docs" / "runtime.md").read_text(encoding="utf-8")
    assert {f"examples/{path.name}" for path in EXAMPLES} == {
        f"examples/{path.name}" for path in EXAMPLES if f"(examples/{path.name})" in page
    }
    assert 5 == len(EXAMPLES)
