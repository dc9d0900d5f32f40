"""The summary, as the dashboard asks for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from command_center.http.app import create_app
from command_center.http.errors import InvalidFields
from command_center.http.security import Policy
from command_center.http.telemetry import length_of
from tests.actors.automations.rig import opened
from tests.http.live import client_of


@pytest.mark.parametrize(
    ("window", "length"),
    [
        ("1h", timedelta(hours=1)),
        ("24h", timedelta(days=1)),
        ("2160h", timedelta(days=90)),
        ("90d", timedelta(days=90)),
    ],
)
def test_a_window_is_so_many_hours_or_days(window: str, length: timedelta) -> None:
    assert length == length_of(window)


@pytest.mark.parametrize(
    "window", ["", "0h", "h", "1", "1m", "91d", "2161h", "-1h", "1h\n", "1.5h"]
)
def test_another_window_is_refused_with_its_field(window: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        length_of(window)
    assert "window" == refused.value.details[0].path


async def test_the_summary_is_the_same_after_a_restart(tmp_path: Path) -> None:
    told: list[Any] = []
    for _ in range(2):
        async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
            if not told:
                await rig.create()
            answer = await http.get("/api/telemetry/summary?window=7d")
            assert 200 == answer.status_code
            told.append(answer.json())
    for summary in told:
        assert "7d" == summary["window"]
        assert "ok" == summary["runtime"]["status"]
        assert 1 == summary["automations"]["enabled"]
        for name in ("since", "until", "runtime", "events"):
            del summary[name]
    assert told[0] == told[1]


async def test_a_wrong_window_is_answered_with_400(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        answer = await http.get("/api/telemetry/summary?window=91d")
        assert 400 == answer.status_code
        assert "window" == answer.json()["error"]["details"][0]["path"]
