"""The token of the GitHub CLI, from a program that stands for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from command_center.actors.hosts.local.gh import gh_token

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="The program is a script.")


@pytest.mark.parametrize(
    ("lines", "token"),
    [
        ('[ "$*" = "auth token --hostname github.com" ] && echo gho_token', "gho_token"),
        ("echo not signed in >&2; exit 1", None),
        ("exit 0", None),
    ],
)
async def test_the_cli_is_asked_for_the_token_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, token: str | None
) -> None:
    program = tmp_path / "gh"
    program.write_text(f"#!/bin/sh\n{lines}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert token == await gh_token("github.com")


async def test_without_the_cli_there_is_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert None is await gh_token("github.com")
