"""The summary, as the dashboard asks for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.http.routes.telemetry import length_of
from command_center.http.wire.problems import InvalidFields
from command_center.store import Transaction, repositories
from tests.actors.automations.rig import opened
from tests.http.live import client_of
from tests.made_up import made_up


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
            for query in ("window=7d", "window=7d&repositoryId=1"):
                answer = await http.get(f"/api/telemetry/summary?{query}")
                assert 200 == answer.status_code
                told.append(answer.json())
    for summary, repository_id in zip(told, [None, 1] * 2, strict=True):
        assert ("7d", repository_id) == (summary["window"], summary["repositoryId"])
        assert "ok" == summary["runtime"]["status"]
        assert 1 == summary["automations"]["enabled"]
        for name in ("since", "until", "runtime", "events"):
            del summary[name]
    assert told[:2] == told[2:]


async def test_the_summary_of_a_repository_has_only_what_is_its_own(tmp_path: Path) -> None:
    def unit(tx: Transaction) -> None:
        other = repositories.insert(tx, name="b", local_path="/srv/b")
        tx.emit(made_up("repo.created"), actor="web", repository_id=other.id)
        tx.emit(made_up("repo.scanned"), actor="web", repository_id=other.id)

    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        await rig.create()
        await rig.center.storage.write(unit)
        own, others, whole = [
            (await http.get(f"/api/telemetry/summary{query}")).json()
            for query in ("?repositoryId=1", "?repositoryId=2", "")
        ]
    assert (1, 1) == (own["automations"]["enabled"], own["events"]["count"])
    assert (0, 2) == (others["automations"]["enabled"], others["events"]["count"])
    assert (1, 3) == (whole["automations"]["enabled"], whole["events"]["count"])
    assert own["runtime"]["actors"] == others["runtime"]["actors"] == whole["runtime"]["actors"]


async def test_the_summary_of_a_repository_that_does_not_exist_is_404(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        answer = await http.get("/api/telemetry/summary?repositoryId=99")
        assert 404 == answer.status_code
        assert "Repository 99 not found." == answer.json()["error"]["message"]


async def test_a_wrong_window_is_answered_with_400(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        answer = await http.get("/api/telemetry/summary?window=91d")
        assert 400 == answer.status_code
        assert "window" == answer.json()["error"]["details"][0]["path"]
