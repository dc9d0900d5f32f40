"""A stand-in for Codex in the demo: `python -m command_center.http.demo.fake_codex app-server`.

It speaks the app-server's protocol over standard input and output as far as Command Center uses
it, plays what `scripts` has for a prompt, and says in each turn that it is a demo. No model is
asked and no command is run; the files of the sample repositories are the only thing it writes.
"""

from __future__ import annotations

import difflib
import itertools
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec

from command_center.actors.codex.versions import NEWEST
from command_center.http.demo.scripts import (
    Ask,
    Change,
    Plan,
    Play,
    Say,
    ScriptedCommand,
    Step,
    Think,
    play_for,
)

MODEL = "demo-model"
STEERED = "Understood, I take that into account from here on."
WORD_SECONDS = 0.045
JSON = dict[str, Any]
NO_ACCOUNT: JSON = {"account": None, "requiresOpenaiAuth": False}


class Interrupted(Exception):
    """The turn has to end now."""


@attrs.define(eq=False)
class FakeThread:
    """A conversation, in memory alone."""

    id: str
    cwd: Path
    preview: str = ""
    turn: Turn | None = None
    turns: list[JSON] = attrs.field(factory=list)
    used: int = 0
    updated_at: float = attrs.field(factory=time.time)
    name: str | None = None
    is_archived: bool = False

    def shown(self) -> JSON:
        """Return the thread as a list shows it."""
        status: JSON = {"type": "idle" if self.turn is None else "active", "activeFlags": []}
        return {
            "id": self.id,
            "name": self.name,
            "preview": self.preview,
            "cwd": str(self.cwd),
            "path": "archived_sessions" if self.is_archived else None,
            "status": status,
            "updatedAt": int(self.updated_at),
        }


@attrs.define(eq=False)
class Turn:
    """A turn under way, played by a thread of its own."""

    id: str
    items: list[JSON] = attrs.field(factory=list)
    steered: list[str] = attrs.field(factory=list)
    ended: threading.Event = attrs.field(factory=threading.Event)


