"""The page of the command line: its examples are understood, and those in Python run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import click
import httpx
import pytest
from click.testing import CliRunner

from command_center.http.cli.main import COMMANDS, PARTS, main
from tests.checkout import MANUAL, ROOT
from tests.end_to_end.server import Server

PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^    command-center (.+)$", PAGE, re.MULTILINE)


def blocks() -> Iterator[str]:
    """The examples in Python."""
    for block in re.findall(r"(?:^(?:    .*)?\n)+", PAGE, re.MULTILINE):
        if "import" in block:
            yield dedent(block)


def test_every_example_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "task.json").touch()
    monkeypatch.chdir(tmp_path)
    ctx = click.Context(main, info_name="command-center")
    for example in EXAMPLES:
        name, command, words = main.resolve_command(
            ctx, shlex.split(re.split(r" [|>]", example)[0])
        )
        assert command is not None
        command.make_context(name, words, parent=ctx).close()


def test_every_command_has_its_part_of_the_help_and_an_example_where_it_asks_a_server() -> None:
    assert sorted(COMMANDS) == sorted(name for names in PARTS.values() for name in names)
    asking = {name for name, place in COMMANDS.items() if ".client." in place.module}
    assert asking | {"manual"} == {example.split()[0] for example in EXAMPLES}
    ctx = click.Context(main)
    for name, told in ((n, t) for helps in PARTS.values() for n, t in helps.items()):
        assert told == (main.get_command(ctx, name) or main).get_short_help_str(80)
    assert [] == [name for name in asking if (main.get_command(ctx, name) or main).name != name]


def test_the_man_page_is_made_of_the_declarations_as_they_are() -> None:
    """`uv run command-center manual > http/cli/command-center.1` makes it anew."""
    made = CliRunner().invoke(main, ["manual"], prog_name="command-center").output
    assert made == (ROOT / MANUAL).read_text(encoding="utf-8")
    lines = made.splitlines()
    assert {f".SS {name.replace('-', chr(92) + '-')}" for name in COMMANDS} <= {
        " ".join(line.split(" ")[:2]) for line in lines
    }
    assert [] == [line for line in lines if line.startswith((". ", "'"))]


@pytest.mark.parametrize("block", [*blocks()], ids=["sync", "trio"])
def test_the_examples_in_python_run(
    stub_server: Server, block: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = httpx.post(f"{stub_server.url}/api/approvals", json={"title": "Go on?"}).json()
    said = block.replace("http://127.0.0.1:8787", stub_server.url)
    assert said != block
    exec(compile(said, "example", "exec"), {})  # noqa: S102 - the page is ours
    printed = capsys.readouterr().out
    assert f"{made['id']}\n" == printed or "approval.requested" in printed
