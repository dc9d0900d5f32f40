"""Prompts in files of a repository: Markdown, with a description in its front matter."""

from __future__ import annotations

import re
from typing import Final

FOLDER: Final = ".codex/prompts"
"""The folder of a repository that has them."""

ENDING: Final = ".md"

NAME: Final = r"^[A-Za-z0-9][\w-]{0,63}$(?!\n)"
"""The pattern of a prompt's name."""

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_DESCRIPTION = re.compile(r"^description:[ \t]*(.*?)[ \t]*$", re.MULTILINE)


def name_of(path: str) -> str | None:
    """Return the name of the prompt that a file has; None where it has none.

    >>> [name_of(f"{FOLDER}/{name}") for name in ("fix-it" + ENDING, "notes.txt", ENDING)]
    ['fix-it', None, None]
    """
    name = path[path.rfind("/") + 1 :]
    stem = name.removesuffix(ENDING)
    return stem if stem != name and re.match(NAME, stem) else None


def read_prompt(content: str) -> tuple[str, str]:
    r"""Return the description of a file's prompt, which may be empty, and its text.

    >>> read_prompt("---\ndescription: 'Fix it'\nargument-hint: FILE\n---\nFix $1.\n")
    ('Fix it', 'Fix $1.')
    """
    content = content.replace("\r\n", "\n")
    front = _FRONT.match(content)
    if front is None:
        return "", content.strip()
    said = _DESCRIPTION.search(front[1])
    description = "" if said is None else said[1]
    if len(description) > 1 and description[0] == description[-1] and description[0] in "'\"":
        description = description[1:-1]
    return description, content[front.end() :].strip()
