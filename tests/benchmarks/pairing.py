"""From a start of the server to an approval that is pressed on a phone: seconds, and taps.

Run it with `python -m tests.benchmarks.pairing`. What a person types is run as they type it:
`command-center certificate` before, then `uv run command-center` with the certificate and a token,
and `command-center pair`. The phone is Chromium with a phone's screen. It opens the address of the
QR code, as a camera would, and the approval that waits is pressed. The machine does all that at
once; a person takes longer to find the camera.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.conftest import DEVICES, FLAGS, LEAN, made, make_repository
from tests.checkout import ROOT, script
from tests.http.certificates import trusting

TOKEN = "a-token-of-32-characters-or-more"
PORT = "8799"


class Clock:
    """Tells how long each step took, and how many taps."""

    def __init__(self) -> None:
        """Begin."""
        self._began = self._last = time.perf_counter()
        self.taps = 0

    def step(self, name: str) -> None:
        """Tell of a step that has ended."""
        now = time.perf_counter()
        print(f"  {name:44} {now - self._last:5.1f} s  (at {now - self._began:5.1f} s)")
        self._last = now


def walk(browser: Browser, folder: Path) -> None:
    """Do it all once, and tell."""
    home = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    environment = {name: value for name, value in os.environ.items() if name[:3] != "CC_"} | home
    command = str(script("command-center"))
    told = subprocess.run(
        [command, "certificate"], env=environment, capture_output=True, text=True, check=True
    ).stdout
    environment |= dict(re.findall(r"(CC_TLS_\w+)=(\S+)", told))
    environment |= {"CC_API_TOKEN": TOKEN, "CC_CODEX_RUNNER_MODE": "stub", "CC_PORT": PORT}
    authority = next(Path(environment["CC_TLS_CERT"]).parent.glob("authority.pem"))
    clock = Clock()
    uv = shutil.which("uv") or "uv"
    with subprocess.Popen(
        [uv, "run", "--no-sync", "command-center", "serve", "--host", "0.0.0.0"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            greeting = server.stdout.readline()
            assert " listens on https://" in greeting, greeting
            clock.step("uv run command-center: it listens")
            ask(authority, folder)
            paired = subprocess.run(
                [command, "pair", "--name", "Phone"],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            address = re.findall(r"https://\S+/#/pair/\S+", paired)[0]
            clock.step(f"command-center pair: {address.partition('/#')[0]}")
            press(browser, address, clock)
            print(f"  taps on the phone: {clock.taps}")
        finally:
            server.terminate()


def ask(authority: Path, folder: Path) -> None:
    """Have something wait for a decision in a repository, as an agent would."""
    with httpx.Client(
        base_url=f"https://localhost:{PORT}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        verify=trusting(authority),
        trust_env=False,
    ) as client:
        if not (folder / "project").exists():
            made(client, "/api/repos", {"localPath": str(make_repository(folder / "project"))})
        made(client, "/api/approvals", {"title": "May I deploy?"})


def press(browser: Browser, address: str, clock: Clock) -> None:
    """Open the address on a phone that trusts the authority, and press *Approve*."""
    context = browser.new_context(**DEVICES["phone"], ignore_https_errors=True)
    page = context.new_page()
    page.goto(address)
    approve = page.get_by_role("button", name="Approve")
    expect(approve).to_be_visible()
    clock.step("the phone is let in, and shows the approval")
    approve.tap()
    clock.taps += 1
    expect(page.locator(".outcome")).to_contain_text("Approved")
    clock.step("Approve is pressed, and it is settled")
    context.close()


def main() -> None:
    """Do it three times: the first start makes the database."""
    named = os.environ.get("CC_TEST_CHROMIUM")
    found = next(path for name in ((named,) if named else LEAN) if (path := shutil.which(name)))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for number in range(3):
            print(f"Walk {number + 1}")
            walk(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
