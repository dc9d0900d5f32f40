"""Commit messages as they are proposed: of what a task is called, and of what its agent said last.

A proposal is for a person to change. It is short, and has nothing in it that would be wrong on
another machine: no folder of this one, and no line that Command Center writes itself.
"""

from __future__ import annotations

import re
import textwrap
from typing import Final

SUBJECT_LENGTH: Final = 72
"""Characters of the first line."""

BODY_LENGTH: Final = 1500
"""Characters of what follows it."""

_LINK: Final = re.compile(r"\[([^\[\]\n]{1,500})\]\([^()\n]{1,2000}\)")
_OURS: Final = re.compile(r"^Command-Center-[\w-]+:.*$", re.MULTILINE | re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_KEPT: Final = re.compile(r"\s|[-*+>|#]|\d+[.)]|```")
"""The beginning of a line that is not filled up, such as that of a list or of code."""


def propose_message(title: str, said: str | None, folder: str) -> str:
    """Propose a commit message.

    Args:
        title: of the task.
        said: what the agent said last.
        folder: where it worked, which is left out of what it said.
    """
    subject = _subject(title)
    body = _body(said or "", folder)
    return f"{subject}\n\n{body}" if body and body != subject else subject


def as_message(text: str, folder: str) -> str:
    """Take what a model was asked for as a message; its first line may be too long, or marked."""
    lines = _clean(text, folder).strip().strip("`").strip().split("\n")
    return propose_message(lines[0].lstrip("# "), "\n".join(lines[1:]), folder)


def _subject(title: str) -> str:
    words = " ".join(_CONTROL.sub(" ", title).split())
    words = words.removesuffix(".") if not words.endswith("..") else words
    if len(words) <= SUBJECT_LENGTH:
        return words or "Change files"
    cut = words[: SUBJECT_LENGTH - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"


def _body(said: str, folder: str) -> str:
    text = _clean(said, folder)
    paragraphs = [_filled(part) for part in re.split(r"\n\s*\n", text) if part.strip()]
    kept: list[str] = []
    left = BODY_LENGTH
    for paragraph in paragraphs:
        if len(paragraph) > left:
            if not kept:
                kept.append(f"{paragraph[: left - 1].rpartition(' ')[0] or paragraph[:left]}…")
            break
        kept.append(paragraph)
        left -= len(paragraph) + 2
    return "\n\n".join(kept)


def _clean(text: str, folder: str) -> str:
    text = _CONTROL.sub("", text.replace("\r\n", "\n"))
    text = _LINK.sub(r"\1", _OURS.sub("", text)).replace("**", "")
    return text.replace(f"{folder}/", "") if folder else text


def _filled(paragraph: str) -> str:
    lines = paragraph.strip("\n").rstrip().split("\n")
    if any(_KEPT.match(line) for line in lines):
        return "\n".join(line.rstrip() for line in lines)
    return textwrap.fill(
        " ".join(lines), SUBJECT_LENGTH, break_long_words=False, break_on_hyphens=False
    )
