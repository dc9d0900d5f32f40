"""The acts of buttons. Telegram knows only a button's nonce; its act is stored here beside it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec


class Resolve(msgspec.Struct, frozen=True, tag="resolve", tag_field="do"):
    """Decide on an approval."""

    approval_id: int
    status: Literal["approved", "rejected"]
    scope: Literal["once", "session"] = "once"


class Details(msgspec.Struct, frozen=True, tag="details", tag_field="do"):
    """Show all of an approval."""

    approval_id: int


class AnswerQuestion(msgspec.Struct, frozen=True, tag="answer", tag_field="do"):
    """Answer one question of an approval."""

    approval_id: int
    question_id: str
    answer: str


class PickRepository(msgspec.Struct, frozen=True, tag="run", tag_field="do"):
    """Run something there; its prompt comes next."""

    repository_id: int


class SteerSoon(msgspec.Struct, frozen=True, tag="steer", tag_field="do"):
    """Say something to a session; what comes next."""

    session_id: int


class FollowSoon(msgspec.Struct, frozen=True, tag="follow", tag_field="do"):
    """Go on where a session ended; how comes next."""

    session_id: int


class Stop(msgspec.Struct, frozen=True, tag="stop", tag_field="do"):
    """Stop a session."""

    session_id: int


class GoOn(msgspec.Struct, frozen=True, tag="go_on", tag_field="do"):
    """Have a session go on before the limit that it waits for resets."""

    session_id: int


class ShowDiff(msgspec.Struct, frozen=True, tag="diff", tag_field="do"):
    """Show what a session changed."""

    session_id: int


class RunNow(msgspec.Struct, frozen=True, tag="run_automation", tag_field="do"):
    """Run an automation, whatever its schedule."""

    automation_id: int


class Switch(msgspec.Struct, frozen=True, tag="switch_automation", tag_field="do"):
    """Pause an automation, or have it run again."""

    automation_id: int
    enabled: bool


class Toggle(msgspec.Struct, frozen=True, tag="toggle", tag_field="do"):
    """Mute a kind of messages in the chat, or hear of it again."""

    kind: str


Action: TypeAlias = (
    Resolve
    | Details
    | AnswerQuestion
    | PickRepository
    | SteerSoon
    | FollowSoon
    | Stop
    | GoOn
    | ShowDiff
    | RunNow
    | Switch
    | Toggle
)


def to_plain(action: Action) -> dict[str, Any]:
    """Return the action as plain JSON, to be stored."""
    plain: dict[str, Any] = msgspec.to_builtins(action)
    return plain


def from_plain(plain: dict[str, Any]) -> Action:
    """Return the action that was stored as plain JSON."""
    action: Action = msgspec.convert(plain, Action)
    return action


def approval_of(action: Action) -> int | None:
    """Return the approval that a button is about, if it is about one."""
    return action.approval_id if isinstance(action, Resolve | Details | AnswerQuestion) else None
