"""News of a pull request, read with all that is to be said of it."""

from __future__ import annotations

from typing import Final

from command_center.actors.forges.ports import Check, Forge, Review, Seen
from command_center.actors.ledger.pull_request_news import News, Quote
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.store import PullRequest

CHECKS: Final = 10
"""Checks whose logs are read; of others that fail, the beginning of what they say is told."""

_SHORT: Final = 200


async def read_news(forge: Forge, pull: PullRequest, seen: Seen) -> News | None:
    """Read the logs of checks that fail, and what reviews say; None where nothing is new.

    Checks count once none of them runs any more, so that all that fail are told together.

    Raises:
        Unavailable: the forge is not reached, or has had enough for now.
    """
    failing: list[Check] = []
    is_answered = f"checks:{seen.head_sha}" in pull.answered
    if not is_answered and all(check.state != "pending" for check in seen.checks):
        failing = [check for check in seen.checks if check.state == "failing"]
    new = [
        review
        for review in seen.reviews
        if f"review:{review.id}" not in pull.answered and _wants_something(review)
    ]
    if not failing and not new:
        return None
    remarks = await forge.read_remarks(pull.project, seen.number) if new else {}
    return News(
        sha=seen.head_sha,
        checks=[
            Quote(f"The check {check.name[:200]!r} fails", await _said(forge, pull, check))
            for check in failing[:CHECKS]
        ]
        + [
            Quote(f"The check {check.name[:200]!r} fails, too", check.summary[:_SHORT])
            for check in failing[CHECKS:]
        ],
        reviews={
            review.id: [
                Quote(f"A review by {review.author} ({review.state})", review.text),
                *(
                    Quote(f"Of {remark.path[:500]}, line {remark.line}", remark.text)
                    for remark in remarks.get(review.id, ())
                ),
            ]
            for review in new
            if review.is_trusted
        },
        strangers=[review.id for review in new if not review.is_trusted],
    )


def _wants_something(review: Review) -> bool:
    return review.state in {"changes_requested", "commented"}


async def _said(forge: Forge, pull: PullRequest, check: Check) -> str:
    """Return the end of a check's log; else what it says of itself."""
    if check.job is not None:
        try:
            return await forge.read_log(pull.project, check.job)
        except (Conflict, Unavailable):
            pass  # logs go away, and a token need not see them
    return check.summary
