"""The script of a model: the steps of a turn.

A script is a sequence of steps. Codex asks the model once for each step of a turn: a text
ends the turn, a command or a patch makes Codex run it and ask again. A script that has run
out answers `ENDING`, so that every turn ends.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

ENDING = "Done."
"""The model's words when its script has run out."""

GATE_SECONDS = 60.0
"""A gate that nobody opens opens by itself after this time, so that no test hangs for ever."""

Event: TypeAlias = dict[str, Any]


class Gate:
    """A point at which the model waits until the test opens it.

    `reached` is set when the model has come to it; `open` lets it go on, and so does the end of its
    seconds. Both are `threading.Event` underneath and may be used from any thread.
    """

    def __init__(self, seconds: float = GATE_SECONDS) -> None:
        self._seconds = seconds
        self._reached = threading.Event()
        self._opened = threading.Event()
        self._is_over = False

    def open(self) -> None:
        """Let the model go on, now and every later time."""
        self._opened.set()

    @property
    def is_shut(self) -> bool:
        """Return whether the model still waits here, or would."""
        return not (self._opened.is_set() or self._is_over)

    def wait_until_reached(self, seconds: float = 30.0) -> None:
        """Block until the model stands at this gate; raises `TimeoutError` after `seconds`."""
        if not self._reached.wait(seconds):
            raise TimeoutError(f"The model did not come to the gate within {seconds} s.")

    def pass_through(self) -> None:
        """Wait, on the model's side, until the gate is open."""
        self._reached.set()
        self._is_over = not self._opened.wait(self._seconds)


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


@attrs.frozen
class SpawnAgent:
    """A sub-agent that begins with that message alone, in a thread of its own.

    `name` is the end of its path, where sub-agents have one.
    """

    message: str
    name: str = "helper"


@attrs.frozen
class WaitForAgents:
    """Wait until a sub-agent says something or ends; ten seconds are the least that Codex takes."""

    seconds: float = 30.0


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
    more: Mapping[str, Any] = attrs.field(factory=dict)
    """More of the error, such as its type."""


def limited(resets_at: int | None) -> Refuse:
    """Refuse as the provider does whose plan's limit is reached until then, in Unix seconds."""
    more = {"type": "usage_limit_reached", "plan_type": "pro", "resets_at": resets_at}
    return Refuse(429, "The usage limit has been reached", more)


def used(percent: int, resets_at: int, minutes: int = 300) -> dict[str, str]:
    """Return the headers that tell of a window of the limit, in each answer of the provider."""
    return {
        "x-codex-primary-used-percent": str(percent),
        "x-codex-primary-window-minutes": str(minutes),
        "x-codex-primary-reset-at": str(resets_at),
    }


@attrs.frozen
class FailStream:
    """Begin to stream, then fail with `response.failed`."""

    code: str = "server_error"
    message: str = "The scripted model failed."


@attrs.frozen
class CutOff:
    """Begin to stream, then close the connection in the middle."""


Step: TypeAlias = (
    Say
    | Run
    | AddFile
    | UpdateFile
    | CallTool
    | SpawnAgent
    | WaitForAgents
    | Hold
    | Refuse
    | FailStream
    | CutOff
)
Script: TypeAlias = Sequence[Step]
Choose: TypeAlias = Callable[[str], Script]
"""Chooses the script of a turn by the prompt that began it."""

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
