"""A model that says what its script says: `POST /v1/responses` on loopback, as Codex calls it.

It runs in threads of its own, so that synchronous tests, trio tests and a server in another
process can all use it, and a trio clock that jumps doesn't disturb it.

To try by hand: `python -m tests.codex.scripted_model --port 8321 --codex-home DIR`, then
`CODEX_HOME=DIR codex …` and write `[command]`, `[patch]`, `[slow]` … into the prompt.
"""

import argparse
import contextlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs

from tests.codex.script import (
    ENDING,
    NAMED,
    Choose,
    Gate,
    Hold,
    Refuse,
    Say,
    Script,
    Step,
    by_prompt,
)
from tests.codex.spelling import Tools, ToolStep
from tests.codex.streaming import events_of

OLD_MODEL = "gpt-5.4"
"""A model that newer catalogues don't know: it has plain tools, and the older sub-agents."""


@attrs.frozen
class ModelRequest:
    """One call of the model as Codex made it."""

    body: Mapping[str, Any]

    @property
    def thread_id(self) -> str:
        """The thread that calls."""
        metadata = self.body.get("client_metadata") or {}
        return metadata.get("thread_id") or self.body.get("prompt_cache_key") or ""

    @property
    def turn_id(self) -> str:
        """The turn that calls; old versions of Codex tell the thread only."""
        metadata = self.body.get("client_metadata") or {}
        return metadata.get("turn_id") or self.thread_id

    @property
    def agent(self) -> str:
        """The path of the agent that calls, where agents have one: `/root` is nobody's child."""
        metadata = self.body.get("client_metadata") or {}
        told = json.loads(metadata.get("x-codex-turn-metadata") or "{}")
        return told.get("agent_name") or ""

    @property
    def prompt(self) -> str:
        """Return what the user, or the agent that started this one, has said last."""
        return (self.user_texts or [""])[-1]

    @property
    def tool_outputs(self) -> list[str]:
        """Return what the tools have answered so far, in order, as text."""
        return [
            str(item.get("output"))
            for item in self.body["input"]
            if item.get("type") in {"function_call_output", "custom_tool_call_output"}
        ]

    def has_call(self, response_id: str) -> bool:
        """Return whether Codex has taken the call of a tool that a response made."""
        return any(item.get("call_id") == f"call_{response_id}" for item in self.body["input"])

    @property
    def user_texts(self) -> list[str]:
        """All that the user's messages say, in order, and those of other agents.

        What agents say to each other Codex calls encrypted, and hands on as it came.
        """
        return [
            part.get("text") or part.get("encrypted_content") or ""
            for item in self.body["input"]
            if item.get("role") == "user" or item.get("type") == "agent_message"
            for part in item.get("content", [])
        ]


