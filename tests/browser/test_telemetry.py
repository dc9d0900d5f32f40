"""The numbers and charts are of their span and repository, and say so where there are too many."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import httpx
from playwright.sync_api import expect

from command_center.store import Transaction, Writer, repositories, sessions, tasks
from tests.browser.conftest import OpenPage, fill, made, make_repository
from tests.browser.watching import settle
from tests.end_to_end.server import Server


def copy_session(tx: Transaction, times: int, **changes: int) -> None:
    """Have the first session so many times more."""
    table = tx.db.table("sessions")
    row = {name: value for name, value in table.get(1).items() if name != "id"} | changes
    table.insert_all(dict(row) for _ in range(times))


def test_the_chart_of_durations_has_the_runs_of_its_span(
    tmp_path: Path, open_page: OpenPage
) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        fill(client, tmp_path / "project")
    server.write(lambda tx: copy_session(tx, 450))
    page = open_page(f"{server.url}/#/telemetry", device="desktop", outage=True).page
    settle(page)
    chart = page.get_by_role("img", name="451 runs by their duration in minutes")
    expect(chart.locator("canvas")).to_be_visible()
    expect(page.get_by_text("The newest 2,000")).to_have_count(0)
    expect(page.get_by_role("term").filter(has_text="Succeeded")).to_be_visible()
    expect(page.locator(".tile").first).to_contain_text("451 runs ended")
    page.get_by_text("As a table").first.click()
    expect(page.locator(".figures tbody tr")).to_have_count(200)
    expect(page.locator(".figures th")).to_have_text(["Ended", "Took", "Outcome"])
    server.stop()


def test_the_numbers_and_charts_are_of_the_repository_that_is_chosen(
    tmp_path: Path, open_page: OpenPage
) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        fill(client, tmp_path / "first")
        made(client, "/api/repos", {"localPath": str(make_repository(tmp_path / "second"))})
    server.write(lambda tx: copy_session(tx, 3, repository_id=2))
    page = open_page(f"{server.url}/#/telemetry", device="desktop", expected={404}).page
    settle(page)

    def shows(runs: int, automations: int) -> None:
        expect(page.get_by_role("img", name=f"{runs} runs by their duration")).to_be_visible()
        expect(page.locator(".tile").first).to_contain_text(f"{runs} run")
        tile = page.locator(".tile").filter(has_text="Automations")
        expect(tile.locator("dd")).to_contain_text(str(automations))

    shows(4, 1)
    page.get_by_label("Repository").select_option("second")
    shows(3, 0)
    assert page.url.endswith("#/telemetry?repo=2")
    page.reload()
    settle(page)
    shows(3, 0)
    page.get_by_label("Repository").select_option("first")
    shows(1, 1)
    page.goto(f"{server.url}/#/telemetry?repo=99")
    expect(page.get_by_role("alert")).to_contain_text("Repository 99 not found.")
    expect(page.locator(".tile")).to_have_count(0)
    page.get_by_label("Repository").select_option("All repositories")
    shows(4, 1)
    page.close()  # it would complain of a server that is gone
    server.stop()


def test_the_chart_has_the_newest_runs_and_a_quiet_repositorys_behind_many_of_others(
    tmp_path: Path, open_page: OpenPage
) -> None:
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        fill(client, tmp_path / "busy")
        made(client, "/api/repos", {"localPath": str(make_repository(tmp_path / "quiet"))})
    server.write(
        lambda tx: copy_session(tx, 3, repository_id=2), lambda tx: copy_session(tx, 2_300)
    )
    address = f"{server.url}/#/telemetry?repo=2"
    page = open_page(address, device="desktop", outage=True).page
    settle(page)
    expect(page.get_by_role("img", name="3 runs by their duration")).to_be_visible()
    expect(page.get_by_text("The newest 2,000")).to_have_count(0)
    page.get_by_label("Repository").select_option("busy")
    expect(page.get_by_role("img", name="2000 runs by their duration")).to_be_visible()
    expect(page.get_by_text("The newest 2,000 of them.")).to_be_visible()
    expect(page.locator(".tile").first).to_contain_text("2301 runs ended")
    server.stop()


def test_the_charts_ask_for_no_task(tmp_path: Path, open_page: OpenPage) -> None:
    folder = tmp_path / "data"
    with closing(Writer(folder / "command-center.sqlite3")) as writer:
        writer.commit([fill_with_runs])
    server = Server(folder, {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    asked: list[str] = []
    page = open_page("about:blank", device="desktop", outage=True).page
    page.on("request", lambda request: asked.append(request.url.removeprefix(server.url)))
    page.goto(f"{server.url}/#/telemetry")
    settle(page)
    expect(page.get_by_role("img", name="450 runs by their duration")).to_be_visible()
    assert [] == [url for url in asked if url.startswith("/api/tasks/")]
    server.stop()


def fill_with_runs(tx: Transaction) -> None:
    """Have 450 runs, each of a task of its own."""
    repository = repositories.insert(tx, name="worked", local_path="/srv/worked")
    shared = {"repository_id": repository.id, "status": "completed", "prompt": "Do."}
    shared |= {"requested_by": "web", "correlation_id": "c"}
    for number in range(450):
        task = tasks.insert(tx, title=f"Run {number}", **shared)
        place = {"runner": "stub", "sandbox": "read-only", "cwd": "/srv/worked"}
        span = {"started_at": tx.now, "finished_at": tx.now}
        sessions.insert(tx, task_id=task.id, **place, **span, **shared)
