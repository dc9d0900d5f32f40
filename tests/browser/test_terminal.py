"""A terminal in the page, with the real Codex behind it."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_agents import photograph
from tests.browser.test_work import register_and_run
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server


def a_link_is_opened_only_after_a_question(page: Page, rows: Locator) -> None:
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.keyboard.type(
        "printf '\\033]8;;https://other.example/\\033\\\\li%s\\033]8;;\\033\\\\\\n' nked"
    )
    page.keyboard.press("Enter")
    link = rows.get_by_text("linked", exact=True)
    box = link.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 40)
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    expect(page.locator(".xterm-cursor-pointer")).to_be_visible()
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    assert ["Open https://other.example/?"] == asked


def test_a_terminal_is_typed_in_and_resized_and_comes_back_under_the_policy_of_the_page(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    open_page: OpenPage,
) -> None:
    scripted_model.script = (Run("echo kept > kept.txt"), Say.text("Done."))
    page = open_page(codex_server.url, device="phone", color_scheme="dark").page
    register_and_run(page, repository, "Go.")
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    expect(page.get_by_role("link", name="Terminal")).to_have_count(0)
    with httpx.Client(base_url=codex_server.url, trust_env=False, timeout=30) as client:
        assert 200 == client.patch("/api/repos/1", json={"allowTerminal": True}).status_code
    page.get_by_role("link", name="Terminal").click()
    terminal = page.get_by_role("region", name="Terminal")
    expect(terminal).to_have_attribute("data-phase", "open")
    rows = page.locator(".xterm-rows")
    expect(page.get_by_role("group", name="Keys")).to_be_in_viewport(ratio=1)
    page.keyboard.type("printf '\\033[38;2;1;200;3mco%s\\033[0m \\033[31mred%s\\033[0m' lour dish")
    page.keyboard.press("Enter")
    coloured = rows.get_by_text("colour", exact=True)
    expect(coloured).to_be_visible()
    expect(coloured).to_have_css("color", "rgb(1, 200, 3)")
    plain = str(rows.evaluate("(it) => getComputedStyle(it).color"))
    expect(rows.get_by_text("reddish", exact=True)).not_to_have_css("color", plain)
    photograph(page, "terminal")
    a_link_is_opened_only_after_a_question(page, rows)
    page.reload()
    expect(rows.get_by_text("reddish", exact=True)).to_be_visible()
    expect(terminal).to_have_attribute("data-phase", "open")
    page.set_viewport_size({"width": 800, "height": 700})
    page.keyboard.type("while [ $COLUMNS -lt 70 ]; do sleep 0.1; done; echo wi''de")
    page.keyboard.press("Enter")
    expect(rows.get_by_text("wide", exact=True)).to_be_visible()
    page.get_by_role("button", name="Ctrl", exact=True).click()
    page.keyboard.type("d")
    expect(page.get_by_text("The shell has ended with exit code 0.")).to_be_visible()
    page.get_by_role("button", name="Open another").click()
    expect(terminal).to_have_attribute("data-phase", "open")
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.get_by_text("It was closed.")).to_be_visible()
    page.go_back()
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
