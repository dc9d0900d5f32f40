"""The man page, made of the commands' own declarations.

The wheel brings it as `command-center.1`, which `command-center manual` prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import click

from command_center.http.cli.main import OUTCOMES, PARTS, CommandLine


@click.command()
def manual() -> None:
    """Print the man page; `command-center manual | man -l -` shows it."""
    main = click.get_current_context().find_root().command
    if isinstance(main, CommandLine):
        click.echo("\n".join(page(main)))


def page(main: CommandLine) -> Iterator[str]:
    """Yield the lines of the page, in roff."""
    ctx = click.Context(main, info_name="command-center")
    yield f'.TH COMMAND-CENTER 1 "" "command-center {version("command-center")}"'
    yield from (".SH NAME", r"command-center \- put OpenAI Codex to work on local git repositories")
    yield from (".SH SYNOPSIS", ".B command-center", r"[\fICOMMAND\fR] [\fIOPTION\fR...]")
    yield ".SH DESCRIPTION"
    yield from _paragraphs(main.help or "")
    for part, names in PARTS.items():
        yield f".SH {part.upper()}"
        for name in names:
            command = main.get_command(ctx, name)
            if command is not None:
                yield from _command(click.Context(command, ctx, info_name=name), name)
    yield ".SH EXIT STATUS"
    for code, meaning in OUTCOMES.items():
        yield from (".TP", f".B {code}", _escaped(meaning))
    yield ".SH ENVIRONMENT"
    for name, meaning in VARIABLES.items():
        yield from (".TP", f".B {name}", _escaped(meaning))


VARIABLES = {
    "CC_SERVER": "The server that commands ask.",
    "CC_TOKEN": "The token that lets them in.",
    "CC_CONFIG": "The configuration file of the machine that serves.",
    "NO_COLOR": "No colours, in commands and in the log.",
    "PAGER": "The program through which a diff is shown.",
}


def _command(ctx: click.Context, name: str) -> Iterator[str]:
    usage = " ".join(ctx.command.collect_usage_pieces(ctx))
    yield from (f".SS {_escaped(name)} {_escaped(usage)}", *_paragraphs(ctx.command.help or ""))
    if name == "serve":  # docs/settings.md has its flags, and `serve --help` too
        yield r"Its flags are the settings, which `command\-center serve \-\-help` tells."
        return
    for param in ctx.command.params:
        record = param.get_help_record(ctx)
        if record is not None and (record[1] or isinstance(param, click.Option)):
            yield from (".TP", f".B {_escaped(record[0])}", _escaped(record[1]))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield from (".PP", _escaped(" ".join(paragraph.split())))


def _escaped(text: str) -> str:
    r"""Return a text in which roff finds no command: no backslash, and no dot at the beginning."""
    told = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{told}" if told.startswith((".", "'")) else told
