"""The lines of `codex exec --json`, told as the app-server would tell them.

A session that runs through the CLI so leaves the same items and events as one that runs through
an app-server. Where the CLI says less (no deltas, no diff of a file change), less is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from command_center.actors.codex.errors import NotAMessage
from command_center.actors.codex.usage_limits import LIMITED

Told: TypeAlias = tuple[str, dict[str, Any]]
"""A method of the app-server and its parameters."""

_LIMITED: Final = re.compile(r"You.ve hit your (?:\S+ )?usage limit\b")
"""Begins what the CLI says of such an error, of which it tells the words alone."""

_STATUSES = {"in_progress": "inProgress"}
_ITEM_EVENTS = {
    "item.started": "item/started",
    "item.updated": "item/updated",
    "item.completed": "item/completed",
}
_USAGE = {
    "inputTokens": "input_tokens",
    "cachedInputTokens": "cached_input_tokens",
    "outputTokens": "output_tokens",
    "reasoningOutputTokens": "reasoning_output_tokens",
}


class ExecTranslator:
    """Reads the lines of one run in order; `turn_id` is ours, since the CLI names none."""

    def __init__(self, turn_id: str, thread_id: str | None = None) -> None:
        """Begin a run, of a thread that is known if it is resumed."""
        self.turn_id = turn_id
        self.thread_id = thread_id
        self.ended = False
        """True once the CLI has told the end of the turn."""

    def read(self, line: bytes) -> list[Told]:
        """Yield what the line tells; nothing if it is unknown. Raise `NotAMessage` for no JSON."""
        try:
            event = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise NotAMessage(str(error), line) from None
        return [(method, {**self._where(), **params}) for method, params in self._tell(event)]

    def _where(self) -> dict[str, Any]:
        return {"threadId": self.thread_id, "turnId": self.turn_id}

    def _tell(self, event: Mapping[str, Any]) -> Iterator[Told]:
        match event:
            case {"type": "thread.started", "thread_id": str(thread_id)}:
                self.thread_id = thread_id
                yield "thread/started", {"thread": {"id": thread_id}}
            case {"type": "turn.started"}:
                yield "turn/started", {"turn": self._turn("inProgress")}
            case {"type": "item.started" | "item.updated" | "item.completed", "item": dict(item)}:
                yield from _tell_item(_ITEM_EVENTS[event["type"]], item)
            case {"type": "turn.completed"}:
                self.ended = True
                usage = event.get("usage")
                if isinstance(usage, dict):
                    yield "thread/tokenUsage/updated", {"tokenUsage": {"total": _usage(usage)}}
                yield "turn/completed", {"turn": self._turn("completed")}
            case {"type": "turn.failed"}:
                self.ended = True
                message = (event.get("error") or {}).get("message") or "The turn failed."
                error = {"message": message}
                if _LIMITED.match(message):
                    error["codexErrorInfo"] = LIMITED
                yield "turn/completed", {"turn": {**self._turn("failed"), "error": error}}
            case {"type": "error", "message": str(message)}:
                # The CLI says the end with turn.failed; an error alone may be tried again.
                yield "error", {"error": {"message": message}, "willRetry": True}
            case _:
                return

    def _turn(self, status: str) -> dict[str, Any]:
        return {"id": self.turn_id, "status": status, "items": [], "error": None}


def _tell_item(method: str, item: Mapping[str, Any]) -> Iterator[Told]:
    status = _STATUSES.get(str(item.get("status")), item.get("status"))
    same = {"id": item.get("id"), "status": status}
    match item.get("type"):
        case "agent_message":
            told = {"id": item.get("id"), "type": "agentMessage", "text": item.get("text", "")}
        case "reasoning":
            summary = [item.get("text", "")]
            told = {"id": item.get("id"), "type": "reasoning", "summary": summary}
        case "command_execution":
            told = {
                **same,
                "type": "commandExecution",
                "command": item.get("command", ""),
                "aggregatedOutput": item.get("aggregated_output"),
                "exitCode": item.get("exit_code"),
            }
        case "file_change":
            told = {**same, "type": "fileChange", "changes": _changes(item)}
        case "mcp_tool_call":
            told = {
                **same,
                "type": "mcpToolCall",
                "server": item.get("server"),
                "tool": item.get("tool"),
                "arguments": item.get("arguments"),
                "result": item.get("result"),
                "error": item.get("error"),
            }
        case "web_search":
            told = {"id": item.get("id"), "type": "webSearch", "query": item.get("query")}
        case "todo_list":
            yield "turn/plan/updated", {"explanation": None, "plan": _plan(item)}
            return
        case "error":
            yield "warning", {"message": str(item.get("message", ""))}
            return
        case other:
            told = {**item, "type": str(other)}
    yield method, {"item": told}


def _changes(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"path": change.get("path"), "kind": {"type": change.get("kind")}, "diff": ""}
        for change in item.get("changes") or []
    ]


def _plan(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "step": step.get("text"),
            "status": "completed" if step.get("completed") else "pending",
        }
        for step in item.get("items") or []
    ]


def _usage(usage: Mapping[str, Any]) -> dict[str, int]:
    counts = {ours: int(usage.get(theirs) or 0) for ours, theirs in _USAGE.items()}
    return {**counts, "totalTokens": counts["inputTokens"] + counts["outputTokens"]}
