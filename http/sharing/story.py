"""A session told from its beginning to its end: read part by part, without secrets.

Secrets are taken out when a document is made, too: the settings may know more of them than they
did when the session was stored. They are looked for in the letters that are shown: a terminal's
colours can stand in the middle of one.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.rules.unified_diffs import added, changed, deleted
from command_center.http.sharing.blocks import Block, Caption, Facts, Listing, OwnRemark, Words
from command_center.http.sharing.letters import one_line, plain, plain_in
from command_center.store import Item, Page, Session, agents, items, repositories, sessions, tasks
from command_center.store.long_texts.shortening import shorten_text
from command_center.store.redaction.redact import redact

OUTPUT: Final = 16 * 1024
"""Characters of a command's output, or of what a tool answers, that are not cut."""

DIFF: Final = 1 << 20
"""Characters of a diff that are not cut."""

ITEMS: Final = 100
"""Items of a transcript that are read at once."""


@attrs.frozen
class Opened:
    """The beginning of a document: the session, and what it belongs to."""

    session: Session
    title: str
    repository: str


def opened(db: Database, session_id: int) -> Opened:
    """Read what a document begins with.

    Raises:
        RecordNotFound: there is no such session.
        DamagedRecord: it, its task or its repository is not as it was written.
    """
    session = sessions.get(db, session_id)
    return Opened(
        session,
        session.title or tasks.get(db, session.task_id).title,
        repositories.get(db, session.repository_id).name,
    )


def items_after(
    db: Database, session_id: int, cursor: str | None
) -> tuple[Page[Item], Mapping[int, str]]:
    """Read the next items of a session's transcript, and the names of the sub-agents among them."""
    if sessions.get(db, session_id).transcript_removed_at is not None:
        return Page(items=[]), {}  # the last of its rows may still be there
    page = items.page(db, {"session_id": session_id}, limit=ITEMS, cursor=cursor)
    said_by = {item.agent_id for item in page.items} - {None}
    found, _ = agents.sound(db, {"id": [*said_by]}, texts=False) if said_by else ([], [])
    return page, {one.id: one.name or one.path or f"Agent {one.id}" for one in found}


def diff_of(db: Database, session_id: int) -> tuple[str, bool]:
    """Read the session's diff, and whether it goes on beyond what is shown of one."""
    text, cursor = "", None
    while True:
        piece = sessions.piece(db, session_id, "diff", cursor)
        text, cursor = text + piece.text, piece.next_cursor
        if cursor is None or len(text) > DIFF:
            return text[:DIFF], cursor is not None or len(text) > DIFF


