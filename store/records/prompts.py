"""Prompts that people keep to say them again."""

from command_center.store.records.record import Record


class SavedPrompt(Record, frozen=True, kw_only=True, rename="camel"):
    """A prompt that somebody has saved for a repository, under a name of its own there."""

    repository_id: int
    name: str
    description: str
    text: str
    requested_by: str
