"""Findings, as the command prints them and the API answers them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, Literal, TypeAlias

import msgspec

from command_center.store.timestamps import Timestamp, now_timestamp

Level: TypeAlias = Literal["ok", "warning", "error"]

_WORST: Final[Sequence[Level]] = ("error", "warning", "ok")


class Finding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A finding of the doctor.

    Attributes:
        check: the name of the check; the documentation has a part for each.
        level: `error` keeps something from working, `warning` does not.
        message: what was seen.
        why: what it matters for; null where all is well.
        mend: what to do or to type about it.
        host: the machine that it is about; null for the server's own.
    """

    check: str
    level: Level
    message: str
    why: str | None = None
    mend: str | None = None
    host: str | None = None


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All findings of one examination.

    Attributes:
        status: the worst level of them.
        examined_by: the server itself, or a command beside it, which sees its own environment.
        version: of Command Center.
        findings: in the order of the checks; a check may have several.
    """

    status: Level
    examined_by: Literal["server", "command"]
    examined_at: Timestamp
    version: str
    findings: list[Finding]


def diagnosis(findings: list[Finding], *, is_server: bool) -> Diagnosis:
    """Return findings as a diagnosis of now."""
    levels = {finding.level for finding in findings}
    return Diagnosis(
        status=next((level for level in _WORST if level in levels), "ok"),
        examined_by="server" if is_server else "command",
        examined_at=now_timestamp(),
        version=version("command-center"),
        findings=findings,
    )
