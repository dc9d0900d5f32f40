"""Completions that the server knows: ids, each with what it is about, and names.

A server that does not answer at once completes nothing, without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from command_center.http.cli.client.nouns import NOUNS, ONE
from command_center.http.cli.client.server import opened
from command_center.http.cli.client.terminal import line_of
from command_center_client.call import ApiCall
from command_center_client.errors import ClientError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

SECONDS: Final = 2.0
"""Longer than this nobody waits for a completion."""

MOST: Final = 100


def ids(noun: str, **query: Any) -> Completer:
    """Return what completes an id of such a thing, each with what it is about."""
    about = NOUNS[noun].fields[-1]

    def told(item: Any) -> tuple[str, str]:
        return str(item["id"]), f"{item.get('status', '')} {item[about]}"

    return _asking(noun, told, query)


def names(noun: str) -> Completer:
    """Return what completes a name of such a thing."""
    return _asking(noun, lambda item: (item["name"], item["localPath"]), {})


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
        try:
            with opened(ctx.params.get("server"), seconds=SECONDS) as center:
                page = center.send(ApiCall[Any]("GET", NOUNS[noun].path, query=wanted))
        except (ClientError, click.UsageError):
            return []
        pairs = (told(item) for item in page["items"])
        return [
            CompletionItem(line_of(value), help=line_of(help_)[:60])
            for value, help_ in pairs
            if value.startswith(incomplete)
        ]

    return complete
