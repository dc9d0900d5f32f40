"""Chromium, and pages of the dashboard in it.

Playwright's own loop runs in the main thread while its browser is open, so that the browser lives
no longer than the tests of this folder, and they are all synchronous.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.vendored import WEB as VENDOR
from tests.browser.watching import Watched, watched
from tests.end_to_end.server import Server

WHOLE = ("chromium", "chromium-browser", "google-chrome", "chrome")
LEAN = ("chromium-headless-shell", *WHOLE)
"""Without the program's own windows a page takes half of the processor's time."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
DEVICES: dict[str, dict[str, Any]] = {
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
    "desktop": {"viewport": {"width": 1360, "height": 900}},
}
PATIENCE_MS = 30_000
UNWORKED: dict[str, Any] = {"service_workers": "block"}
"""For pages whose requests a test answers itself: none goes past it by way of a worker."""

SOURCE = "".join(f"def function_{number}():\n    return {number}\n\n\n" for number in range(40))

OpenPage: TypeAlias = Callable[..., Watched]


@pytest.fixture(scope="package")
def browsers() -> Iterator[Callable[[tuple[str, ...]], Browser]]:
    """Chromium by one of these names, or `CC_TEST_CHROMIUM`. Without one the test is skipped."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright, ExitStack() as stack:

        @cache
        def launched(path: str) -> Browser:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            stack.callback(browser.close)
            return browser

        def browser(names: tuple[str, ...]) -> Browser:
            named = os.environ.get("CC_TEST_CHROMIUM")
            names = (named,) if named else names
            found = next((path for name in names if (path := shutil.which(name))), None)
            if found is None:
                pytest.skip(f"there is no {' or '.join(names)}: apt-get install chromium")
            return launched(found)

        yield browser


@pytest.fixture(scope="package")
def browser(browsers: Callable[[tuple[str, ...]], Browser]) -> Browser:
    """Chromium as pages need it."""
    return browsers(LEAN)


@pytest.fixture
def open_page(
    request: pytest.FixtureRequest, browsers: Callable[[tuple[str, ...]], Browser]
) -> Iterator[OpenPage]:
    """Opens pages, each in a profile of its own: `open_page(url, device="phone")`.

    A test that is marked with `whole_browser` has notifications and badges.
    """
    browser = browsers(WHOLE if request.node.get_closest_marker("whole_browser") else LEAN)
    with ExitStack() as stack:

        def opened(
            url: str,
            *,
            device: str = "phone",
            expected: set[int] | None = None,
            outage: bool = False,
            **options: Any,
        ) -> Watched:
            context = browser.new_context(**{**DEVICES[device], **options})
            context.set_default_timeout(PATIENCE_MS)
            stack.callback(context.close)
            watch = stack.enter_context(watched(context, expected=expected, outage=outage))
            watch.page.goto(url)
            return watch

        yield opened


@pytest.fixture(scope="package")
def filled_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without Codex in which a little of everything is."""
    folder = tmp_path_factory.mktemp("filled")
    server = Server(folder / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        fill(client, folder / "storefront")
    yield server
    server.end()


@pytest.fixture(scope="module")
def page(browser: Browser, filled_server: Server) -> Iterator[Page]:
    """One page, for tests of a module that have its functions make something and leave it alone."""
    context = browser.new_context(**DEVICES["phone"])
    context.set_default_timeout(PATIENCE_MS)
    with watched(context) as watch:
        watch.page.goto(filled_server.url)
        yield watch.page
    context.close()


def fill(client: httpx.Client, folder: Path) -> None:
    """Make a repository, tasks with sessions, an approval and an automation."""
    make_repository(folder)
    wish = {"localPath": str(folder), "allowWrite": True, "workplace": "main_checkout"}
    made(client, "/api/repos", wish)
    for title in ("Review the login flow", "Find the slow query", "Write the release notes"):
        body = {"repositoryId": 1, "title": title, "prompt": f"{title}, and be brief."}
        made(client, "/api/tasks", body)
    made(client, "/api/tasks/1/run", {})
    body = {"repositoryId": 1, "title": "Deploy", "prompt": "Deploy.", "approvalRequired": True}
    made(client, "/api/tasks", body)
    made(client, "/api/tasks/4/run", {})
    details = {"reason": "The freeze ends at noon."}
    made(client, "/api/approvals", {"title": "Merge during the freeze?", "details": details})
    payload = {"prompt": "Inspect the repository."}
    body = {"repositoryId": 1, "title": "Morning check", "scheduleExpr": "daily@09:00"}
    made(client, "/api/automations", {**body, "payload": payload})
    made(client, "/api/repos/1/worktrees", {"branchName": "cc/login"})


def made(client: httpx.Client, path: str, body: object) -> Any:
    """Return what a POST made."""
    answer = client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def make_repository(path: Path) -> Path:
    """A git repository with one commit."""
    path.mkdir()
    (path / "README.md").write_text("# A project\n")
    git = ["git", "-C", str(path), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    return path


@attrs.frozen
class Changed:
    """The page of a session that has ended, and the worktree in which it changed something."""

    url: str
    folder: Path


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[Changed]:
    project, folder = make_repository(tmp_path / "project"), tmp_path / "work"
    (project / "code.py").write_text(SOURCE)

    def git(*words: str) -> None:
        author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", "-C", str(project), *author, *words], check=True)  # noqa: S607

    git("add", ".")
    git("commit", "-q", "-m", "Code")
    git("worktree", "add", "-q", "-b", "work", str(folder))
    (folder / "code.py").write_text(
        SOURCE.replace("return 7\n", "return 8\n").replace("    return 30", "  return 30")
    )
    (folder / "notes.md").write_text("# Notes\n\nThis is new.\n")
    (folder / "picture.png").write_bytes((VENDOR.parent / "icons" / "icon-192.png").read_bytes())
    (folder / "raw.bin").write_bytes(bytes(range(256)))
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        repository = made(client, "/api/repos", {"localPath": str(project), "allowWrite": True})
        wanted = {"repositoryId": repository["id"], "title": "Change it", "prompt": "Do it."}
        task = made(client, "/api/tasks", wanted)
        run = {"worktreePath": str(folder)}
        session = made(client, f"/api/tasks/{task['id']}/run", run)["session"]
    yield Changed(f"{server.url}/#/sessions/{session['id']}?pane=changes", folder)
    server.end()
