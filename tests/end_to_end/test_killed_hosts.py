"""Nothing is lost or done twice, whichever side of a host that dials out is killed, and when.

`CC_TEST_SEED` chooses other moments.
"""

from __future__ import annotations

import os
import random
import re
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from tests.actors.git.repository import make_repository
from tests.codex.script import Script
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.dialling import DialledHost, Way, until_host, way_to
from tests.end_to_end.server import ENDED, NO_AUTHORITIES, WAIT_SECONDS, Server, client_of
from tests.end_to_end.test_chaos import LONGEST_TURN, check_told_once, story

RUNS = int(os.environ.get("CC_TEST_RUNS", "200"))
KILLS = int(os.environ.get("CC_TEST_KILLS", "30"))
AT_ONCE = 5

EVERYTHING = tuple(
    word
    for one in ("write", "network", "commit", "push", "escalation")
    for word in ("--allow", one)
)


@attrs.define(eq=False)
class Chaos:
    """A host and a server that are killed, and clients that go on as if nothing were."""

    server: Server
    box: DialledHost
    way: Way
    model: ScriptedModel
    folder: Path
    chance: random.Random
    http: httpx.AsyncClient
    begun: int = 0
    kills: Counter[str] = attrs.field(factory=Counter)
    states: Counter[str] = attrs.field(factory=Counter)
    ended: dict[int, Any] = attrs.field(factory=dict)
    steered: dict[int, int] = attrs.field(factory=dict)

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """Ask until the server answers; what is asked again has the same key, and is done once."""
        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        with trio.fail_after(300):
            while True:
                try:
                    return await self.http.request(
                        method, self.server.url + path, json=body, params=query, headers=headers
                    )
                except httpx.TransportError:
                    await trio.sleep(0.2)

    async def get(self, path: str, **query: Any) -> Any:
        """Return what is there."""
        answer = await self.ask("GET", path, **query)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    async def get_all(self, path: str, **query: Any) -> list[Any]:
        """Return what a list has, up to its limit."""
        return list((await self.get(path, limit=500, **query))["items"])

    async def post(self, path: str, body: Any) -> Any:
        """Make something, once; a host that is away is waited for."""
        with trio.fail_after(120):
            while (answer := await self.ask("POST", path, body)).status_code == 503:  # noqa: ASYNC110 - another process
                await trio.sleep(0.5)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    async def work(self, repository: Any, numbers: list[int]) -> None:
        """Tell one story after the other in a repository."""
        while numbers:
            number = numbers.pop(0)
            await self._tell(repository, number)

    async def _tell(self, repository: Any, number: int) -> None:
        title = f"Tell story {number}."
        task = await self.post(
            "/api/tasks", {"repositoryId": repository["id"], "title": title, "prompt": title}
        )
        session = (await self.post(f"/api/tasks/{task['id']}/run", {}))["session"]
        self.begun += 1
        path = f"/api/sessions/{session['id']}"
        is_stopped, is_steered = number % 10 == 7, number % 10 == 3
        since = trio.current_time()
        moment = self.chance.uniform(0.2, LONGEST_TURN)
        with trio.fail_after(300):
            while (now := await self.get(path))["status"] not in ENDED:
                is_due = trio.current_time() - since > moment
                if is_stopped and is_due:
                    is_stopped = False
                    assert 200 == (await self.ask("POST", f"{path}/stop", {})).status_code
                elif is_steered and is_due and now["status"] == "running":
                    is_steered = False
                    said = {"message": f"Hurry {number}."}
                    steer = await self.ask("POST", f"{path}/steer", said)
                    self.steered[number] = steer.status_code
                if now["status"] == "waiting_approval":
                    await self._approve(session)
                await trio.sleep(0.4)
        self.ended[number] = now

    async def _approve(self, session: Any) -> None:
        wanted = {"status": "pending", "sessionId": session["id"]}
        for approval in (await self.get("/api/approvals", **wanted))["items"]:
            resolve = f"/api/approvals/{approval['id']}/resolve"
            answer = await self.ask("POST", resolve, {"status": "approved"})
            assert answer.status_code in {200, 409}, answer.text

    async def kill_often(self) -> None:
        """Kill either side at random moments, as often as there are kills, while stories begin."""
        for count in range(KILLS):
            while self.begun < count * RUNS // KILLS:  # noqa: ASYNC110 - a few tasks count
                await trio.sleep(0.1)
            await trio.sleep(self.chance.uniform(0, LONGEST_TURN))
            victim = self.chance.choice(("host", "server"))
            self.kills[victim] += 1
            if victim == "host":
                await trio.to_thread.run_sync(self.box.kill)
                await trio.sleep(self.chance.choice((0, 0, 1, 5)))
                self.box.start()
            else:
                await trio.to_thread.run_sync(self.server.kill)
                await trio.to_thread.run_sync(self.server.start)
                self.way.target = int(self.server.url.rpartition(":")[2])
            if self.chance.random() < 0.3:
                self.way.cut()

    def choose(self, prompt: str) -> Script:
        """Give the story that a prompt is about: each has a file of its own."""
        found = re.search(r"\d+", prompt)
        folder = self.folder / (found[0] if found else "none")
        folder.mkdir(exist_ok=True)
        return story(folder)

    async def check(self, number: int) -> None:
        """See that a run was prompted once, asked once, and told once; a stopped one at most."""
        session = self.ended[number]
        self.states[session["status"]] += 1
        events = (await self.get(f"/api/sessions/{session['id']}/events", limit=500))["items"]
        outside = self.folder / str(number) / "outside.txt"
        done = outside.read_text().splitlines() if outside.exists() else []
        prompted = [
            request.turn_id
            for request in self.model.requests
            if f"Tell story {number}." in request.user_texts
        ]
        told = (number, session["status"], session["exitReason"])
        assert len(set(prompted)) <= 1, told
        assert len(done) <= 1, told
        if number % 10 == 7 and session["status"] != "completed":
            assert session["status"] in {"stopped", "interrupted"}, told
            return
        assert "completed" == session["status"], told
        assert ["two"] == done, told
        check_told_once(events)
        said = [
            part["text"]
            for item in (await self.get(f"/api/sessions/{session['id']}/items"))["items"]
            if item["type"] == "userMessage"
            for part in item["body"]["content"]
        ]
        hurried = said.count(f"Hurry {number}.")
        answered = self.steered.get(number)
        assert hurried <= 1, told
        assert (answered != 200) or hurried == 1, told
        assert 3 <= len(prompted) <= 3 + hurried, told


