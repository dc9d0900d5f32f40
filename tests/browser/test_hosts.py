"""Hosts in the page: one is added, drained, bounded and removed, and cards name theirs."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from command_center.actors.contracts.fleet import NewHost
from command_center.actors.ledger.hosts import add_host
from command_center.store import Transaction, repositories
from tests.browser.conftest import UNWORKED, OpenPage
from tests.browser.test_screens import AXE, SERIOUS
from tests.browser.watching import settle
from tests.end_to_end.server import Server

KEY = "SHA256:2fIVyTu1cUjw4M2oVAyFyXsB9tyj9XlcBhyhyXjAxWU"


def is_fit_for_all(page: Page) -> bool:
    settle(page)
    page.evaluate(AXE)
    found: list[str] = page.evaluate(SERIOUS)
    assert [] == found
    return True


def lies_there(tx: Transaction) -> None:
    """Have a copy of the first repository on a host that is away."""
    add_host(tx, NewHost(name="box"), host_key="", data_dir="")
    more = {"name": "app", "local_path": "C:\\src\\app"}
    repositories.update(tx, 1, project="app", identity="app")
    repositories.insert(tx, host="box", project="app", identity="app", **more)


@pytest.fixture(scope="module")
def server(filled_server: Server) -> Server:
    """The filled server with a host that is away, on which a copy of its repository lies."""
    filled_server.write(lies_there)
    return filled_server


def test_a_host_is_added_drained_bounded_and_removed(server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/#/hosts", expected={409}).page
    here = page.get_by_role("article", name="local")
    expect(here.get_by_text("free of")).to_be_visible()
    page.get_by_role("button", name="Add a host").click()
    page.get_by_label("Name").fill("laptop")
    assert is_fit_for_all(page)
    page.get_by_role("button", name="Make a code for it").click()
    command = page.get_by_label("Command").inner_text()
    centre = re.escape(server.url)
    assert re.search(rf"command-center host --centre {centre}/? --enrol [0-9A-Z-]+", command)
    page.get_by_role("button", name="Done").click()

    added = page.get_by_role("article", name="laptop")
    expect(added.get_by_text("Not connected yet", exact=True)).to_be_visible()
    here.get_by_role("button", name="Drain").click()
    expect(here.get_by_text("Draining")).to_be_visible()
    here.get_by_role("button", name="Resume").click()
    expect(here.get_by_role("button", name="Drain")).to_be_visible()
    page.get_by_role("button", name="Change laptop").click()
    page.get_by_label("Labels").fill("gpu big")
    page.get_by_label("Sessions at once").fill("2")
    page.get_by_role("button", name="Save").click()
    expect(added.locator(".tag")).to_have_text(["big", "gpu"])
    expect(added.get_by_text("0 of 2, 0 waiting")).to_be_visible()
    assert is_fit_for_all(page)

    page.get_by_role("button", name="Remove laptop").click()
    page.get_by_role("button", name="Remove it").click()
    expect(added).to_have_count(0)

    page.get_by_role("button", name="Remove box").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 repository of this server")
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("alert")).to_contain_text("1 repository lies on host box")
    page.get_by_role("button", name="Not now").click()


def test_a_host_that_is_away_says_why_and_if_it_drains(server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/#/hosts").page
    away = page.get_by_role("article", name="box")
    expect(away.get_by_text("The host is away: It has not connected yet.")).to_be_visible()
    away.get_by_role("button", name="Drain box").press("Enter")
    expect(away.locator(".badge")).to_have_text(["Not connected yet", "Draining"])
    expect(away.get_by_role("button", name="Resume box")).to_be_focused()
    page.keyboard.press("Enter")
    expect(away.locator(".badge")).to_have_text(["Not connected yet"])
    expect(away.get_by_role("button", name="Drain box")).to_be_focused()


def test_a_device_is_shown_what_it_may_do_alone(server: Server, open_page: OpenPage) -> None:
    page = open_page("about:blank").page
    scopes = ["read"]
    page.route(
        "**/api/devices/current",
        lambda route: route.fulfill(
            body=json.dumps({"device": None, "scopes": scopes}), content_type="application/json"
        ),
    )
    page.goto(f"{server.url}/#/hosts")
    shown: dict[str, int] = {}
    for _ in range(2):
        expect(page.get_by_role("article", name="local").get_by_text("free of")).to_be_visible()
        settle(page)
        for name in ("Drain local", "Change local", "Add a host", "New code for box", "Remove box"):
            button = page.get_by_role("button", name=name, exact=True)
            expect(button).to_have_count(shown.get(name, 0))
        scopes.append("operate")
        shown["Drain local"] = 1
        page.goto(f"{server.url}/#/more")
        expect(page.locator("h1")).to_contain_text("More")
        page.goto(f"{server.url}/#/hosts")


def test_cards_name_hosts_and_a_run_asks_for_one(server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/#/repos", expected={409, 503}).page
    expect(page.get_by_text("app on box")).to_be_visible()
    page.goto(f"{server.url}/#/sessions")
    expect(page.locator(".row-note").first).to_contain_text("on local")
    page.goto(f"{server.url}/#/tasks/new")
    page.get_by_label("Host").select_option(label="On box")
    page.get_by_label("Repository").select_option(label="app on box")
    expect(page.get_by_label("Host")).to_have_value("null")
    page.get_by_label("Repository").select_option("1")
    page.get_by_label("Host").select_option(label="On box")
    page.get_by_label("What is to be done?").fill("Look.")
    page.get_by_role("button", name="Save for later").click()
    expect(page.locator("h1")).to_have_text("Look.")
    expect(page.get_by_role("alert")).to_contain_text("asked for on host box, but it is away")


def test_the_key_of_a_machine_over_ssh_is_asked_about_once(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(
        f"{filled_server.url}/#/hosts", device="desktop", expected={409}, **UNWORKED
    ).page
    sent: list[object] = []

    def answer(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        sent.append(json.loads(route.request.post_data or ""))
        error = {"statusCode": 409, "message": "Is this its key?", "facts": {"hostKey": KEY}}
        route.fulfill(status=409, json={"error": error})

    page.route("**/api/hosts", answer)
    page.get_by_role("button", name="Add a host").click()
    page.get_by_role("button", name="Over ssh from here").click()
    page.get_by_label("Name").fill("box")
    page.get_by_label("Address").fill("ada@box.example")
    page.get_by_role("button", name="Reach it and add it").click()
    expect(page.get_by_label("Fingerprint")).to_have_text(KEY)
    assert is_fit_for_all(page)
    page.get_by_role("button", name="It is the same").click()
    expect(page.get_by_role("alert")).to_have_text("Is this its key?")
    told = {"name": "box", "kind": "ssh", "address": "ada@box.example", "requestedBy": "web"}
    assert [told, {**told, "hostKey": KEY}] == sent


def test_actors_of_a_host_are_gone_when_it_is(filled_server: Server, open_page: OpenPage) -> None:
    page = open_page(filled_server.url, expected={503}, **UNWORKED).page
    page.request.post(f"{filled_server.url}/api/hosts", data={"name": "tower"})
    away = {"statusCode": 503, "message": "Host tower is away: It has ended."}
    answers = [{"host": "tower", "actors": [{"path": "/link", "status": "idle"}]}, {"error": away}]
    asked: list[Route] = []

    def connected(route: Route) -> None:
        told = route.fetch().json()
        told["items"] = [{**one, "link": "connected"} for one in told["items"]]
        route.fulfill(json=told)

    def runtime(route: Route) -> None:
        asked.append(route)
        route.fulfill(status=200 if len(asked) == 1 else 503, json=answers[min(len(asked), 2) - 1])

    page.route(re.compile(r"/api/hosts(\?|$)"), connected)
    page.route("**/api/hosts/tower/runtime", runtime)
    page.goto(f"{filled_server.url}/#/hosts")
    page.get_by_role("button", name="Actors of tower").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("/link", exact=True)).to_be_visible()
    page.request.patch(f"{filled_server.url}/api/hosts/tower", data={"labels": ["gpu"]})
    expect(dialog.get_by_role("alert")).to_contain_text("Host tower is away")
    expect(dialog.get_by_text("/link", exact=True)).to_have_count(0)
    page.request.delete(f"{filled_server.url}/api/hosts/tower")
