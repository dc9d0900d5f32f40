"""Pictures and files in the box of a session, with the real Codex behind it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_agents import photograph
from tests.browser.test_work import register_and_run
from tests.codex.script import Gate, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server
from tests.end_to_end.test_attachments import pictures
from tests.sent_pictures import JPEG, png

PASTE = """([box, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
  box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""


def file(name: str, content: bytes) -> FilePayload:
    """A file of the user's."""
    return {"name": name, "mimeType": "", "buffer": content}


def paste(page: Page, content: str) -> None:
    """Paste a picture into the box."""
    box = page.get_by_label("Steer the running turn").element_handle()
    page.evaluate(PASTE, [box, content])


def test_what_is_attached_is_seen_kept_taken_away_and_shown_to_codex(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    open_page: OpenPage,
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("I look", gate, "."),)
    page = open_page(codex_server.url, expected={400}).page
    register_and_run(page, repository, "Look.")
    gate.wait_until_reached()
    expect(page.get_by_label("Take a picture")).to_have_attribute("capture", "environment")
    chosen = page.get_by_label("Attach files")
    attached = page.get_by_role("list", name="Attached")
    chosen.set_input_files([file("IMG_1.jpg", JPEG), file("notes.md", b"Mind the gap.")])
    expect(attached.get_by_alt_text("IMG_1.jpg")).to_be_visible()
    expect(attached.get_by_text("notes.md")).to_be_visible()
    chosen.set_input_files([file("tool", b"\x7fELF")])
    expect(page.get_by_role("alert")).to_contain_text("tool: The file is neither a picture")
    page.get_by_label("Steer the running turn").fill("Like this.")
    page.reload()
    expect(page.get_by_label("Steer the running turn")).to_have_value("Like this.")
    expect(attached.get_by_alt_text("IMG_1.jpg")).to_be_visible()
    page.get_by_role("button", name="Take notes.md away").click()
    expect(attached.get_by_role("listitem")).to_have_count(1)
    encoded = page.evaluate("(bytes) => btoa(String.fromCharCode(...bytes))", list(png()))
    paste(page, encoded)
    expect(attached.get_by_role("listitem")).to_have_count(2)
    photograph(page, "attachments")
    page.get_by_role("button", name="Steer", exact=True).click()
    expect(attached).to_have_count(0)
    box = page.locator(".composer textarea")  # whose turn may be over by now
    box.press("ArrowUp")
    expect(box).to_have_value("Like this.")
    box.press("ArrowUp")
    expect(box).to_have_value("Like this.")  # there is nothing before it
    box.press("ArrowDown")
    expect(box).to_have_value("")
    gate.open()
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    transcript = page.get_by_role("list", name="Transcript")
    expect(transcript.get_by_alt_text("IMG_1.jpg")).to_be_visible()
    expect(transcript.get_by_alt_text("pasted.png")).to_be_visible()
    assert len(pictures(scripted_model.requests[-1])) == 2
