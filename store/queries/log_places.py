"""Places in the log: up to where each of those who follow it has come."""

from collections.abc import Collection, Iterable

from sqlite_utils import Database


def move_on(
    db: Database,
    last: int,
    *,
    webhooks: Iterable[int],
    automations: Iterable[int],
    channels: Collection[str],
) -> None:
    """Put these webhooks, automations and channels behind an event of the log."""
    for sql, keys in (
        ("UPDATE webhooks SET position = ? WHERE id = ?", webhooks),
        ("UPDATE automations SET last_event_id = ? WHERE id = ?", automations),
        ("UPDATE telegram_marks SET value = ? WHERE name = ?", channels),
    ):
        db.conn.executemany(sql, [(last, key) for key in keys])
