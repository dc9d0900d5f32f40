"""Search over HTTP: what a session was told and what it said is found by its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.server import Client


async def test_a_prompt_and_what_was_said_are_found_and_marked(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository)
    session = await stub_client.run(registered, "Count the zebras at the zoo.")
    await stub_client.until_session(session, "completed")
    found = await stub_client.get("/api/search", q="zebras")
    (prompt,) = found["items"]
    assert ("prompt", session["id"], session["taskId"], registered["id"]) == (
        prompt["kind"],
        prompt["sessionId"],
        prompt["taskId"],
        prompt["repositoryId"],
    )
    assert {"text": "zebras", "isMatch": True} in prompt["snippet"]
    said = await stub_client.get("/api/search", q='"no codex"', sessionId=session["id"])
    assert ["agentMessage"] == [one["kind"] for one in said["items"]]
    first = await stub_client.get("/api/search", q="codex OR", limit=1)
    assert [] == first["items"]
    elsewhere = await stub_client.get("/api/search", q="zebras", repositoryId=registered["id"] + 1)
    assert {"items": [], "nextCursor": None} == elsewhere
    for path in ("/api/search", "/api/codex/threads/search"):
        stub_client.expect(400, await stub_client.http.get(path, params={"q": " "}))


@pytest.mark.parametrize("typed", ['"', "(", "NEAR(", "*", "a AND", "col:x", "'; DROP TABLE items"])
async def test_nothing_that_is_typed_is_an_error(stub_client: Client, typed: str) -> None:
    assert [] == (await stub_client.get("/api/search", q=typed))["items"]


@pytest.mark.parametrize(
    "query", [{}, {"q": " "}, {"q": "x" * 501}, {"q": "x", "cursor": "y"}, {"q": "x", "limit": "0"}]
)
async def test_a_search_without_words_or_with_a_wrong_page_is_400(
    stub_client: Client, query: dict[str, str]
) -> None:
    answer = await stub_client.http.get("/api/search", params=query)
    assert 400 == answer.status_code, answer.text


async def test_tasks_are_found_by_words_and_any_of_several_states(
    stub_client: Client, repository: Path
) -> None:
    registered = await stub_client.register(repository)
    titles = ("Review the login", "Keep 100% of a_b", "Rename it")
    login, exact, rename = [await stub_client.task(registered, title) for title in titles]
    await stub_client.patch(f"/api/tasks/{login['id']}", {"status": "cancelled"})
    session = await stub_client.run(registered, "Say LOGIN.")
    await stub_client.until_session(session, "completed")

    async def found(path: str, **query: object) -> list[int]:
        page = await stub_client.get(path, repositoryId=registered["id"], **query)
        return [one["id"] for one in page["items"]]

    assert [session["taskId"], login["id"]] == await found("/api/tasks", query="login")
    assert [exact["id"]] == await found("/api/tasks", query="% a_B")
    assert [exact["id"]] == await found("/api/tasks", query=f"a_b #{exact['id']}")
    assert [] == await found("/api/tasks", query=f"rename {rename['id']}")
    assert [] == await found("/api/tasks", query="login", status="open")
    assert [rename["id"], exact["id"]] == await found("/api/tasks", status="open")
    ended = ["completed", "cancelled"]
    assert [session["taskId"], login["id"]] == await found("/api/tasks", status=ended)
    assert [session["id"]] == await found("/api/sessions", status=["failed", "completed"])
    assert [] == await found("/api/sessions", status=["failed", "stopped"])


@pytest.mark.parametrize("typed", ["\0", "%'\"\\_", "' OR 1=1 --", "holds_words(", "?"])
async def test_nothing_that_is_typed_for_a_task_is_an_error(
    stub_client: Client, typed: str
) -> None:
    assert [] == (await stub_client.get("/api/tasks", query=typed))["items"]


@pytest.mark.parametrize("query", ["query=a&query=b", f"query={'x' * 501}", "status=no", "status="])
async def test_a_filter_of_tasks_that_is_none_is_400(stub_client: Client, query: str) -> None:
    answer = await stub_client.http.get(f"/api/tasks?{query}")
    assert 400 == answer.status_code, answer.text
