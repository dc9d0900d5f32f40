"""/metrics, as Prometheus reads it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from command_center.actors.cluster.view import ClusterView
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.http.middleware.metrics import RequestMetrics, place_of
from command_center.http.routes.metrics import InCluster
from command_center.runtime import Crashed, Restarted
from command_center.store import EventFilter
from command_center.store.records import SessionStatus
from tests.actors.automations.rig import opened
from tests.http.live import client_of
from tests.test_documentation import rows_of


async def scraped(http: httpx.AsyncClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = await http.get("/metrics")
    assert 200 == answer.status_code
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_every_metric_is_documented_and_every_documented_one_exists(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        await http.get("/health")
        text = (await http.get("/metrics")).text
    families = [
        *text_string_to_metric_families(text),
        *InCluster(ClusterView().described()).collect(),
    ]
    names = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in families
        if family.name.startswith("cc_")
    }
    assert all(family.documentation for family in families)
    assert {*rows_of("docs/metrics.md")} == names | {"cc_bridge_connected"}


async def test_requests_are_counted_by_route_and_refusals_under_none(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        await http.get("/api/tasks/1")
        await http.get("/api/tasks/2")
        await http.get("/nowhere")
        await http.request("BREW", "/api/tasks", headers={"Host": "evil.example"})
        found = await scraped(http)
    name = "cc_http_requests_total"
    route = ("route", "/api/tasks/<id:task_id>")
    assert 2 == found[name, (("method", "GET"), route, ("status", "404"))]
    assert 1 == found[name, (("method", "GET"), ("route", "none"), ("status", "404"))]
    assert 1 == found[name, (("method", "other"), ("route", "none"), ("status", "421"))]
    assert 2 == found["cc_http_request_seconds_count", (("method", "GET"), route)]


async def test_restarts_commits_and_the_log_are_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        await rig.create()
        wanted = EventFilter(types=("actor.restarted",))
        with rig.center.fanout.subscribe(wanted) as published:
            tree = rig.center.system._tree
            tree.emit(Crashed("/sessions/7", None, start_failed=False))
            tree.emit(Restarted("/sessions/7", restarts=1, delay=0.0, reason="a fault"))
            await published.take()
        found = await scraped(http)
    assert found["cc_events_total", ()] >= 1
    assert 0 == found["cc_event_lag", ()]
    assert found["cc_store_commit_seconds_count", ()] >= 1
    assert found["cc_store_commit_seconds_bucket", (("le", "+Inf"),)] >= 1
    assert 0 == found["cc_approvals_pending", ()]
    assert ("cc_mailbox_depth", (("actor", "/automations/*"),)) in found
    assert 1 == found["cc_actor_restarts_total", (("actor", "/sessions/*"),)]
    assert 1 == found["cc_actor_crashes_total", (("actor", "/sessions/*"),)]


async def test_a_status_that_no_session_has_is_there_with_none(tmp_path: Path) -> None:
    async with opened(tmp_path) as rig, client_of(create_app(rig.center, Policy())) as http:
        found = await scraped(http)
    counted = {
        dict(labels)["status"]: n for (name, labels), n in found.items() if name == "cc_sessions"
    }
    assert dict.fromkeys(get_args(SessionStatus), 0) == counted


async def test_the_metrics_need_the_token_if_there_is_one(tmp_path: Path) -> None:
    token = "a-token-that-is-long-enough"
    async with (
        opened(tmp_path) as rig,
        client_of(create_app(rig.center, Policy(token=token))) as http,
    ):
        assert 401 == (await http.get("/metrics")).status_code
        http.headers["Authorization"] = f"Bearer {token}"
        await scraped(http)


@pytest.mark.parametrize(
    ("path", "place"),
    [("/sessions/12", "/sessions/*"), ("/bridges/local", "/bridges/local"), ("/", "/")],
)
def test_actors_of_which_there_are_many_share_a_place(path: str, place: str) -> None:
    assert place == place_of(path)


def test_methods_that_somebody_makes_up_fill_no_memory() -> None:
    metrics = RequestMetrics()
    for number in range(100):
        metrics.answered(f"BREW{number}", "none", 421, 0.1)
    assert 1 == len(metrics._known)
