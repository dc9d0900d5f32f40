"""Answers of hooks, noted until it is seen what came of them."""

from __future__ import annotations

from command_center.store import Writer, hook_answers
from command_center.store.hook_answers import HookAnswer
from command_center.store.queries.removal import remove_repository
from tests.store.units import add_session, run

TOKEN = "ghp_" + "aB3d" * 9


def test_an_answer_is_noted_once_without_secrets_and_goes_with_its_session(writer: Writer) -> None:
    session = run(writer, add_session)
    first = HookAnswer("i", None, "hooks.json", "No.")
    other = HookAnswer("j", None, "hooks.json", f"By {TOKEN}")
    for answer in (first, HookAnswer("i", None, "hooks.json", None), other):
        run(writer, lambda tx, answer=answer: hook_answers.note(tx, session.id, answer))  # type: ignore[misc]
    kept = run(writer, lambda tx: hook_answers.every(tx.db, session.id))
    assert [("i", None), ("j", "By [redacted]")] == [(one.item_id, one.rationale) for one in kept]
    assert kept[0] == run(writer, lambda tx: hook_answers.forget(tx, session.id, "i"))
    assert run(writer, lambda tx: hook_answers.forget(tx, session.id, "i")) is None
    run(writer, lambda tx: remove_repository(tx, session.repository_id))
    assert [] == run(writer, lambda tx: hook_answers.every(tx.db, session.id))
