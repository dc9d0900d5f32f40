"""Blocks, of which a document of a session consists, in whatever form it is written."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs


@attrs.frozen
class Caption:
    """A heading; level 1 is the document's title, and comes once."""

    level: Literal[1, 2]
    text: str


@attrs.frozen
class Facts:
    """Names, each with what it is."""

    facts: tuple[tuple[str, str], ...]


@attrs.frozen
class Words:
    """Words of a person or an agent, in Markdown of their own."""

    who: str
    text: str


@attrs.frozen
class Listing:
    """Lines to the letter, such as a command's output.

    Attributes:
        title: what they are; a command is `$ make`.
        language: `diff`, `json`, `console`, or nothing.
        note: what is said of them below, such as an exit code.
        is_open: a reader sees them without asking.
    """

    title: str
    text: str
    language: str = ""
    note: str = ""
    is_open: bool = True


@attrs.frozen
class OwnRemark:
    """A remark of Command Center's own."""

    text: str


Block: TypeAlias = Caption | Facts | Words | Listing | OwnRemark
