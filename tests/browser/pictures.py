"""The README's pictures, taken anew of the demo: `python -m tests.browser.pictures ADDRESS`.

Start `command-center demo` first and give its address; wait until it asks for its decisions.
"""

from __future__ import annotations

import shutil
import sys
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import DEVICES, FLAGS, LEAN
from tests.browser.watching import settle
from tests.checkout import ROOT

PICTURES: tuple[tuple[str, str, str, Any], ...] = (
    ("now-phone", "/", "phone", "light"),
    ("session-phone", "/sessions/31", "phone", "dark"),
    ("session-desktop", "/sessions/31", "desktop", "light"),
    ("telemetry-desktop", "/telemetry", "desktop", "dark"),
)


def main(address: str) -> None:
    """Take them all."""
    found = next(path for name in LEAN if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for name, screen, device, scheme in PICTURES:
            options = {**DEVICES[device], "device_scale_factor": 1.5 if device == "phone" else 1}
            context = browser.new_context(**options, color_scheme=scheme, reduced_motion="reduce")
            page = context.new_page()
            page.goto(f"{address}/#{screen}")
            settle(page)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=ROOT / "docs" / "images" / f"{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
