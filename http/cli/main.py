"""The command line: every command by its name, loaded when it is asked for.

To load what all of them need takes longer than most of them do. Without a command, it serves.
What goes wrong is one line that says what happened and what to do. Exit codes: 2 for wrong use, 5
where no server answers, 1 where it refuses, 130 after Ctrl-C; `run` has more.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, NamedTuple

import click

from command_center_client.errors import CallRefused, ClientError

REFUSED: Final = 1
WRONG: Final = 2
UNREACHABLE: Final = 5
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

OUTCOMES: Final = {
    0: "It is done; of `run`, the session completed.",
    1: "It failed, or the server refused it.",
    2: "What was typed is wrong.",
    3: "The session of `run` was stopped.",
    4: "The session of `run` waits for a decision, and nobody is to be asked.",
    5: "No server answers.",
    130: "Ctrl-C, or Ctrl-D at a question.",
    141: "Nobody reads on what it prints.",
}
"""Exit codes, by what they mean."""

INVALID: Final = frozenset({400, 413, 415, 422})
"""Refusals of what was typed."""

LEADING: Final = frozenset({"--server", "--config"})
"""Options that may stand before the command, too, since they say which server is meant."""

COMPLETING: Final = "_COMMAND_CENTER_COMPLETE"
"""The variable by which a shell asks for completions."""

_HERE: Final = "command_center.http.cli"


class CommandPlace(NamedTuple):
    """A command's module and its name in there."""

    module: str
    name: str


def _in(module: str, *names: str) -> dict[str, CommandPlace]:
    return {name: CommandPlace(f"{_HERE}.{module}", name.replace("-", "_")) for name in names}


COMMANDS: Final = {
    **_in("local", "serve", "demo", "config", "doctor", "certificate"),
    **_in("backups", "backup", "restore", "compact"),
    **_in("update.commands", "update", "rollback"),
    **_in("portable", "export"),
    "import": CommandPlace(f"{_HERE}.portable", "import_"),
    **_in("host", "host"),
    **_in("service.commands", "service"),
    **_in("service.logs", "logs"),
    **_in("operating", "top", "pair"),
    **_in("cluster", "cluster"),
    **_in("telegram", "telegram"),
    **_in("client.running", "run"),
    **_in("client.lists", "ls", "show", "search"),
    **_in("client.watching", "tail"),
    **_in("client.desk", "tui"),
    **_in("client.decisions", "approve", "reject", "answer"),
    **_in("client.sessions", "steer", "follow-up", "stop", "abandon"),
    **_in("client.sessions", "diff", "commit", "merge", "push", "pr"),
    **_in("client.sessions", "automate"),
    **_in("client.sharing", "export-session"),
    **_in("client.forgetting", "forget"),
    **_in("client.hosts", "hosts"),
    **_in("client.requests", "api"),
    **_in("client.login", "login", "logout"),
    **_in("client.completing", "completion"),
    **_in("manual", "manual"),
    **_in("mcp", "mcp"),
}
"""Every command, in the order in which `--help` lists them within their part."""

PARTS: Final = {
    "Work": {
        "run": "Have Codex do what PROMPT says (- reads it from stdin), and follow it to its...",
        "tail": "Show the last events, or the transcript of SESSION from its beginning.",
        "steer": "Tell the running turn of SESSION something.",
        "follow-up": (
            "Say MESSAGE (- reads it from stdin) in the thread of SESSION, once its turn..."
        ),
        "stop": "Stop SESSION.",
        "abandon": "Wait no longer for the turn of SESSION, whose host does not come back.",
        "automate": "Have PROMPT (- reads it from stdin) run each time that a schedule is due.",
    },
    "Look": {
        "ls": "List sessions (unless another noun is given), the newest first.",
        "show": "Show one session, or the task, approval, repo, automation, thread, host,...",
        "search": "Search prompts and transcripts for all of the WORDS.",
        "diff": "Show what SESSION has changed, through your pager.",
        "export-session": "Write SESSION as one document to share, to FILE or stdout.",
        "top": "Show the actor tree of a running server, live.",
    },
    "Decide": {
        "tui": "Show what waits on you and what runs, and decide by key.",
        "approve": "Approve what waits on a person.",
        "reject": "Reject what waits on a person.",
        "answer": "Answer what Codex asks, by the ids of its questions, or a form, by the names...",
    },
    "Land": {
        "commit": "Commit what SESSION left, on its branch.",
        "merge": "Merge the branch of SESSION.",
        "push": "Push the branch of SESSION.",
        "pr": "Open a pull request of what SESSION pushed.",
    },
    "Serve": {
        "serve": "Serve until Ctrl-C, SIGTERM, or the end of the terminal.",
        "demo": "Show a living dashboard with made-up work, without Codex.",
        "config": "Show every setting and where it comes from; secrets are hidden.",
        "doctor": "Look for what keeps Command Center from working, and say what mends it.",
        "backup": "Write all that this installation has to keep to one file.",
        "restore": "Put a backup in the place of what the data folder has.",
        "update": "Put a newer version in the place of this one, through what installed it.",
        "rollback": "Put the version from before the last update back.",
        "forget": "Forget REPO, with its tasks and sessions; the folder on the disk stays.",
        "compact": "Write the database anew, so that its file is as short as what it has.",
        "export": "Write the history of this installation as JSON Lines, to FILE or stdout.",
        "import": "Take an export into this installation, all of it or nothing.",
        "host": "Have this machine be a host of a server elsewhere, which it dials.",
        "pair": "Show an address and a QR code that sign one phone or browser in, once.",
        "certificate": (
            "Make a certificate for this machine and NAMES, from an authority of its own."
        ),
        "hosts": "List the machines that repositories lie on; add, drain, resume, change or...",
        "service": "Have this machine start the server, and start it again when it fails.",
        "cluster": "Show the cluster of a server, or have another centre lead it.",
        "logs": "Show what the server has logged: the last 200 lines, or from a moment on.",
        "telegram": "Set up the Telegram bot.",
        "mcp": "Serve an agent over standard input and output, by the MCP endpoint of a...",
    },
    "Other": {
        "login": "Sign in with the CODE that `command-center pair` or the page shows.",
        "logout": "Forget how to sign in to a server.",
        "api": "Send a request to PATH, such as `api POST /api/tasks/1/run -f model=gpt-5`.",
        "completion": "Print what SHELL loads to complete commands, ids and names.",
        "manual": "Print the man page; `command-center manual | man -l -` shows it.",
    },
}
"""The commands by what they are for, each with what `--help` says of it, which loads none."""


