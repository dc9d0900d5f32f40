"""The runtime as a library: what it shows, and where that is told."""

from __future__ import annotations

import re

from command_center.runtime import open_system
from tests.runtime.probes import probe, tree
from tests.runtime.reference import PAGE, reference


def test_the_reference_is_that_of_the_docstrings() -> None:
    """`uv run python -m tests.runtime.reference` writes it."""
    assert reference() == PAGE.read_text(encoding="utf-8")


def test_the_reference_says_something_of_every_name() -> None:
    sections = reference().split("\n### ")[1:]
    assert [] == [section for section in sections if not section.partition("\n\n")[2].strip()]
    assert "async ask(" in reference()


async def test_a_system_and_a_handle_show_what_the_reference_names_and_no_more() -> None:
    _, _, section = reference().partition("### `class System`")
    told = set(re.findall(r"^- `(?:async )?(\w+)[(:]", section.partition("###")[0], re.MULTILINE))
    async with open_system(tree(probe("a"))) as system:
        shown = {name for name in dir(system) if not name.startswith("_")}
        of_a_handle = {name for name in dir(system.lookup("/a")) if not name.startswith("_")}
    assert told == shown
    assert not {"register", "emit", "start_soon", "children"} & shown
    assert not {"cell", "mailbox"} & of_a_handle
    assert {"ask", "path"} <= of_a_handle
