"""Settings that a start takes, and that do not go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from command_center.http.config.parsers import Secret
from tests.http.doctor.looks import look_for_one, subject


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"codex_url": "ws://127.0.0.1:1"}, "CC_CODEX_TRANSPORT=websocket"),
        ({"codex_socket": Path("/s"), "codex_transport": "spawn"}, "CC_CODEX_TRANSPORT=auto"),
        ({"telegram_bot_token": Secret("1:x")}, "CC_TELEGRAM_MODE=polling"),
        ({"host": "0.0.0.0", "api_token": Secret("short")}, "openssl rand -hex 32"),
        ({"repo_roots": (Path("/nowhere/at/all"),)}, "Make it, or take it out."),
        (
            {
                "host": "192.0.2.1",
                "approval_passkeys": "beyond-run",
                "api_token": Secret("a-token-of-32-characters-or-more"),
            },
            "CC_TLS_CERT",
        ),
    ],
)
async def test_settings_that_do_not_go_together_are_told_of(
    tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    level, _, mend = await look_for_one("settings", subject(tmp_path, **settings))
    assert "warning" == level
    assert words in mend


async def test_settings_that_go_together_are_well(tmp_path: Path) -> None:
    assert "ok" == (await look_for_one("settings", subject(tmp_path)))[0]
