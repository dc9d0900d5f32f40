"""What a scripted model says: the steps of a turn, and the server-sent events that tell them.

A script is a sequence of steps. Codex asks the model once for each step of a turn: a text
ends the turn, a command or a patch makes Codex run it and ask again. A script that has run
out answers `ENDING`, so that every turn ends.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

ENDING = "Done."
"""What the model says when its script has run out."""

GATE_SECONDS = 60.0
"""A gate that nobody opens opens by itself after this time, so that no test hangs for ever."""

Event: TypeAlias = dict[str, Any]


class Gate:
    """A point at which the model waits until the test opens it.

    `reached` is set when the model has come to it; `open` lets it go on. Both are
    `threading.Event` underneath and may be used from any thread.
    """

    def __init__(self, seconds: float = GATE_SECONDS) -> None:
        self._seconds = seconds
        self._reached = threading.Event()
        self._opened = threading.Event()

    def open(self) -> None:
        """Let the model go on, now and every later time."""
        self._opened.set()

    def wait_until_reached(self, seconds: float = 30.0) -> None:
        """Block until the model stands at this gate; raises `TimeoutError` after `seconds`."""
        if not self._reached.wait(seconds):
            raise TimeoutError(f"The model did not come to the gate within {seconds} s.")

    def pass_through(self) -> None:
        """Wait, on the model's side, until the gate is open."""
        self._reached.set()
        self._opened.wait(self._seconds)


@attrs.frozen
class Say:
    """A message of the assistant, streamed in its parts; a `Gate` among them holds the stream."""

    parts: tuple[str | Gate, ...]

    @classmethod
    def text(cls, *parts: str | Gate) -> "Say":
        """A message; a single string is streamed word by word."""
        if len(parts) == 1 and isinstance(parts[0], str):
            words = parts[0].split(" ")
            return cls(tuple(w if i == 0 else f" {w}" for i, w in enumerate(words)))
        return cls(parts)


@attrs.frozen
class Run:
    """A shell command; with a `justification` it asks to run outside the sandbox.

    The shell is no login shell, so that nobody's profile has a say in the test.
    """

    command: str
    justification: str | None = None


@attrs.frozen
class AddFile:
    """A patch that adds one file, relative to the turn's working directory."""

    path: str
    content: str


@attrs.frozen
class UpdateFile:
    """A patch that replaces one line of a file."""

    path: str
    old: str
    new: str


@attrs.frozen
class CallTool:
    """Any other tool call, with the arguments as given; Codex has some tools in a namespace."""

    name: str
    arguments: Mapping[str, Any]
    namespace: str | None = None

    @classmethod
    def spawn_agent(cls, prompt: str) -> "CallTool":
        """Start a sub-agent with that prompt, in a thread of its own."""
        return cls("spawn_agent", {"message": prompt}, "multi_agent_v1")


@attrs.frozen
class Hold:
    """Wait at the gate before a byte is answered, then go on with `then`."""

    gate: Gate
    then: "Step"


@attrs.frozen
class Refuse:
    """Answer with an HTTP error."""

    status: int = 400
    message: str = "The scripted model refuses this."


@attrs.frozen
class FailStream:
    """Begin to stream, then fail with `response.failed`."""

    code: str = "server_error"
    message: str = "The scripted model failed."


@attrs.frozen
class CutOff:
    """Begin to stream, then close the connection in the middle."""


Step: TypeAlias = Say | Run | AddFile | UpdateFile | CallTool | Hold | Refuse | FailStream | CutOff
Script: TypeAlias = Sequence[Step]
Choose: TypeAlias = Callable[[str], Script]
"""Chooses the script of a turn by the prompt that began it."""

USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 40},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 120,
}
"""What every step says that it has used."""


def events_of(step: Step, response_id: str) -> Iterator[Event]:
    """The server-sent events that tell `step`, up to where the stream ends or breaks."""
    yield {"type": "response.created", "response": {"id": response_id}}
    match step:
        case Say(parts):
            yield from _message(parts, f"msg_{response_id}")
        case Run(command, justification):
            arguments: dict[str, Any] = {"cmd": command, "login": False}
            if justification is not None:
                arguments["sandbox_permissions"] = "require_escalated"
                arguments["justification"] = justification
            yield _tool_call("exec_command", arguments, response_id)
        case AddFile(path, content):
            lines = "\n".join(f"+{line}" for line in content.splitlines())
            yield _patch(f"*** Add File: {path}\n{lines}", response_id)
        case UpdateFile(path, old, new):
            yield _patch(f"*** Update File: {path}\n@@\n-{old}\n+{new}", response_id)
        case CallTool(name, arguments_as_given, namespace):
            call = _tool_call(name, arguments_as_given, response_id)
            call["item"] |= {} if namespace is None else {"namespace": namespace}
            yield call
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


def _tool_call(name: str, arguments: Mapping[str, Any], response_id: str) -> Event:
    return {
        "type": "response.output_item.done",
        "output_index": 0,
        "item": {
            "type": "function_call",
            "id": f"fc_{response_id}",
            "call_id": f"call_{response_id}",
            "name": name,
            "arguments": json.dumps(arguments),
        },
    }


def _patch(hunk: str, response_id: str) -> Event:
    patch = f"*** Begin Patch\n{hunk}\n*** End Patch"
    return _tool_call("exec_command", {"cmd": f"apply_patch <<'EOF'\n{patch}\nEOF\n"}, response_id)


NAMED: Mapping[str, Script] = {
    "text": (Say.text("The scripted model says hello to you."),),
    "command": (Run("echo hello from a command"), Say.text("The command has run.")),
    "escalated": (
        Run("echo escalated", justification="May this run outside the sandbox?"),
        Say.text("The escalated command has been decided on."),
    ),
    "patch": (AddFile("new.txt", "hello\n"), Say.text("The patch has been decided on.")),
    "slow": (Say.text("I take my time.", Gate(20.0), " Now I am ready."),),
    "failing": (Refuse(),),
    "sequence": (
        Run("echo one"),
        AddFile("two.txt", "two\n"),
        Run("echo three", justification="May the third step leave the sandbox?"),
        Say.text("All three steps have been taken."),
    ),
}
"""Scripts to try by hand, by name."""


def by_prompt(prompt: str) -> Script:
    """The named script whose name stands in brackets in the prompt, as `[command]`; else `text`."""
    return next((NAMED[name] for name in NAMED if f"[{name}]" in prompt), NAMED["text"])
