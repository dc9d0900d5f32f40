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
