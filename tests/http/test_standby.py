"""A standby sends readers to the leader that it hears of, and to nobody else."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from command_center.actors.cluster.signs import LeaderSign
from command_center.actors.cluster.view import SILENT_LEADER, ClusterView
from command_center.http.middleware.gate import Policy
from command_center.http.standby import create_standby_app

LEADER = "https://leader.example:8787"


def view(age: float = 0.0, **more: Any) -> ClusterView:
    """Return what a standby knows whose leader was heard of some seconds ago."""
    sign = LeaderSign(epoch=3, centre="a", url=LEADER, schema="1", version="1", **more)
    return ClusterView(role="standby", leader=sign, heard=time.monotonic() - age)


async def ask(
    known: ClusterView,
    target: bytes,
    *,
    token: str | None = None,
    bearer: bytes | None = None,
    role: bytes | None = None,
) -> tuple[int, dict[str, str], Any]:
    """Ask a standby, with the very text of a request line; return what it answers."""
    app = create_standby_app(known, Policy.of(listen_on="127.0.0.1", token=token), "1")
    path, _, query = target.partition(b"?")
    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "headers": [
            (b"host", b"127.0.0.1"),
            *([] if bearer is None else [(b"authorization", b"Bearer " + bearer)]),
            *([] if role is None else [(b"cc-wanted-role", role)]),
        ],
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "http_version": "1.1",
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in sent[1:])
    is_json = headers["content-type"] == "application/json"
    return sent[0]["status"], headers, msgspec.json.decode(body) if is_json else body.decode()


async def test_a_reader_is_sent_to_the_leader_with_its_path_and_query() -> None:
    status, headers, _ = await ask(view(), b"/api/tasks?limit=3")
    assert (307, f"{LEADER}/api/tasks?limit=3") == (status, headers["location"])


@pytest.mark.parametrize("target", [b"//other.example/", b"@other.example/", b".other.example/"])
async def test_a_path_that_could_name_another_host_leads_nowhere(target: bytes) -> None:
    status, headers, _ = await ask(view(), target)
    assert status in {400, 404}
    assert "location" not in headers


async def test_nobody_is_sent_to_a_leader_of_whom_nothing_is_heard_any_more() -> None:
    silent = view(SILENT_LEADER + 0.1)
    status, headers, told = await ask(silent, b"/api/tasks")
    assert (503, "1", None) == (status, headers["retry-after"], told["error"]["facts"]["leader"])
    _, _, health = await ask(silent, b"/health")
    assert ("degraded", None, 3) == (health["status"], health["leader"], health["epoch"])
    _, _, health = await ask(view(SILENT_LEADER - 5), b"/health")
    assert ("ok", LEADER) == (health["status"], health["leader"])


async def test_the_metrics_need_the_token_that_the_server_has() -> None:
    for bearer in (None, b"wrong"):
        status, headers, _ = await ask(view(), b"/metrics", token="right", bearer=bearer)
        assert (401, True) == (status, "WWW-Authenticate" in headers)
    status, _, text = await ask(view(), b"/metrics", token="right", bearer=b"right")
    assert 200 == status
    assert "cc_cluster_epoch 3.0" in text
    status, _, _ = await ask(view(), b"/health", token="right")
    assert 200 == status


async def test_the_health_says_why_a_centre_does_not_follow() -> None:
    _, _, health = await ask(ClusterView(problem="No NATS server can be reached."), b"/health")
    assert ("joining", "degraded") == (health["role"], health["status"])
    assert "No NATS server can be reached." == health["problem"]


async def test_a_probe_that_sees_the_status_alone_learns_that_it_does_not_lead() -> None:
    for role, expected in ((None, 200), (b"standby", 200), (b"leader", 503)):
        status, _, health = await ask(view(), b"/health", role=role)
        assert (expected, "standby") == (status, health["role"])
