"""The API as its users know it, on a real server without Codex."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import trio

from tests.end_to_end.server import Client, Server, client_of


def message_of(answer: httpx.Response) -> str:
    """The message of an error, whose shape is checked."""
    error = answer.json()["error"]
    assert answer.status_code == error["statusCode"]
    assert "application/json" == answer.headers["content-type"]
    message: str = error["message"]
    return message


async def test_a_session_goes_from_its_request_to_its_end_on_the_stub(
    stub_client: Client, repository: Path
) -> None:
    session = await stub_client.run(await stub_client.register(repository), "Say something.")
    ended = await stub_client.until_session(session, "completed")
    assert f"stub:{session['id']}" == ended["codexRef"]
    assert ended["lastMessage"].startswith("[stub] ")
    events = await stub_client.get(f"/api/tasks/{session['taskId']}/events")
    assert [
        "task.created",
        "session.created",
        "session.queued",
        "session.starting",
        "session.started",
        "session.item",
        "session.completed",
    ] == [event["type"] for event in events["items"]]
    causes = [event["causationId"] for event in events["items"]]
    assert causes == [None, *(event["id"] for event in events["items"][:-1])]
    assert 1 == len({event["correlationId"] for event in events["items"]})


async def test_a_repository_that_is_not_there_is_404_in_the_error_shape(
    stub_client: Client,
) -> None:
    answer = await stub_client.http.get("/api/repos/99999")
    assert 404 == answer.status_code
    assert {"error": {"statusCode": 404, "message": "Repository 99999 not found."}} == answer.json()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"repository_id": 1, "title": "T", "prompt": "P"}, "repository_id"),
        ({"title": "T", "prompt": "P"}, "repositoryId"),
        ({"repositoryId": "1", "title": "T", "prompt": "P"}, "repositoryId"),
        ({"repositoryId": 1, "title": "T", "prompt": "P", "type": "poem"}, "type"),
        ({"repositoryId": 1, "title": "T", "prompt": "P", "priority": "now"}, "priority"),
        ({"repositoryId": 1, "title": " ", "prompt": "P"}, "title"),
    ],
)
async def test_a_task_with_a_wrong_field_is_400_naming_it(
    stub_client: Client, body: dict[str, object], path: str
) -> None:
    answer = await stub_client.http.post("/api/tasks", json=body)
    assert 400 == answer.status_code, answer.text
    assert path in message_of(answer)
    assert path == answer.json()["error"]["details"][0]["path"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: folder / "missing", "does not exist"),
        (lambda folder: folder / "file", "is a file"),
        (lambda folder: folder / "plain", "not a git repository"),
    ],
)
async def test_a_path_that_is_no_repository_is_400_saying_why(
    stub_client: Client, tmp_path: Path, make: object, told: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "plain").mkdir()
    path = make(tmp_path)  # type: ignore[operator]
    answer = await stub_client.http.post("/api/repos", json={"localPath": str(path)})
    assert 400 == answer.status_code, answer.text
    assert told in message_of(answer).lower()
    assert "localPath" == answer.json()["error"]["details"][0]["path"]


@pytest.mark.parametrize("long", ["/srv/" + "a" * 300, "/srv" + "/a" * 2500])
async def test_a_path_that_no_system_takes_is_400_and_crashes_nothing(
    stub_client: Client, repository: Path, long: str
) -> None:
    answer = await stub_client.http.post("/api/repos", json={"localPath": long})
    assert 400 == answer.status_code, answer.text
    registered = await stub_client.register(repository)
    answer = await stub_client.http.post(
        f"/api/repos/{registered['id']}/worktrees", json={"branchName": "b", "path": long}
    )
    assert 400 == answer.status_code, answer.text
    assert 0 == (await stub_client.get("/api/runtime/actors/repositories"))["restarts"]


async def test_malformed_json_a_wrong_content_type_and_an_unknown_route_have_the_error_shape(
    stub_client: Client,
) -> None:
    http = stub_client.http
    json = {"Content-Type": "application/json"}
    malformed = await http.post("/api/tasks", content=b'{"title": ', headers=json)
    assert 400 == malformed.status_code
    assert "JSON" in message_of(malformed)
    typed = await http.post("/api/tasks", content=b"{}", headers={"Content-Type": "text/plain"})
    assert 415 == typed.status_code
    assert "application/json" in message_of(typed)
    unknown = await http.get("/api/nothing")
    assert 404 == unknown.status_code
    assert "/api/nothing" in message_of(unknown)
    method = await http.put("/api/tasks")
    assert 405 == method.status_code
    assert "POST" in method.headers["allow"]


async def test_a_body_of_50_megabytes_is_refused_at_once(stub_client: Client) -> None:
    answer = await stub_client.http.post(
        "/api/tasks",
        content=b" " * 50_000_000,
        headers={"Content-Type": "application/json"},
    )
    assert 413 == answer.status_code
    assert "larger than" in message_of(answer)


async def test_of_two_runs_of_one_task_at_once_one_begins_and_the_other_is_told_which(
    stub_client: Client, repository: Path
) -> None:
    task = await stub_client.task(await stub_client.register(repository), "Once.")
    answers: list[httpx.Response] = []

    async def run() -> None:
        answers.append(await stub_client.http.post(f"/api/tasks/{task['id']}/run", json={}))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        nursery.start_soon(run)
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (201, 409) == (won.status_code, lost.status_code)
    assert won.json()["session"]["id"] == lost.json()["error"]["facts"]["sessionId"]


async def test_a_session_that_has_ended_is_not_steered_but_may_be_stopped_again(
    stub_client: Client, repository: Path
) -> None:
    session = await stub_client.run(await stub_client.register(repository), "Be quick.")
    ended = await stub_client.until_session(session, "completed")
    steered = await stub_client.http.post(
        f"/api/sessions/{session['id']}/steer", json={"message": "More."}
    )
    assert 409 == steered.status_code
    assert "completed" in message_of(steered)
    stopped = await stub_client.post(f"/api/sessions/{session['id']}/stop")
    assert ended == stopped["session"]


async def test_an_illegal_transition_is_409_naming_both_states(
    stub_client: Client, repository: Path
) -> None:
    session = await stub_client.run(await stub_client.register(repository), "Be quick.")
    await stub_client.until_session(session, "completed")
    answer = await stub_client.http.patch(
        f"/api/sessions/{session['id']}", json={"status": "running"}
    )
    assert 409 == answer.status_code
    assert "completed" in message_of(answer)
    assert "running" in message_of(answer)


async def test_a_run_that_needs_approval_is_202_and_approving_it_starts_it_once(
    stub_client: Client, repository: Path
) -> None:
    task = await stub_client.task(
        await stub_client.register(repository), "Ask first.", approvalRequired=True
    )
    blocked = await stub_client.post(f"/api/tasks/{task['id']}/run", {}, status=202)
    assert blocked["blocked"] is True
    assert "needs_approval" == blocked["policy"]["decision"]
    assert ["pending"] == [approval["status"] for approval in blocked["approvals"]]
    assert "blocked" == blocked["session"]["status"]
    path = f"/api/approvals/{blocked['approvals'][0]['id']}/resolve"
    await stub_client.post(path, {"status": "approved", "resolvedBy": "ada"})
    await stub_client.until_session(blocked["session"], "completed")
    again = await stub_client.http.post(path, json={"status": "rejected"})
    assert 409 == again.status_code
    assert "already approved by ada" in message_of(again)


async def test_rejecting_a_blocked_run_ends_it_as_blocked_with_the_note(
    stub_client: Client, repository: Path
) -> None:
    task = await stub_client.task(
        await stub_client.register(repository), "Ask first.", approvalRequired=True
    )
    blocked = await stub_client.post(f"/api/tasks/{task['id']}/run", {}, status=202)
    await stub_client.post(
        f"/api/approvals/{blocked['approvals'][0]['id']}/resolve",
        {"status": "rejected", "resolvedBy": "ada", "resolutionNote": "Not today."},
    )
    session = await stub_client.session(blocked["session"])
    assert "blocked" == session["status"]
    assert session["finishedAt"] is not None
    assert "Not today." in session["exitReason"]
    await stub_client.post(f"/api/tasks/{task['id']}/run", {}, status=202)


async def test_an_expired_approval_cannot_be_approved(
    stub_client: Client,
) -> None:
    approval = await stub_client.post(
        "/api/approvals", {"title": "May I?", "ttlSeconds": 1}, status=201
    )
    async with stub_client.watch(after=0) as stream:
        while (await stream.until("approval.expired"))["approvalId"] != approval["id"]:
            pass
    answer = await stub_client.http.post(
        f"/api/approvals/{approval['id']}/resolve", json={"status": "approved"}
    )
    assert 409 == answer.status_code
    assert "expired" in message_of(answer)


async def test_more_than_the_repository_allows_is_409_with_coded_reasons(
    stub_client: Client, repository: Path
) -> None:
    task = await stub_client.task(
        await stub_client.register(repository, allowWrite=False), "Write anyway."
    )
    run = {"sandbox": "workspace-write", "allowNetwork": True}
    checked = await stub_client.post(f"/api/tasks/{task['id']}/policy-check", run)
    refused = await stub_client.http.post(f"/api/tasks/{task['id']}/run", json=run)
    assert 409 == refused.status_code
    assert ["write_not_allowed", "network_not_allowed"] == [
        reason["code"] for reason in checked["reasons"]
    ]
    assert "does not allow writing" in message_of(refused)


async def test_a_created_session_starts_when_it_is_told_to_run(
    stub_client: Client, repository: Path
) -> None:
    task = await stub_client.task(await stub_client.register(repository), "Wait for me.")
    session = await stub_client.post(f"/api/tasks/{task['id']}/sessions", {}, status=201)
    assert "created" == session["status"]
    await stub_client.patch(f"/api/sessions/{session['id']}", {"status": "running"})
    await stub_client.until_session(session, "completed")


async def test_cancelling_a_task_stops_its_session(stub_client: Client, repository: Path) -> None:
    task = await stub_client.task(
        await stub_client.register(repository), "Never mind.", approvalRequired=True
    )
    blocked = await stub_client.post(f"/api/tasks/{task['id']}/run", {}, status=202)
    await stub_client.patch(
        f"/api/tasks/{task['id']}", {"status": "cancelled", "requestedBy": "ada"}
    )
    stopped = await stub_client.until_session(blocked["session"], "stopped")
    assert "Stopped by ada: Its task was cancelled." == stopped["exitReason"]
    approval = await stub_client.get(f"/api/approvals/{blocked['approvals'][0]['id']}")
    assert "cancelled" == approval["status"]
    assert "cancelled" == (await stub_client.get(f"/api/tasks/{task['id']}"))["status"]


async def test_a_stream_gives_history_and_then_goes_on_without_gap_or_repeat(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository)
    async with stub_client.watch(after=0) as stream:
        session = await stub_client.run(registered, "Be watched.")
        while (await stream.until("session.completed"))["sessionId"] != session["id"]:
            pass
        ids = [event["id"] for event in stream.seen if event["id"] is not None]
        assert list(range(1, len(ids) + 1)) == ids
        live = [event["data"]["delta"] for event in stream.seen if event["id"] is None]
        assert "[stub] No Codex" in "".join(live)


async def test_with_a_token_the_api_wants_it_and_health_does_not(
    tmp_path: Path,
) -> None:
    server = Server(
        tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub", "CC_API_TOKEN": "hush-hush"}
    ).start()
    try:
        async with client_of(server) as client:
            assert 200 == (await client.http.get("/health")).status_code
            missing = await client.http.get("/api/repos")
            assert 401 == missing.status_code
            assert "Bearer" in missing.headers["www-authenticate"]
            wrong = await client.http.get("/api/repos", headers={"Authorization": "Bearer no"})
            assert 401 == wrong.status_code
            right = {"Authorization": "Bearer hush-hush"}
            assert 200 == (await client.http.get("/api/repos", headers=right)).status_code
    finally:
        assert 0 == server.stop()


async def test_a_repository_that_was_tightened_meanwhile_denies_a_created_and_a_blocked_session(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository)
    created_of = await stub_client.task(registered, "Begin later.")
    created = await stub_client.post(f"/api/tasks/{created_of['id']}/sessions", {}, status=201)
    careful = await stub_client.task(registered, "Ask first.", approvalRequired=True)
    blocked = await stub_client.post(f"/api/tasks/{careful['id']}/run", {}, status=202)
    await stub_client.patch(f"/api/repos/{registered['id']}", {"allowWrite": False})
    refused = await stub_client.http.patch(
        f"/api/sessions/{created['id']}", json={"status": "running"}
    )
    assert 409 == refused.status_code
    assert "write_not_allowed" in refused.text
    assert "created" == (await stub_client.session(created))["status"]
    await stub_client.post(
        f"/api/approvals/{blocked['approvals'][0]['id']}/resolve", {"status": "approved"}
    )
    failed = await stub_client.until_session(blocked["session"], "failed")
    assert "does not allow writing" in failed["exitReason"]
