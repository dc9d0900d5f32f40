"""A run's choices in the page: what Codex offers for the model can be chosen, and is shown."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import httpx
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenPage, made
from tests.browser.test_agents import photograph
from tests.codex.script import Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Server


def test_an_effort_is_chosen_for_a_run_or_for_all_runs_of_a_task(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    open_page: OpenPage,
    tmp_path: Path,
) -> None:
    scripted_model.script = (Say.text("Done."),)
    with httpx.Client(base_url=codex_server.url, timeout=30, trust_env=False) as client:
        made(client, "/api/repos", {"localPath": str(repository), "allowWrite": True})
        made(client, "/api/tasks", {"repositoryId": 1, "title": "Think", "prompt": "Think."})
    page = open_page(f"{codex_server.url}/#/tasks/new", device="desktop").page
    page.get_by_label("What is to be done?").fill("Think.")
    page.locator("summary", has_text="More").click()
    page.get_by_label("Effort").select_option("high")
    photograph(page, "task-choices")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("effort high")).to_be_visible()
    # Of another repository, nothing is offered that only the one before has.
    other = tmp_path / "other"
    shutil.copytree(repository, other)
    with httpx.Client(base_url=codex_server.url, timeout=30, trust_env=False) as client:
        made(client, "/api/repos", {"localPath": str(other), "allowWrite": True})
    page.goto(f"{codex_server.url}/#/tasks/new")
    page.locator("summary", has_text="More").click()
    profile = page.get_by_role("combobox", name="Permission profile", exact=True)
    expect(profile.get_by_role("option", name=":read-only")).to_be_attached()
    waiting: list[Route] = []
    page.route(
        re.compile("/api/codex/extensions"),
        lambda route: waiting.append(route),  # noqa: PLW0108 - playwright marks it
    )
    page.get_by_label("Repository").select_option("2")
    expect(profile.get_by_role("option")).to_have_text(["As the repository says", "Loading …"])
    page.unroute_all()  # which lets go on what waits
    page.get_by_label("What is to be done?").fill("Look.")
    page.get_by_role("button", name="Save for later").click()
    expect(page.locator("h1")).to_have_text("Look.")
    page.goto(f"{codex_server.url}/#/tasks/new")
    expect(page.get_by_label("Repository")).to_have_value("2")  # as chosen last
    held: list[Route] = []
    page.route(
        re.compile("/api/codex/(models|extensions)"),
        lambda route: held.append(route),  # noqa: PLW0108 - playwright marks it
    )
    page.goto(f"{codex_server.url}/#/tasks/1")
    page.get_by_text("Branch and model").click()
    for label in ("Model", "Permission profile"):  # it is already what it will be
        field = page.get_by_role("combobox", name=label, exact=True)
        expect(field.get_by_role("option")).to_have_text(["As Codex has it", "Loading …"])
    for route in held:
        route.continue_()
    page.get_by_label("Effort").select_option("low")
    page.get_by_label("Permission profile").select_option(":read-only")
    photograph(page, "run-profile")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("effort low")).to_be_visible()
    expect(page.get_by_text("profile :read-only")).to_be_visible()
    calls = scripted_model.wait_for_requests(2)
    assert ["high", "low"] == [call.body["reasoning"]["effort"] for call in calls]
