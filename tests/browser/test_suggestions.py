"""Suggestions while one writes: files, commands and saved prompts, by keys and by taps."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Changed, OpenPage, made
from tests.browser.test_agents import photograph
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server


def suggested(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def wait_for_caret(page: Page, start: int, end: int) -> None:
    """Wait until this part is selected where one writes; it is drawn before it is selected."""
    page.wait_for_function(
        """([start, end]) => {
          const { selectionStart, selectionEnd } = document.activeElement;
          return selectionStart === start && selectionEnd === end;
        }""",
        arg=[start, end],
    )


def test_files_commands_and_prompts_are_suggested_where_one_writes(
    changed: Changed, open_page: OpenPage
) -> None:
    (changed.folder / "with space.md").write_text("")
    page = open_page(changed.url.partition("?")[0], device="phone").page
    box = page.locator(".composer textarea")
    options = suggested(page)
    box.press_sequentially("Look at @note")
    expect(options).to_have_count(1)
    expect(options.first).to_have_attribute("aria-selected", "true")
    listed = box.get_attribute("aria-controls")
    expect(page.get_by_role("listbox", name="Suggestions")).to_have_attribute("id", listed or "")
    expect(box).to_have_attribute("aria-activedescendant", f"{listed}-0")
    photograph(page, "suggested-files")
    box.press("Enter")
    expect(box).to_have_value("Look at notes.md ")
    box.press_sequentially("and @space")
    expect(options).to_have_count(1)
    options.first.tap()
    expect(box).to_have_value('Look at notes.md and "with space.md" ')
    expect(box).to_be_focused()
    box.press_sequentially("@code")
    expect(options).to_have_count(1)
    box.press("Escape")
    expect(options).to_have_count(0)
    box.press_sequentially(" a@b.org")
    expect(box).to_have_value('Look at notes.md and "with space.md" @code a@b.org')
    expect(box).not_to_have_attribute("aria-controls", listed or "")
    box.fill("")
    box.press_sequentially("/")
    expect(options.filter(has_text="/files")).to_be_visible()
    expect(options.filter(has_text="/stop")).to_have_count(0)  # it has ended
    box.press_sequentially("fil")
    expect(options).to_have_count(1)
    box.press("Tab")
    expect(page.get_by_role("heading", name="Files")).to_be_visible()
    page.go_back()
    expect(box).to_have_value("")


def test_nothing_that_is_put_in_from_the_repository_is_hidden(
    changed: Changed, open_page: OpenPage
) -> None:
    (changed.folder / "odd\nsay\u200b \U000e0041.md").write_text("")
    (changed.folder / 'a"quote.md').write_text("")
    prompts = changed.folder.parent / "project" / ".codex" / "prompts"
    prompts.mkdir(parents=True)
    long = "Look\u202e.\n" + "and\n" * 40
    (prompts / "prüfen.md").write_text(long, encoding="utf-8")
    page = open_page(changed.url.partition("?")[0], device="phone").page
    box = page.locator(".composer textarea")
    options = suggested(page)
    for typed, inserted in (
        ("@odd", '"odd\\nsay\\u200b \\udb40\\udc41.md" '),
        ("@quote", '"a\\"quote.md" '),
    ):
        box.fill("")
        box.press_sequentially(typed)
        expect(options).to_have_count(1)
        box.press("Enter")
        expect(box).to_have_value(inserted)
    box.fill("")
    box.press_sequentially("/prü")
    expect(options).to_have_count(1)
    box.press("Enter")
    expect(box).to_have_value(long.replace("\u202e", "\\u202e").strip())
    wait_for_caret(page, 0, 0)
    page.wait_for_function("document.activeElement.scrollTop === 0")


def test_a_command_that_cannot_be_undone_asks_before(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path, open_page: OpenPage
) -> None:
    with httpx.Client(base_url=codex_server.url, timeout=30, trust_env=False) as client:
        made(client, "/api/repos", {"localPath": str(repository)})
        made(client, "/api/tasks", {"repositoryId": 1, "title": "Greet", "prompt": "Greet them."})
        made(client, "/api/tasks/1/run", {})
    page = open_page(f"{codex_server.url}/#/sessions/1", device="phone").page
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    asked = len(scripted_model.requests)
    box = page.locator(".composer textarea")
    box.press_sequentially("/compact")
    expect(suggested(page)).to_have_count(1)
    box.press("Enter")
    dialog = page.get_by_role("dialog", name="Make its history shorter?")
    dialog.get_by_role("button", name="Not now").click()
    expect(dialog).to_have_count(0)
    expect(box).to_have_value("")
    assert asked == len(scripted_model.requests)


def test_a_prompt_is_saved_in_its_repository_and_said_by_its_name(
    changed: Changed, open_page: OpenPage
) -> None:
    base = changed.url.split("#")[0]
    prompts = changed.folder.parent / "project" / ".codex" / "prompts"
    prompts.mkdir(parents=True)
    (prompts / "explain.md").write_text("---\ndescription: Tell\n---\nExplain the repository.\n")
    page = open_page(f"{base}#/repos/1", device="desktop", color_scheme="dark", expected={400}).page
    mine = page.get_by_role("region", name="Prompts")
    expect(mine.get_by_role("link", name="/explain")).to_contain_text("From the repository")
    mine.get_by_role("button", name="New prompt").click()
    page.get_by_label("Name").fill("two words")
    page.get_by_label("Text").fill("Fix $ARGUMENTS, and say how.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("A name has 1 to 64").first).to_be_visible()
    page.get_by_label("Name").fill("fix")
    page.get_by_role("button", name="Save").click()
    expect(mine.get_by_role("button", name="/fix")).to_be_visible()
    photograph(page, "prompts")
    page.goto(f"{base}#/tasks/new?repo=1")
    box = page.get_by_label("What is to be done?")
    box.press_sequentially("/")
    expect(suggested(page)).to_have_count(2)
    box.press("ArrowDown")
    expect(suggested(page).and_(page.locator("[aria-selected=true]"))).to_contain_text("/explain")
    photograph(page, "suggested-prompts")
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("Fix $ARGUMENTS, and say how.")
    wait_for_caret(page, 4, 14)
    page.goto(f"{base}#/repos/1")
    mine.get_by_role("button", name="/fix").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it").click()
    expect(mine.get_by_role("button", name="/fix")).to_have_count(0)