class ScriptedModel:
    """The provider's server. Every turn plays the script from its beginning.

    `script` may be replaced between turns; `choose`, when set, picks a turn's script by its
    prompt. `requests` holds every call in order. Closing opens all gates.

    Codex drops an answer that is on its way as it is steered, and asks again. A call of a tool that
    it has dropped so is made once more.
    """

    def __init__(self, script: Script = NAMED["text"], *, port: int = 0) -> None:
        self.script = script
        self.choose: Choose | None = None
        self.headers: dict[str, str] = {}
        """Sent with each answer, such as `script.used`."""
        self.requests: list[ModelRequest] = []
        self.sent: list[tuple[float, str]] = []
        """`time.monotonic()` and text of every delta, just before it was written."""
        self._changed = threading.Condition()
        self._scripts: dict[str, list[Step]] = {}
        self._called: dict[str, tuple[Step, str]] = {}
        """The last step of each turn that calls a tool, and the id of its response."""
        self._gates: set[Gate] = set()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.model = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return self._server.server_port

    @property
    def base_url(self) -> str:
        """Return what Codex's configuration calls `base_url`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> Self:
        """Serve until `close`."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Open every gate, end every connection, and wait for the threads."""
        for gate in self._gates:
            gate.open()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def wait_for_requests(self, count: int, seconds: float = 30.0) -> list[ModelRequest]:
        """Block until the model has been called `count` times in all."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= count, seconds):
                raise TimeoutError(
                    f"The model was called {len(self.requests)} times, not {count}, "
                    f"within {seconds} s."
                )
            return list(self.requests)

    def next_step(self, request: ModelRequest) -> tuple[Step, str]:
        """Record one call; answers its step and the id of its response."""
        with self._changed:
            if request.turn_id not in self._scripts:
                chosen = self.choose(request.prompt) if self.choose else self.script
                self._scripts[request.turn_id] = list(chosen)
            steps = self._scripts[request.turn_id]
            last = self._called.pop(request.turn_id, None)
            if last is not None and not request.has_call(last[1]):
                steps.insert(0, last[0])
            step = steps.pop(0) if steps else Say.text(ENDING)
            self._gates |= _gates_of(step)
            self.requests.append(request)
            self._changed.notify_all()
            response_id = f"resp_{len(self.requests)}"
            if isinstance(step, ToolStep):
                self._called[request.turn_id] = step, response_id
            return step, response_id


def _gates_of(step: Step) -> set[Gate]:
    match step:
        case Hold(gate, then):
            return {gate} | _gates_of(then)
        case Say(parts):
            return {part for part in parts if isinstance(part, Gate)}
        case _:
            return set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    model: ScriptedModel


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer_json(200, {"data": [], "models": []})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self.path.endswith("/responses"):
            self._answer_json(404, {"error": {"message": f"No {self.path} here."}})
            return
        step, response_id = self.server.model.next_step(ModelRequest(body))
        while isinstance(step, Hold):
            step.gate.pass_through()
            step = step.then
        # Codex hangs up on an interrupted turn; that is no fault of the model.
        with contextlib.suppress(ConnectionError):
            if isinstance(step, Refuse):
                self._answer_json(step.status, {"error": {"message": step.message, **step.more}})
            else:
                self._stream(step, Tools.of(body), response_id)

    def _stream(self, step: Step, tools: Tools, response_id: str) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self._send_more()
        self.end_headers()
        for event in events_of(step, tools, response_id):
            if "delta" in event:
                self.server.model.sent.append((time.monotonic(), event["delta"]))
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()

    def _send_more(self) -> None:
        for name, value in self.server.model.headers.items():
            self.send_header(name, value)

    def _answer_json(self, status: int, value: Mapping[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self._send_more()
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: the requests are recorded."""


def write_codex_home(folder: Path, model: ScriptedModel, *, called: str | None = OLD_MODEL) -> Path:
    """Make `folder` a `CODEX_HOME` whose only provider is `model`.

    Codex offers the tools of the model that is `called` so; of its own default without a name. Its
    plugins are off, as it looks for them at github.com each time it starts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(
        f"""\
{"" if called is None else f'model = "{called}"'}
model_provider = "scripted"

[model_providers.scripted]
name = "scripted"
base_url = "{model.base_url}"
wire_api = "responses"
requires_openai_auth = false
request_max_retries = 0
stream_max_retries = 0
supports_websockets = false

[features]
plugins = false
shell_snapshot = false

[analytics]
enabled = false
""",
        encoding="utf-8",
    )
    return folder


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve a named script until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.codex.scripted_model")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", choices=["by-prompt", *NAMED], default="by-prompt")
    parser.add_argument("--codex-home", type=Path, help="also write a CODEX_HOME here")
    options = parser.parse_args(arguments)
    model = ScriptedModel(port=options.port)
    if options.script == "by-prompt":
        model.choose = by_prompt
    else:
        model.script = NAMED[options.script]
    with model:
        print(f"The scripted model serves {model.base_url}", flush=True)  # noqa: T201 - a command
        if options.codex_home is not None:
            write_codex_home(options.codex_home, model)
            print(f"CODEX_HOME={options.codex_home.resolve()}", flush=True)  # noqa: T201 - the same
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
