"""Acts whose answers are lost are sent again, and done once."""

from __future__ import annotations

from typing import Any

import httpx
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import UNWORKED, OpenPage
from tests.end_to_end.server import Server


def tasks_titled(client: httpx.Client, title: str) -> list[dict[str, Any]]:
    items = client.get("/api/tasks", params={"limit": 500}).json()["items"]
    return [task for task in items if task["title"] == title]


def lose_answers(page: Page, path: str, most: int) -> list[str | None]:
    """Let the server do what it is asked, but the first answers are lost; the keys as they come."""
    keys: list[str | None] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) > most:
            route.continue_()
        else:
            assert route.fetch().ok
            route.abort("connectionreset")

    page.route(path, lose)
    return keys


def create_task(page: Page, title: str) -> None:
    page.get_by_label("What is to be done?").fill(title)
    page.get_by_role("button", name="Save for later").click()


def test_an_act_whose_answer_is_lost_is_sent_again_and_done_once(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/tasks/new", outage=True, **UNWORKED).page
    keys = lose_answers(page, "**/api/tasks", most=2)
    create_task(page, "Only once")
    expect(page.locator("h1")).to_have_text("Only once")
    assert 3 == len(keys)
    assert 1 == len(set(keys))
    page.goto(f"{filled_server.url}/#/tasks/new")
    create_task(page, "Only once")
    expect(page.locator("h1")).to_have_text("Only once")
    assert 4 == len(keys)
    assert 2 == len(set(keys))  # another act
    assert None not in keys
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        assert 2 == len(tasks_titled(client, "Only once"))


def test_an_act_that_its_user_tries_again_after_lost_answers_is_done_once(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/tasks/new", outage=True, **UNWORKED).page
    keys = lose_answers(page, "**/api/tasks", most=4)
    create_task(page, "Tried again")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    assert 4 == len(keys)
    page.get_by_role("button", name="Save for later").click()
    expect(page.locator("h1")).to_have_text("Tried again")
    assert 5 == len(keys)
    assert 1 == len(set(keys))
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        assert 1 == len(tasks_titled(client, "Tried again"))


def test_the_same_words_said_much_later_are_another_act(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank", outage=True, **UNWORKED).page
    page.clock.install()
    page.goto(f"{filled_server.url}/#/tasks/new")
    keys = lose_answers(page, "**/api/tasks", most=4)
    create_task(page, "Said twice")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.clock.fast_forward("03:00")
    page.get_by_role("button", name="Save for later").click()
    expect(page.locator("h1")).to_have_text("Said twice")
    assert 2 == len(set(keys))
    with httpx.Client(base_url=filled_server.url, trust_env=False) as client:
        assert 2 == len(tasks_titled(client, "Said twice"))


def test_an_act_that_is_still_being_done_is_waited_for(
    filled_server: Server, open_page: OpenPage
) -> None:
    address = f"{filled_server.url}/#/tasks/new"
    page = open_page(address, outage=True, expected={409}, **UNWORKED).page
    keys: list[str | None] = []

    def answer(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        match len(keys):
            case 1:
                route.abort("connectionreset")
            case 2:
                body = {"error": {"statusCode": 409, "message": "It is still being answered."}}
                route.fulfill(status=409, headers={"Retry-After": "1"}, json=body)
            case _:
                route.continue_()

    page.route("**/api/tasks", answer)
    create_task(page, "Waited for")
    expect(page.locator("h1")).to_have_text("Waited for")
    assert 3 == len(keys)
    assert 1 == len(set(keys))
