"""Everything that is written of saved prompts: each function is one unit of a transaction."""

from __future__ import annotations

import re
from typing import Final

from command_center.actors.contracts.events.prompts import PromptDeleted, PromptSaved
from command_center.actors.contracts.prompts import NewPrompt
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from command_center.actors.rules.prompt_files import NAME
from command_center.store import SavedPrompt, Transaction, repositories, saved_prompts
from command_center.store.queries.removal import remove_saved_prompt

MOST_PROMPTS: Final = 50
"""Prompts of a repository that are saved."""


def save_prompt(tx: Transaction, repository_id: int, name: str, wanted: NewPrompt) -> SavedPrompt:
    """Save a prompt, and tell of it if it is another one than before.

    Raises:
        RecordNotFound: there is no such repository.
        Invalid: that is no name, or the text says nothing.
        Conflict: the repository has too many.
    """
    repositories.get(tx.db, repository_id)
    if not re.match(NAME, name):
        raise Invalid.field(
            "name", "A name has 1 to 64 letters, digits, - and _, the first a letter or digit."
        )
    if not wanted.text.strip():
        raise Invalid.field("text", "The text is empty.")
    known = saved_prompts.find(tx.db, {"repository_id": repository_id, "name": name})
    fields = {"text": wanted.text, "description": wanted.description}
    if known is None:
        if saved_prompts.count(tx.db, {"repository_id": repository_id}) >= MOST_PROMPTS:
            raise Conflict(f"The repository has {MOST_PROMPTS} saved prompts. Delete one first.")
        kept = saved_prompts.insert(
            tx,
            repository_id=repository_id,
            name=name,
            requested_by=wanted.requested_by,
            **fields,
        )
    elif (known.text, known.description) == (wanted.text, wanted.description):
        return known
    else:
        kept = saved_prompts.update(tx, known.id, requested_by=wanted.requested_by, **fields)
    tx.emit(
        PromptSaved(name=kept.name, description=kept.description, text=kept.text),
        actor=wanted.requested_by,
        repository_id=repository_id,
    )
    return kept


def delete_prompt(tx: Transaction, repository_id: int, name: str, actor: str) -> SavedPrompt:
    """Delete a prompt, and tell of it.

    Raises:
        NotFound: there is none of that name.
    """
    known = saved_prompts.find(tx.db, {"repository_id": repository_id, "name": name})
    if known is None:
        raise NotFound("Saved prompt", name)
    remove_saved_prompt(tx, known.id)
    tx.emit(PromptDeleted(name=name), actor=actor, repository_id=repository_id)
    return known
