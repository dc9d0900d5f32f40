"""Answers of other machines that cannot be made sense of: they end one piece of work, and no more.

An answer of another machine has the type that was asked for, or its link ends. What it says may
still be nonsense, such as output that no git prints. Whoever reads that fails, and an actor that
works for all hosts would crash for all of them.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import ParamSpec, TypeAlias, TypeVar

import structlog

from command_center.actors.rules.errors import Unavailable
from command_center.runtime.errors import refusal_in

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

Misread: TypeAlias = Callable[[str], None]
"""Takes note that an answer made no sense, with the reason in a sentence."""

_ASKED: ContextVar[dict[str, Misread | None] | None] = ContextVar("_ASKED", default=None)


class HostMisread(Unavailable):
    """An answer of another machine could not be made sense of."""


def note_asked(host: str, misread: Misread | None = None) -> None:
    """Note that the work in hand has asked another machine; `misread` is told if that fails."""
    asked = _ASKED.get()
    if asked is not None:
        asked[host] = misread or asked.get(host)


async def spared(work: Callable[P, Awaitable[object]], *args: P.args, **named: P.kwargs) -> None:
    """Do work that nobody waits for; what another machine's answer breaks is logged alone."""
    with suppress(HostMisread):
        await contained(work)(*args, **named)


def contained(work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Have work that fails be refused with `HostMisread` if it has asked another machine.

    What has asked none raises as ever, and refusals are passed on.
    """

    @functools.wraps(work)
    async def held(*args: P.args, **named: P.kwargs) -> T:
        asked: dict[str, Misread | None] = {}
        before = _ASKED.set(asked)
        try:
            return await work(*args, **named)
        except Exception as error:
            if not asked or refusal_in(error) is not None:
                raise
            hosts = ", ".join(sorted(asked))
            log.exception("host.misread", host=hosts)
            reason = f"The answer of host {hosts} could not be made sense of. The log says more."
            for misread in filter(None, asked.values()):
                misread(reason)
            raise HostMisread(reason) from error
        finally:
            _ASKED.reset(before)

    return held
