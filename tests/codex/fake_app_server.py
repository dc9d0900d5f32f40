"""An app-server that does what the real one can't be made to do: `fake_app_server.py BEHAVIOUR…`.

It speaks the protocol over standard input and output. A turn's prompt is a JSON list of
directives, played in order:

- `{"notify": METHOD, "params": {…}}` tells something about the thread
- `{"ask": METHOD, "params": {…}}` asks something; its answer is told as `fake/answered`
- `{"echo": true}` says the last answer, as JSON, in a message of the assistant
- `{"raw": TEXT}` writes the text as it is; `{"fill": N}` writes a notification of N bytes
- `{"die": CODE}` exits at once; `{"hang": true}` stops reading and writing for ever

A thread whose id is `A/B` was started by the thread `A`, as `thread/read` says. One whose id begins
with `past` has had the turn `turn-1`.

Behaviours: `mute` (never answers), `deaf` (answers the handshake, then nothing), `old` (refuses
the handshake), `crash` (exits at once, with words on standard error), `overloaded=N` (refuses
the first N requests after the handshake), `unread=N` (has no file yet of the threads that the first
N `thread/read` ask for), `stubborn` (ignores the end of its input and signals,
and has a child that does so too), `version=X`
and `without=METHOD` (what it says of itself), `chatty` (writes garbage beside everything).
"""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, str(Path(__file__)))
"""The command that starts it; behaviours follow."""


METHODS = (
    "account/read", "initialize", "model/list", "review/start", "thread/backgroundTerminals/clean",
    "thread/backgroundTerminals/list", "thread/list", "thread/loaded/list", "thread/read",
    "thread/resume", "thread/start", "thread/turns/list", "thread/unsubscribe", "turn/interrupt",
    "turn/start", "turn/steer",
)  # fmt: skip
"""Those that it says it has, where it is asked."""

FIXED: dict[str, dict[str, Any]] = {
    "account/read": {"account": None, "requiresOpenaiAuth": False},
    "thread/loaded/list": {"data": [], "nextCursor": None},
}
"""The answers that are always the same."""

PAST: dict[str, dict[str, Any]] = {
    "thread/fork": {"thread": {"id": "past-fork"}},
    "thread/read": {"thread": {"id": "past", "cwd": str(Path.cwd())}},
    "thread/revert": {},
    "thread/turns/list": {"data": [{"id": "turn-1", "items": []}], "nextCursor": None},
}
"""The answers about threads that have a past."""

ODD: dict[str, dict[str, Any]] = {
    "thread/goal/get": {},
    "thread/list": {"data": [{"name": "It has no id."}]},
    "thread/loaded/list": {"data": [7]},
    "thread/read": {"thread": None},
    "thread/resume": {"thread": {"id": 7}},
    "thread/turns/list": {"data": [{"id": "turn-1", "items": ["no item"]}]},
    "turn/start": {"turn": []},
}
"""The answers about threads whose ids begin with `odd`: none is of the protocol."""


def known_answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """Return an answer that is always the same."""
    about = str(params.get("threadId", ""))
    if about.startswith("odd") and method in ODD:
        return ODD[method]
    return PAST.get(method) if about.startswith("past") and method in PAST else FIXED.get(method)


