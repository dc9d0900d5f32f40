"""One command for each act on a session: something said to it, its work shown and landed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any, Final, Literal

import click

from command_center.http.cli.client.console import console
from command_center.http.cli.client.known import ids, names
from command_center.http.cli.client.placement import placement_of, placement_options
from command_center.http.cli.client.repositories import repository_of
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import diff_lines, echo, line_of, moment_of
from command_center_client import calls
from command_center_client.connection import CommandCenter

NAME: Final = "command-center"
SESSIONS: Final = ids("sessions")
IF_HEAD: Final = click.option(
    "--if-head",
    metavar="SHA",
    help="Only if the branch is at this commit, as `headSha` of its changes says.",
)
USUAL_PAGER: Final = "less" if os.name == "posix" else "more"
NO_PAGER: Final = frozenset({126, 127})
"""Exit codes of a shell that could not begin a command."""


@click.command()
@click.argument("session", type=int, shell_complete=SESSIONS)
@click.argument("message")
@asks_server
def steer(center: CommandCenter, *, session: int, message: str) -> None:
    """Tell the running turn of SESSION something."""
    center.send(calls.steer_session(session, message=_text(message), requestedBy=NAME))
    echo(f"Session {session} has heard it.")


@click.command("follow-up")
@click.argument("session", type=int, shell_complete=SESSIONS)
@click.argument("message")
@asks_server
def follow_up(center: CommandCenter, *, session: int, message: str) -> None:
    """Say MESSAGE (- reads it from stdin) in the thread of SESSION, once its turn has ended."""
    told = center.send(calls.say(session, message=_text(message), how="followup", requestedBy=NAME))
    if told["how"] == "followup":
        echo(f"It is said when the turn of session {line_of(told['session']['id'])} has ended.")
    else:
        echo(f"Session {line_of(told['session']['id'])} says it.")


@click.command()
@click.argument("session", type=int, shell_complete=SESSIONS)
@click.option("--reason", metavar="TEXT", help="What to keep with it.")
@asks_server
def stop(center: CommandCenter, *, session: int, reason: str | None) -> None:
    """Stop SESSION."""
    wanted: dict[str, Any] = {"requestedBy": NAME}
    if reason is not None:
        wanted["reason"] = reason
    ended = center.send(calls.stop_session(session, **wanted))["session"]
    echo(f"Session {session} is {line_of(ended['status'])}.")


@click.command()
@click.argument("session", type=int, shell_complete=SESSIONS)
@asks_server
def abandon(center: CommandCenter, *, session: int) -> None:
    """Wait no longer for the turn of SESSION, whose host does not come back."""
    center.send(calls.abandon_turn(session, requestedBy=NAME))
    echo(f"Nothing waits for session {session} any more. Its turn is ended if its host is back.")


@click.command()
@click.argument("session", type=int, shell_complete=SESSIONS)
@click.option("--stat", is_flag=True, help="List the files alone.")
@click.option("--no-pager", is_flag=True, help="Print it without the pager.")
@asks_server
def diff(center: CommandCenter, *, session: int, stat: bool, no_pager: bool) -> None:
    """Show what SESSION has changed, through your pager."""
    lines: list[str] = []
    for change in _changes(center, session):
        if stat:
            counts = line_of(f"+{change['additions'] or 0} -{change['deletions'] or 0}")
            lines.append(f"{counts:>12}  {line_of(change['path'])}")
            continue
        where = {"path": change["path"], "previousPath": change["previousPath"]}
        cursor: str | None = None
        text = ""
        while True:
            query: dict[str, Any] = {k: v for k, v in where.items() if v}
            query |= {} if cursor is None else {"cursor": cursor}
            page = center.send(calls.show_patch(session, **query))
            text += page["patch"] or ""
            cursor = page["nextCursor"]
            if cursor is None:
                break
        lines += diff_lines(text)
    _paged("\n".join(lines) + "\n" if lines else "", no_pager=no_pager)


def _changes(center: CommandCenter, session: int) -> list[Any]:
    found: list[Any] = []
    query: dict[str, Any] = {"limit": 500}
    while True:
        page = center.send(calls.list_changes(session, **query))
        found += page["items"]
        if page["nextCursor"] is None:
            return found
        query["cursor"] = page["nextCursor"]


def _paged(text: str, *, no_pager: bool) -> None:
    """Show it through the user's pager, as git does; print it where nobody turns pages.

    A pager is a line for the shell, as `PAGER` is for all that use it. Ctrl-C is the pager's: it
    may end a search in it, and the terminal is its own until it has ended.
    """
    pager = os.environ.get("PAGER", USUAL_PAGER).strip()
    if no_pager or not sys.stdout.isatty() or pager in {"", "cat"}:
        echo(text, nl=False)
        return
    environment = {"LESS": "FRX", **os.environ}
    # Not SIG_IGN, which the pager would inherit.
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        with subprocess.Popen(  # noqa: S602 - the user's own pager
            pager, shell=True, stdin=subprocess.PIPE, env=environment
        ) as turning:
            turning.communicate(text.encode(errors="replace"))
    finally:
        signal.signal(signal.SIGINT, before)
    if turning.returncode in NO_PAGER:  # the shell has said why
        echo(text, nl=False)


@click.command()
@click.argument("session", type=int, shell_complete=SESSIONS)
@click.option("--message", "-m", help="The message; else the one that is proposed.")
@IF_HEAD
@asks_server
def commit(
    center: CommandCenter, *, session: int, message: str | None, if_head: str | None
) -> None:
    """Commit what SESSION left, on its branch."""
    body: dict[str, Any] = {"requestedBy": NAME}
    if message is not None:
        body["message"] = message
    made = center.send(_at_head(calls.commit_session(session, **body), if_head))
    echo(
        f"{line_of(made['sha'])[:12]} on {line_of(made['branchName'])}, {_counted(made['files'])}."
    )


@click.command()
@click.argument("session", type=int, shell_complete=SESSIONS)
@click.option("--into", metavar="BRANCH", help="The branch; else that of the main checkout.")
@click.option("--strategy", type=click.Choice(["auto", "fast-forward", "merge-commit"]))
@IF_HEAD
@asks_server
def merge(
    center: CommandCenter, *, session: int, into: str | None, strategy: Any, if_head: str | None
) -> None:
    """Merge the branch of SESSION."""
    given = {"into": into, "strategy": strategy}
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    call = calls.merge_session(session, requestedBy=NAME, **body)
    merged = center.send(_at_head(call, if_head))
    echo(f"Merged: {line_of(merged.get('sha') or merged)}")


@click.command()
@click.argument("session", type=int, shell_complete=SESSIONS)
@click.option("--remote", help="The remote; else the one that the branch follows, or origin.")
@click.option(
    "--force-with-lease", is_flag=True, help="Replace what is there, if nobody added to it."
)
@IF_HEAD
@asks_server
def push(
    center: CommandCenter,
    *,
    session: int,
    remote: str | None,
    force_with_lease: bool,
    if_head: str | None,
) -> None:
    """Push the branch of SESSION."""
    body: dict[str, Any] = {"requestedBy": NAME}
    if remote is not None:
        body["remote"] = remote
    if force_with_lease:
        body["force"] = "with-lease"
    call = calls.push_session(session, **body)
    told = center.send(_at_head(call, if_head))
    line = f"{line_of(told['branchName'])} to {line_of(told['remote'])}: {line_of(told['status'])}"
    if told["status"] == "waiting_approval":
        line += f". Decide with `command-center approve {line_of(told['approvalId'])}`"
    elif told["problem"]:
        line += f": {line_of(told['problem'])}"
    echo(f"{line}.")


@click.command()
@click.argument("session", type=int, shell_complete=SESSIONS)
@click.option("--title", help="Its title; else that of the task.")
@click.option("--body", help="Its text.")
@click.option("--base", metavar="BRANCH", help="The branch to merge into; else the usual one.")
@click.option("--draft", is_flag=True, help="Open it as a draft.")
@asks_server
def pr(center: CommandCenter, *, session: int, draft: bool, **given: str | None) -> None:
    """Open a pull request of what SESSION pushed."""
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if draft:
        body["draft"] = True
    made = center.send(calls.open_pull_request(session, requestedBy=NAME, **body))
    echo(f"{line_of(made['status'])}: {line_of(made['url'] or made['title'])}")


@click.command()
@click.argument("prompt")
@click.option(
    "--schedule", required=True, help="daily@09:00, cron:…, once@…, on_event@session.failed …"
)
@click.option(
    "--repo", default=".", shell_complete=names("repos"), help="Its folder, name or id; else here."
)
@click.option("--register", is_flag=True, help="Register the repository, if it is not, unasked.")
@click.option("--title", help="Its title; else the beginning of the prompt.")
@click.option(
    "--thread",
    type=click.Choice(["new", "same"]),
    default="new",
    help="A new thread for each run, or the same for all.",
)
@placement_options
@asks_server
def automate(
    center: CommandCenter,
    *,
    prompt: str,
    schedule: str,
    repo: str,
    register: bool,
    title: str | None,
    thread: Literal["new", "same"],
    host: str | None,
    labels: tuple[str, ...],
    any_host: bool,
) -> None:
    """Have PROMPT (- reads it from stdin) run each time that a schedule is due."""
    text = _text(prompt)
    placed = placement_of(host=host, labels=labels, any_host=any_host)
    repository = repository_of(center, repo, console(), register=register)
    made = center.send(
        calls.create_automation(
            repositoryId=repository["id"],
            title=title or text.strip().splitlines()[0][:72],
            scheduleExpr=schedule,
            thread=thread,
            payload={"prompt": text, "runInput": placed},
            requestedBy=NAME,
        )
    )
    due = made["nextRunAt"]
    if due is not None:
        when = f"next at {line_of(moment_of(due))}"
    elif schedule == "never":
        when = "when its hook is sent something, or somebody runs it by hand"
    else:
        when = f"by {line_of(made['scheduleExpr'])}"
    echo(f"Automation {line_of(made['id'])} runs {when}.")


def _at_head(call: Any, if_head: str | None) -> Any:
    """Return the call, to be done only at the commit that is named, if one is."""
    return call if if_head is None else call.provided(if_match=f'"{if_head}"')


def _text(given: str) -> str:
    text = sys.stdin.read() if given == "-" else given
    if not text.strip():
        raise click.UsageError("There is nothing to say.")
    return text


def _counted(files: Any) -> str:
    count = files if isinstance(files, int) else len(files)
    return f"{count} file{'' if count == 1 else 's'}"
