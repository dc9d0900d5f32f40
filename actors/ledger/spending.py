"""Spending: what runs used today, and whether a cap is reached, of a repository or of all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.usage_limits import CapReached, SpendingChanged
from command_center.actors.contracts.spending import (
    Spending,
    SpendingChanges,
    SpentByRepository,
)
from command_center.actors.rules.caps import Caps, Price, Spent, Usage, spent, why_over
from command_center.actors.rules.errors import Conflict
from command_center.store import Repository, Transaction, usage_limits
from command_center.store import spending as kept
from command_center.store.timestamps import to_timestamp


def day_of(moment: datetime) -> str:
    """Return when the day of a moment began, by the machine's clock."""
    begun = moment.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return to_timestamp(begun.astimezone(UTC))


def spending(db: Database) -> Spending:
    """Return the rules, and what is used today."""
    rules = kept.rules(db)
    prices = prices_of(rules)
    since = day_of(datetime.now(UTC))
    of_all = kept.used_since(db, since)
    by_repository: defaultdict[int, list[kept.ModelUsage]] = defaultdict(list)
    for one in of_all:
        by_repository[one.repository_id].append(one)
    return Spending(
        caps=msgspec.convert(rules.caps, Caps),
        prices=prices,
        currency=rules.currency,
        since=since,
        today=_spent(of_all, prices),
        repositories=[
            SpentByRepository(
                repository_id=repository_id,
                tokens=used.tokens,
                cost=used.cost,
                unpriced=used.unpriced,
            )
            for repository_id, usages in sorted(by_repository.items())
            if (used := _spent(usages, prices)).tokens
        ],
    )


def change_spending(tx: Transaction, changes: SpendingChanges) -> Spending:
    """Change the rules, and tell which."""
    given = {
        name: msgspec.to_builtins(value)
        for name in ("caps", "prices", "currency")
        if (value := getattr(changes, name)) is not msgspec.UNSET
    }
    before = kept.rules(tx.db)
    after = attrs.evolve(before, **given)
    if after != before:
        kept.keep(tx, after)
        tx.emit(SpendingChanged(changed=sorted(given)), actor=changes.requested_by)
    return spending(tx.db)


class CapIsReached(Conflict):
    """A cap of the day, or of the account's window, is reached: no run begins."""


def check_caps(tx: Transaction, repository: Repository) -> None:
    """Let a run of a repository begin.

    Raises:
        CapIsReached: of the repository or of all; it says which.
    """
    for _, caps, whose, reason in _reached(tx, repository):
        raise CapIsReached(
            f"{reason} Raise the caps of {whose}, or run it again when there is room.",
            caps=msgspec.to_builtins(caps),
        )


def overdrawn(tx: Transaction, repository: Repository) -> str | None:
    """Return why a turn of a repository has to end, since a cap is reached; tell people once a day.

    None where none is reached, or turns are only warned of.
    """
    ends: str | None = None
    for key, caps, _, reason in _reached(tx, repository):
        rules = kept.rules(tx.db)
        day = day_of(datetime.now(UTC))
        mark = f"{day} {key}"
        if mark not in rules.warned:
            today = [known for known in rules.warned if known.startswith(day)]
            kept.keep(tx, attrs.evolve(rules, warned=[*today, mark]))
            tx.emit(
                CapReached(reason=reason, over=caps.over),
                actor="caps",
                repository_id=repository.id,
            )
        if caps.over == "interrupt":
            ends = ends or reason
    return ends


def prices_of(rules: kept.SpendingRules) -> list[Price]:
    """Return the price table."""
    return msgspec.convert(rules.prices, list[Price])


def _reached(tx: Transaction, repository: Repository) -> Iterator[tuple[str, Caps, str, str]]:
    """Find the caps that are reached: a key, the caps, whose they are, and the words for it."""
    rules = kept.rules(tx.db)
    own = (str(repository.id), f"repository {repository.id}", repository.caps, repository.id)
    for key, whose, stored, of in (own, ("all", "all repositories", rules.caps, None)):
        caps = msgspec.convert(stored, Caps)
        if caps == Caps(over=caps.over):
            continue
        since = day_of(datetime.now(UTC))
        used = _spent(kept.used_since(tx.db, since, of), prices_of(rules))
        window = _fullest_window(tx.db, repository.host)
        subject = whose[0].upper() + whose[1:]
        reason = why_over(caps, used, window, whose=subject, currency=rules.currency)
        if reason is not None:
            yield key, caps, whose, reason


def _spent(used: Iterable[kept.ModelUsage], prices: Sequence[Price]) -> Spent:
    return spent([Usage(*one[1:]) for one in used], prices)


def _fullest_window(db: Database, host: str) -> float:
    """Return the share of the fullest window of the account; what has reset counts as unused.

    So does one of which nobody tells when it resets: it would be full for ever.
    """
    now = to_timestamp(datetime.now(UTC))
    return max(
        (
            float(window["usedPercent"])
            for limit in usage_limits.known(db, host).limits
            for window in limit["windows"]
            if (window.get("resetsAt") or "") >= now
        ),
        default=0.0,
    )
