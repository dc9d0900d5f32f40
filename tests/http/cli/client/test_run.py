"""`run` in a real terminal, with the real Codex: what it shows, asks, and ends with."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from command_center.actors.codex.approvals import ELICITATION, USER_INPUT
from tests.checkout import ROOT
from tests.codex.script import AddFile, Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.codex.test_approvals import FORM_PARAMS, INPUT_PARAMS
from tests.end_to_end.server import Server
from tests.end_to_end.test_questions import asking, server_with
from tests.http.cli.client.fixtures import Person

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")

LONG = "x" * 40_000


@attrs.define
class Terminal:
    """A command in a terminal of its own."""

    process: subprocess.Popen[bytes]
    master: int
    shown: str = ""
    seen: int = 0

    def until(self, text: str) -> None:
        """Read until it has shown the text, after what was waited for before."""
        while (at := self.shown.find(text, self.seen)) < 0:
            assert self._read(), self.shown
        self.seen = at + len(text)

    def type(self, line: str) -> None:
        os.write(self.master, f"{line}\n".encode())

    def type_keys(self, keys: str) -> None:
        """Press keys, without an Enter behind them."""
        os.write(self.master, keys.encode())

    def end(self) -> int:
        """Read to its end, and return its exit code."""
        while self._read():
            pass
        return self.process.wait(30)

    def _read(self) -> bool:
        try:
            read = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            read = b""
        self.shown += read.decode(errors="replace").replace("\r\n", "\n")
        return bool(read)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.master)


def opened_terminal() -> tuple[int, int]:
    """The two ends of a new terminal."""
    if sys.platform != "win32":
        return os.openpty()
    raise NotImplementedError


def typed(
    terminals: list[Terminal],
    person: Person,
    *words: str,
    stdout: int | None = None,
    **variables: str,
) -> Terminal:
    master, slave = opened_terminal()
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("CC_", "NO_COLOR"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "command_center.http", *words],
        cwd=ROOT,
        env={
            **environment,
            "CC_SERVER": person.server or "",
            "XDG_CONFIG_HOME": str(person.home),
            "TERM": "xterm",
            "COLUMNS": "80",
            **variables,
        },
        stdin=slave,
        stdout=slave if stdout is None else stdout,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    terminals.append(Terminal(process, master))
    return terminals[-1]


def signal_group(shell: Terminal, number: int) -> None:
    """Send a signal to all that runs in the terminal, as it does itself at Ctrl-C."""
    if sys.platform != "win32":
        os.killpg(shell.process.pid, number)


def test_a_run_is_followed_decided_and_ended_in_the_terminal(  # noqa: PLR0915 - one long story
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
    terminals: list[Terminal],
) -> None:
    person = Person(codex_server.url, tmp_path / "home")
    escapes = Say.text("I \x1b]0;own\x07 it.")
    scripted_model.script = (
        Run("echo one; echo two"),
        AddFile("new.txt", "Hello\n"),
        Run(f"touch /asked\necho {LONG} in the middle {LONG} whole", justification="May I?"),
        escapes,
    )
    shell = typed(terminals, person, "run", "Do it.", "--repo", str(repository))
    shell.until("Register it?")
    shell.type("y\ny\ny")  # what is typed before a question stands there answers nothing
    shell.until("[d]etails? ")
    asked = shell.shown.partition("? Approval 1: Run: touch /asked")[2]
    assert "\n    echo xxx" in asked  # the whole command is there before the choice
    assert "xxx in the middle xxx" in asked  # also where an answer leaves that out
    assert "xxx whole" in asked
    assert "! Outside folder:" in asked
    assert "alwaysAllow" not in asked  # which can be chosen in the page alone
    shell.type("what")
    shell.until("Type one of")
    assert "proposedRule" not in shell.shown
    shell.until("[d]etails? ")  # what is typed before is thrown away
    shell.type("d")
    shell.until("script\x1b[0m: touch /asked")
    shell.until("[d]etails? ")
    shell.type("n")
    assert 0 == shell.end()
    (told,) = json.loads(person.sees("ls", "approvals", "--json"))
    assert "details" in told["shortened"]
    assert "xxx in the middle xxx" in person.sees("show", "approval", "1", "--fields", "details")
    assert "(2 lines)" in shell.shown
    assert "one\n" not in shell.shown  # folded
    assert "\x1b[32m+Hello\x1b[0m" in shell.shown
    assert r"I \x1b]0;own\x07 it." in shell.shown
    assert shell.shown.endswith("\x1b[32mcompleted\x1b[0m\n")
    (thread,) = person.sees("ls", "threads").splitlines()
    assert [thread.split("\t")[0]] == person.sees("ls", "threads", "-q").split()
    assert "+Hello" in person.sees("diff", "1")
    assert "new.txt" in person.sees("diff", "1", "--stat")
    # Ctrl-C is the pager's, which a shell begins.
    waits = "sleep 60 & s=$!; trap 'kill $s; echo searched' INT; echo paging; wait; sed 's/^/| /'"
    shell = typed(terminals, person, "diff", "1", PAGER=waits)
    shell.until("paging")
    signal_group(shell, signal.SIGINT)
    shell.until("searched")
    assert 0 == shell.end()
    assert "| \x1b[32m+Hello" in shell.shown
    assert "1 file." in person.sees("commit", "1", "-m", "Say hello")
    assert "Merged" in person.sees("merge", "1", "--strategy", "merge-commit")
    assert "Hello\n" == (repository / "new.txt").read_text()

    # Somebody else decides while the question stands there.
    scripted_model.script = (Run("touch /asked", justification="May I?"), Say.text("Well."))
    shell = typed(terminals, person, "run", "Again.", "--repo", str(repository))
    shell.until("[d]etails? ")
    (waiting,) = json.loads(person.sees("ls", "approvals", "--status", "pending", "--json"))
    person.sees("reject", str(waiting["id"]))
    shell.until("rejected")
    assert 0 == shell.end()

    # Nobody is asked; then somebody else stops it.
    scripted_model.script = (Run("touch /asked", justification="May I?"), Say.text("Well."))
    where = ("--repo", str(repository))
    told = person.types("run", "Once more.", "--no-ask", *where)
    assert (4, True) == (told.exit_code, "Decide with `command-center approve" in told.stderr)
    assert "Session 3 is stopped." in person.sees("stop", "3")
    gate = Gate()
    scripted_model.script = (Say.text("Wait", gate, " for it."),)
    shell = typed(terminals, person, "run", "-", *where)
    shell.type("Something else.\n\x04")
    gate.wait_until_reached()
    person.sees("stop", "4")
    assert 3 == shell.end()
    gate.open()

    # Ctrl-C leaves it running, and says how to come back.
    gate = Gate()
    scripted_model.script = (Say.text("Wait", gate, " for it."), Say.text("And", gate, " again."))
    shell = typed(terminals, person, "run", "Slowly.", *where)
    gate.wait_until_reached()
    shell.until("Session 5")
    shell.process.send_signal(signal.SIGINT)
    assert 130 == shell.end()
    assert "The run goes on. See it with `command-center tail -f 5`" in shell.shown
    watching = typed(terminals, person, "tail", "-f", "5")
    assert "Session 5 has heard it." in person.sees("steer", "5", "Faster.")
    assert "has ended" in person.sees("follow-up", "5", "And then?")
    person.sees("stop", "5", "--reason", "Enough.")
    gate.open()
    assert 0 == watching.end()
    assert "stopped" in watching.shown


def test_a_run_outlives_the_server_and_is_followed_on(
    codex_server: Server,
    scripted_model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
    terminals: list[Terminal],
) -> None:
    server, person = codex_server, Person(codex_server.url, tmp_path / "home")
    server.settings = {**server.settings, "CC_PORT": server.url.rpartition(":")[2]}
    gate = Gate()
    scripted_model.script = (
        Run("echo before"),
        Run("touch /asked", justification="May I?"),
        Say.text("Still", gate, " here."),
    )
    shell = typed(terminals, person, "run", "Go.", "--register", "--repo", str(repository))
    shell.until("echo before")
    shell.until("[d]etails? ")
    server.kill()
    shell.until("Trying again until it is back.")
    shell.type("n")  # which is decided when it is
    server.start()
    gate.wait_until_reached()
    shell.until("The server is back.")
    begun, shell.shown, shell.seen = shell.shown, "", 0
    assert 1 == begun.count("echo before")
    server.kill()
    shell.until("Trying again until it is back.")
    server.start()
    shell.until("The server is back.")
    gate.open()
    assert 0 == shell.end()
    assert "echo before" not in shell.shown
    assert shell.shown.count("Still here.") == 1


def test_questions_are_answered_in_the_terminal_and_forms_by_a_command(
    tmp_path: Path, repository: Path, terminals: list[Terminal]
) -> None:
    server = server_with(tmp_path)
    person = Person(server.url, tmp_path / "home")
    words = ("--register", "--repo", str(repository))
    shell = typed(terminals, person, "run", asking(USER_INPUT, INPUT_PARAMS), *words)
    shell.until("2. Postgres\n  Answer (or nothing, to reject)? ")
    shell.type("1")
    shell.until("Which key?\n  Answer (or nothing, to reject)? ")
    shell.type("abc")
    assert 0 == shell.end()
    said, _, done = shell.shown.partition("Which key?")[2].partition("- approved")
    assert "abc" not in said  # a secret is not shown as it is typed
    assert "SQLite" in done

    # A secret question goes away, too, if somebody else answers.
    shell = typed(terminals, person, "run", asking(USER_INPUT, INPUT_PARAMS), *words)
    shell.until("2. Postgres\n  Answer (or nothing, to reject)? ")
    shell.type("2")
    shell.until("Which key?\n  Answer (or nothing, to reject)? ")
    (number,) = person.sees("ls", "approvals", "--status", "pending", "-q").split()
    person.sees("answer", number, "db=SQLite", "key=k")
    shell.until("command-center: approved")
    assert 0 == shell.end()
    told = person.types("run", asking(ELICITATION, FORM_PARAMS), "--no-ask", *words)
    (number,) = re.findall(
        r"Decide with `command-center answer (\d+) QUESTION=ANSWER`", told.stderr
    )
    assert "must be one of a, b" in person.is_told(2, "answer", number, "project=z")
    person.sees("answer", number, "project=a", "urgent=true")
    assert '"urgent": true' in person.sees("tail", "-f", "3")

    # Ctrl-D leaves a question as it is, and says how to decide. Of all that, stdout has nothing.
    reader, writer = os.pipe()
    asked = ("run", asking(USER_INPUT, INPUT_PARAMS), "--wait")
    shell = typed(terminals, person, *asked, *words, stdout=writer)
    os.close(writer)
    shell.until("2. Postgres\n  Answer (or nothing, to reject)? ")
    shell.type("\x04")
    assert 130 == shell.end()
    (number,) = person.sees("ls", "approvals", "--status", "pending", "-q").split()
    assert f"Decide with `command-center answer {number} QUESTION=ANSWER`" in shell.shown
    with open(reader, encoding="utf-8") as printed:  # noqa: PTH123 - a pipe
        assert "" == printed.read()
