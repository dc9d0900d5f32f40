"""A session's agents and items, what is said to it next, and the files that it is shown."""

from typing import Any, Literal

import msgspec

from command_center.store.records.record import Record
from command_center.store.timestamps import Timestamp

AgentStatus = Literal["running", "completed", "failed", "interrupted"]
"""The status of a sub-agent's newest turn."""


class Agent(Record, frozen=True, kw_only=True, rename="camel"):
    """A sub-agent that works for a session, in a thread of its own.

    Attributes:
        thread_id: Codex's thread, in which it works.
        parent_id: the sub-agent that started it; None where the session's own thread did.
        parent_thread_id: the thread of whoever started it.
        path: its place in the tree of sub-agents, where Codex gives it one.
        name: what Codex calls it.
        prompt: what it was told to do, where Codex shows that.
        token_usage: of its thread, as Codex tells it.
        diff: what its newest turn has changed; None where it changed nothing.
        shortened: the fields that are longer than they are shown here.
    """

    session_id: int
    thread_id: str
    parent_id: int | None = None
    parent_thread_id: str
    path: str | None = None
    name: str | None = None
    model: str | None = None
    prompt: str | None = None
    status: AgentStatus = "running"
    last_message: str | None = None
    token_usage: dict[str, Any] | None = None
    diff: str | None = None
    finished_at: Timestamp | None = None
    shortened: list[str] = msgspec.field(default_factory=list)


class Item(Record, frozen=True, kw_only=True, rename="camel"):
    """One entry of a session's transcript, such as a message or a command.

    ``session_id``, ``turn_id`` and ``item_id`` name it; ``body`` is Codex's item. ``agent_id`` is
    the sub-agent whose it is; None for the session's own. ``shortened`` names ``body`` where it is
    longer than it is shown here.
    """

    session_id: int
    turn_id: str
    item_id: str
    type: str
    status: str
    body: dict[str, Any] = msgspec.field(default_factory=dict)
    agent_id: int | None = None
    shortened: list[str] = msgspec.field(default_factory=list)


class Followup(Record, frozen=True, kw_only=True, rename="camel"):
    """A message for a task's thread, to be sent when its turn has ended.

    Attributes:
        session_id: the session during which it was queued.
        sent_session_id: the session that it became; None until then.
        attachments: the uploads that go with it, as a session has them.
    """

    task_id: int
    session_id: int
    status: Literal["pending", "sent", "cancelled"] = "pending"
    message: str
    requested_by: str
    sent_session_id: int | None = None
    attachments: list[dict[str, Any]] = msgspec.field(default_factory=list)


class Upload(Record, frozen=True, kw_only=True, rename="camel"):
    """A picture or a text that somebody sent for Codex.

    Attributes:
        name: what its sender calls it.
        file: its file in the folder of uploads, named by its hash.
        sha256: of what is kept, which may be less than what was sent.
        size: its bytes.
        width: pixels of a picture.
    """

    name: str
    file: str
    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"]
    sha256: str
    size: int
    width: int | None = None
    height: int | None = None
    requested_by: str
