"""The endpoint over real sockets: what an agent may do by it, and what is refused."""

from __future__ import annotations

import json
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import httpx
import msgspec
import trio
from structlog.testing import capture_logs

from command_center.actors.contracts.events.sessions import SessionWarning
from command_center.http.wire.mcp import SESSION_HEADER, VERSION_HEADER, ToolResult
from command_center.store import sessions
from tests.http.devices import server
from tests.http.mcp.speaking import Speaker, messages_of

MEBIBYTE = 1024 * 1024

TASK: dict[str, Any] = {"repositoryId": 1, "title": "Look", "prompt": "Look around."}


async def test_an_agent_works_by_tools_and_does_not_approve(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        agent = await at.device("read", "work", name="An agent")
        async with at.client(agent) as http:
            speaker = Speaker(http)
            told = await speaker.initialize()
            assert "2025-06-18" == told["protocolVersion"]
            assert {"tools": {}, "resources": {}} == told["capabilities"]
            names = {tool["name"] for tool in (await speaker.ask("tools/list"))["tools"]}
            assert {"create_task", "run_task", "wait_for_session", "get_diff", "search"} <= names
            assert not {"resolve_approval", "list_devices", "restart_actor"} & names

            task = await speaker.call("create_task", **TASK)
            outcome = await speaker.call("run_task", taskId=task["id"], sandbox="read-only")
            waited = await speaker.post(
                speaker.request(
                    "tools/call",
                    {
                        "name": "wait_for_session",
                        "arguments": {"sessionId": outcome["session"]["id"]},
                        "_meta": {"progressToken": "far"},
                    },
                )
            )
            *steps, last = messages_of(waited.text)
            assert {"far"} == {step["params"]["progressToken"] for step in steps}
            assert sorted(range(1, len(steps) + 1)) == [
                step["params"]["progress"] for step in steps
            ]
            assert last["result"]["structuredContent"]["ended"]

            status, words = await speaker.refusal("list_devices")
            assert (403, True) == (status, '"admin"' in words)
            approval = await at.root.post(
                "/api/approvals", json={"taskId": task["id"], "title": "May it?"}
            )
            assert 201 == approval.status_code, approval.text
            status, words = await speaker.refusal(
                "resolve_approval", approvalId=approval.json()["id"], decision="approve"
            )
            assert 403 == status
            assert '"approve"' in words
            status, words = await speaker.refusal("create_task", repositoryId=1, titel="a")
            assert (400, True) == (status, "titel" in words)

            listed = (await speaker.ask("resources/list"))["resources"]
            assert "command-center://sessions/1/diff" in [each["uri"] for each in listed]
            read = await speaker.ask("resources/read", {"uri": "command-center://sessions/1"})
            assert 1 == json.loads(read["contents"][0]["text"])["id"]
        (created,) = await at.events("task.created")
        assert ("mcp", 'device:1 "An agent"') == (created["actor"], created["device"])


async def test_a_client_of_the_newest_revision_needs_no_session(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        agent = await at.device("read", "work")
        async with at.client(agent) as http:
            speaker = Speaker(http)
            envelope = {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            }

            async def send(
                method: str, params: dict[str, Any], headers: dict[str, str], **meta: Any
            ) -> httpx.Response:
                sent = speaker.request(method, {**params, "_meta": envelope | meta})
                told = {VERSION_HEADER: "2026-07-28", "Mcp-Method": method}
                return await speaker.post(sent, **(told | headers))

            async def failure(*sent: Any, **meta: Any) -> tuple[int, int]:
                answer = await send(*sent, **meta)
                return answer.status_code, answer.json()["error"]["code"]

            found = await send("server/discover", {}, {})
            assert SESSION_HEADER not in found.headers
            told = found.json()["result"]
            assert ["2026-07-28"] == told["supportedVersions"]
            name = told["_meta"]["io.modelcontextprotocol/serverInfo"]["name"]
            assert ("complete", 0, "private", "command-center") == (
                told["resultType"],
                told["ttlMs"],
                told["cacheScope"],
                name,
            )
            create = {"name": "create_task", "arguments": TASK}
            named = {"Mcp-Name": "=?base64?Y3JlYXRlX3Rhc2s=?="}
            made = (await send("tools/call", create, named)).json()["result"]
            assert ("complete", 1) == (made["resultType"], made["structuredContent"]["id"])
            assert "ttlMs" not in made
            assert (400, -32020) == await failure("tools/call", create, {"Mcp-Name": "get_task"})
            assert (400, -32020) == await failure("tools/call", create, {})
            assert (400, -32020) == await failure("tools/list", {}, {"Mcp-Method": "tools/call"})
            newer = await send(
                "tools/list",
                {},
                {VERSION_HEADER: "2099-01-01"},
                **{"io.modelcontextprotocol/protocolVersion": "2099-01-01"},
            )
            assert (400, -32022, ["2026-07-28"]) == (
                newer.status_code,
                newer.json()["error"]["code"],
                newer.json()["error"]["data"]["supported"],
            )
            bare = await speaker.post(
                speaker.request("tools/list"),
                **{VERSION_HEADER: "2026-07-28", "Mcp-Method": "tools/list"},
            )
            assert (400, -32602) == (bare.status_code, bare.json()["error"]["code"])
            assert (404, -32601) == await failure("ping", {}, {})
            assert (404, -32601) == await failure("initialize", {}, {})


async def test_what_is_no_message_of_a_session_is_refused(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        one, other = await at.device("read"), await at.device("read")
        async with at.client(one) as http, at.client(other) as stranger:
            speaker = Speaker(http)
            ping = speaker.request("ping")
            assert 400 == (await speaker.post(ping)).status_code
            told = await speaker.initialize("1999-01-01")
            assert "2025-11-25" == told["protocolVersion"]

            async def status(message: object, **headers: str) -> int:
                return (await speaker.post(message, **headers)).status_code

            assert 200 == await status(ping)
            assert 400 == await status([ping])
            assert 400 == await status({"id": 1, "method": "ping"})
            assert 400 == await status({**ping, "id": None})
            assert 400 == await status(ping, **{VERSION_HEADER: "2025-06-18"})
            assert 404 == await status(ping, **{SESSION_HEADER: "2025-11-25.made.up"})
            stolen = await Speaker(stranger, speaker.headers).post(ping)
            assert 404 == stolen.status_code
            assert 403 == await status(ping, Origin="http://elsewhere.example")
            assert 413 == await status({**ping, "params": {"_": "x" * 1024 * 1024}})
            assert 202 == await status({"jsonrpc": "2.0", "id": 7, "result": {}})
            assert 202 == await status(
                {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}}
            )
            assert 405 == (await http.get("/mcp", headers=speaker.headers)).status_code
            async with httpx.AsyncClient(base_url=at.address.url) as nobody:
                assert 401 == (await nobody.post("/mcp", json=ping)).status_code

            assert -32601 == (await speaker.ask("tools/forget"))["code"]
            assert -32602 == (await speaker.ask("tools/call", {"name": "delete_all"}))["code"]
            assert -32602 == (await speaker.ask("tools/call", {"name": "get_session"}))["code"]
            assert -32602 == (await speaker.ask("tools/call", {"arguments": {}}))["code"]
            unknown = {"uri": "file:///etc/passwd"}
            assert -32002 == (await speaker.ask("resources/read", unknown))["code"]
            absent = {"uri": "command-center://sessions/9"}
            assert -32002 == (await speaker.ask("resources/read", absent))["code"]
            assert 404 == (await speaker.refusal("wait_for_session", sessionId=9))[0]
            # What stands in the path leads to no other operation.
            assert 404 == (await speaker.refusal("get_session", sessionId="1/items"))[0]

            assert 204 == (await http.delete("/mcp", headers=speaker.headers)).status_code
            assert 404 == await status(ping)


async def test_a_wait_ends_when_it_is_cancelled_and_with_the_access_of_its_token(
    tmp_path: Path,
) -> None:
    async with server(tmp_path) as at:
        agent = await at.device("read", "work")
        await at.root.post("/api/tasks", json=TASK)
        made = await at.root.post("/api/tasks/1/sessions", json={"sandbox": "read-only"})
        assert "created" == made.json()["status"]  # and so it stays
        async with at.client(agent) as http:
            speaker = Speaker(http)
            await speaker.initialize()
            ended: list[list[Any]] = []

            async def wait(
                request: dict[str, Any],
                task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
            ) -> None:
                async with http.stream(
                    "POST", "/mcp", json=request, headers=speaker.headers
                ) as answer:
                    text = ""
                    async for piece in answer.aiter_text():
                        text += piece
                        if "created" in text:
                            task_status.started()
                ended.append(messages_of(text))

            call = {
                "name": "wait_for_session",
                "arguments": {"sessionId": 1, "timeoutSeconds": 600},
                "_meta": {"progressToken": 1},
            }
            with trio.fail_after(30):
                async with trio.open_nursery() as nursery:
                    request = speaker.request("tools/call", call)
                    await nursery.start(wait, request)
                    (again,) = messages_of((await speaker.post(request)).text)
                    assert (request["id"], -32600) == (again["id"], again["error"]["code"])
                    # It moves no session, so the wait says nothing of it.
                    warning = SessionWarning(message="It is slow.")
                    await at.center.storage.write(
                        lambda tx: tx.emit(warning, actor="runtime", session_id=1)
                    )
                    assert {} == (await speaker.ask("ping"))
                    await speaker.post(
                        {
                            "jsonrpc": "2.0",
                            "method": "notifications/cancelled",
                            "params": {"requestId": request["id"]},
                        }
                    )
                async with trio.open_nursery() as nursery:
                    await nursery.start(wait, speaker.request("tools/call", call))
                    await at.root.patch("/api/devices/1", json={"scopes": ["work"]})
            assert [["notifications/progress"]] * 2 == [
                [message["method"] for message in messages] for messages in ended
            ]
            names = {tool["name"] for tool in (await speaker.ask("tools/list"))["tools"]}
            assert {"create_task"} == names & {"create_task", "get_session", "wait_for_session"}
            assert 403 == (await speaker.refusal("get_session", sessionId=1))[0]
            assert 403 == (await speaker.refusal("wait_for_session", sessionId=1))[0]


async def test_a_long_diff_is_read_piece_by_piece(tmp_path: Path) -> None:
    diff = "".join(f'+line "{number}"\n' for number in range(100_000))
    async with server(tmp_path) as at:
        await at.root.post("/api/tasks", json=TASK)
        await at.root.post("/api/tasks/1/sessions", json={"sandbox": "read-only"})
        await at.center.storage.write(lambda tx: sessions.update(tx, 1, diff=diff))
        speaker = Speaker(at.root)
        await speaker.initialize()
        read = list[str]()
        uri: str | None = "command-center://sessions/1/diff"
        while uri is not None:
            answer = await speaker.post(speaker.request("resources/read", {"uri": uri}))
            assert MEBIBYTE > len(answer.content)
            (piece,) = answer.json()["result"]["contents"]
            assert ("text/x-diff", uri) == (piece["mimeType"], piece["uri"])
            read.append(piece["text"])
            uri = piece["_meta"]["nextUri"]
        assert 4 < len(read)
        assert diff == "".join(read)
        foreign = {"uri": "command-center://sessions/1/diff?cursor=made-up"}
        assert "cursor" in (await speaker.ask("resources/read", foreign))["message"]

        call = speaker.request("tools/call", {"name": "get_diff", "arguments": {"sessionId": 1}})
        answer = await speaker.post(call)
        assert MEBIBYTE > len(answer.content)
        first = answer.json()["result"]["structuredContent"]
        assert (read[0], 1) == (first["diff"], first["sessionId"])


async def test_a_call_under_a_key_is_carried_out_once_and_each_is_logged_and_counted(
    tmp_path: Path,
) -> None:
    async with server(tmp_path) as at:
        limits = {"runsPerHour": 2}
        async with at.client(await at.device("read", "work", limits=limits)) as http:
            speaker = Speaker(http)
            await speaker.initialize()

            async def call(name: str, key: object, **arguments: Any) -> Any:
                meta = {"idempotencyKey": key}
                return await speaker.ask(
                    "tools/call", {"name": name, "arguments": arguments, "_meta": meta}
                )

            with capture_logs() as lines:
                made, again = [await call("create_task", "one", **TASK) for _ in range(2)]
                assert made == again
                other = await call("create_task", "one", **{**TASK, "title": "Another"})
                assert 422 == other["structuredContent"]["error"]["statusCode"]
                for _ in range(3):  # what lacks what it needs is no run
                    assert -32602 == (await call("run_task", None))["code"]
                runs = [await call("run_task", "two", taskId=1) for _ in range(3)]
                assert runs[0] == runs[1] == runs[2]
                assert 403 == (await speaker.refusal("list_devices"))[0]
                session_id = runs[0]["structuredContent"]["session"]["id"]
                await speaker.wait(session_id)
                listed = await speaker.call("list_tasks")
            for wrong in (5, "two\nlines"):
                assert -32602 == (await call("create_task", wrong, **TASK))["code"]
            assert [1] == [one["id"] for one in listed["items"]]
        told = [line for line in lines if line["event"] == "request.answered" and "tool" in line]
        story = runs[0]["structuredContent"]["session"]["correlationId"]
        assert [
            *(("create_task", status, "info", None) for status in (201, 201, 422)),
            *[("run_task", 201, "info", session_id)] * 3,
            ("list_devices", 403, "debug", None),
            ("wait_for_session", 200, "debug", session_id),
        ] == [
            (line["tool"], line["tool_status"], line["log_level"], line.get("session_id"))
            for line in told
            if line["tool"] != "list_tasks"
        ]
        assert story == told[3]["correlation_id"]
        counted = (await at.root.get("/metrics")).text
        assert 'cc_mcp_calls_total{status="403",tool="list_devices"} 1.0' in counted
        assert 'cc_mcp_calls_total{status="200",tool="wait_for_session"} 1.0' in counted


def test_a_tools_long_answer_is_told_once() -> None:
    for length, is_twice in ((300_000, True), (MEBIBYTE, False)):
        body = json.dumps({"text": "a" * length}).encode()
        told = ToolResult.of(body)
        assert body.decode() == told.content[0].text
        assert is_twice == (told.structured_content is not msgspec.UNSET)


async def stays_within(speaker: Speaker) -> None:
    """See that what is in repository 2 is out of reach, however it is asked for."""
    assert [1] == [one["id"] for one in (await speaker.call("list_tasks"))["items"]]
    seen = await speaker.call("list_repositories")
    assert [1] == [one["id"] for one in seen["items"]]
    for name, arguments in (
        ("create_task", {**TASK, "repositoryId": 2}),
        ("get_task", {"taskId": 2}),
        ("run_task", {"taskId": 2}),
        ("list_threads", {}),
        ("list_devices", {}),
        # However it is spelt, and whatever else is named that is within.
        ("get_task", {"taskId": "2", "repositoryId": 1}),
        ("get_task", {"taskId": 2.0}),
        ("list_sessions", {"repositoryId": "2", "taskId": 1}),
        ("list_tasks", {"repositoryId": "02", "automationId": None}),
    ):
        assert 403 == (await speaker.refusal(name, **arguments))[0], name
    assert [1] == [
        one["id"] for one in (await speaker.call("list_tasks", repositoryId=None))["items"]
    ]
    for name, arguments in (
        ("get_task", {"taskId": "2 "}),
        ("list_tasks", {"repositoryId": [1, 2]}),
    ):
        call = {"name": name, "arguments": arguments}
        assert -32602 == (await speaker.ask("tools/call", call))["code"], name
    # What is elsewhere and what is nowhere look the same.
    for name, key in (("get_task", "taskId"), ("wait_for_session", "sessionId")):
        elsewhere = await speaker.refusal(name, **{key: 2 if key == "taskId" else 1})
        assert elsewhere == await speaker.refusal(name, **{key: 99}), name


async def is_not_placed_elsewhere(root: httpx.AsyncClient, speaker: Speaker, task_id: int) -> None:
    """A copy on another host is another repository, and a placement might lead there."""
    await root.patch("/api/repos/1", json={"project": "app"})
    assert "any" == (await speaker.call("create_task", **TASK, placement="any"))["placement"]
    await root.patch("/api/repos/2", json={"project": "app"})
    _, said = await speaker.refusal("create_task", **TASK, placement="any")
    assert "repository 1 alone" in said
    await root.patch(f"/api/tasks/{task_id}", json={"placement": "any"})
    _, said = await speaker.refusal("run_task", taskId=task_id)
    assert "repository 1 alone" in said


async def test_a_token_for_agents_reaches_its_repositories_so_deep_and_so_often(
    tmp_path: Path,
) -> None:
    async with server(tmp_path) as at:
        other = tmp_path / "other"
        await trio.run_process(["git", "init", "-q", str(other)])
        added = await at.root.post("/api/repos", json={"localPath": str(other)})
        assert 201 == added.status_code, added.text
        for repository in (1, 2):
            await at.root.post("/api/tasks", json={**TASK, "repositoryId": repository})
        limits = {"repositories": [1], "depth": 1, "runsPerHour": 3}
        agent = await at.device("read", "work", "admin", limits=limits)
        assert limits == agent["limits"]
        async with at.client(agent) as http:
            assert 403 == (await http.get("/api/tasks")).status_code
            assert 403 == (await http.post("/api/devices", json={})).status_code
            speaker = Speaker(http)
            await speaker.initialize()
            await at.root.post("/api/tasks/2/sessions", json={"sandbox": "read-only"})
            await stays_within(speaker)

            async def begin(thread: str, task_id: int) -> Any:
                meta = {"x-codex-turn-metadata": {"thread_id": thread}}
                arguments = {"taskId": task_id, "sandbox": "read-only"}
                call = {"name": "run_task", "arguments": arguments, "_meta": meta}
                return await speaker.ask("tools/call", call)

            async def live(session_id: int, thread: str) -> None:
                await at.center.storage.write(
                    lambda tx: sessions.update(
                        tx, session_id, codex_thread_id=thread, status="running", finished_at=None
                    )
                )

            made = await at.root.post("/api/tasks/1/sessions", json={"sandbox": "read-only"})
            await live(made.json()["id"], "a")
            await live(1, "elsewhere")
            # It comes from there, too, where that is in a repository that the token does not see.
            task = await speaker.call("create_task", **TASK)
            first = (await begin("elsewhere", task["id"]))["structuredContent"]["session"]
            caused = max(await at.events("session.created"), key=itemgetter("id"))
            parent = (await at.root.get("/api/sessions/1/events")).json()["items"]
            assert (first["id"], True) == (
                caused["sessionId"],
                caused["causationId"] in [one["id"] for one in parent],
            )
            assert (await speaker.wait(first["id"]))["ended"]
            await live(first["id"], "deeper")
            assert "number 2" in (await begin("deeper", task["id"]))["content"][0]["text"]
            task = await speaker.call("create_task", **TASK)
            second = (await begin("a", task["id"]))["structuredContent"]["session"]
            told = await at.events("session.created")
            caused = next(one for one in told if one["sessionId"] == second["id"])
            parent = await at.root.get(f"/api/sessions/{made.json()['id']}/events")
            assert caused["causationId"] in [one["id"] for one in parent.json()["items"]]

            assert (await speaker.wait(second["id"]))["ended"]
            await live(second["id"], "b")
            third = await speaker.call("create_task", **TASK)
            refused = await begin("b", third["id"])
            assert "number 2" in refused["content"][0]["text"]
            assert "isError" not in await begin("a", third["id"])
            fourth = await speaker.call("create_task", **TASK)
            assert "3 runs an hour" in (await begin("a", fourth["id"]))["content"][0]["text"]
            await is_not_placed_elsewhere(at.root, speaker, fourth["id"])
            await at.root.patch("/api/devices/1", json={"limits": None})
            assert 2 == len((await speaker.call("list_repositories"))["items"])


async def test_a_run_does_not_decide_what_it_asks_itself(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        speaker = Speaker(at.root)
        await speaker.initialize()
        # Another host may have a thread of the same id: that run is not taken for this one.
        for number, thread, host in ((1, "a", "local"), (2, "b", "local"), (3, "a", "far")):
            await at.root.post("/api/tasks", json=TASK)
            body = {"sandbox": "read-only"}
            await at.root.post(f"/api/tasks/{number}/sessions", json=body)
            live = partial(sessions.update, codex_thread_id=thread, status="running", host=host)
            await at.center.storage.write(partial(live, id=number))
        await at.root.post("/api/approvals", json={"sessionId": 1, "title": "May it?"})

        async def decide(thread: str, approval_id: object) -> Any:
            meta = {"x-codex-turn-metadata": {"thread_id": thread}}
            arguments = {"approvalId": approval_id, "status": "approved"}
            call = {"name": "resolve_approval", "arguments": arguments, "_meta": meta}
            return (await speaker.ask("tools/call", call))["structuredContent"]

        for spelt in (1, "1"):
            refused = (await decide("a", spelt))["error"]
            assert (403, True) == (refused["statusCode"], "itself" in refused["message"])
        assert "pending" == (await speaker.call("get_approval", approvalId=1))["status"]
        assert "approved" == (await decide("b", 1))["status"]


async def test_a_session_of_a_client_outlives_the_server(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        speaker = Speaker(at.root)
        await speaker.initialize()
    async with server(tmp_path) as at:
        again = Speaker(at.root, speaker.headers)
        assert [] == (await again.call("list_tasks"))["items"]
