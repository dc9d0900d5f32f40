"""The pictures of the explanation, drawn of what the program declares.

`python -m tests.http.documentation.drawing` draws them anew: the parts of a text here, the tree of
one that runs, policy of its verdicts, and the ways in of the gate's own list.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

import attrs
import trio

from command_center.actors.rules.policy import SANDBOXES, VERDICTS
from command_center.actors.rules.scopes import MEANINGS
from command_center.http.middleware import gate
from command_center.runtime import ActorSnapshot
from tests.actors.automations.rig import opened
from tests.checkout import ROOT

IMAGES: Final = ROOT / "docs" / "images"

ROWS: Final = (
    ("Clients", ("Page", "Terminal", "Scripts, MCP", "Telegram")),
    ("http/", ("Gate", "Routes", "Streams")),
    ("actors/", ("Sessions", "Approvals", "Repositories", "Automations")),
    ("", ("Bridge to Codex", "Store: one writer", "git")),
    ("Outside", ("Codex, sandboxed", "SQLite file", "Worktrees")),
)
"""The rows from the top, each with its name and its parts; each leads to the one below it."""

WIDTH, ROW, BOX, LEFT, GAP = 760, 84, 48, 124, 12
INK, QUIET, LINE, ACCENT = "#181b21", "#565d6b", "#c5cad4", "#3444c2"
DECISIONS: Final = {"deny": "#b3261e", "needs_approval": "#8a5300", "allow": "#1c6b3a"}
"""The decisions from the strictest, each with its colour."""


@attrs.define
class Card:
    """A light card that stands well on a dark page, too; parts are drawn from the top."""

    top: int = 16
    parts: list[str] = attrs.field(factory=list)

    def text(
        self, left: float, top: float, words: str, *, colour: str = INK, size: int = 14
    ) -> None:
        """Write a line, of which `top` is the foot."""
        self.parts.append(
            f'<text x="{left:.0f}" y="{top:.0f}" fill="{colour}" font-size="{size}">'
            f"{escape(words)}</text>"
        )

    def row(self, name: str, boxes: Sequence[str], *, colour: str = LINE, size: int = 14) -> None:
        """Draw boxes side by side, with a name before them."""
        if name:
            self.text(16, self.top + 29, name, colour=QUIET, size=13)
        wide = (WIDTH - LEFT - 16 - GAP * (len(boxes) - 1)) / len(boxes)
        for at, words in enumerate(boxes):
            left = LEFT + at * (wide + GAP)
            self.parts.append(
                f'<rect x="{left:.0f}" y="{self.top}" width="{wide:.0f}" height="{BOX}" rx="9" '
                f'fill="#ffffff" stroke="{colour}"/>'
                f'<text x="{left + wide / 2:.0f}" y="{self.top + 29}" text-anchor="middle" '
                f'fill="{INK}" font-size="{size}">{escape(words)}</text>'
            )
        self.top += BOX + GAP

    def arrow(self) -> None:
        """Lead from what is drawn to what comes."""
        middle = LEFT + (WIDTH - LEFT - 16) / 2
        self.parts.append(
            f'<path d="M{middle:.0f} {self.top - GAP + 4}v22m-5 -6l5 6l5 -6" '
            f'fill="none" stroke="{ACCENT}" stroke-width="2"/>'
        )
        self.top += ROW - BOX - GAP

    def drawn(self) -> str:
        """Return the picture."""
        height = self.top - GAP + 16
        return "\n".join(
            [
                '<svg xmlns="http://www.w3.org/2000/svg" font-family="system-ui, sans-serif"',
                f'  font-size="14" viewBox="0 0 {WIDTH} {height}"',
                f'  width="{WIDTH}" height="{height}">',
                f'<rect width="{WIDTH}" height="{height}" rx="14" fill="#f6f7f9"/>',
                *self.parts,
                "</svg>",
                "",
            ]
        )


def in_rows(words: Sequence[str], most: int) -> Iterable[Sequence[str]]:
    """Yield the words in rows of as many as fit."""
    return (words[at : at + most] for at in range(0, len(words), most))


def architecture() -> str:
    """Draw the parts, each row above what it leads to."""
    card = Card()
    for number, (name, boxes) in enumerate(ROWS):
        if number:
            card.arrow()
        card.row(name, boxes)
    return card.drawn()


def tree(actors: Sequence[ActorSnapshot]) -> str:
    """Draw the actors below the root in the order in which they start, supervisors with a mark."""
    card = Card()
    supervisors = {one.path for one in actors if one.kind.startswith("supervisor")}
    top = [one.path for one in actors if one.path.count("/") == 1 and one.path != "/"]
    card.row("", ["/   starts each, and starts it again when it fails"], colour=ACCENT)
    card.arrow()
    for number, row in enumerate(in_rows(top, 4)):
        names = [f"{path}/…" if path in supervisors else path for path in row]
        card.row("starts first" if not number else "", names, size=13)
    card.text(16, card.top - GAP - 19, "starts last", colour=QUIET, size=13)
    return card.drawn()


def policy() -> str:
    """Draw what goes in, and each code below the decision that it leads to."""
    card = Card()
    card.row("In", ["Repository: at most", "Task: ask a person?", "Run: wants"])
    card.row("Sandbox", SANDBOXES)
    card.arrow()
    for decision, colour in DECISIONS.items():
        codes = [code for code, led in VERDICTS.items() if led == decision]
        for number, row in enumerate(in_rows(codes, 3)):
            card.row("" if number else decision, row, colour=colour, size=13)
    card.text(LEFT, card.top + 9, "The strictest one decides.", colour=QUIET, size=13)
    card.top += 24
    return card.drawn()


def checks_of_the_gate() -> list[str]:
    """Return the checks that the gate names, in their order."""
    return re.findall(r"^\d\. \*\*([^*]+?)[.*]*\*\*", gate.__doc__ or "", re.MULTILINE)


def security() -> str:
    """Draw the way of a request: who asks, what is checked, and what holds the work behind it."""
    card = Card()
    card.row("Who asks", ["You", "Other sites' pages", "Other machines", "Agents"])
    card.arrow()
    for number, row in enumerate(in_rows(checks_of_the_gate(), 4)):
        card.row("" if number else "Gate", row, size=13)
    card.arrow()
    card.row("Scopes", list(MEANINGS))
    card.arrow()
    card.row("Policy", [*DECISIONS])
    card.arrow()
    card.row("Work", ["Codex's own sandbox", "git without hooks", "Secrets taken out"])
    return card.drawn()


async def pictures() -> dict[str, str]:
    """Return all pictures by their names."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as rig:
            actors = rig.center.system.snapshot().actors
    return {
        "architecture.svg": architecture(),
        "policy.svg": policy(),
        "security.svg": security(),
        "tree.svg": tree(actors),
    }


if __name__ == "__main__":
    for name, picture in trio.run(pictures).items():
        (IMAGES / name).write_text(picture, encoding="utf-8")
