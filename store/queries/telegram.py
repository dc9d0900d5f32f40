"""Changes to many rows of Telegram's tables at once."""

from sqlite_utils import Database

from command_center.store.transaction import Transaction


def move_chat(tx: Transaction, old: int, new: int) -> None:
    """Let the messages and buttons of a chat belong to another."""
    for table in ("telegram_messages", "telegram_buttons"):
        sql = f"UPDATE {table} SET chat_id = ? WHERE chat_id = ?"  # noqa: S608 - one of two names
        tx.db.execute(sql, [new, old])


def fail_waiting(tx: Transaction, chat_id: int, reason: str) -> None:
    """Mark the messages that wait for a chat as failed."""
    tx.db.execute(
        "UPDATE telegram_messages SET status = 'failed', error = ?, updated_at = ? "
        "WHERE chat_id = ? AND status = 'waiting'",
        [reason, tx.now, chat_id],
    )


def chats_waiting(db: Database) -> list[int]:
    """Return the ids of the chats for which a message waits."""
    rows = db.execute("SELECT DISTINCT chat_id FROM telegram_messages WHERE status = 'waiting'")
    return [row[0] for row in rows.fetchall()]


def remove_buttons(tx: Transaction, message_id: int) -> None:
    """Remove the buttons of a message that nobody has pressed."""
    tx.db.execute(
        "DELETE FROM telegram_buttons WHERE message = ? AND used_by IS NULL", [message_id]
    )


def remove_old(tx: Transaction, before: str) -> None:
    """Remove the buttons, messages and updates that were done with before a moment."""
    for sql in _OLD:
        tx.db.execute(sql, [before])


_OLD = (
    "DELETE FROM telegram_buttons WHERE created_at < ?",
    """DELETE FROM telegram_messages WHERE status <> 'waiting' AND updated_at < ?
        AND edits IS NOT NULL""",
    """DELETE FROM telegram_messages WHERE status <> 'waiting' AND updated_at < ?
        AND id NOT IN (SELECT edits FROM telegram_messages WHERE edits IS NOT NULL)
        AND id NOT IN (SELECT message FROM telegram_buttons)""",
    "DELETE FROM telegram_updates WHERE status = 'done' AND updated_at < ?",
)