class CommandLine(click.Group):
    """A group that loads a command by its name, and is `serve` where none is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own
        """Return all names."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        """Load one command."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        command: click.Command = getattr(import_module(place.module), place.name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        if args[0] not in COMMANDS:
            import difflib  # noqa: PLC0415 - only a slip of the fingers asks for it

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            meant = f" Did you mean {close[0]}?" if close else " See --help."
            raise click.UsageError(f"There is no command {args[0]!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's own
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands by what they are for."""
        for part, helps in PARTS.items():
            with formatter.section(part):
                formatter.write_dl([*helps.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command first: before its server, and `serve` before its flags or nothing."""
        args = _command_first(args)
        is_serve = not args or (args[0].startswith("-") and args[0] not in {"--help", "--version"})
        if is_serve and not ctx.resilient_parsing:  # a shell that completes means no command yet
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Carry the command out; Ctrl-C ends any of them without a word, while it loads, too."""
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            _write_no_more()
            sys.exit(BROKEN_PIPE)
        return done

    def main(self, *arguments: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Carry the command out, and end with its exit code; what goes wrong is one line."""
        if sys.stdout is None:  # it was closed by who began the command: they want nothing of it
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - to the end
        if COMPLETING in os.environ:
            import_module(f"{_HERE}.client.completing")  # which knows one more shell than click
        try:
            carry_out: Callable[..., Any] = super().main
            code = carry_out(*arguments, standalone_mode=False, **extra)
        except (click.ClickException, ClientError, OSError, UnicodeEncodeError) as error:
            if not standalone_mode:
                raise
            sys.exit(_failed(error))
        except click.Abort:  # somebody ended a question with Ctrl-C or Ctrl-D
            sys.exit(INTERRUPTED)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)


def _command_first(args: list[str]) -> list[str]:
    """Return the arguments with the command before `--server` and `--config`, if they stood first.

    Raises:
        click.UsageError: a server is named, and nothing that could ask it.
    """
    options = 0
    while options < len(args) and args[options].partition("=")[0] in LEADING:
        options += 1 if "=" in args[options] else 2
    if options < len(args) and args[options] in COMMANDS:
        return [args[options], *args[:options], *args[options + 1 :]]
    if args and args[0].partition("=")[0] == "--server":
        raise click.UsageError(
            "--server is for a command that asks a server, such as `command-center ls --server "
            "URL`. Without a command, command-center serves."
        )
    return args


def _failed(error: Exception) -> int:
    """Say on one line what went wrong, and return the exit code."""
    match error:
        case click.ClickException():
            ctx = error.ctx if isinstance(error, click.UsageError) else None
            _say(error.format_message(), ctx)
            return WRONG
        case UnicodeEncodeError():
            _say("What was typed has letters that cannot be sent.", None)
            return WRONG
        case OSError():  # a disk that is full, a file that cannot be read
            if error.errno == errno.ENOSPC:
                _write_no_more()
            _say(f"{error}.", None)
            return REFUSED
        case CallRefused():
            _say(str(error), None)
            return WRONG if error.status in INVALID else REFUSED
        case _:
            _say(str(error), None)
            return UNREACHABLE


def _write_no_more() -> None:
    """Have what is still buffered go nowhere, without another failure: nobody reads on."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(problem: str, ctx: click.Context | None) -> None:
    """Say on one line, in letters that command no terminal, what went wrong."""
    from command_center.http.cli.client.terminal import line_of  # noqa: PLC0415 - most need it not

    path = "command-center" if ctx is None else ctx.command_path
    click.echo(f"{path}: {line_of(problem)}", err=True)


@click.group(cls=CommandLine, context_settings={"max_content_width": 100})
@click.version_option(package_name="command-center", prog_name="command-center")
def main() -> None:
    """Put OpenAI Codex to work on local git repositories.

    Without a command, serves. Every flag of `serve` is also a setting in the environment (--port
    is CC_PORT) and in the configuration file (port).
    """