class DemoCodex:
    """The app-server: answers requests as they come, and lets turns play beside them."""

    def __init__(self) -> None:
        self._threads: dict[str, FakeThread] = {}
        self._numbers = itertools.count(1)
        self._asked: dict[int, tuple[threading.Event, list[JSON]]] = {}
        self._writing = threading.Lock()

    def serve(self) -> None:
        """Serve until the other side closes."""
        for line in sys.stdin.buffer:
            message = msgspec.json.decode(line)
            if "method" not in message:
                came, answer = self._asked.pop(message["id"], (None, []))
                answer.append(message)
                if came is not None:
                    came.set()
            elif "id" in message:
                self._answer(message["id"], message["method"], message.get("params") or {})

    def _write(self, message: JSON) -> None:
        with self._writing:
            sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
            sys.stdout.buffer.flush()

    def _tell(self, method: str, **params: Any) -> None:
        self._write({"method": method, "params": params})

    def _answer(self, request: int | str, method: str, params: JSON) -> None:
        thread = self._threads.get(params.get("threadId", ""))
        result = self._about_all(method, params) if thread is None else None
        if thread is not None:
            result = self._about_thread(thread, method, params)
        if result is None:
            asked = params.get("threadId")
            is_gone = asked is not None and thread is None
            message = (
                f"invalid thread id: {asked}" if is_gone else f"The demo has no {method} here."
            )
            error = {"code": -32600, "message": message}
            self._write({"id": request, "error": error})
        else:
            self._write({"id": request, "result": result})

    def _about_all(self, method: str, params: JSON) -> JSON | None:
        match method:
            case "initialize":
                version = ".".join(map(str, NEWEST))
                return {"userAgent": f"demo/{version} (no Codex)"}
            case "thread/start":
                thread = FakeThread(f"demo-thread-{next(self._numbers)}", Path(params["cwd"]))
                self._threads[thread.id] = thread
                profile = params.get("permissions")
                held = {"activePermissionProfile": {"id": profile}} if profile else {}
                return {"thread": thread.shown(), "model": MODEL, **held}
            case "thread/loaded/list":
                return {"data": list(self._threads), "nextCursor": None}
            case "thread/list":
                wanted = (params.get("searchTerm") or "").lower()
                archived = bool(params.get("archived"))
                shown = [
                    thread.shown()
                    for thread in self._threads.values()
                    if wanted in thread.preview.lower() and thread.is_archived is archived
                ]
                return {"data": shown[::-1], "nextCursor": None}
            case "model/list":
                model = {"id": MODEL, "model": MODEL, "displayName": "Demo (no model is asked)"}
                return {"data": [model], "nextCursor": None}
        return NO_ACCOUNT if method == "account/read" else None

    def _about_thread(self, thread: FakeThread, method: str, params: JSON) -> JSON | None:
        result: JSON | None = None
        match method:
            case "turn/start" | "review/start":
                prompt = " ".join(part.get("text", "") for part in params.get("input", ()))
                result = {"turn": self._begin(thread, prompt, params)}
            case "thread/resume" | "thread/read":
                result = {"thread": thread.shown(), "model": MODEL}
            case "thread/turns/list":
                result = {"data": thread.turns[::-1], "nextCursor": None}
            case "turn/steer" if thread.turn is not None:
                thread.turn.steered.append(params["input"][0]["text"])
                result = {"turnId": thread.turn.id}
            case "turn/interrupt" if thread.turn is not None:
                thread.turn.ended.set()
                result = {}
            case "thread/unsubscribe" | "thread/backgroundTerminals/clean":
                result = {}
            case _:
                result = self._kept(thread, method, params)
        return result

    def _kept(self, thread: FakeThread, method: str, params: JSON) -> JSON | None:
        """Do what is done with a thread beside its turns; None where it cannot be done here."""
        ids = [turn["id"] for turn in thread.turns]
        match method:
            case "thread/name/set":
                thread.name = params["name"]
            case "thread/archive" | "thread/unarchive":
                thread.is_archived = method == "thread/archive"
            case "thread/delete":
                del self._threads[thread.id]
            case "thread/revert" if params["beforeTurnId"] in ids:
                del thread.turns[ids.index(params["beforeTurnId"]) :]
            case "thread/fork":
                last = params.get("lastTurnId")
                common = ids.index(last) + 1 if last in ids else len(ids)
                fork = attrs.evolve(
                    thread,
                    id=f"demo-thread-{next(self._numbers)}",
                    turn=None,
                    turns=thread.turns[:common],
                )
                self._threads[fork.id] = fork
                return {"thread": fork.shown()}
            case _:
                return None
        return {}

    def _begin(self, thread: FakeThread, prompt: str, params: JSON) -> JSON:
        turn = Turn(f"demo-turn-{next(self._numbers)}")
        shown = {"id": turn.id, "status": "inProgress", "items": turn.items, "error": None}
        thread.turn = turn
        thread.turns.append(shown)
        thread.preview = thread.preview or prompt[:200]
        said = {"text": prompt, "clientId": params.get("clientUserMessageId")}
        player = Player(self, thread, turn, shown, said)
        threading.Thread(target=player.play, args=(play_for(prompt),), daemon=True).start()
        return dict(shown)

    def ask(self, method: str, params: JSON, ended: threading.Event) -> JSON:
        """Ask the other side, and wait for its answer or for the turn's end."""
        number = next(self._numbers)
        came, answer = threading.Event(), []  # type: ignore[var-annotated]
        self._asked[number] = (came, answer)
        self._write({"id": number, "method": method, "params": params})
        while not came.wait(0.1):
            if ended.is_set():
                raise Interrupted
        self._tell("serverRequest/resolved", threadId=params["threadId"], requestId=number)
        result: JSON = answer[0].get("result", {})
        return result

    def tell_of(self, thread: FakeThread, turn: Turn, method: str, **params: Any) -> None:
        """Tell something about a turn."""
        self._tell(method, threadId=thread.id, turnId=turn.id, **params)

    def tell_turn(self, thread: FakeThread, method: str, shown: JSON) -> None:
        """Tell that a turn has begun or ended."""
        self._tell(method, threadId=thread.id, turn={**shown, "items": []})


