"""`run`: a task made, run, followed and decided on, in one terminal.

Exit codes: 0 completed, 1 failed or interrupted, 2 wrong use, 3 stopped, 4 waits for a decision
with `--no-ask`, 5 no server, 130 Ctrl-C, after which the run goes on.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from command_center.http.cli.client.console import console
from command_center.http.cli.client.decisions import Asker, how_to_decide
from command_center.http.cli.client.known import names
from command_center.http.cli.client.outage import Outage
from command_center.http.cli.client.placement import placement_of, placement_options
from command_center.http.cli.client.repositories import repository_of
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import (
    cleaned,
    complain,
    echo,
    json_of,
    line_of,
    painted,
)
from command_center.http.cli.client.transcript import ENDINGS, event_lines
from command_center_client import calls
from command_center_client.connection import CommandCenter
from command_center_client.errors import CallRefused, LogChanged
from command_center_client.place import LogPlace

OUTCOMES: Final = {"completed": 0, "failed": 1, "interrupted": 1, "stopped": 3}
WAITS: Final = 4
INTERRUPTED: Final = 130

PROMPT_LENGTH: Final = 200_000
TITLE_LENGTH: Final = 72


@click.command()
@click.argument("prompt")
@click.option(
    "--repo", default=".", shell_complete=names("repos"), help="Its folder, name or id; else here."
)
@click.option("--register", is_flag=True, help="Register the repository, if it is not, unasked.")
@click.option(
    "--worktree/--no-worktree",
    "worktree",
    default=None,
    help="Work in a worktree of its own, or in the main checkout; else as the repository says.",
)
@click.option("--title", help="The task's title; else the beginning of the prompt.")
@click.option("--model", help="The model; else as the repository or Codex says.")
@click.option("--effort", help="How much the model is to think.")
@click.option(
    "--sandbox",
    type=click.Choice(["read-only", "workspace-write", "danger-full-access"]),
    help="What commands may touch; else what the repository allows.",
)
@placement_options
@click.option(
    "--image",
    "images",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A picture or text to show to Codex; may be given more than once.",
)
@click.option("--follow", "how", flag_value="follow", default="follow", help="Show it all (usual).")
@click.option("--wait", "how", flag_value="wait", help="Wait, and print its last message alone.")
@click.option("--detach", "how", flag_value="detach", help="Print the session's id, and end.")
@click.option("--no-ask", is_flag=True, help="End with code 4 where a decision is needed.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
@click.option("--verbose", "-v", is_flag=True, help="Show the output of commands, too.")
@asks_server
def run(center: CommandCenter, *, prompt: str, how: str, no_ask: bool, **options: Any) -> None:
    """Have Codex do what PROMPT says (- reads it from stdin), and follow it to its end."""
    if prompt == "-":
        prompt = sys.stdin.read(PROMPT_LENGTH + 1)
    if not prompt.strip():
        raise click.UsageError("The prompt is empty.")
    if len(prompt) > PROMPT_LENGTH:
        raise click.UsageError(f"The prompt is longer than {PROMPT_LENGTH:,} characters.")
    person = None if no_ask or how == "detach" else console()
    repository = repository_of(center, options["repo"], person, register=options["register"])
    session = _begin(center, repository["id"], prompt, options)
    if how == "detach":
        echo(line_of(session["id"]))
        return
    if how == "follow" and not options["as_json"]:
        where = f"{line_of(repository['name'])}, {line_of(repository['localPath'])}"
        echo(painted(f"Session {line_of(session['id'])} in {where}", "dim"))
    following = Following(
        center,
        session["id"],
        asker=None if person is None else Asker(center, person),
        no_ask=no_ask,
        as_json=options["as_json"],
        is_shown=how == "follow",
        verbose=options["verbose"],
    )
    sys.exit(following.to_its_end())


def _begin(center: CommandCenter, repository: int, prompt: str, options: Any) -> Any:
    """Make the task, run it, and return the session."""
    uploads = [
        center.send(calls.create_upload(path.read_bytes(), name=path.name))["id"]
        for path in options["images"]
    ]
    first = options["title"] or prompt.strip().splitlines()[0]
    title = first if len(first) <= TITLE_LENGTH else f"{first[: TITLE_LENGTH - 1]}…"
    task = center.send(
        calls.create_task(
            repositoryId=repository, title=title, prompt=prompt, requestedBy="command-center"
        )
    )
    asked: dict[str, Any] = {
        name: options[name] for name in ("model", "effort", "sandbox") if options[name]
    }
    if options["worktree"] is not None:
        asked["workplace"] = "worktree" if options["worktree"] else "main_checkout"
    asked |= placement_of(
        host=options["host"], labels=options["labels"], any_host=options["any_host"]
    )
    if uploads:
        asked["attachments"] = uploads
    run = calls.run_task(task["id"], requestedBy="command-center", **asked)
    try:
        return center.send(run)["session"]
    except CallRefused:
        # Nothing runs, so nothing is to be left that looks as if it were to be done.
        center.send(calls.patch_task(task["id"], status="cancelled"))
        raise


class Following:
    """A session that is followed to its end, through lost connections and decisions."""

    def __init__(
        self,
        center: CommandCenter,
        session: int,
        *,
        asker: Asker | None,
        no_ask: bool,
        as_json: bool,
        is_shown: bool,
        verbose: bool,
    ) -> None:
        self._center = center
        self._session = session
        self._asker = asker
        self._no_ask = no_ask
        self._as_json = as_json
        self._is_shown = is_shown
        self._verbose = verbose
        self._outage = Outage()
        center.outlast(on_open=self._outage.end, on_loss=self._outage.begin)

    def to_its_end(self) -> int:
        """Follow it; return the exit code of its outcome."""
        place = LogPlace(after=0)
        try:
            while True:
                try:
                    return self._follow(place)
                except LogChanged as error:
                    complain(line_of(error))
                    place = LogPlace(error.last_id, error.log_id)
                    code = self._ended()
                    if code is not None:
                        return code
        except KeyboardInterrupt:
            complain(
                f"\nThe run goes on. See it with `command-center tail -f {self._session}`, "
                f"or end it with `command-center stop {self._session}`."
            )
            return INTERRUPTED

    def _follow(self, place: LogPlace) -> int:
        events = self._center.events(
            place, on_open=self._outage.end, on_loss=self._outage.begin, sessionId=self._session
        )
        for event in events:
            if self._as_json:
                echo(json_of(event, indent=None))
            elif self._is_shown:
                for line in event_lines(event, verbose=self._verbose):
                    echo(line)
            kind = event["type"]
            if kind == "approval.requested" and not self._decided(event["approvalId"]):
                return WAITS
            if kind.partition(".")[2] in ENDINGS or (event["data"] or {}).get("final"):
                code = self._ended()
                if code is not None:
                    return code
        raise AssertionError  # the stream has no end

    def _decided(self, approval: int) -> bool:
        """Have a person decide, or say who can; return False where nobody is to be waited for."""
        pending = self._center.send(calls.get_approval(approval))
        if pending["status"] != "pending":
            return True
        if self._asker is not None:
            self._asker.ask(approval)
            return True
        complain(
            f"Waits for approval {approval}: {line_of(pending['title'])}. {how_to_decide(pending)}"
        )
        return not self._no_ask

    def _ended(self) -> int | None:
        """Return the exit code, if the session has ended; say what it said last if that is all."""
        session = self._center.send(calls.get_session(self._session))
        status = session["status"]
        if status == "blocked" and session["finishedAt"] is not None:
            code: int | None = OUTCOMES["stopped"]
        else:
            code = OUTCOMES.get(status)
        if code is not None and not self._is_shown and not self._as_json:
            echo(cleaned(session["lastMessage"] or session["exitReason"] or status))
        return code
