"""`approve`, `reject` and `answer`; and how an approval is asked for in the terminal."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Mapping, Sequence
from getpass import getpass
from typing import IO, Any, Final

import click

from command_center.http.cli.client.known import ids
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import cleaned, line_of, painted, said
from command_center_client import calls
from command_center_client.connection import CommandCenter
from command_center_client.errors import CallRefused

NAME: Final = "command-center"
PENDING: Final = ids("approvals", status="pending")
LOOK_SECONDS: Final = 1.0
"""Time between two looks whether somebody else has decided, while a person thinks."""

CONFLICT: Final = 409
WRONG: Final = 400


@click.command()
@click.argument("approval", type=int, shell_complete=PENDING)
@click.option(
    "--session", "for_session", is_flag=True, help="Allow it for the rest of the session."
)
@click.option("--note", metavar="TEXT", help="What to keep with the decision.")
@asks_server
def approve(center: CommandCenter, *, approval: int, for_session: bool, note: str | None) -> None:
    """Approve what waits on a person."""
    _say(decide(center, approval, "approved", for_session=for_session, note=note))


@click.command()
@click.argument("approval", type=int, shell_complete=PENDING)
@click.option("--note", metavar="TEXT", help="What to keep with the decision.")
@asks_server
def reject(center: CommandCenter, *, approval: int, note: str | None) -> None:
    """Reject what waits on a person."""
    _say(decide(center, approval, "rejected", note=note))


@click.command()
@click.argument("approval", type=int, shell_complete=PENDING)
@click.argument("answers", nargs=-1, required=True, metavar="QUESTION=ANSWER...")
@asks_server
def answer(center: CommandCenter, *, approval: int, answers: tuple[str, ...]) -> None:
    """Answer what Codex asks, by the ids of its questions, or a form, by the names of its fields.

    `show approval ID` has them. A form's values are JSON, or else texts.
    """
    is_form = center.send(calls.get_approval(approval))["kind"] == "elicitation"
    told: dict[str, Any] = {}
    for text in answers:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"An answer is QUESTION=ANSWER, not {text!r}.")
        told[name] = _value(value) if is_form else value
    _say(decide(center, approval, "approved", answers=told))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def decide(
    center: CommandCenter,
    approval: int,
    status: Any,
    *,
    for_session: bool = False,
    note: str | None = None,
    answers: Mapping[str, Any] | None = None,
) -> Any:
    """Settle an approval, and return it."""
    body: dict[str, Any] = {"status": status, "resolvedBy": NAME}
    if note is not None:
        body["resolutionNote"] = note
    if for_session:
        body["scope"] = "session"
    if answers is not None:
        body["answers"] = answers
    return center.send(calls.resolve_approval(approval, **body))


def _say(settled: Any) -> None:
    click.echo(f"Approval {settled['id']} is {settled['status']}: {line_of(settled['title'])}")


class Asker:
    """A person at the terminal, who is asked for what a run may do."""

    def __init__(self, center: CommandCenter, source: IO[str]) -> None:
        """Read what they type from `source`, which is a terminal."""
        self._center = center
        self._source = source

    def ask(self, number: int) -> None:
        """Ask for one approval until it is settled, here or by somebody else."""
        approval = self._center.send(calls.get_approval(number))
        if approval["status"] != "pending":
            return
        click.echo(painted(f"? {line_of(approval['title'])}", "yellow"))
        if approval["kind"] == "user_input":
            while not self._answer(number, approval["details"]["questions"]):
                pass
        else:
            self._choose(number, approval)

    def _choose(self, number: int, approval: Mapping[str, Any]) -> None:
        if approval["kind"] == "elicitation" and approval["details"].get("schema"):
            click.echo(f"  Fill it in elsewhere: command-center answer {number} FIELD=VALUE")
            _details(approval)
        is_for_session = approval["kind"] in {"command", "file_change", "permissions"}
        choices = f"[y]es, [n]o{', for the [s]ession' if is_for_session else ''}, [d]etails"
        while True:
            typed = self._line(f"  {choices}? ", number)
            if typed is None:
                return
            match typed.strip().lower():
                case "y" | "yes":
                    self._settle(number, "approved")
                    return
                case "s" | "session" if is_for_session:
                    self._settle(number, "approved", for_session=True)
                    return
                case "n" | "no":
                    self._settle(number, "rejected")
                    return
                case "d" | "details":
                    _details(approval)
                case _:
                    click.echo(f"  Type one of {choices}.")

    def _answer(self, number: int, questions: Sequence[Mapping[str, Any]]) -> bool:
        """Ask each question, and send all answers together; nothing typed rejects.

        Return False if the server takes an answer for a wrong one.
        """
        answers: dict[str, Any] = {}
        for question in questions:
            click.echo(f"  {line_of(question['question'])}")
            options = [option["label"] for option in question.get("options") or ()]
            for place, option in enumerate(options, 1):
                click.echo(f"    {place}. {line_of(option)}")
            prompt = "  Answer (or nothing, to reject)? "
            is_secret = question.get("isSecret", False)
            typed = getpass(prompt) if is_secret else self._line(prompt, number)
            if typed is None:
                return True
            text = typed.strip()
            if not text:
                return self._settle(number, "rejected")
            is_place = text.isdecimal() and 0 < int(text) <= len(options)
            answers[question["id"]] = options[int(text) - 1] if is_place else text
        return self._settle(number, "approved", answers=answers)

    def _settle(
        self,
        number: int,
        status: str,
        *,
        for_session: bool = False,
        answers: Mapping[str, Any] | None = None,
    ) -> bool:
        """Settle it, unless somebody else has; return False if the answers are wrong."""
        try:
            decide(self._center, number, status, for_session=for_session, answers=answers)
        except CallRefused as error:
            if error.status not in {CONFLICT, WRONG}:
                raise
            click.echo(f"  {line_of(error)}")
            return error.status == CONFLICT
        return True

    def _line(self, prompt: str, number: int) -> str | None:
        """Return what is typed; None once somebody else has decided, or nothing can be typed."""
        click.echo(prompt, nl=False)
        while os.name == "posix":
            ready, _, _ = select.select([self._source], [], [], LOOK_SECONDS)
            if ready:
                break
            now = self._center.send(calls.get_approval(number))
            if now["status"] != "pending":
                click.echo(f"\n  {line_of(now['resolvedBy'] or 'the server')}: {now['status']}")
                return None
        return self._source.readline() or None


def _details(approval: Mapping[str, Any]) -> None:
    for name, value in approval["details"].items():
        if value not in (None, "", [], {}):
            text = cleaned(said(value)).replace("\n", "\n    ")
            click.echo(f"  {painted(cleaned(name), 'bold')}: {text}")


def terminal() -> IO[str] | None:
    """Return where a person types, if one sits there; also where the prompt came by a pipe."""
    if sys.stdin.isatty():
        return sys.stdin
    if not sys.stdout.isatty() or os.name != "posix":
        return None
    try:
        return open("/dev/tty", encoding="utf-8")  # noqa: PTH123 - a device, open to the end
    except OSError:
        return None
