"""Work done in the browser alone, with the real Codex and a scripted model behind it."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import UNWORKED, OpenPage
from tests.codex.script import AddFile, Gate, Hold, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server


def register_and_run(page: Page, repository: Path, prompt: str) -> None:
    """From an empty dashboard to a session that runs."""
    page.get_by_role("button", name="Register a repository").click()
    page.get_by_label("Folder").fill(str(repository))
    expect(page.get_by_text("on main, clean")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Register").click()
    expect(page.locator("h1")).to_have_text(repository.name)
    page.get_by_role("link", name="New task").first.click()
    page.get_by_label("What is to be done?").fill(prompt)
    page.get_by_role("button", name="Run", exact=True).click()


def crashed_and_started_again(server: Server, page: Page) -> None:
    """Kill the server below an open page, and start it again at the same address."""
    port = server.url.rpartition(":")[2]
    server.kill()
    expect(page.get_by_text("Offline, as of")).to_be_visible()
    server.settings = {**server.settings, "CC_PORT": port}
    server.start()


def test_a_newcomer_runs_watches_approves_steers_and_stops(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
    open_page: OpenPage,
) -> None:
    outside = tmp_path / "outside.txt"
    gate, last_gate = Gate(), Gate()
    scripted_model.script = (
        AddFile("greeting.txt", "hello\n"),
        Run(f"echo made > {outside}", justification="May I write outside?"),
        Say.text("I am working", gate, " on it."),
        Say.text("With the smaller one, then", last_gate, "."),
    )
    page = open_page(codex_server.url).page
    expect(page.get_by_role("heading", name="Begin with a repository")).to_be_visible()
    register_and_run(page, repository, "Make a file outside.")

    card = page.get_by_role("article", name="Run: echo made")
    expect(card.get_by_role("heading")).to_have_text("Run a command")
    expect(card.get_by_role("figure", name="Codex says")).to_contain_text("May I write outside?")
    expect(card.get_by_label("Command")).to_contain_text(f"echo made > {outside}")
    expect(page).to_have_title("(1) Make a file outside. · Command Center")
    assert not outside.exists()
    card.get_by_role("button", name="Add a note").click()
    card.get_by_label("Note").fill("Fine.")
    card.get_by_role("button", name="Approve").click()
    expect(card.get_by_text("by web")).to_be_visible()
    expect(page).to_have_title("Make a file outside. · Command Center")

    transcript = page.get_by_role("list", name="Transcript")
    gate.wait_until_reached()
    expect(transcript.get_by_text("I am working")).to_be_visible()  # while it is written
    assert "made\n" == outside.read_text()
    expect(transcript.locator(".diff .add").filter(has_text="hello")).to_be_visible()
    page.get_by_label("Steer the running turn").fill("Use the smaller fixture.")
    page.get_by_role("button", name="Steer", exact=True).click()
    expect(page.get_by_label("Steer the running turn")).to_have_value("")
    gate.open()
    last_gate.wait_until_reached()
    expect(transcript.get_by_text("Use the smaller fixture.")).to_be_visible()

    page.get_by_role("button", name="Timeline").click()
    timeline = page.get_by_role("list", name="Timeline")
    for told in ("session.steer.acknowledged", "approval.resolved"):
        expect(timeline.get_by_text(told)).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator(".head").get_by_text("Stopped")).to_be_visible()
    page.get_by_role("button", name="Transcript").click()
    expect(page.locator(".why").get_by_text("Stopped by web")).to_be_visible()
    expect(transcript.get_by_text("With the smaller one, then …")).to_be_visible()
    expect(transcript.locator(".caret")).to_have_count(0)  # nobody writes on
    last_gate.open()


def test_a_long_transcript_keeps_the_box_and_the_stop_within_reach(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
    open_page: OpenPage,
) -> None:
    gate = Gate()
    lines = "\n\n".join(f"Line {number}." for number in range(60))
    scripted_model.script = (
        AddFile("long.txt", lines),
        Run(f"echo made > {tmp_path / 'outside.txt'}", justification="May I write outside?"),
        Say.text(lines, gate, " The end."),
    )
    page = open_page(codex_server.url).page
    register_and_run(page, repository, "Say a lot.")
    approve = page.get_by_role("button", name="Approve")
    expect(approve).to_be_in_viewport()  # it came below all that, and at once
    approve.click()
    gate.wait_until_reached()
    line = page.get_by_role("list", name="Transcript").get_by_text("Line 57.").last
    expect(line).to_be_in_viewport()
    expect(page.get_by_label("Steer the running turn")).to_be_in_viewport()
    page.get_by_role("button", name="Stop", exact=True).focus()
    page.keyboard.press("Enter")
    expect(line).to_be_in_viewport()  # it was there without scrolling
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator(".head").get_by_text("Stopped")).to_be_attached()
    expect(page.locator("main")).to_be_focused()
    gate.open()


def test_a_followup_is_queued_taken_back_and_a_thread_of_codex_continued(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path, open_page: OpenPage
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("It is ", gate, "done."),)
    page = open_page(codex_server.url).page
    register_and_run(page, repository, "Say that it is done.")
    gate.wait_until_reached()
    page.get_by_role("button", name="After the turn").click()
    followup = page.get_by_label("A follow-up in the same thread")
    for said in ("And the tests?", "And the docs?"):
        followup.fill(said)
        page.get_by_role("button", name="Queue").click()
        expect(page.get_by_text(f"Next: {said}")).to_be_visible()
    page.get_by_role("button", name="Take it back").first.click()
    expect(page.get_by_text("Next: And the tests?")).to_have_count(0)
    page.get_by_role("button", name="Timeline").click()
    gate.open()
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    assert 0 == page.locator(".toast").count()  # its screen shows it

    with httpx.Client(base_url=codex_server.url, trust_env=False) as client:
        followed = f"{codex_server.url}/#/sessions/2"
        page.goto(followed)
        expect(page.get_by_role("list", name="Transcript")).to_contain_text("And the docs?")
        expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
        assert "And the tests?" not in client.get("/api/sessions/2/items").text
    page.goto(f"{codex_server.url}/#/threads")
    page.locator("main ul.rows a").first.click()
    expect(page).to_have_url(re.compile(r"#/threads\?thread=."))
    page.reload()
    page.get_by_role("button", name="Continue").click()
    dialog = page.get_by_role("dialog", name="Continue this thread")
    dialog.get_by_label("What to say").fill("Once more, please.")
    dialog.get_by_role("button", name="Start a turn").click()
    expect(page).to_have_url(f"{codex_server.url}/#/sessions/3")
    expect(page.get_by_role("list", name="Transcript")).to_contain_text("Once more, please.")
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    with httpx.Client(base_url=codex_server.url, trust_env=False) as client:
        where = {client.get(f"/api/sessions/{number}").json()["cwd"] for number in (1, 2, 3)}
    assert (1, False) == (len(where), str(repository) in where)  # in one worktree, gone or not


def test_what_a_turn_did_while_its_page_was_away_is_there_when_it_is_back(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path, open_page: OpenPage
) -> None:
    begin, first, second, third = Gate(), Gate(), Gate(), Gate()
    scripted_model.script = (
        Hold(begin, AddFile("greeting.txt", "hello\n")),
        Say.text("I have ", first, "made it, ", second, "and looked ", third, "at it."),
    )
    page = open_page(codex_server.url, device="desktop", outage=True).page
    register_and_run(page, repository, "Make a file.")
    begin.wait_until_reached()
    page.context.set_offline(True)
    expect(page.get_by_text("Offline, as of")).to_be_visible()
    begin.open()
    first.wait_until_reached()
    page.context.set_offline(False)
    expect(page.locator(".pane-changes .diff .add").filter(has_text="hello")).to_be_visible()

    transcript = page.get_by_role("list", name="Transcript")
    first.open()
    expect(transcript.get_by_text("made it,")).to_be_visible()
    second.wait_until_reached()
    page.context.set_offline(True)
    expect(page.get_by_text("Offline, as of")).to_be_visible()
    second.open()
    third.wait_until_reached()
    page.context.set_offline(False)
    expect(transcript.get_by_text("made it, …")).to_be_visible()  # what it does not know, it says
    third.open()
    expect(transcript.get_by_text("I have made it, and looked at it.")).to_be_visible()


def test_what_is_written_to_a_session_is_sent_once_and_nothing_of_it_is_lost(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path, open_page: OpenPage
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("It is ", gate, "done."),)
    page = open_page(codex_server.url, **UNWORKED).page
    register_and_run(page, repository, "Say that it is done.")
    gate.wait_until_reached()
    page.get_by_role("button", name="After the turn").click()
    box = page.get_by_label("A follow-up in the same thread")
    sent: list[Route] = []

    def hold(route: Route) -> None:
        sent.append(route)

    page.route(lambda url: url.endswith("/messages"), hold)
    box.fill("First this.")
    with page.expect_request(lambda request: request.method == "POST"):
        for _ in range(3):
            box.press("Control+Enter")
    box.press_sequentially(" And then that.")
    (route,) = sent
    route.continue_()
    expect(page.get_by_text("Next: First this.")).to_be_visible()
    expect(box).to_have_value("And then that.")
    page.unroute_all()
    page.reload()
    box = page.get_by_label("Steer the running turn")
    expect(box).to_have_value("And then that.")
    gate.open()  # and the follow-up begins; its turn is the thread's
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()


def test_what_outlives_the_servers_crash_is_shown_as_it_goes_on(
    codex_server: Server, scripted_model: ScriptedModel, repository: Path, open_page: OpenPage
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("I begin, ", gate, "and I went on."),)
    page = open_page(codex_server.url, outage=True).page
    register_and_run(page, repository, "Take your time.")
    transcript = page.get_by_role("list", name="Transcript")
    expect(transcript).to_contain_text("I begin,")
    crashed_and_started_again(codex_server, page)
    gate.open()
    expect(transcript).to_contain_text("I begin, and I went on.")
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()
    expect(page).to_have_url(f"{codex_server.url}/#/sessions/1")


def test_what_the_servers_crash_cut_off_is_shown_so_and_its_thread_goes_on(
    spawning_server: Server, scripted_model: ScriptedModel, repository: Path, open_page: OpenPage
) -> None:
    scripted_model.script = (Run("sleep 60"), Say.text("Here I am again."))
    page = open_page(spawning_server.url, outage=True).page
    register_and_run(page, repository, "Wait for it.")
    transcript = page.get_by_role("list", name="Transcript")
    command = transcript.locator("[data-type='commandExecution']")
    expect(command).to_contain_text("running")
    crashed_and_started_again(spawning_server, page)
    expect(page.locator(".head").get_by_text("Interrupted")).to_be_visible()
    expect(command).to_contain_text("cut off")
    page.get_by_label("Continue in this thread").fill("Are you there?")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(f"{spawning_server.url}/#/sessions/2")
    expect(transcript).to_contain_text("Are you there?")
    expect(transcript).to_contain_text("Here I am again.")
    expect(page.locator(".head").get_by_text("Completed")).to_be_visible()


def test_policy_is_shown_before_a_run_is_pressed(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(f"{filled_server.url}/#/tasks/3").page
    expect(page.get_by_text("Allowed")).to_be_visible()
    page.get_by_label("Network").click()
    expect(page.get_by_text("Repository 1 does not allow network access.")).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
