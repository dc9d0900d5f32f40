"""The picture of the parts, drawn of a text.

`python -m tests.http.documentation.drawing` draws it anew.
"""

from __future__ import annotations

from html import escape

from tests.checkout import ROOT

PICTURE = ROOT / "docs" / "images" / "architecture.svg"

ROWS = (
    ("Clients", ("Page", "Terminal", "Scripts, MCP", "Telegram")),
    ("http/", ("Gate", "Routes", "Streams")),
    ("actors/", ("Sessions", "Approvals", "Repositories", "Automations")),
    ("", ("Bridge to Codex", "Store: one writer", "git")),
    ("Outside", ("Codex, sandboxed", "SQLite file", "Worktrees")),
)
"""The rows from the top, each with its name and its parts; each leads to the one below it."""

WIDTH, ROW, BOX, LEFT = 760, 84, 48, 100


def drawn() -> str:
    """Draw the rows; light, as a card that also stands well on a dark page."""
    height = ROW * len(ROWS) + 16
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" font-family="system-ui, sans-serif"',
        f'  font-size="14" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f'<rect width="{WIDTH}" height="{height}" rx="14" fill="#f6f7f9"/>',
    ]
    for row, (name, boxes) in enumerate(ROWS):
        top = 16 + row * ROW
        if name:
            parts.append(
                f'<text x="16" y="{top + 29}" fill="#565d6b" font-size="13">{escape(name)}</text>'
            )
        wide = (WIDTH - LEFT - 16 - 12 * (len(boxes) - 1)) / len(boxes)
        for at, box in enumerate(boxes):
            left = LEFT + at * (wide + 12)
            middle = left + wide / 2
            parts.append(
                f'<rect x="{left:.0f}" y="{top}" width="{wide:.0f}" height="{BOX}" rx="9" '
                'fill="#ffffff" stroke="#c5cad4"/>'
                f'<text x="{middle:.0f}" y="{top + 29}" text-anchor="middle" fill="#181b21">'
                f"{escape(box)}</text>"
            )
        if row:
            middle = LEFT + (WIDTH - LEFT - 16) / 2
            parts.append(
                f'<path d="M{middle:.0f} {top - ROW + BOX + 4}v22m-5 -6l5 6l5 -6" '
                'fill="none" stroke="#3444c2" stroke-width="2"/>'
            )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
