"""Reviews of a session's work by the real Codex: what is looked at, and findings as comments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.codex.script import AddFile, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client


def finding(path: str, first: int, last: int, title: str) -> dict[str, Any]:
    """Return a finding as Codex wants it of a model."""
    return {
        "title": title,
        "body": "It is said twice.\nSay it once.",
        "confidence_score": 0.9,
        "priority": 1,
        "code_location": {
            "absolute_file_path": path,
            "line_range": {"start": first, "end": last},
        },
    }


def review_of(*findings: dict[str, Any]) -> Say:
    """Return what the model says at the end of a review."""
    said = {
        "findings": list(findings),
        "overall_correctness": "patch is incorrect",
        "overall_explanation": "It greets twice.",
        "overall_confidence_score": 0.9,
    }
    return Say((json.dumps(said),))


async def test_what_a_review_finds_becomes_comments_that_are_sent(
    codex_client: Client, scripted_model: ScriptedModel, repository: Path
) -> None:
    client = codex_client
    scripted_model.script = (AddFile("greeting.txt", "hello\nhello\n"), Say.text("Done."))
    place = await client.register(repository, allowWrite=True)
    work = await client.until_session(await client.run(place, "Greet."), "completed")
    cwd = work["cwd"]
    scripted_model.script = (
        review_of(
            finding(f"{cwd}/greeting.txt", 1, 2, "[P1] Greet once"),
            finding(f"{cwd}/README.md", 1, 1, "[P2] Say so"),
            finding("/elsewhere/a.txt", 1, 1, "[P3] Not here"),
        ),
    )
    path = f"/api/sessions/{work['id']}/review"
    outcome = await client.post(path, {"requestedBy": "ada"}, status=201)
    async with client.watch(after=0) as stream:
        review = await client.until_session(outcome["session"], "completed")
        told = await stream.until("session.comment.added")
    assert ("review_task", "read-only", cwd) == (review["type"], review["sandbox"], review["cwd"])
    assert {"type": "uncommitted", "sessionId": work["id"]}.items() <= review["review"].items()
    assert (work["id"], review["id"]) == (told["sessionId"], told["data"]["reviewSessionId"])
    texts = scripted_model.requests[-1].user_texts
    assert any("staged, unstaged, and untracked" in text for text in texts)
    assert ["greeting.txt", "README.md", "/elsewhere/a.txt"] == [
        found["path"] for found in review["result"]["findings"]
    ]

    listed = (await client.get(f"/api/sessions/{work['id']}/comments"))["items"]
    assert [("greeting.txt", 1, 2, review["id"]), ("README.md", 1, 1, review["id"])] == [
        (one["path"], one["line"], one["endLine"], one["reviewSessionId"]) for one in listed
    ]
    assert "[P1] Greet once\n\nIt is said twice.\nSay it once." == listed[0]["text"]
    assert ([1, None], [False, True]) == (
        [one["currentLine"] for one in listed],
        [one["isOutdated"] for one in listed],
    )
    scripted_model.script = (Say.text("Mended."),)
    sent = await client.post(f"/api/sessions/{work['id']}/comments/send", {})
    await client.until_session(sent["session"], "completed")
    said = scripted_model.requests[-1].user_texts[-1]
    assert "greeting.txt, lines 1-2:\n> hello\n> hello\n\n[P1] Greet once" in said


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"base": "main"}, "base branch 'main'"),
        ({"commit": "0123abcdef"}, "commit 0123abcdef"),
        ({"instructions": "Look at the names."}, "Look at the names."),
    ],
)
async def test_a_review_is_of_what_was_asked_for(
    codex_client: Client,
    scripted_model: ScriptedModel,
    repository: Path,
    wanted: dict[str, str],
    said: str,
) -> None:
    client = codex_client
    place = await client.register(repository)
    work = await client.until_session(await client.run(place, "Look."), "completed")
    outcome = await client.post(f"/api/sessions/{work['id']}/review", wanted, status=201)
    await client.until_session(outcome["session"], "completed")
    texts = scripted_model.requests[-1].user_texts
    assert any(said in text for text in texts), texts


async def test_a_review_of_several_things_or_none_is_refused(stub_client: Client) -> None:
    for body in (
        {"base": "main", "commit": "0123abc"},
        {"base": "a..b"},
        {"commit": "HEAD"},
        {"instructions": " "},
    ):
        refused = await stub_client.http.post("/api/sessions/1/review", json=body)
        assert 400 == refused.status_code, refused.text
    unknown = await stub_client.http.post("/api/sessions/999/review", json={})
    assert 404 == unknown.status_code, unknown.text
