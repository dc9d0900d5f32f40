"""A session as lines of text: its messages, commands folded, diffs coloured.

Nothing that an agent says begins a line: what stands at its beginning is a mark of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from command_center.http.cli.client.terminal import (
    STATUSES,
    cleaned,
    diff_lines,
    line_of,
    moment_of,
    painted,
)

FOLDED: Final = 12
"""Lines of a command's output that are shown where it failed; of one that did not, none are."""

ENDINGS: Final = frozenset({"completed", "failed", "stopped", "interrupted"})


def item_lines(item: Mapping[str, Any], *, verbose: bool = False) -> Iterator[str]:
    """Yield the lines of one finished item of a transcript."""
    match item.get("type"):
        case "agentMessage" | "plan":
            yield from _indented(cleaned(item.get("text", "")).splitlines())
            yield ""
        case "commandExecution":
            yield from _command(item, verbose=verbose)
        case "fileChange":
            for change in item.get("changes") or ():
                yield painted(f"~ {line_of(change.get('path', ''))}", "bold")
                yield from _indented(diff_lines(_diff_of(change)))
        case "mcpToolCall":
            yield painted(f"> {line_of(item.get('server'))}.{line_of(item.get('tool'))}", "cyan")
        case "webSearch":
            yield painted(f"> searched the web: {line_of(item.get('query', ''))}", "cyan")
        case "reasoning" if verbose:
            for part in item.get("summary") or ():
                text = part.get("text", "") if isinstance(part, Mapping) else part
                yield from (painted(f"  {line}", "dim") for line in cleaned(text).splitlines())


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" if line else "" for line in lines)


def _diff_of(change: Mapping[str, Any]) -> str:
    """Return the diff of a change: Codex gives hunks, but of a whole file its plain content."""
    text: str = change.get("diff") or ""
    kind = change.get("kind")
    name = str(kind.get("type") if isinstance(kind, Mapping) else kind)
    sign = {"add": "+", "delete": "-"}.get(name)
    return text if sign is None else "".join(f"{sign}{line}\n" for line in text.splitlines())


def _command(item: Mapping[str, Any], *, verbose: bool) -> Iterator[str]:
    lines = cleaned(item.get("aggregatedOutput") or "").splitlines()
    code = item.get("exitCode")
    is_bad = code not in (0, None)
    about = [f"exit {line_of(code)}"] if is_bad else []
    about += [f"{len(lines)} line{'' if len(lines) == 1 else 's'}"] if lines else []
    told = f"  {painted('(' + ', '.join(about) + ')', 'red' if is_bad else 'dim')}" if about else ""
    yield painted(f"$ {line_of(item.get('command', ''))}", "cyan") + told
    shown = lines if verbose else lines[-FOLDED:] if is_bad else []
    yield from (painted(f"  {line}", "dim") for line in shown)


def event_lines(event: Mapping[str, Any], *, verbose: bool = False) -> Iterator[str]:
    """Yield the lines of what an event tells in the story of its session; most tell nothing."""
    data = event["data"] or {}
    kind = event["type"]
    if kind == "session.item" and "agentId" not in data:
        yield from item_lines(data["item"], verbose=verbose)
    elif kind == "session.warning":
        yield painted(f"! {line_of(data.get('message', ''))}", "yellow")
    elif kind == "session.placed":
        yield painted(f"- {line_of(data.get('reason', ''))}", "dim")
    elif kind == "approval.resolved":
        yield painted(f"- {line_of(data.get('status', 'settled'))}", "dim")
    elif kind.startswith("session.") and kind.partition(".")[2] in ENDINGS:
        status = kind.partition(".")[2]
        reason = data.get("exitReason")
        told = f"{status}: {line_of(reason)}" if reason and status != "completed" else status
        yield painted(told, STATUSES[status])


def summary_of(event: Mapping[str, Any]) -> str:
    """Return one line that tells of any event."""
    about = " ".join(
        f"{name.removesuffix('Id')}={line_of(event[name])}"
        for name in ("repositoryId", "taskId", "sessionId", "approvalId", "automationId")
        if name in event
    )
    number = "live" if event["id"] is None else line_of(event["id"])
    at = line_of(moment_of(event["ts"], "%Y-%m-%d %H:%M:%S"))
    return (
        f"{number:>7}  {at}  {painted(line_of(event['type']).ljust(26), 'bold')} {about}".rstrip()
    )
