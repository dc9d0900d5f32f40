"""Keep the limits of an agent's account, and hold the runs of its host while one is reached.

A run that meets a limit holds its host: it, and each run that would begin after it, waits until the
limit resets. The transaction that ends the hold queues all that waited, so that each goes on once,
and `/slots` has them begin in order. The reset is what the agent told of the windows that are used
up. Where it told none, runs are tried again after a pause that doubles (`PATIENCE` times).
"""

from __future__ import annotations

from functools import partial
from typing import Final

import attrs
import msgspec

from command_center.actors.contracts.events.sessions import SessionWaitingLimit
from command_center.actors.contracts.events.usage_limits import (
    LimitNears,
    LimitReached,
    LimitReset,
    LimitsChanged,
)
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.contracts.usage_limits import LimitWindow, UsageLimit, limits_on
from command_center.actors.core.clock import later
from command_center.actors.ledger import sessions as ledger
from command_center.actors.rules.errors import Conflict
from command_center.runtime import Backoff
from command_center.store import (
    Session,
    Transaction,
    automations,
    sessions,
    tasks,
    usage_limits,
)
from command_center.store.usage_limits import KnownLimits

NEAR_PERCENT: Final = 90.0
"""The share of a window that is used when people are told that it nears its end."""

FULL_PERCENT: Final = 100.0

PAUSE: Final = Backoff(initial=900.0, cap=14_400.0, jitter=0.0)
"""The seconds to wait for a reset of which nobody has said when it is."""

PATIENCE: Final = 5
"""So often runs are tried again without a word of a reset; then they fail."""


def is_held(tx: Transaction, session: Session) -> bool:
    """Return whether a session may not begin, since a limit of its host's account is reached."""
    if session.past_limit or not RUNNERS[session.runner].is_real:
        return False
    return usage_limits.known(tx.db, session.host).held_since is not None


def hold(tx: Transaction, session: Session) -> bool:
    """Hold the session's host, since it met a limit; return False if waiting is of no use."""
    known = usage_limits.known(tx.db, session.host)
    if known.held_since is not None:
        return True
    until = reset_of(limits_of(known), tx.now)
    if until is None and known.tries >= PATIENCE:
        usage_limits.keep(tx, session.host, attrs.evolve(known, tries=0))
        return False
    held = attrs.evolve(
        known,
        held_since=tx.now,
        held_until=until,
        tries=0 if until else known.tries + 1,
    )
    usage_limits.keep(tx, session.host, held)
    ledger.tell(tx, session, LimitReached(host=session.host, until=until))
    return True


class LimitSkipped(Conflict):
    """A limit of the agent's account is reached, and the session's automation leaves runs out."""


def skips(tx: Transaction, session: Session) -> bool:
    """Return whether a session is left out while a limit is reached, as its automation has it.

    That is so of the automation's own run; what a person says after it waits.
    """
    automation_id = tasks.get(tx.db, session.task_id).automation_id
    if automation_id is None or ledger.first_attempt(tx, session).origin != "run":
        return False
    return automations.get(tx.db, automation_id).when_limited == "skip"


def park(tx: Transaction, session_id: int, *, actor: str) -> Session:
    """Have a queued session wait until the limit resets.

    Raises:
        LimitSkipped: its automation leaves it out instead.
    """
    session = sessions.get(tx.db, session_id)
    if skips(tx, session):
        raise LimitSkipped("A limit of Codex is reached, and its automation skips runs then.")
    until = usage_limits.known(tx.db, session.host).held_until
    event = partial(SessionWaitingLimit, until=until)
    return ledger.move(tx, session_id, "waiting_limit", actor=actor, event=event)


def note_completed(tx: Transaction, session: Session) -> None:
    """Note that a run has completed, so that the limit its host may have met is over.

    It ends the hold, which `release` sees to, unless it began before that.
    """
    known = usage_limits.known(tx.db, session.host)
    noted = attrs.evolve(known, tries=0)
    began = session.started_at or ""
    is_real = RUNNERS[session.runner].is_real
    if is_real and known.held_since is not None and known.held_since < began:
        noted = attrs.evolve(noted, held_until=tx.now)
    if noted != known:
        usage_limits.keep(tx, session.host, noted)


