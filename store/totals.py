"""Totals of what there is, by day and repository: read, compared with the rows, and made anew.

The table `totals` is kept by triggers of the schema (its migration tells how), so that a total is
durable with what it sums. `differences` finds one that the disk has changed, or that was changed by
what it changed; `make_anew` counts a kind from the rows.
"""

from typing import Final, Literal, TypeAlias, get_args

from sqlite_utils import Database

from command_center.store.timestamps import Timestamp

Kind: TypeAlias = Literal[
    "sessions", "made", "ended", "ran", "tokens", "tasks", "approvals", "settled", "uploads"
]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

EVERYWHERE: Final = 0
"""The repository that stands for all of them."""

_STEPS: Final = ((60, 15), (600, 60), (3600, 150), (86400, 3600))
"""Classes of durations, in seconds: below the first, each is as long as the second."""

_DAY: Final = 86400


def counts(db: Database, kind: Kind, repository_id: int = EVERYWHERE) -> dict[str, int]:
    """Return how many there are of a kind that has no days, by their words."""
    sql = """
        SELECT word, count FROM totals
        WHERE kind = ? AND repository_id = ? AND day = '' ORDER BY word
    """
    return dict(db.execute(sql, [kind, repository_id]))


def amount(db: Database, kind: Kind) -> tuple[int, int]:
    """Return how many there are of a kind that has no words, and their amount."""
    sql = "SELECT count, amount FROM totals WHERE kind = ? AND repository_id = 0 AND day = ''"
    found = db.execute(sql, [kind]).fetchone()
    return (0, 0) if found is None else (found[0], found[1])


def counts_since(db: Database, kind: Kind, day: str, repository_id: int) -> dict[str, int]:
    """Sum the counts of a day and all later ones, by their words."""
    sql = """
        SELECT word, sum(count) FROM totals
        WHERE kind = ? AND repository_id = ? AND day >= ? GROUP BY word
    """
    return dict(db.execute(sql, [kind, repository_id, day]))


def tokens_since(
    db: Database, day: str, repository_id: int | None
) -> tuple[dict[str, int], dict[int, int]]:
    """Return the tokens of a day and all later ones, by day, and again by repository."""
    of = "AND word = ?" if repository_id is not None else ""
    asked = [day] if repository_id is None else [day, str(repository_id)]
    by_day, by_repository = (
        db.execute(
            f"SELECT {word}, sum(amount) FROM totals WHERE kind = 'tokens' AND repository_id = 0 "  # noqa: S608 - constants
            f"AND day >= ? {of} GROUP BY {word}",
            asked,
        )
        for word in ("day", "CAST(word AS INTEGER)")
    )
    return dict(by_day), dict(by_repository)


def class_of_duration(seconds: float) -> int:
    """Return the least seconds of the class that a duration is in; below none, it is in the first.

    As the triggers have it.
    """
    step = next((step for below, step in _STEPS if seconds < below), _DAY)
    return max(0, int(seconds) // step * step)


def bounds_of_class(least: int) -> tuple[float, float]:
    """Return the seconds from which on a duration is of a class, and from which on no more."""
    step = next((step for below, step in _STEPS if least < below), _DAY)
    return (float(least) if least else float("-inf")), float(least + step)


def differences(db: Database, kind: Kind) -> list[tuple[int, Timestamp, str]]:
    """Return the totals of a kind that are not as the rows say, by repository, day and word."""
    kept = "SELECT repository_id, day, word, count, amount FROM totals WHERE kind = :kind"
    counted = f"SELECT repository_id, day, word, count, amount FROM counted_{kind}"  # noqa: S608 - one of the kinds
    sql = f"""
        SELECT DISTINCT repository_id, day, word FROM (
            SELECT * FROM ({kept} EXCEPT {counted}) UNION ALL
            SELECT * FROM ({counted} EXCEPT {kept})
        ) ORDER BY 1, 2, 3
    """  # noqa: S608 - as above
    return db.execute(sql, {"kind": kind}).fetchall()


def make_anew(db: Database, kind: Kind) -> None:
    """Count a kind from the rows, in one transaction of the caller's."""
    db.execute("DELETE FROM totals WHERE kind = ?", [kind])
    db.execute(f"INSERT INTO totals SELECT * FROM counted_{kind}")  # noqa: S608 - one of the kinds