@pytest.mark.chaos
@pytest.mark.timeout(3600)
async def test_nothing_is_lost_or_done_twice_whichever_side_is_killed(
    centre: Server, dialling_host: DialledHost, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    server, box = centre, dialling_host
    seed = os.environ.get("CC_TEST_SEED", "24")
    box.allows = ("--root", str(tmp_path), *EVERYTHING)
    home = Path(box.environment["HOME"])
    for number in range(AT_ONCE):
        make_repository(home / f"project-{number}")
    (tmp_path / "stories").mkdir()
    async with (
        way_to(int(server.url.rpartition(":")[2])) as way,
        httpx.AsyncClient(verify=NO_AUTHORITIES, timeout=WAIT_SECONDS) as http,
    ):
        chance = random.Random(seed)  # noqa: S311 - moments, no secrets
        chaos = Chaos(server, box, way, scripted_model, tmp_path / "stories", chance, http)
        scripted_model.choose = chaos.choose
        async with client_of(server) as client:
            added = await client.post("/api/hosts", {"name": "box"}, status=201)
            box.enrol(way.url, code=added["enrolment"]["code"])
            await until_host(client, "box", link="connected", status="connected")
        numbers = [*range(1, RUNS + 1)]
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for number in range(AT_ONCE):
                place = {"localPath": f"~/project-{number}", "workplace": "main_checkout"}
                wish = {**place, "host": "box", "allowWrite": True}
                repository = await chaos.post("/api/repos", wish)
                nursery.start_soon(chaos.work, repository, numbers)
            nursery.start_soon(chaos.kill_often)
        seconds = trio.current_time() - began
        async with client_of(server) as client:
            await until_host(client, "box", link="connected", status="connected")
        for number in range(1, RUNS + 1):
            await chaos.check(number)
        assert RUNS == len(await chaos.get_all("/api/sessions"))
        ids: list[int] = []
        while page := await chaos.get_all("/api/events", after=max(ids, default=0)):
            ids += [event["id"] for event in page]
        assert [*range(1, len(ids) + 1)] == ids
        print(  # noqa: T201 - figures
            f"{RUNS} runs in {seconds:.0f} s, kills {dict(chaos.kills)}, ends "
            f"{dict(chaos.states)}, steers {dict(Counter(chaos.steered.values()))}, "
            f"{len(ids)} events."
        )
