"""Reviews: what one looks at, and the findings in what a reviewer says.

A reviewer's text has its findings below its explanation, each as Codex writes it:

    - The title — /the/file.py:3-5
      The body, in lines that are indented.
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from command_center.actors.rules.paths import is_in_work_tree, lies_in, pure_path

MOST_FINDINGS: Final = 100
"""Findings that are read of one review."""

HEAD_LENGTH: Final = 10_000
"""Characters of a finding's first line at most."""

_SPAN = re.compile(r"(\d{1,7})-(\d{1,7})")


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
        """Return whether the path can be that of a file in the folder that was reviewed."""
        return is_in_work_tree(self.path) and not Path(self.path).is_absolute()


def findings_in(review: str, cwd: str) -> list[ReviewFinding]:
    r"""Read the findings of a review of a folder; text that is no finding is passed over.

    >>> findings_in("Mostly good.\n\n- Too short — a.py:3-4\n  Say more.", "/w")
    [ReviewFinding(title='Too short', body='Say more.', path='a.py', line=3, end_line=4)]
    """
    found: list[ReviewFinding] = []
    lines = review.splitlines()
    for at, text in enumerate(lines):
        head = _head(text.rstrip())
        if head is None:
            continue
        title, path, first, last = head
        body: list[str] = []
        for below in islice(lines, at + 1, None):
            if below.strip() and not below.startswith("  "):
                break
            body.append(below.removeprefix("  "))
        found.append(
            ReviewFinding(
                title=title,
                body="\n".join(body).strip(),
                path=_inside(path, cwd),
                line=max(1, min(first, last)),
                end_line=max(1, first, last),
            )
        )
        if len(found) == MOST_FINDINGS:
            break
    return found


def _head(line: str) -> tuple[str, str, int, int] | None:
    """Split the first line of a finding, in time that grows with its length and no faster."""
    if not line.startswith("- ") or len(line) > HEAD_LENGTH:
        return None
    title, _, place = line[2:].rpartition(" — ")
    path, _, numbers = place.rpartition(":")
    span = _SPAN.fullmatch(numbers)
    if not title or not path or span is None:
        return None
    return title, path, int(span[1]), int(span[2])


def _inside(path: str, cwd: str) -> str:
    place, folder = pure_path(path), pure_path(cwd)
    if not place.is_absolute() or not lies_in(path, cwd):
        return path
    return place.relative_to(folder).as_posix() if place.is_relative_to(folder) else path
