"""Decisions in the browser: one at a time, in full, and seen at once by every other page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import UNWORKED, OpenPage, made
from tests.end_to_end.server import Server


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_what_one_page_decides_another_shows_at_once_and_by_whom(
    filled_server: Server, open_page: OpenPage, device: str
) -> None:
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        asked = made(client, "/api/approvals", {"title": f"May the {device} go on?"})
        one = open_page(f"{filled_server.url}/#/approvals", device=device).page
        other = open_page(f"{filled_server.url}/#/approvals/{asked['id']}", device=device).page
        card = one.get_by_role("article", name=asked["title"])
        expect(other.get_by_role("button", name="Approve")).to_be_visible()
        card.get_by_role("button", name="Reject").click()
        expect(other.get_by_text("by web")).to_be_visible()
        expect(other.get_by_text("Rejected")).to_be_visible()
        expect(other.get_by_role("button", name="Approve")).to_have_count(0)
        expect(card.get_by_text("by web")).to_be_visible()
        expect(card.get_by_role("button")).to_have_count(0)
        expect(card).to_have_count(0)  # after a moment


def test_the_keyboard_decides_and_goes_on_to_the_next(
    filled_server: Server, open_page: OpenPage
) -> None:
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        titles = ("Is this the first?", "Is this the second?")
        asked = [made(client, "/api/approvals", {"title": title}) for title in titles]
        page = open_page(f"{filled_server.url}/#/approvals", device="desktop").page
        card = page.get_by_role("article", name=titles[0])
        card.get_by_role("button", name="Approve").focus()
        page.keyboard.press("Enter")
        expect(card.locator(".outcome")).to_be_focused()
        page.keyboard.press("j")
        expect(page.get_by_role("link", name=titles[1])).to_be_focused()
        made(client, f"/api/approvals/{asked[1]['id']}/resolve", {"status": "rejected"})


def test_all_that_is_asked_for_is_read_before_it_is_decided(
    filled_server: Server, open_page: OpenPage
) -> None:
    """A title is cut, and what turns the writing round shows a command as it is not."""
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        asked = made(client, "/api/approvals", {"title": "In short…"})
        where = f"/api/approvals/{asked['id']}"
        page = open_page(filled_server.url, **UNWORKED).page
        shown = page.get_by_role("article")

        def show(kind: str, details: dict[str, Any]) -> None:
            record = {**asked, "kind": kind, "details": details}
            page.route("**/api/approvals?*", lambda route: route.fulfill(json={"items": [record]}))
            page.goto("about:blank")
            page.goto(f"{filled_server.url}/#/approvals/{asked['id']}")

        question = f"Which of them, {'and why, ' * 30}is it?"
        show("user_input", {"questions": [{"id": "q", "question": question, "options": []}]})
        expect(shown.get_by_role("heading")).to_have_text(question)
        show("elicitation", {"server": "calendar", "message": question})
        expect(shown.get_by_role("heading")).to_have_text(f"calendar asks: {question}")
        more = {"network": {"enabled": True}}
        said = "This session may not use the network."
        turned = {"command": "rm \u202eskcab", "cwd": "/home", "additionalPermissions": more}
        words = "I only tidy up."
        show("command", {**turned, "beyondRun": [said], "subAgent": True, "reason": words})
        expect(shown.get_by_role("heading")).to_have_text("Run a command")
        expect(shown.get_by_role("figure", name="A sub-agent says")).to_contain_text(words)
        expect(shown.get_by_label("Command")).to_have_text("rm \\u202eskcab")
        expect(shown).to_contain_text('With more permissions{"network":{"enabled":true}}')
        expect(shown).to_contain_text(f"Beyond what its run may do: {said}")
        expect(shown).to_contain_text("A sub-agent of the session asks.")
        sent: list[Any] = []

        def settle(route: Route) -> None:
            sent.append(route.request.post_data_json)
            route.fulfill(json={**asked, "status": "approved"})

        page.route("**/resolve", settle)
        shown.get_by_role("button", name="Approve…").focus()
        page.keyboard.press("Enter")  # twice the same decides nothing
        expect(shown.get_by_role("button", name="Not now")).to_be_focused()
        page.keyboard.press("Enter")
        shown.get_by_role("button", name="Approve…").click()
        assert [] == sent
        shown.get_by_role("button", name="Approve beyond its run").click()
        expect(shown.get_by_text("Approved")).to_be_visible()
        assert ["approved"] == [body["status"] for body in sent]
        page.unroute_all()
        made(client, f"{where}/resolve", {"status": "rejected"})


@pytest.mark.parametrize(
    ("kind", "details", "answers"),
    [
        (
            "user_input",
            {"questions": [{"id": "q", "question": "Which?", "options": [{"label": "This"}]}]},
            {"q": "This"},
        ),
        (
            "elicitation",
            {
                "server": "calendar",
                "message": "When?",
                "schema": {
                    "required": ["day", "isSure"],
                    "properties": {"day": {"enum": ["This"]}, "isSure": {"type": "boolean"}},
                },
            },
            {"day": "This", "isSure": False},
        ),
    ],
)
def test_a_question_can_be_answered_once_all_of_it_is(
    filled_server: Server,
    open_page: OpenPage,
    kind: str,
    details: dict[str, Any],
    answers: dict[str, Any],
) -> None:
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        asked = made(client, "/api/approvals", {"title": "A question"})
        record = {**asked, "kind": kind, "details": details}
        sent: list[Any] = []

        def settle(route: Route) -> None:
            sent.append(route.request.post_data_json)
            route.fulfill(json={**record, "status": "approved"})

        page = open_page("about:blank", **UNWORKED).page
        page.route("**/api/approvals?*", lambda route: route.fulfill(json={"items": [record]}))
        page.route("**/resolve", settle)
        page.goto(f"{filled_server.url}/#/approvals/{asked['id']}")
        answer = page.get_by_role("button", name="Answer", exact=True)
        expect(answer).to_be_disabled()
        if kind == "user_input":
            page.get_by_label("This").check()
        else:
            page.get_by_label("Day").select_option("This")
        answer.click()
        expect(page.get_by_text("Approved")).to_be_visible()
        assert [answers] == [body["answers"] for body in sent]
        made(client, f"/api/approvals/{asked['id']}/resolve", {"status": "rejected"})


def test_who_comes_second_is_told_who_was_first(filled_server: Server, open_page: OpenPage) -> None:
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        asked = made(client, "/api/approvals", {"title": "Who is first?"})
        address = f"{filled_server.url}/#/approvals/{asked['id']}"
        page = open_page(address, expected={409}, **UNWORKED).page
        expect(page.get_by_role("button", name="Approve")).to_be_visible()

        def lose(route: object, request: object) -> None:
            del request
            made(
                client,
                f"/api/approvals/{asked['id']}/resolve",
                {"status": "rejected", "resolvedBy": "ada"},
            )
            route.continue_()  # type: ignore[attr-defined]

        page.route("**/resolve", lose)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("by ada")).to_be_visible()
        expect(page.get_by_text("Rejected")).to_be_visible()


def test_several_are_decided_together_and_one_is_put_off_on_every_page(
    filled_server: Server, open_page: OpenPage
) -> None:
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        titles = ("May it begin?", "May it go on?", "May it end?")
        asked = [made(client, "/api/approvals", {"title": title})["id"] for title in titles]
        page = open_page(filled_server.url, device="phone").page
        other = open_page(filled_server.url, device="desktop").page
        cards = [page.get_by_role("article", name=title) for title in titles]
        cards[2].get_by_role("button", name="Later…").click()
        cards[2].get_by_role("button", name="In an hour").click()
        expect(cards[2]).to_have_count(0)
        expect(other.get_by_role("article", name=titles[0])).to_be_visible()
        expect(other.get_by_role("article", name=titles[2])).to_have_count(0)
        page.get_by_role("button", name="Decide several together").click()
        for card in cards[:2]:
            card.get_by_label("Select").check()
        expect(page.get_by_role("region", name="Selected")).to_contain_text("2 approvals selected")
        page.get_by_role("button", name="Approve 2").click()
        expect(other.get_by_role("article", name=titles[0])).to_contain_text("by web")
        expect(page.get_by_role("region", name="Selected")).to_have_count(0)
        found = [client.get(f"/api/approvals/{each}").json()["status"] for each in asked]
        assert ["approved", "approved", "pending"] == found
        made(client, f"/api/approvals/{asked[2]}/resolve", {"status": "rejected"})


def test_what_is_risky_stands_on_the_card(filled_server: Server, open_page: OpenPage) -> None:
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        asked = made(client, "/api/approvals", {"title": "A command"})
        risks = [{"kind": "deletes", "words": "rm -rf <b>"}, {"kind": "unreadable", "words": "x"}]
        record = {**asked, "kind": "command", "details": {"command": "rm"}, "risks": risks}
        page = open_page("about:blank", **UNWORKED).page
        page.route("**/api/approvals?*", lambda route: route.fulfill(json={"items": [record]}))
        page.goto(f"{filled_server.url}/#/approvals/{asked['id']}")
        shown = page.get_by_role("list", name="Risks").get_by_role("listitem")
        expect(shown).to_have_text(["Deletes rm -rf <b>", "Could not be read x"])
        made(client, f"/api/approvals/{asked['id']}/resolve", {"status": "rejected"})
