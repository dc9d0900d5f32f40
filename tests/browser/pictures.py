"""The pictures of the README and the tutorial: `python -m tests.browser.pictures ADDRESS`.

Start `command-center demo` first and give its address; wait until it asks for its decisions. They
are WebP, which the browser itself makes of what it shows, for they come with each installation.

Beside them stands what the page said in each that it says by itself, and not of somebody's work:
its headings and what can be pressed. `test_pictures` finds those that the page no longer has.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import sync_playwright

from tests.browser.conftest import DEVICES, FLAGS, LEAN
from tests.browser.watching import settle
from tests.checkout import ROOT

PICTURES: tuple[tuple[str, str, str, Any], ...] = (
    ("now-phone", "/", "phone", "light"),
    ("session-phone", "/sessions/31", "phone", "dark"),
    ("session-desktop", "/sessions/31", "desktop", "light"),
    ("telemetry-desktop", "/telemetry", "desktop", "dark"),
    ("new-task-phone", "/tasks/new", "phone", "light"),
)

LABELS: Final = Path(__file__).with_name("pictures.json")
PAGE: Final = ROOT / "http" / "web"

LABELS_SHOWN = """
() => [...document.querySelectorAll("h1, h2, h3, button, a, label, summary, legend")]
  .filter((one) => one.checkVisibility())
  .map((one) => one.innerText.trim())
"""

TO_WEBP = """
async (address) => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = Object.assign(document.createElement("canvas"),
    { width: picture.width, height: picture.height });
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", 0.5);
}
"""


def page_text() -> str:
    """Return all that the page's own modules say."""
    parts = sorted(part for part in PAGE.rglob("*.js") if "vendor" not in part.parts)
    return "\n".join(part.read_text(encoding="utf-8") for part in parts)


def main(address: str) -> None:
    """Take them all."""
    found = next(path for name in LEAN if (path := shutil.which(name)))
    own, labels = page_text(), dict[str, list[str]]()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for name, screen, device, scheme in PICTURES:
            options = {**DEVICES[device], "device_scale_factor": 1.5 if device == "phone" else 1}
            context = browser.new_context(**options, color_scheme=scheme, reduced_motion="reduce")
            page = context.new_page()
            page.goto(f"{address}/#{screen}")
            settle(page)
            page.wait_for_load_state("networkidle")
            found_labels = set(page.evaluate(LABELS_SHOWN))
            labels[name] = sorted(one for one in found_labels if len(one) > 2 and one in own)
            shown = base64.b64encode(page.screenshot()).decode()
            plain = context.new_page()  # whose policy lets a canvas have the picture
            made = plain.evaluate(TO_WEBP, f"data:image/png;base64,{shown}")
            target = ROOT / "docs" / "images" / f"{name}.webp"
            target.write_bytes(base64.b64decode(made.partition(",")[2]))
            context.close()
        browser.close()
    LABELS.write_text(json.dumps(labels, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
