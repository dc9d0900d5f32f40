"""The messages about prompts that are said again: those that are saved, and a repository's own."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from command_center.actors.contracts.fields import NOT_BLANK
from command_center.actors.rules.lengths import Name
from command_center.runtime import Request
from command_center.store import SavedPrompt

PROMPT_TEXT: Final = 8000
"""Characters of a prompt that is saved."""


class ReadyPrompt(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A prompt that can be said in a repository.

    Attributes:
        description: what it is for; may be empty.
        source: whether somebody saved it here, or a file of the repository has it.
        path: that file.
    """

    name: str
    description: str
    text: str
    source: Literal["saved", "repository"]
    path: str | None = None


class ReadyPrompts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The prompts of a repository: those that were saved, by name, and then those of its files."""

    items: list[ReadyPrompt]


class ListPrompts(msgspec.Struct, Request[ReadyPrompts], frozen=True):
    """List the prompts that can be said in a repository."""

    repository_id: int


class NewPrompt(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A prompt that is saved."""

    text: Annotated[
        str, msgspec.Meta(max_length=PROMPT_TEXT, extra_json_schema={"pattern": NOT_BLANK})
    ]
    description: Name = ""
    requested_by: Name = "api"


class SavePrompt(msgspec.Struct, Request[SavedPrompt], frozen=True):
    """Save a prompt under a name, in the place of the one that has it."""

    repository_id: int
    name: str
    wanted: NewPrompt


class DeletePrompt(msgspec.Struct, Request[SavedPrompt], frozen=True):
    """Delete a prompt that was saved."""

    repository_id: int
    name: str
    requested_by: str