def learn(
    tx: Transaction, host: str, told: list[UsageLimit], *, is_whole: bool = False
) -> KnownLimits:
    """Keep what the agent says of some limits, or of all, and tell of it where it is news.

    A hold ends when the windows reset, or once none is used up any more, as `release` sees.
    """
    known = usage_limits.known(tx.db, host)
    limits = {} if is_whole and told else {limit.id: limit for limit in limits_of(known)}
    limits |= {limit.id: merged(limits.get(limit.id), limit) for limit in told}
    listed = [limits[name] for name in sorted(limits)]
    plain = msgspec.to_builtins(listed)
    near = [(limit, window) for limit in listed for window in limit.windows if nears(window)]
    marks = [mark_of(limit, window) for limit, window in near]
    learned = attrs.evolve(known, limits=plain, warned=marks)
    until = reset_of(listed, tx.now)
    if until is None and reset_of(limits_of(known), tx.now) and not is_used_up(listed, tx.now):
        until = tx.now
    if known.held_since is not None and until is not None:
        learned = attrs.evolve(learned, held_until=until, tries=0)
    if learned == known:
        return known
    usage_limits.keep(tx, host, learned)
    if plain != known.limits:
        tx.emit(LimitsChanged(host=host, limits=plain), actor=limits_on(host))
    for mark, (limit, window) in zip(marks, near, strict=True):
        if mark not in known.warned:
            event = LimitNears(
                host=host,
                limit=limit.name or limit.id,
                minutes=window.minutes,
                used_percent=window.used_percent,
                resets_at=window.resets_at,
            )
            tx.emit(event, actor=limits_on(host))
    return learned


def await_reset(tx: Transaction, host: str) -> KnownLimits:
    """Set a moment for trying again, where nobody has said when the limit resets."""
    known = usage_limits.known(tx.db, host)
    if lacks_moment(known, tx.now):
        known = attrs.evolve(known, held_until=later(tx.now, PAUSE.delay(known.tries)))
        usage_limits.keep(tx, host, known)
    return known


def lacks_moment(known: KnownLimits, now: str) -> bool:
    """Return whether it is open when runs that are held are tried again.

    It is, too, where that was set further ahead than any pause lasts: the clock was set back.
    """
    if known.held_since is None:
        return False
    if known.held_until is None:
        return True
    windows = (window for limit in limits_of(known) for window in limit.windows)
    is_told = any(window.resets_at == known.held_until for window in windows)
    return not is_told and known.held_until > later(now, PAUSE.cap)


def release(tx: Transaction, host: str) -> list[int]:
    """Queue all that waits for the limit, once it has reset; return which, in their order.

    What is damaged, of itself or its task, is left as it is, and keeps nothing else from going on.
    """
    known = usage_limits.known(tx.db, host)
    if known.held_since is None or known.held_until is None or known.held_until > tx.now:
        return []
    usage_limits.keep(tx, host, attrs.evolve(known, held_since=None, held_until=None))
    where: dict[str, int | str] = {"host": host, "status": "waiting_limit"}
    waiting, _ = sessions.sound(tx.db, where, texts=False)
    of_tasks = {"id": [session.task_id for session in waiting]}
    whole = {task.id for task in tasks.sound(tx.db, of_tasks, texts=False)[0]}
    ids = [session.id for session in waiting if session.task_id in whole]
    tx.emit(LimitReset(host=host, sessions=ids), actor=limits_on(host))
    for key in ids:
        ledger.move(tx, key, "queued", actor=limits_on(host))
    return ids


def why_it_waits(until: str | None) -> str:
    """Say what a session waits for that a limit holds."""
    when = f"at {until}" if until else "which Codex has not told yet"
    return f"A limit of Codex is reached. It goes on when that resets, {when}."


def limits_of(known: KnownLimits) -> list[UsageLimit]:
    """Return the limits that are known, as they are shown."""
    return msgspec.convert(known.limits, list[UsageLimit])


def merged(before: UsageLimit | None, told: UsageLimit) -> UsageLimit:
    """Return a limit as it is told now. What a later word leaves out of it, stays.

    Source: the app-server's schema of `account/rateLimits/updated`, a sparse update.
    """
    if before is None:
        return told
    return msgspec.structs.replace(
        told,
        name=told.name or before.name,
        plan=told.plan or before.plan,
        windows=told.windows or before.windows,
    )


def nears(window: LimitWindow) -> bool:
    """Return whether a window is almost used up."""
    return window.used_percent >= NEAR_PERCENT


def is_used_up(limits: list[UsageLimit], now: str) -> bool:
    """Return whether the agent tells of anything that is used up now."""
    return any(
        limit.reached is not None
        or any(
            window.used_percent >= FULL_PERCENT and (window.resets_at or now) >= now
            for window in limit.windows
        )
        for limit in limits
    )


def mark_of(limit: UsageLimit, window: LimitWindow) -> str:
    """Return what tells one turn of a window from the next one."""
    return f"{limit.id}:{window.minutes}:{window.resets_at}"


def reset_of(limits: list[UsageLimit], now: str) -> str | None:
    """Return when the first of the limits that are used up has reset; None where nobody says.

    A limit has reset once all of its windows have. Which of several limits a run has met is not
    told: if it was a later one, the run meets it again.
    """
    ends = [
        max(
            (
                window.resets_at or ""
                for window in limit.windows
                if window.used_percent >= FULL_PERCENT
            ),
            default="",
        )
        for limit in limits
    ]
    return min((end for end in ends if end > now), default=None)
