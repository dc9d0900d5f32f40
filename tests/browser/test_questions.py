"""Questions of Codex beside commands and files, answered in the browser."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from command_center.actors.codex.approvals import ELICITATION, PERMISSIONS, USER_INPUT
from tests.browser.conftest import OpenPage, made
from tests.browser.watching import PLACES
from tests.codex.test_approvals import (
    FORM_PARAMS,
    INPUT_PARAMS,
    PERMISSION_PARAMS,
    TOOL_PARAMS,
)
from tests.end_to_end.server import Server
from tests.end_to_end.test_questions import asking, server_with


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One whose Codex asks what the prompt wants."""
    server = server_with(tmp_path_factory.mktemp("asking"))
    yield server
    server.end()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        yield client


def run(client: httpx.Client, repository: Path, prompt: str) -> str:
    """The address of a session that asks."""
    body = {"localPath": str(repository), "allowWrite": True}
    registered = made(client, "/api/repos", body)
    task = {"repositoryId": registered["id"], "title": "It asks", "prompt": prompt}
    task = made(client, "/api/tasks", task)
    session = made(client, f"/api/tasks/{task['id']}/run", {})["session"]
    return f"/sessions/{session['id']}"


def answered(page: Page, client: httpx.Client, address: str) -> Any:
    """Return what Codex was answered, once its turn has ended."""
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    return json.loads(client.get(f"/api{address}").json()["lastMessage"])


def test_questions_are_answered_by_choice_and_by_words(
    client: httpx.Client, server: Server, repository: Path, open_page: OpenPage
) -> None:
    params: dict[str, Any] = copy.deepcopy(INPUT_PARAMS)
    params["questions"][0]["isOther"] = True
    address = run(client, repository, asking(USER_INPUT, params))
    page = open_page(f"{server.url}/#{address}").page
    card = page.get_by_role("article", name="Which database?")
    other = card.get_by_label("Another answer: Which database?")
    other.fill("DuckDB")
    card.get_by_role("radio", name="Postgres").check()
    expect(other).to_have_value("")  # one answer at a time
    other.fill("DuckDB")
    expect(card.get_by_role("radio", name="Postgres")).not_to_be_checked()
    expect(card.get_by_role("button", name="Answer")).to_be_disabled()  # not all is answered
    made(client, "/api/approvals", {"title": "Something else meanwhile"})
    expect(page.locator(".toast")).to_contain_text("Something else meanwhile")
    card.get_by_label("Which key?").fill("hunter2")
    expect(other).to_have_value("DuckDB")
    card.get_by_role("button", name="Answer").click()
    told = answered(page, client, address)
    assert {"db": {"answers": ["DuckDB"]}, "key": {"answers": ["hunter2"]}} == told["answers"]


def test_a_question_is_declined(
    client: httpx.Client, server: Server, repository: Path, open_page: OpenPage
) -> None:
    address = run(client, repository, asking(USER_INPUT, INPUT_PARAMS))
    page = open_page(f"{server.url}/#{address}").page
    page.get_by_role("article").get_by_role("button", name="Decline").click()
    assert {"answers": {}} == answered(page, client, address)


def test_a_form_is_filled_in(
    client: httpx.Client, server: Server, repository: Path, open_page: OpenPage
) -> None:
    address = run(client, repository, asking(ELICITATION, FORM_PARAMS))
    page = open_page(f"{server.url}/#{address}").page
    card = page.get_by_role("article")
    card.get_by_label("Project").select_option("b")
    card.get_by_label("Count").fill("3")
    card.get_by_label("Count").fill("")
    card.get_by_label("Urgent").check()
    card.get_by_role("button", name="Answer").click()
    told = answered(page, client, address)
    assert ("accept", {"project": "b", "urgent": True}) == (told["action"], told["content"])


def test_a_form_offers_what_is_to_be_chosen_and_takes_several(
    client: httpx.Client, server: Server, repository: Path, open_page: OpenPage
) -> None:
    address = run(client, repository, asking(ELICITATION, FORM_PARAMS))
    page = open_page(f"{server.url}/#{address}", expected={400}).page
    card = page.get_by_role("article")
    card.get_by_label("Project").select_option("a")
    labels = card.get_by_role("group", name="Labels")
    for label in ("test", "docs", "bug"):
        labels.get_by_label(label).check()
    card.get_by_role("group", name="Teams").get_by_label("Web").check()
    state = card.get_by_label("State")
    expect(state).to_have_accessible_description("Where it stands.")
    state.select_option("Done")
    card.get_by_label("Size").select_option("Large")
    page.evaluate("scrollTo(0, 0)")
    expect(page.get_by_role("button", name="To the newest")).to_be_visible()
    answer = card.get_by_role("button", name="Answer")
    assert 1 == len(set(answer.evaluate(PLACES)))
    expect(page.get_by_role("button", name="To the newest")).not_to_be_visible()
    answer.click()
    expect(card.get_by_role("alert")).to_contain_text("must be at most 2 of them.")
    labels.get_by_label("docs").uncheck()
    card.get_by_role("button", name="Answer").click()
    told = answered(page, client, address)
    chosen = {"labels": ["bug", "test"], "teams": ["t2"], "state": "s2", "size": "l"}
    assert {"project": "a", "urgent": False, **chosen} == told["content"]


def test_permissions_are_granted_for_the_session(
    client: httpx.Client, server: Server, repository: Path, open_page: OpenPage
) -> None:
    address = run(client, repository, asking(PERMISSIONS, PERMISSION_PARAMS))
    page = open_page(f"{server.url}/#{address}").page
    card = page.get_by_role("article")
    expect(card.get_by_text("To install packages.")).to_be_visible()
    card.get_by_role("button", name="For this session").click()
    card.get_by_role("button", name="Approve…").click()
    card.get_by_role("button", name="Approve beyond its run").click()
    assert "session" == answered(page, client, address)["scope"]


def test_the_call_of_a_tool_is_approved_for_the_session_with_its_arguments_in_sight(
    client: httpx.Client, server: Server, repository: Path, open_page: OpenPage
) -> None:
    address = run(client, repository, asking(ELICITATION, TOOL_PARAMS))
    page = open_page(f"{server.url}/#{address}").page
    card = page.get_by_role("article", name="Allow the tracker MCP server")
    expect(card.get_by_text('"why": "It is old."')).to_be_visible()
    expect(card.get_by_text("Deletes a ticket for ever.")).to_be_visible()
    card.get_by_text("For this session").click()
    card.get_by_role("button", name="Approve").click()
    told = answered(page, client, address)
    assert ("accept", {}, {"persist": "session"}) == (
        told["action"],
        told["content"],
        told["_meta"],
    )