@attrs.define(eq=False)
class Player:
    """Plays one turn."""

    _codex: DemoCodex
    _thread: FakeThread
    _turn: Turn
    _shown: JSON
    _said: JSON
    _count: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))
    _diffs: dict[str, str] = attrs.field(factory=dict)

    def play(self, play: Play) -> None:
        """Play all steps, or those up to an interruption."""
        self._codex.tell_turn(self._thread, "turn/started", self._shown)
        content = [{"type": "text", "text": self._said["text"]}]
        message = self._item("userMessage", content=content, clientId=self._said["clientId"])
        self._finish(message)
        try:
            for step in play:
                self._step(step)
                while self._turn.steered:
                    text = self._turn.steered.pop(0)
                    self._finish(
                        self._item("userMessage", content=[{"type": "text", "text": text}])
                    )
                    self._step(Say(STEERED))
            self._shown["status"] = "completed"
        except Interrupted:
            self._shown["status"] = "interrupted"
        self._thread.turn = None
        self._thread.updated_at = time.time()
        self._codex.tell_turn(self._thread, "turn/completed", self._shown)

    def _step(self, step: Step) -> None:
        match step:
            case Say(text):
                item = self._begun("agentMessage", text="")
                self._stream("item/agentMessage/delta", item, text)
                self._finish({**item, "text": text})
            case Think(text):
                item = self._begun("reasoning", summary=[], content=[])
                self._stream("item/reasoning/summaryTextDelta", item, text)
                self._finish({**item, "summary": [text]})
            case Plan(steps):
                plan = [{"step": name, "status": status} for name, status in steps]
                self._tell("turn/plan/updated", plan=plan, explanation=None)
            case ScriptedCommand():
                self._command(step)
            case Change():
                self._change(step)
            case Ask():
                self._ask(step)
        self._use(len(str(step)) * 9)

    def _command(self, step: ScriptedCommand) -> None:
        cwd = str(self._thread.cwd)
        command = f"/bin/bash -lc '{step.command}'"
        item = self._begun("commandExecution", command=command, cwd=cwd, status="inProgress")
        if step.reason is not None:
            answer = self._request(
                "item/commandExecution/requestApproval",
                itemId=item["id"],
                command=command,
                cwd=cwd,
                reason=step.reason,
            )
            if not str(answer.get("decision", "")).startswith("accept"):
                self._finish({**item, "status": "declined", "aggregatedOutput": ""})
                self._step(Say("Then I leave that out, and go on without it."))
                return
        began = time.monotonic()
        for line in step.output.splitlines(keepends=True):
            self._pause(step.seconds / max(1, step.output.count("\n")))
            self._tell("item/commandExecution/outputDelta", itemId=item["id"], delta=line)
        self._finish(
            {
                **item,
                "status": "completed" if step.exit_code == 0 else "failed",
                "aggregatedOutput": step.output,
                "exitCode": step.exit_code,
                "durationMs": int((time.monotonic() - began) * 1000),
            }
        )

    def _change(self, step: Change) -> None:
        path = self._thread.cwd / step.path
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = before.replace(step.old, step.new, 1) if step.old else step.new
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=3, lineterm="")
        hunk = "\n".join(list(lines)[2:])
        kind = "update" if before else "add"
        change = {"path": str(path), "kind": {"type": kind}, "diff": hunk if before else after}
        item = self._begun("fileChange", changes=[change], status="inProgress")
        self._pause(0.8)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(after, encoding="utf-8")
        self._finish({**item, "status": "completed"})
        old = f"a/{step.path}" if before else "/dev/null"
        head = f"diff --git a/{step.path} b/{step.path}\n--- {old}\n+++ b/{step.path}\n"
        self._diffs[step.path] = f"{head}{hunk}\n"
        self._tell("turn/diff/updated", diff="".join(self._diffs.values()))

    def _ask(self, step: Ask) -> None:
        options = [{"label": label, "description": text} for label, text in step.options]
        question = {
            "id": "choice",
            "header": step.header,
            "question": step.question,
            "options": options,
            "isOther": True,
        }
        answer = self._request(
            "item/tool/requestUserInput",
            itemId=f"{self._turn.id}-question-{next(self._count)}",
            questions=[question],
        )
        given = answer.get("answers", {}).get("choice", {}).get("answers") or ["nothing"]
        self._step(Say(f"You chose **{given[0]}**. I go on with that."))

    def _request(self, method: str, **params: Any) -> JSON:
        where = {"threadId": self._thread.id, "turnId": self._turn.id}
        return self._codex.ask(method, {**where, **params}, self._turn.ended)

    def _stream(self, method: str, item: Mapping[str, Any], text: str) -> None:
        for at, word in enumerate(text.split(" ")):
            self._pause(WORD_SECONDS)
            self._tell(method, itemId=item["id"], delta=word if at == 0 else f" {word}")

    def _item(self, kind: str, **body: Any) -> JSON:
        return {"id": f"{self._turn.id}-item-{next(self._count)}", "type": kind, **body}

    def _begun(self, kind: str, **body: Any) -> JSON:
        item = self._item(kind, **body)
        self._tell("item/started", item=item)
        return item

    def _finish(self, item: JSON) -> None:
        self._turn.items.append(item)
        self._tell("item/completed", item=item)

    def _use(self, tokens: int) -> None:
        self._thread.used += tokens
        total = {
            "totalTokens": self._thread.used,
            "inputTokens": self._thread.used * 4 // 5,
            "cachedInputTokens": self._thread.used // 2,
            "outputTokens": self._thread.used // 5,
            "reasoningOutputTokens": self._thread.used // 12,
        }
        usage = {"total": total, "last": {**total, "totalTokens": tokens}}
        self._tell("thread/tokenUsage/updated", tokenUsage=usage)

    def _tell(self, method: str, **params: Any) -> None:
        self._codex.tell_of(self._thread, self._turn, method, **params)

    def _pause(self, seconds: float) -> None:
        if self._turn.ended.wait(seconds):
            raise Interrupted


if __name__ == "__main__":
    DemoCodex().serve()
