"""The server-sent events that tell one step of a script, as the Responses API sends them."""

from collections.abc import Iterator
from typing import Any

from tests.codex.script import CutOff, Event, FailStream, Gate, Hold, Refuse, Say, Step
from tests.codex.spelling import Tools

USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 40},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 120,
}
"""The tokens that every step says it has used."""


def events_of(step: Step, tools: Tools, response_id: str) -> Iterator[Event]:
    """The server-sent events that tell `step`, up to where the stream ends or breaks."""
    yield {"type": "response.created", "response": {"id": response_id}}
    match step:
        case Say(parts):
            yield from _message(parts, f"msg_{response_id}")
        case FailStream(code, message):
            error = {"code": code, "message": message}
            yield {"type": "response.failed", "response": {"id": response_id, "error": error}}
            return
        case CutOff():
            yield {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {"type": "message", "role": "assistant", "id": "msg_cut", "content": []},
            }
            return
        case Hold() | Refuse():
            raise AssertionError(f"{step!r} is not a stream; the server handles it.")
        case _:
            yield tools.spell(step, response_id)
    yield {"type": "response.completed", "response": {"id": response_id, "usage": USAGE}}


def _message(parts: tuple[str | Gate, ...], item_id: str) -> Iterator[Event]:
    item: dict[str, Any] = {"type": "message", "role": "assistant", "id": item_id}
    yield {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}}
    said: list[str] = []
    for part in parts:
        if isinstance(part, Gate):
            part.pass_through()
            continue
        said.append(part)
        yield {
            "type": "response.output_text.delta",
            "item_id": item_id,
            "output_index": 0,
            "content_index": 0,
            "delta": part,
        }
    content = [{"type": "output_text", "text": "".join(said)}]
    yield {
        "type": "response.output_item.done",
        "output_index": 0,
        "item": {**item, "content": content},
    }
