"""Rules, by which a repository's sessions are answered without a person."""

from typing import Literal, TypeAlias

import msgspec

from command_center.store.records.record import Record
from command_center.store.records.words import Sandbox
from command_center.store.timestamps import Timestamp

RuleKind: TypeAlias = Literal["command", "network"]


class Rule(Record, frozen=True, kw_only=True, rename="camel"):
    """A thing that a person always allows in a repository.

    Attributes:
        words: those of a command, or those that it begins with.
        is_exact: whether the command has these words and no more.
        folder: where it runs, from the folder in which its session works.
        host: that may be reached, by ``protocol``; None for a command.
        sandbox: that of the session in which it was agreed to, and so with ``allow_network`` and
            ``allow_commit``: a session that may do less is not answered by it.
        approval_id: the approval with which it was made.
        uses: how often it has answered.
    """

    repository_id: int
    kind: RuleKind
    words: list[str] = msgspec.field(default_factory=list)
    is_exact: bool = True
    folder: str = ""
    host: str | None = None
    protocol: str | None = None
    sandbox: Sandbox
    allow_network: bool
    allow_commit: bool
    approval_id: int | None = None
    requested_by: str
    uses: int = 0
    last_used_at: Timestamp | None = None
