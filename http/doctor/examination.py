"""An examination: all checks side by side, each within its time, and none stops the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog
import trio

from command_center.http.config.logs import secrets_of
from command_center.http.doctor.check import Checkup, Subject, Symptom, warning
from command_center.http.doctor.findings import Diagnosis, Finding, diagnosis
from command_center.http.doctor.table import CHECKS
from command_center.store import redact

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

HIDDEN: Final = "[hidden]"
LONGEST: Final = 600
"""Letters of a text that a finding has at most."""


async def examine(subject: Subject, checks: Sequence[Checkup] = CHECKS) -> Diagnosis:
    """Make the checks. It takes as long as the slowest of them, and none has more than its time."""
    found: dict[str, Sequence[Symptom]] = {}

    async def make(check: Checkup) -> None:
        found[check.name] = await _seen(check, subject)

    async with trio.open_nursery() as nursery:
        for check in checks:
            nursery.start_soon(make, check)
    secrets = secrets_of(subject.settings)
    findings = [_finding(check, seen, secrets) for check in checks for seen in found[check.name]]
    return diagnosis(findings, is_server=subject.center is not None)


async def _seen(check: Checkup, subject: Subject) -> Sequence[Symptom]:
    with trio.move_on_after(check.seconds):
        try:
            return await check.look(subject)
        except Exception as error:  # noqa: BLE001 - a check that fails must not hide the others
            if subject.center is not None:  # a command has no log but its own output
                log.warning("doctor.check_failed", check=check.name, reason=str(error))
            return [
                warning(
                    f"The check itself failed: {type(error).__name__}: {error}",
                    "Report it with this line.",
                )
            ]
    return [
        warning(
            f"It was not done within {check.seconds:g} s.",
            "See what the machine is busy with, and whether its disk and its network answer.",
        )
    ]


def _finding(check: Checkup, seen: Symptom, secrets: Sequence[str]) -> Finding:
    return Finding(
        check=check.name,
        level=seen.level,
        message=_shown(seen.message, secrets),
        why=None if seen.level == "ok" else check.why,
        mend=None if seen.mend is None else _shown(seen.mend, secrets),
        host=seen.host,
    )


def _shown(text: str, secrets: Sequence[str]) -> str:
    """Return a text without secrets, in one line."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    whole: str = redact(" ".join(text.split()))
    return whole[:LONGEST]
