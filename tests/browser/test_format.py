"""The page's modules are formatted by Prettier, and have no line that must be scrolled to."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.npm import brought
from tests.checkout import ROOT, run

WEB = ROOT / "http" / "web"
FORMATTER = ROOT / "tests" / "browser" / "prettier"
"""The folder in which the formatter is pinned."""

LONGEST = 100


def modules() -> list[Path]:
    return [path for path in sorted(WEB.rglob("*.js")) if "vendor" not in path.parts]


def checked(*files: Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    program = brought(FORMATTER, "prettier") / "prettier" / "bin" / "prettier.cjs"
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is installed, which runs Prettier: apt-get install npm")
    return run(node, program, "--config", ROOT / ".prettierrc.json", "--check", *files, cwd=cwd)


def test_prettier_would_change_nothing() -> None:
    done = checked(*modules())
    assert 0 == done.returncode, done.stdout


def test_what_prettier_would_change_is_found(tmp_path: Path) -> None:
    (tmp_path / "planted.js").write_text("export const a = {b:1}\n", encoding="utf-8")
    done = checked(Path("planted.js"), cwd=tmp_path)
    assert 1 == done.returncode
    assert "planted.js" in done.stdout


def test_no_line_is_longer_than_a_screen_is_wide() -> None:
    """Prettier leaves texts and comments as long as they are."""
    assert [] == [
        f"{path.relative_to(WEB)}:{number}"
        for path in modules()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LONGEST
    ]


def test_the_hook_before_a_commit_runs_the_same_prettier() -> None:
    pinned = json.loads((FORMATTER / "package.json").read_bytes())["devDependencies"]["prettier"]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert f"prettier@{pinned}" in hooks
