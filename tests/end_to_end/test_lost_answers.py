"""Requests under a key, cut off by `kill -9`, are answered with what happened when sent again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from tests.end_to_end.server import Client, Server, client_of

KILLS = 6
MANY_KILLS = 60
LONGEST = 0.15
"""Seconds after the first request within which the server is killed."""

RUN = {"sandbox": "read-only"}

pytestmark = pytest.mark.filterwarnings(
    "ignore:Async generator 'httpx:ResourceWarning"  # of a body that the kill left half sent
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server without Codex, whose files are the test's own."""
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    yield server
    server.end()


@attrs.define
class Sent:
    """A request under a key, and the answer that came before the server was killed.

    Attributes:
        made: the list, its filters and the members by which to find what it did, which is there
            once.
    """

    key: str
    path: str
    body: dict[str, Any]
    made: tuple[str, dict[str, Any], dict[str, Any]]
    answer: httpx.Response | None = None

    async def send(self, client: Client) -> httpx.Response:
        headers = {"Idempotency-Key": self.key}
        return await client.http.post(self.path, json=self.body, headers=headers)

    async def send_once(self, client: Client) -> None:
        """Send it, and keep the answer if one comes."""
        try:
            self.answer = await self.send(client)
        except httpx.TransportError:
            return

    async def only(self, client: Client) -> Any:
        """Find what it did, which is there once."""
        path, query, members = self.made
        listed = await client.get(path, limit=500, **query)
        (found,) = [item for item in listed["items"] if members.items() <= item.items()]
        return found


NUMBERS = count(1)


async def requests_of_every_kind(client: Client, repository: Any) -> list[Sent]:
    """Requests that each do something of their own, and what they need to be there."""
    number = next(NUMBERS)
    task = {"repositoryId": repository["id"], "title": f"task {number}", "prompt": "a"}
    ready, kept, *others = [
        await client.post("/api/tasks", {**task, "title": "other"}, status=201) for _ in range(4)
    ]
    stopped, followed = [
        await client.post(f"/api/tasks/{other['id']}/sessions", RUN, status=201) for other in others
    ]
    asked = await client.post("/api/approvals", {"title": "other"}, status=201)
    payload = {"prompt": "a", "runInput": RUN}
    automation = {**task, "scheduleExpr": "daily@09:00", "payload": payload}
    del automation["prompt"]
    fires = await client.post("/api/automations", {**automation, "title": "other"}, status=201)
    resolve, fire = f"/api/approvals/{asked['id']}", f"/api/automations/{fires['id']}"
    follow, end = f"/api/sessions/{followed['id']}/followups", f"/api/sessions/{stopped['id']}"
    newest = (await client.get("/api/tasks", limit=1))["items"][0]
    seen = await client.get("/api/events", type="task.created", taskId=newest["id"])
    since = {"after": seen["items"][-1]["id"]}
    titled, events = {"title": task["title"]}, "/api/events"
    runs, sessions = (f"/api/tasks/{of['id']}/sessions" for of in (ready, kept))
    sent: tuple[tuple[str, dict[str, Any], tuple[str, dict[str, Any], dict[str, Any]]], ...] = (
        ("/api/tasks", task, ("/api/tasks", {}, titled)),
        (f"/api/tasks/{ready['id']}/run", RUN, (runs, {}, {})),
        (sessions, RUN, (sessions, {}, {})),
        ("/api/approvals", titled, ("/api/approvals", {}, titled)),
        (
            f"{resolve}/resolve",
            {"status": "approved"},
            (events, {**since, "type": "approval.resolved"}, {"approvalId": asked["id"]}),
        ),
        ("/api/automations", automation, ("/api/automations", {}, titled)),
        (f"{fire}/run", {}, (f"{fire}/runs", {}, {})),
        (follow, {"message": "more"}, (follow, {}, {})),
        (
            f"{end}/stop",
            {"reason": "enough"},
            (events, {**since, "type": "session.stop.requested"}, {"sessionId": stopped["id"]}),
        ),
        (
            f"/api/repos/{repository['id']}/scan",
            {},
            (events, {**since, "type": "repo.scanned"}, {}),
        ),
    )
    return [Sent(f"{number}-{place}", *request) for place, request in enumerate(sent)]


async def killed_once(server: Server, repository: Any, moment: float) -> Counter[str]:
    """Send requests under keys, kill the server at that moment, and send each of them again."""
    async with client_of(server) as client:
        sent = await requests_of_every_kind(client, repository)
        async with trio.open_nursery() as nursery:
            for request in sent:
                nursery.start_soon(request.send_once, client)
            await trio.sleep(moment)
            server.kill()
    server.start()
    async with client_of(server) as client:
        return Counter([await answered_truly(client, request) for request in sent])


async def answered_truly(client: Client, request: Sent) -> str:
    """Send a request again; it was done once, and is answered with what it did."""
    again = await request.send(client)
    assert again.status_code < 400, (request, again.text)
    is_replayed = again.headers.get("Idempotency-Replayed") == "true"
    if request.answer is not None:
        assert (request.answer.content, True) == (again.content, is_replayed)
    made = await request.only(client)
    if "Location" in again.headers:
        record = await client.get(again.headers["Location"])
        assert record["id"] in {made["id"], made.get("sessionId")}
    assert again.content == (await request.send(client)).content
    if request.answer is not None:
        return "answered before"
    return "done before" if is_replayed else "done now"


async def kill_often(server: Server, project: Path, *, seed: int, kills: int) -> Counter[str]:
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    async with client_of(server) as client:
        repository = await client.register(project)
    outcomes: Counter[str] = Counter()
    for _ in range(kills):
        outcomes += await killed_once(server, repository, chance.uniform(0, LONGEST))
    return outcomes


async def test_a_request_that_a_kill_cut_off_is_done_once_and_answered_truly(
    server: Server, repository: Path
) -> None:
    outcomes = await kill_often(server, repository, seed=1, kills=KILLS)
    assert 10 * KILLS == outcomes.total()


@pytest.mark.chaos
@pytest.mark.timeout(1800)
async def test_requests_that_many_kills_cut_off_are_done_once_and_answered_truly(
    server: Server, repository: Path
) -> None:
    outcomes = await kill_often(server, repository, seed=2, kills=MANY_KILLS)
    print(f"{MANY_KILLS} kills: {dict(outcomes)}")  # noqa: T201 - figures
    assert {"answered before", "done before", "done now"} == outcomes.keys()