@attrs.frozen
class Teller:
    """Makes blocks of what was read, without `secrets`."""

    secrets: Sequence[str]

    def beginning(self, told: Opened) -> Iterator[Block]:
        """Tell what the session is, and what was asked."""
        session = self._clean(msgspec.to_builtins(told.session))
        yield Caption(1, self._text(one_line(told.title)))
        yield Facts(tuple(self._facts(session, self._text(one_line(told.repository)))))
        yield Caption(2, "Prompt")
        yield Words("Asked", session["prompt"])
        yield Caption(2, "Transcript")

    def item(self, item: Item, names: Mapping[int, str]) -> Iterator[Block]:
        """Tell an entry of the transcript."""
        body = self._clean(item.body)
        who = "Codex"
        if item.agent_id is not None:
            who = self._text(one_line(names.get(item.agent_id, f"Agent {item.agent_id}")))
        for block in _told(item.type, body, who):
            if isinstance(block, Listing):  # words of a command may be a secret together
                yield attrs.evolve(block, title=self._text(block.title))
            else:
                yield block

    def ending(self, ended: Session, diff: str, *, is_cut: bool) -> Iterator[Block]:
        """Tell what came of it: its changes, its outcome, its tokens."""
        session = self._clean(msgspec.to_builtins(ended))
        if diff:
            yield Caption(2, "Changes")
            note = "The diff is longer, and cut here." if is_cut else ""
            yield Listing("Diff", self._text(plain(diff)), "diff", note)
        yield Caption(2, "Outcome")
        facts = [("Status", _status(session)), *_usage(session["tokenUsage"])]
        if session["exitReason"]:
            facts.insert(1, ("Reason", one_line(session["exitReason"])))
        yield Facts(tuple(facts))
        if session["result"] is not None:
            text = json.dumps(session["result"], indent=2, ensure_ascii=False)
            yield Listing("Result", shorten_text(text, OUTPUT), "json")

    def _facts(self, session: Mapping[str, Any], repository: str) -> Iterator[tuple[str, str]]:
        yield "Session", one_line(session["id"])
        yield "Repository", repository
        yield "Status", _status(session)
        for name, field in (
            ("Branch", "branchName"),
            ("Model", "model"),
            ("Effort", "effort"),
            ("Sandbox", "sandbox"),
            ("Asked by", "requestedBy"),
            ("Started", "startedAt"),
            ("Finished", "finishedAt"),
        ):
            if session[field]:
                yield name, one_line(session[field])

    def _text(self, text: str) -> str:
        clean: str = redact(text, self.secrets)
        return clean

    def _clean(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return plain JSON in letters that can be shown, without secrets."""
        clean: dict[str, Any] = redact(plain_in(value), self.secrets)
        return clean


def _status(session: Mapping[str, Any]) -> str:
    return one_line(session["status"]).replace("_", " ")


def _usage(usage: object) -> Iterator[tuple[str, str]]:
    total = usage.get("total") if isinstance(usage, Mapping) else None
    if not isinstance(total, Mapping):
        return
    for name, field in (
        ("Tokens in", "inputTokens"),
        ("Of them cached", "cachedInputTokens"),
        ("Tokens out", "outputTokens"),
        ("Tokens in all", "totalTokens"),
    ):
        count = total.get(field)
        if isinstance(count, int):
            yield name, f"{count:,}"


def _told(kind: str, body: Mapping[str, Any], who: str) -> Iterator[Block]:
    match kind:
        case "userMessage":
            yield from _words("Asked", _content(body))
        case "agentMessage":
            yield from _words(who, str(body.get("text") or ""))
        case "plan":
            yield from _words(f"{who}, a plan", str(body.get("text") or ""))
        case "reasoning":
            parts = [_part(part) for part in _listed(body.get("summary"))]
            yield from _words(f"{who}, thinking", "\n\n".join(parts))
        case "commandExecution":
            yield _command(body, who)
        case "fileChange":
            diff = "".join(_change(change) for change in _listed(body.get("changes")))
            yield Listing(f"{who} changes files", _cut(diff), "diff")
        case "mcpToolCall":
            name = f"{one_line(body.get('server') or '')}.{one_line(body.get('tool') or '')}"
            answer = {key: body[key] for key in ("arguments", "result", "error") if body.get(key)}
            text = json.dumps(answer, indent=2, ensure_ascii=False) if answer else ""
            yield Listing(f"{who} calls {name}", _cut(text), "json", is_open=False)
        case "webSearch":
            yield OwnRemark(f"{who} searches the web: {one_line(body.get('query') or '')}")
        case _:
            yield OwnRemark(f"{who}: {one_line(kind)}")


def _words(who: str, text: str) -> Iterator[Block]:
    if text.strip():
        yield Words(who, text)


def _content(body: Mapping[str, Any]) -> str:
    if body.get("text"):
        return str(body["text"])
    return "\n".join(_part(part) for part in _listed(body.get("content")))


def _part(part: object) -> str:
    """Return the words of a part of a message; of a picture what it is."""
    if not isinstance(part, Mapping):
        return str(part)
    return str(part.get("text") or f"[{one_line(part.get('type') or 'part')}]")


def _command(body: Mapping[str, Any], who: str) -> Listing:
    code = body.get("exitCode")
    is_bad = code not in (0, None)
    note = f"Exit code {one_line(code)}." if is_bad else ""
    output = str(body.get("aggregatedOutput") or "")
    by = "" if who == "Codex" else f"{who}: "
    title = f"{by}$ {_script(body.get('command') or '')}"
    return Listing(title, _cut(output), "console", note, is_open=is_bad)


def _script(command: object) -> str:
    """Return the script that a shell was given, without the shell."""
    words = command if isinstance(command, list) else None
    text = " ".join(map(str, words)) if words else str(command)
    try:
        found = words or shlex.split(text)
    except ValueError:
        return text
    match found:
        case [str(shell), "-c" | "-lc", str(script)] if shell.endswith("sh"):
            return script
        case _:
            return text


def _change(change: object) -> str:
    match change:
        case {"path": str(path), "diff": str(text), "kind": {"type": str(kind), **more}}:
            if kind == "add":
                return added(path, text)
            if kind == "delete":
                return deleted(path, text)
            moved = more.get("move_path")
            return changed(path, text, target=moved if isinstance(moved, str) else None)
        case _:
            return ""


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _cut(text: str) -> str:
    return shorten_text(text, OUTPUT)
