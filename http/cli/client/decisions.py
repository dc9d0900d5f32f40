"""`approve`, `reject` and `answer`; and how an approval is asked for in the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import click

from command_center.http.cli.client.console import Console
from command_center.http.cli.client.known import ids
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import cleaned, echo, line_of, painted, said
from command_center.http.cli.client.whole import whole
from command_center_client import calls
from command_center_client.call import at
from command_center_client.connection import CommandCenter
from command_center_client.errors import CallRefused

NAME: Final = "command-center"
PENDING: Final = ids("approvals", status="pending")
LATER: Final = frozenset(
    {
        "alwaysAllow",
        "commandKind",
        "diff",
        "environmentId",
        "permissions",
        "proposedNetworkRules",
        "proposedRule",
        "questions",
        "schema",
        "script",
    }
)
"""Details that are long, or say again what others do: [d]etails shows them. All else is shown
before anybody decides, however long it is."""

ASKING: Final = frozenset({"user_input", "elicitation"})
"""Kinds of approvals that want an answer, and not only a decision."""

FOR_SESSION: Final = frozenset({"command", "file_change", "permissions"})
"""Kinds of approvals that can be allowed for the rest of their session."""

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
    _say(center, decide(center, approval, "approved", for_session=for_session, note=note))


@click.command()
@click.argument("approval", type=int, shell_complete=PENDING)
@click.option("--note", metavar="TEXT", help="What to keep with the decision.")
@asks_server
def reject(center: CommandCenter, *, approval: int, note: str | None) -> None:
    """Reject what waits on a person."""
    _say(center, decide(center, approval, "rejected", note=note))


@click.command()
@click.argument("approval", type=int, shell_complete=PENDING)
@click.argument("answers", nargs=-1, required=True, metavar="QUESTION=ANSWER...")
@asks_server
def answer(center: CommandCenter, *, approval: int, answers: tuple[str, ...]) -> None:
    """Answer what Codex asks, by the ids of its questions, or a form, by the names of its fields.

    `show approval ID` has them. A form's values are JSON, or else texts.
    """
    told: dict[str, Any] = dict(map(_pair, answers))
    if center.send(calls.get_approval(approval))["kind"] == "elicitation":
        told = {name: _value(text) for name, text in told.items()}
    _say(center, decide(center, approval, "approved", answers=told))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"An answer is QUESTION=ANSWER, not {text!r}.")
    return name, value


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


def whole_approval(center: CommandCenter, approval: int, told: Any = None) -> dict[str, Any]:
    """Return an approval of which nothing is left out; `told` is what is known of it already."""
    told = center.send(calls.get_approval(approval)) if told is None else told
    return whole(center, at("/api/approvals/{}", approval), told)


def _say(center: CommandCenter, told: Any) -> None:
    settled = whole_approval(center, told["id"], told)
    status = line_of(settled["status"])
    echo(f"Approval {line_of(settled['id'])} is {status}: {line_of(settled['title'])}")
    for line in details_of(settled, {"command"}):
        echo(line)


class Asker:
    """A person at the terminal, who is asked for what a run may do."""

    def __init__(self, center: CommandCenter, console: Console) -> None:
        """Ask at that console."""
        self._center = center
        self._console = console

    def ask(self, number: int) -> None:
        """Ask for one approval until it is settled, here or by somebody else.

        Raises:
            KeyboardInterrupt: Ctrl-C or Ctrl-D; how to decide later is told.
        """
        approval = whole_approval(self._center, number)
        if approval["status"] != "pending":
            return
        try:
            self._show(number, approval)
        except KeyboardInterrupt:
            self._console.say(f"\nApproval {number} still waits. {how_to_decide(approval)}")
            raise

    def _show(self, number: int, approval: Mapping[str, Any]) -> None:
        # An agent may write what looks like a question, but knows no approval's number.
        self._console.say(f"? Approval {number}: {line_of(approval['title'])}", "yellow")
        details = approval["details"]
        self._tell(details_of(approval, details.keys() - LATER))
        self._tell(risks_of(approval))
        if approval["kind"] == "user_input":
            while not self._answer(number, details["questions"]):
                pass
        else:
            self._choose(number, approval)

    def _tell(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._console.say(line)

    def _choose(self, number: int, approval: Mapping[str, Any]) -> None:
        details = approval["details"]
        if approval["kind"] == "elicitation" and details.get("schema"):
            self._console.say(f"  Fill it in elsewhere: {NAME} answer {number} FIELD=VALUE")
            self._tell(details_of(approval, {"schema"}))
        is_for_session = approval["kind"] in FOR_SESSION
        choices = f"[y]es, [n]o{', for the [s]ession' if is_for_session else ''}, [d]etails"
        while True:
            typed = self._typed(f"  {choices}? ", number)
            if typed is None:
                return
            match typed.lower():
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
                    self._tell(details_of(approval, details.keys()))
                case _:
                    self._console.say(f"  Type one of {choices}.")

    def _answer(self, number: int, questions: Sequence[Mapping[str, Any]]) -> bool:
        """Ask each question, and send all answers together; nothing typed rejects.

        Return False if the server takes an answer for a wrong one.
        """
        answers: dict[str, Any] = {}
        for question in questions:
            self._console.say(f"  {line_of(question['question'])}")
            options = [option["label"] for option in question.get("options") or ()]
            for place, option in enumerate(options, 1):
                self._console.say(f"    {place}. {line_of(option)}")
            prompt = "  Answer (or nothing, to reject)? "
            text = self._typed(prompt, number, is_secret=question.get("secret", False))
            if text is None:
                return True
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
            self._console.say(f"  {line_of(error)}")
            return error.status == CONFLICT
        return True

    def _typed(self, prompt: str, number: int, *, is_secret: bool = False) -> str | None:
        """Return what is typed; None once somebody else has decided."""

        def stands() -> bool:
            now = self._center.send(calls.get_approval(number))
            if now["status"] == "pending":
                return True
            by = line_of(now["resolvedBy"] or "the server")
            self._console.say(f"\n  {by}: {line_of(now['status'])}")
            return False

        return self._console.ask(prompt, stands=stands, is_secret=is_secret)


def how_to_decide(approval: Mapping[str, Any]) -> str:
    """Return the commands that settle it, as a sentence."""
    number = line_of(approval["id"])
    way = f"answer {number} QUESTION=ANSWER" if approval["kind"] in ASKING else f"approve {number}"
    return f"Decide with `{NAME} {way}` or `{NAME} reject {number}`."


def risks_of(approval: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each thing that is risky in it."""
    for risk in approval["risks"]:
        kind = line_of(risk["kind"]).replace("_", " ").capitalize()
        yield f"  {painted(f'! {kind}:', 'red')} {line_of(risk['words'])}"


def details_of(approval: Mapping[str, Any], chosen: AbstractSet[str]) -> Iterator[str]:
    """Yield the chosen details whole, each line of a text as a line."""
    for name, value in approval["details"].items():
        if name not in chosen or value in (None, "", [], {}):
            continue
        if isinstance(value, list):
            text = "\n".join(
                " ".join(map(said, item.values())) if isinstance(item, dict) else said(item)
                for item in value
            )
        else:
            text = said(value)
        body = cleaned(text).replace("\n", "\n    ")
        yield f"  {painted(cleaned(name), 'bold')}: {body}"
