"""Claims of the pages, against the program: its messages, labels, tree, and requests."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from command_center.http.documentation.contents import DOCS
from tests.actors.automations.rig import opened
from tests.browser.conftest import make_repository
from tests.checkout import ROOT, source_files
from tests.end_to_end.server import Server
from tests.http.documentation.drawing import IMAGES, checks_of_the_gate, pictures


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def said_by(node: ast.AST) -> Iterator[str]:
    """Yield the texts of a source, with `…` for what stands in them at run time."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
        elif isinstance(part, ast.JoinedStr):
            yield "".join(
                str(one.value) if isinstance(one, ast.Constant) else "…" for one in part.values
            )


@cache
def messages() -> str:
    sources = (ROOT / path for path in source_files("actors", "http", "store"))
    return "\n".join(
        text for path in sources for text in said_by(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_each_message_of_the_troubleshooting_is_one_that_the_program_says() -> None:
    told = re.findall(r"^### `(.+)`$", text_of("troubleshooting.md"), re.MULTILINE)
    assert len(told) > 15
    assert [] == [message for message in told if message not in messages()]


@pytest.mark.parametrize("name", ["tutorial.md", "phone.md", "github.md"])
def test_what_is_to_be_pressed_stands_in_the_page(name: str) -> None:
    web = ROOT / "http" / "web"
    page = "\n".join(
        path.read_text(encoding="utf-8")
        for path in web.rglob("*.js")
        if "vendor" not in path.parts and "documentation" not in path.parts
    )
    pressed = re.findall(r"(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)", text_of(name))
    others = {  # of Tailscale, browsers and GitHub
        "MagicDNS", "HTTPS certificates", "Share", "Add to Home Screen", "Install app",
        "Pull requests", "Pull request reviews", "Check runs", "Statuses", "Issues",
    }  # fmt: skip
    shown = [label.replace("Merge into main…", "Merge into ") for label in pressed]
    assert [] == [label for label in shown if label not in page and label not in others]


async def test_the_pictures_are_drawn_of_what_the_program_declares() -> None:
    """If not, `python -m tests.http.documentation.drawing` draws them."""
    drawn = await pictures()
    assert drawn == {path.name: path.read_text(encoding="utf-8") for path in IMAGES.glob("*.svg")}
    shown = "".join(text_of(name) for name in ("architecture.md", "policy.md", "security.md"))
    assert [] == [name for name in drawn if f"](images/{name})" not in shown]
    assert len(checks_of_the_gate()) > 5


async def test_the_tree_has_what_the_architecture_shows(tmp_path: Path) -> None:
    told = re.findall(r"[├└] (/[\w-]+)", text_of("architecture.md"))
    async with opened(tmp_path) as rig:
        there = {actor.path for actor in rig.center.system.snapshot().actors}
    assert len(told) > 15
    assert [] == [path for path in told if path not in there]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_first_requests_are_answered(tmp_path: Path) -> None:
    """Each as it is written, but for the address, by curl itself where there is one."""
    lines = re.findall(r"^    (curl .+)$", text_of("first-requests.md"), re.MULTILINE)
    server = Server(tmp_path / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    try:
        repository = make_repository(tmp_path / "repository")
        answered = 0
        for line in lines:
            if "text/event-stream" in line:
                continue  # which has no end
            here = line.replace("http://127.0.0.1:8787", server.url)
            words = [word.replace("$PWD", repository.as_posix()) for word in shlex.split(here)]
            wanted = [words[0], "--silent", "--fail-with-body", *words[1:]]
            done = subprocess.run(wanted, capture_output=True, text=True, check=False, timeout=30)
            assert 0 == done.returncode, (line, done.stdout)
            answered += 1
    finally:
        server.end()
    assert answered > 12
