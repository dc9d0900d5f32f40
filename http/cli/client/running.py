"""`run`: a task made, run, followed and decided on, in one terminal.

Exit codes: 0 completed, 1 failed or interrupted, 2 wrong use, 3 stopped, 4 waits for a decision
with `--no-ask`, 5 no server, 130 Ctrl-C, after which the run goes on.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from command_center.http.cli.client.decisions import Asker, terminal
from command_center.http.cli.client.known import names
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import cleaned, json_of, line_of, painted
from command_center.http.cli.client.transcript import ENDINGS, event_lines
from command_center_client import calls
from command_center_client.connection import CommandCenter
from command_center_client.errors import ClientError, LogChanged
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
    asker = None if no_ask or how == "detach" else terminal()
    repository = repository_of(center, options["repo"], asker, register=options["register"])
    session = _begin(center, repository, prompt, options)
    if how == "detach":
        click.echo(session["id"])
        return
    following = Following(
        center,
        session["id"],
        asker=None if asker is None else Asker(center, asker),
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
    if uploads:
        asked["attachments"] = uploads
    return center.send(calls.run_task(task["id"], requestedBy="command-center", **asked))["session"]


def repository_of(
    center: CommandCenter, named: str, person: object, *, register: bool = False
) -> int:
    """Return the id of the repository that is meant: by its id, its name, or a folder in it.

    One that is not registered is registered where a person agrees.

    Raises:
        click.UsageError: there is none.
    """
    known = [*center.every(calls.list_repositories(limit=500))]
    if named.isdecimal() or not Path(named).is_dir():
        for repository in known:
            if named in {str(repository["id"]), repository["name"]}:
                return repository["id"]
        raise click.UsageError(
            f"{named} is neither a folder nor a repository. `command-center ls repos` has them."
        )
    folder = _top_of(Path(named))
    for repository in known:
        if Path(repository["localPath"]) == folder:
            return repository["id"]
    if not register:
        if person is None:
            raise click.UsageError(
                f"{folder} is not registered. Run it again with --register, to let runs write "
                "in worktrees of their own there."
            )
        click.echo(f"{folder} is not registered. Runs may then write in worktrees of it.")
        if not click.confirm("Register it?"):
            raise click.UsageError("Nothing was run.")
    made = center.send(calls.create_repository(localPath=str(folder), allowWrite=True))
    return made["id"]


def _top_of(folder: Path) -> Path:
    """Return the main checkout that a folder belongs to, also from within one of its worktrees.

    It is read from git's own files: no git is started in a folder that may choose what that runs.
    """
    folder = folder.resolve()
    for top in (folder, *folder.parents):
        git = top / ".git"
        if git.is_dir():
            return top
        if git.is_file():  # a worktree, or a submodule, whose checkout is its own
            named = top / git.read_text().strip().removeprefix("gitdir:").strip()
            shared = named / "commondir"
            if not shared.is_file():
                return top
            common = (named / shared.read_text().strip()).resolve()
            return common.parent if common.name == ".git" else common
    raise click.UsageError(f"{folder} is not in a git repository. Name one with --repo.")


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
        self._is_lost = False
        center.outlast(on_open=self._opened, on_loss=self._lost)

    def to_its_end(self) -> int:
        """Follow it; return the exit code of its outcome."""
        if self._is_shown and not self._as_json:
            click.echo(painted(f"Session {self._session}", "dim"))
        place = LogPlace(after=0)
        try:
            while True:
                try:
                    return self._follow(place)
                except LogChanged as error:
                    click.echo(line_of(error), err=True)
                    place = LogPlace(error.last_id, error.log_id)
                    code = self._ended()
                    if code is not None:
                        return code
        except KeyboardInterrupt:
            click.echo(
                f"\nThe run goes on. See it with `command-center tail -f {self._session}`, "
                f"or end it with `command-center stop {self._session}`.",
                err=True,
            )
            return INTERRUPTED

    def _follow(self, place: LogPlace) -> int:
        events = self._center.events(
            place, on_open=self._opened, on_loss=self._lost, sessionId=self._session
        )
        for event in events:
            if self._as_json:
                click.echo(json_of(event, indent=None))
            elif self._is_shown:
                for line in event_lines(event, verbose=self._verbose):
                    click.echo(line)
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
        way = "answer" if pending["kind"] in {"user_input", "elicitation"} else "approve"
        click.echo(
            f"Waits for approval {approval}: {line_of(pending['title'])}. "
            f"Decide with `command-center {way} {approval}` or `reject {approval}`.",
            err=True,
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
            click.echo(cleaned(session["lastMessage"] or session["exitReason"] or status))
        return code

    def _opened(self) -> None:
        if self._is_lost:
            click.echo("The server is back.", err=True)
        self._is_lost = False

    def _lost(self, problem: ClientError, _seconds: float) -> None:
        if not self._is_lost:
            click.echo(f"{line_of(problem)} Trying again until it is back.", err=True)
            self._is_lost = True
