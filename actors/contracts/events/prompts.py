"""Events of prompts that are saved."""

from __future__ import annotations

from command_center.store import EventData


class PromptSaved(EventData, frozen=True, kw_only=True, tag="prompt.saved"):
    """A prompt was saved for a repository, in the place of the one that had its name."""

    name: str
    description: str
    text: str


class PromptDeleted(EventData, frozen=True, kw_only=True, tag="prompt.deleted"):
    """A prompt of a repository was deleted."""

    name: str
