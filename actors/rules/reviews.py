"""Reviews: what one looks at, and the findings in what a reviewer says.

A reviewer's text has its findings below its explanation, each as Codex writes it:

    - The title — /the/file.py:3-5
      The body, in lines that are indented.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import msgspec

from command_center.actors.rules.policy import lies_in

MOST_FINDINGS: Final = 100
"""Findings that are read of one review."""

_HEAD = re.compile(r"- (?P<title>.+) — (?P<path>.+):(?P<line>\d{1,7})-(?P<end>\d{1,7})")


class ReviewFinding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A remark of a reviewer on lines of a file.

    Attributes:
        path: in the folder that was reviewed; absolute where it lies elsewhere.
    """

    title: str
    body: str
    path: str
    line: int
    end_line: int

    @property
    def is_inside(self) -> bool:
        """Return whether the file lies in the folder that was reviewed."""
        return not Path(self.path).is_absolute()


def findings_in(review: str, cwd: str) -> list[ReviewFinding]:
    r"""Read the findings of a review of a folder; text that is no finding is passed over.

    >>> findings_in("Mostly good.\n\n- Too short — a.py:3-4\n  Say more.", "/w")
    [ReviewFinding(title='Too short', body='Say more.', path='a.py', line=3, end_line=4)]
    """
    found: list[ReviewFinding] = []
    lines = review.splitlines()
    for at, text in enumerate(lines):
        head = _HEAD.fullmatch(text.rstrip())
        if head is None or len(found) == MOST_FINDINGS:
            continue
        body: list[str] = []
        for below in lines[at + 1 :]:
            if below.strip() and not below.startswith("  "):
                break
            body.append(below.removeprefix("  "))
        first, last = sorted((int(head["line"]), int(head["end"])))
        found.append(
            ReviewFinding(
                title=head["title"],
                body="\n".join(body).strip(),
                path=_inside(head["path"], cwd),
                line=max(1, first),
                end_line=max(1, last),
            )
        )
    return found


def _inside(path: str, cwd: str) -> str:
    if not Path(path).is_absolute():
        return path
    return Path(os.path.relpath(path, cwd)).as_posix() if lies_in(path, cwd) else path