class FakeAppServer:
    def __init__(self, behaviours: list[str]) -> None:
        self.behaviours = behaviours
        self.overloads = 0
        self.unread = 0
        self.version = "0.163.0"
        self.missing = ""
        for behaviour in behaviours:
            if behaviour.startswith("version="):
                self.version = behaviour.partition("=")[2]
            if behaviour.startswith("without="):
                self.missing = behaviour.partition("=")[2]
            if behaviour.startswith("overloaded="):
                self.overloads = int(behaviour.partition("=")[2])
            if behaviour.startswith("unread="):
                self.unread = int(behaviour.partition("=")[2])
        self.threads = itertools.count(1)
        self.turns = itertools.count(1)
        self.asked = itertools.count()
        self.open: dict[int, tuple[str, dict[str, Any]]] = {}
        self.pending: list[tuple[str, list[dict[str, Any]]]] = []
        self.last_answer: dict[str, Any] = {}

    def write(self, message: dict[str, Any]) -> None:
        if "chatty" in self.behaviours:
            self.raw("this is no JSON\n\n[1, 2]\n{}\n")
        self.raw(json.dumps(message) + "\n")

    def raw(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def serve(self) -> None:
        for line in sys.stdin:
            message = json.loads(line)
            if "method" not in message:
                self.answered(message)
            elif "id" in message:
                self.request(message["id"], message["method"], message.get("params", {}))
        if "stubborn" in self.behaviours:
            threading.Event().wait()

    def request(self, id_: int, method: str, params: dict[str, Any]) -> None:
        if "mute" in self.behaviours:
            return
        if method == "initialize":
            self.initialize(id_)
        elif method == "commandCenter/methods":  # the rest of the handshake
            self.serve_request(id_, method, params)
        elif self.overloads and "deaf" not in self.behaviours:
            self.overloads -= 1
            self.fail(id_, -32001, "server overloaded; retry later")
        elif "deaf" not in self.behaviours:
            self.serve_request(id_, method, params)

    def initialize(self, id_: int) -> None:
        if "old" in self.behaviours:
            self.fail(id_, -32600, "unknown variant `initialize`")
        else:
            self.write({"id": id_, "result": {"userAgent": f"fake/{self.version} (test)"}})

    def serve_request(self, id_: int, method: str, params: dict[str, Any]) -> None:
        match method:
            case _ if (known := known_answer(method, params)) is not None:
                self.write({"id": id_, "result": known})
            case "thread/start":
                thread_id = f"thread-{next(self.threads)}"
                profile = (params or {}).get("permissions")
                held = {"activePermissionProfile": {"id": profile}} if profile else {}
                self.write({"id": id_, "result": {"thread": {"id": thread_id}, **held}})
            case "thread/resume":
                self.write({"id": id_, "result": {"thread": {"id": params["threadId"]}}})
                self.ask_again(params["threadId"])
            case "thread/read" if self.unread:
                self.unread -= 1
                self.fail(id_, -32603, "failed to read thread: its rollout is empty")
            case "thread/read":
                parent = params["threadId"].rpartition("/")[0] or None
                thread = {
                    "id": params["threadId"],
                    "parentThreadId": parent,
                    "cwd": str(Path.cwd()),
                }
                self.write({"id": id_, "result": {"thread": thread}})
            case "turn/start":
                turn_id = f"turn-{next(self.turns)}"
                self.write({"id": id_, "result": {"turn": {"id": turn_id}}})
                self.pending.append((turn_id, json.loads(params["input"][0]["text"])))
                self.play(params["threadId"])
            case "turn/steer":
                self.write({"id": id_, "result": {"turnId": params["expectedTurnId"]}})
            case "fake/environment":
                self.write({"id": id_, "result": dict(os.environ)})
            case "commandCenter/methods":
                names = ", ".join(f"`{name}`" for name in METHODS if name != self.missing)
                said = f"Invalid request: unknown variant `{method}`, expected one of {names}"
                self.fail(id_, -32600, said)
            case _:
                self.fail(id_, -32600, f"Invalid request: unknown variant `{method}`")

    def ask_again(self, thread_id: str) -> None:
        for id_, (method, params) in self.open.items():
            if params["threadId"] == thread_id:
                self.write({"id": id_, "method": method, "params": params})

    def play(self, thread_id: str) -> None:
        while self.pending:
            turn_id, directives = self.pending[0]
            while directives:
                if not self.obey(directives.pop(0), {"threadId": thread_id, "turnId": turn_id}):
                    return
            self.pending.pop(0)
            turn: dict[str, Any] = {
                "id": turn_id,
                "status": "completed",
                "items": [],
                "error": None,
            }
            self.write(
                {"method": "turn/completed", "params": {"threadId": thread_id, "turn": turn}}
            )

    def obey(self, directive: dict[str, Any], where: dict[str, str]) -> bool:
        """Return whether the turn goes on at once."""
        params = {**where, **directive.get("params", {})}
        match directive:
            case {"notify": method}:
                self.write({"method": method, "params": params})
            case {"ask": method}:
                id_ = next(self.asked)
                self.open[id_] = (method, params)
                self.write({"id": id_, "method": method, "params": params})
                return bool(directive.get("goOn"))
            case {"echo": _}:
                said = json.dumps(self.last_answer)
                item = {"type": "agentMessage", "id": f"say-{where['turnId']}", "text": said}
                self.write({"method": "item/completed", "params": {**where, "item": item}})
            case {"raw": text}:
                self.raw(text)
            case {"fill": size}:
                self.write({"method": "fake/filled", "params": {**where, "x": "x" * size}})
            case {"die": code}:
                os._exit(code)
            case {"hang": _}:
                threading.Event().wait()
        return True

    def answered(self, message: dict[str, Any]) -> None:
        method, params = self.open.pop(message["id"])
        self.last_answer = message.get("result") or {"error": message.get("error")}
        thread_id = params["threadId"]
        resolved = {"threadId": thread_id, "requestId": message["id"]}
        self.write({"method": "serverRequest/resolved", "params": resolved})
        told = {"threadId": thread_id, "asked": method, "answer": message}
        self.write({"method": "fake/answered", "params": told})
        self.play(thread_id)

    def fail(self, id_: int, code: int, message: str) -> None:
        self.write({"id": id_, "error": {"code": code, "message": message}})


STUBBORN_CHILD = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
)


def main() -> None:
    behaviours = list(itertools.takewhile(lambda word: word != "app-server", sys.argv[1:]))
    if "crash" in behaviours:
        sys.stderr.write(
            "starting\nError: no such config, token sk-proj-abcdefghijklmnop12345678\n"
        )
        sys.exit(3)
    if "stubborn" in behaviours:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", STUBBORN_CHILD], start_new_session=True)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        FakeAppServer(behaviours).serve()


if __name__ == "__main__":
    main()
