"""Completions that the server knows: ids, each with what it is about, and names.

A server that does not answer at once completes nothing, without a word. What it says is put into
a shell's line, where a name such as `$(rm -r x)` would be carried out: only letters that mean
nothing to any shell come from it, and a thing with another name is completed by its id.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import click

from command_center.http.cli.client.nouns import NOUNS, ONE
from command_center.http.cli.client.server import opened
from command_center.http.cli.client.terminal import line_of
from command_center_client.call import ApiCall

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

SECONDS: Final = 2.0
"""Longer than this nobody waits for a completion."""

MOST: Final = 100

MEANINGLESS: Final = re.compile(r"[A-Za-z0-9._/][A-Za-z0-9._/-]*", re.ASCII)
"""Words that are only words in every shell."""


def ids(noun: str, **query: Any) -> Completer:
    """Return what completes an id of such a thing, each with what it is about."""
    about = NOUNS[noun].fields[-1]

    def told(item: Any) -> tuple[str, str]:
        return str(item[NOUNS[noun].identity]), f"{item.get('status', '')} {item[about]}"

    return _asking(noun, told, query)


def names(noun: str) -> Completer:
    """Return what completes a name of such a thing; its id, where a shell would obey the name."""

    def told(item: Any) -> tuple[str, str]:
        name = item["name"]
        if MEANINGLESS.fullmatch(name):
            return name, item["localPath"]
        return str(item["id"]), f"{name} {item['localPath']}"

    return _asking(noun, told, {})


def nouns_and_ids(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Complete a noun, and after it an id of that."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a Tab asks for it

    before = ctx.params.get("what") or ()
    if not before:
        return [CompletionItem(noun) for noun in ONE if noun.startswith(incomplete)]
    return ids(ONE.get(before[0], "sessions"))(ctx, param, incomplete)


def _asking(noun: str, told: Callable[[Any], tuple[str, str]], query: dict[str, Any]) -> Completer:
    def complete(
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG001 - click's own
        incomplete: str,
    ) -> list[CompletionItem[str]]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - the same

        wanted = {"limit": MOST, **query, **({"diff": False} if noun == "sessions" else {})}
        found: list[tuple[str, str]] = []

        def ask() -> None:
            server, config = ctx.params.get("server"), ctx.params.get("config_file")
            try:
                with opened(server, config_file=config, seconds=SECONDS) as center:
                    page = center.send(ApiCall[Any]("GET", NOUNS[noun].path, query=wanted))
                found.extend([told(item) for item in page["items"]])
            except Exception:  # noqa: BLE001, S110 - the thread's edge: in a prompt nothing is said
                pass

        # A server that goes on sending letter by letter never lets a read end.
        thread = Thread(target=ask, daemon=True)
        thread.start()
        thread.join(SECONDS)
        return [
            CompletionItem(value, help=line_of(help_)[:60])
            for value, help_ in found
            if value.startswith(incomplete) and MEANINGLESS.fullmatch(value)
        ]

    return complete
