"""Programs that npm brings: there as a whole or not at all, also for tests that run at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.browser.npm import brought
from tests.browser.test_format import FORMATTER


def test_a_program_that_two_bring_at_once_is_there_for_both(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(brought, FORMATTER, "prettier", tmp_path) for _ in range(2)]
        first, second = (one.result() for one in both)
    assert first == second
    assert json.loads((first / "prettier" / "package.json").read_bytes())["name"] == "prettier"
    assert (first / "prettier" / "bin" / "prettier.cjs").is_file()
    assert [first.parent] == list(tmp_path.iterdir())
