"""The size of all transcripts is estimated by the items that there are."""

from __future__ import annotations

from command_center.store import Transaction, Writer, items
from command_center.store.queries import transcript_removal
from tests.store.units import add_session, run


def test_an_item_behind_many_that_are_gone_counts_for_itself_alone(writer: Writer) -> None:
    def say(tx: Transaction) -> None:
        session = add_session(tx, status="completed", finished_at=tx.now)
        for number in range(41):
            if number == 20:
                tx.db.execute("UPDATE sqlite_sequence SET seq = 100000 WHERE name = 'items'")
            items.insert(
                tx,
                session_id=session.id,
                turn_id="t",
                item_id=str(number),
                type="agentMessage",
                status="completed",
                body={"type": "agentMessage", "text": "-" * (100_000 if number == 20 else 10)},
            )

    run(writer, say)
    estimated = run(writer, lambda tx: transcript_removal.all_bytes(tx.db))
    taken = run(writer, lambda tx: transcript_removal.bytes_of(tx.db, 1))
    assert abs(estimated - taken) <= 41
