"""One row for each group."""

from __future__ import annotations

from command_center.store import Transaction, Writer, approvals
from command_center.store.queries import summaries
from tests.store.units import add_repository, add_session, run


def test_sessions_and_approvals_are_counted_by_what_they_are(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        for status in ("completed", "completed", "failed"):
            add_session(tx, status=status)
        for kind, status in (("manual", "pending"), ("command", "pending"), ("manual", "approved")):
            approvals.insert(tx, kind=kind, status=status, title="t", requested_by="web")

    run(writer, unit)
    assert {"completed": 2, "failed": 1} == run(
        writer, lambda tx: summaries.sessions_by_status(tx.db)
    )
    assert {"pending": 2, "approved": 1} == run(
        writer, lambda tx: summaries.approvals_by_status(tx.db)
    )
    assert {"manual": 1, "command": 1} == run(
        writer, lambda tx: summaries.pending_approvals_by_kind(tx.db)
    )


def test_each_repository_has_its_newest_session(writer: Writer) -> None:
    def unit(tx: Transaction) -> tuple[dict[int, int], dict[int, int]]:
        one, other, unused = (add_repository(tx, local_path=f"/srv/{n}").id for n in "abc")
        add_session(tx, repository_id=one)
        newest = add_session(tx, repository_id=one).id
        only = add_session(tx, repository_id=other).id
        assert unused not in (one, other)
        return {one: newest, other: only}, summaries.newest_sessions(tx.db)

    expected, found = run(writer, unit)
    assert expected == found
