"""A user of the command line: an own configuration folder, and the commands in this process."""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result

from command_center.http.cli.main import main


@attrs.frozen
class Person:
    """Somebody at a terminal who asks one server."""

    server: str | None
    home: Path

    def types(self, *words: str, stdin: str | None = None, **variables: str) -> Result:
        """Type a command, and wait for its end."""
        environment: dict[str, str | None] = {n: None for n in os.environ if n.startswith("CC_")}
        environment |= {"XDG_CONFIG_HOME": str(self.home), "CC_SERVER": self.server, **variables}
        runner = CliRunner()
        return runner.invoke(main, words, input=stdin, env=environment, prog_name="command-center")

    def sees(self, *words: str, stdin: str | None = None, **variables: str) -> str:
        """Type a command that does what it should, and return what it prints."""
        told = self.types(*words, stdin=stdin, **variables)
        assert (0, "") == (told.exit_code, told.stderr), told.output
        return told.stdout

    def is_told(self, code: int, *words: str, stdin: str | None = None, **variables: str) -> str:
        """Type a command that fails with this code, and return the one line that says why."""
        told = self.types(*words, stdin=stdin, **variables)
        assert (code, 1) == (told.exit_code, told.stderr.count("\n")), told.output
        return told.stderr.strip()


@pytest.fixture
def person(tmp_path: Path, request: pytest.FixtureRequest) -> Person:
    """A user of the module's server."""
    server = request.getfixturevalue("stub_server")
    return Person(server.url, tmp_path / "home")
