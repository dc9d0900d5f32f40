"""Rules in the store: what they settle, what they may hold, and when they are gone."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from command_center.actors.contracts.approvals import NewRule
from command_center.actors.ledger import approvals as settlement
from command_center.actors.ledger import rules as ledger
from command_center.actors.ledger.repositories import delete_repository, patch_repository
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.questions import ApprovalRequest
from command_center.actors.rules.standing_rules import with_offer
from command_center.store import (
    Approval,
    Done,
    Failed,
    RecordNotFound,
    Session,
    Transaction,
    Writer,
    approvals,
    events,
    rules,
    sessions,
)
from tests.actors.rows import insert_repository, insert_session, insert_task

T = TypeVar("T")
SECRET = "sk-a-key-of-this-very-installation-0123456789"


class Book:
    """A database with sessions that ask."""

    def __init__(self, path: Path) -> None:
        self.writer = Writer(path, secrets=[SECRET])
        self.asked = 0

    def do(self, unit: Callable[[Transaction], T]) -> T:
        """Commit a unit, or raise what it raised."""
        (outcome,) = self.writer.commit([unit]).outcomes
        if isinstance(outcome, Failed):
            raise outcome.error
        assert isinstance(outcome, Done)
        value: T = outcome.value
        return value

    def session(self, **fields: Any) -> Session:
        """A session that runs in a repository of its own."""
        return self.do(
            lambda tx: insert_session(
                tx, insert_task(tx, insert_repository(tx)), status="running", **fields
            )
        )

    def beside(self, session: Session, **fields: Any) -> Session:
        """Another one in the same repository."""
        return self.do(
            lambda tx: sessions.insert(
                tx,
                task_id=session.task_id,
                repository_id=session.repository_id,
                runner="stub",
                cwd="/srv/r",
                prompt="P",
                requested_by="test",
                correlation_id="c",
                status="running",
                **{"sandbox": "workspace-write", **fields},
            )
        )

    def ask(
        self,
        session: Session,
        script: str,
        *,
        connection: str = "c",
        item: str | None = None,
        kind: str = "command",
        **more: Any,
    ) -> Approval:
        """Have the session ask for a command."""
        self.asked += 1
        item = item or f"item-{self.asked}"
        details = {
            "command": shlex.join(["/bin/bash", "-lc", script]),
            "commandKind": "command",
            "cwd": "/srv/r",
            "proposedRule": shlex.split(script)[:1],
            **more,
        }
        wanted = ApprovalRequest(
            kind=kind,
            title=f"Run: {script}",
            details=details,
            thread_id="t",
            turn_id="u",
            item_id=item,
        )
        params = {name: details.get(name) for name in ("command", "cwd", "additionalPermissions")}
        params["startedAtMs"] = self.asked
        _, approval = self.do(
            lambda tx: settlement.request_approval(
                tx,
                session.id,
                with_offer(session, wanted),
                request_id=f"{connection}:{item}",
                request={"method": "m", "params": params},
                expires_at="2999-01-01T00:00:00.000Z",
            )
        )
        return approval

    def allow(self, approval: Approval, *words: str, is_exact: bool = False) -> Any:
        """Have a rule made of it."""
        wanted = NewRule(words=words, is_exact=is_exact)
        return self.do(lambda tx: ledger.add_rule(tx, approval, wanted, actor="ada"))

    def types(self) -> list[str]:
        """The types of all events."""
        return self.do(lambda tx: [event.type for event in events.after(tx.db, 0, limit=500)[0]])


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "center.sqlite3")
    yield book
    book.writer.close()


def test_a_rule_answers_at_once_and_nobody_is_asked(book: Book) -> None:
    session = book.session()
    rule = book.allow(book.ask(session, "pytest"), "pytest")
    other, told = book.beside(session), len(book.types())
    approval = book.ask(other, "pytest a")
    assert ("approved", "once", f"rule:{rule.id}") == (
        *(approval.status, approval.scope, approval.resolved_by),
    )
    assert ["approval.allowed"] == book.types()[told:]
    assert "running" == book.do(lambda tx: sessions.get(tx.db, other.id)).status
    assert 1 == book.do(lambda tx: rules.get(tx.db, rule.id)).uses


BEYOND: dict[str, Any] = {"additionalPermissions": {"network": {"enabled": True}}}


def test_what_goes_beyond_the_run_is_answered_by_no_rule_whatever_it_offers(book: Book) -> None:
    session = book.session()
    first = book.ask(session, "pytest")
    offer = {"alwaysAllow": first.details["alwaysAllow"]}
    waiting = book.ask(book.beside(session), "pytest", **BEYOND, **offer)
    rule = book.allow(first, "pytest")
    assert [first.id] == book.do(lambda tx: [one.id for one in settlement.settle_by_rule(tx, rule)])
    assert "pending" == book.ask(session, "pytest", **BEYOND, **offer).status
    assert "pending" == book.ask(session, "pytest", kind="manual", **offer).status
    assert "pending" == book.do(lambda tx: approvals.get(tx.db, waiting.id)).status


@pytest.mark.parametrize("by_rule", [True, False])
def test_a_yes_is_for_what_was_asked_and_not_for_another_question_of_the_item(
    book: Book, *, by_rule: bool
) -> None:
    session = book.session()
    if by_rule:
        book.allow(book.ask(session, "make test", item="other"), "make", "test", is_exact=True)
    known = book.ask(session, "make test", connection="c1", item="i")
    if not by_rule:
        yes = partial(
            settlement.settle_approval, approval_id=known.id, status="approved", actor="ada"
        )
        book.do(yes)
    for again in ({"connection": "c2"}, {"connection": "c3"}):
        same = book.ask(session, "make test", item="i", **again)
        assert (known.id, "approved") == (same.id, same.status)
    for script, more in (
        ("rm -rf /srv", {}),
        ("make test", BEYOND),
        ("make test", {"cwd": "/elsewhere"}),
    ):
        other = book.ask(session, script, connection="c4", item="i", **more)
        assert known.id != other.id
        assert "pending" == other.status


def test_a_yes_to_changes_of_files_is_for_these_changes(book: Book) -> None:
    session = book.session()
    asks = partial(book.ask, session, "x", item="i", kind="file_change")
    known = asks(connection="c1", diff="+a", files=[{"path": "a", "change": "add"}])
    again = asks(connection="c2", diff="+a", files=[{"path": "a", "change": "add"}])
    other = asks(connection="c3", diff="+b", files=[{"path": "a", "change": "add"}])
    elsewhere = asks(connection="c4", diff="+a", files=[{"path": "b", "change": "add"}])
    assert known.id == again.id
    assert 3 == len({known.id, other.id, elsewhere.id})


def test_a_damaged_rule_is_in_nobodys_way_and_goes_with_the_folder(book: Book) -> None:
    session = book.session()
    broken = book.allow(book.ask(session, "pytest"), "pytest")
    book.do(lambda tx: tx.db.execute("UPDATE rules SET checksum = 0 WHERE id = ?", [broken.id]))
    waiting = book.ask(session, "make test")
    rule = book.allow(waiting, "make", "test", is_exact=True)
    assert f"rule:{rule.id}" == book.ask(session, "make test").resolved_by
    assert "pending" == book.ask(session, "pytest").status
    book.do(lambda tx: ledger.forget_rules(tx, session.repository_id, "ada"))
    assert 0 == book.do(lambda tx: rules.count(tx.db, {}))


def test_a_damaged_rule_is_taken_back_and_told_of(book: Book) -> None:
    session = book.session()
    rule = book.allow(book.ask(session, "pytest"), "pytest")
    book.do(lambda tx: tx.db.execute("UPDATE rules SET checksum = 0 WHERE id = ?", [rule.id]))
    removal = book.do(lambda tx: ledger.remove_rule(tx, rule.id, "ada"))
    assert (rule.id, None) == (removal.rule_id, removal.rule)
    assert 0 == book.do(lambda tx: rules.count(tx.db, {}))
    told = book.do(lambda tx: events.after(tx.db, 0, limit=500)[0])[-1]
    assert ("repo.rule.removed", session.repository_id) == (told.type, told.repository_id)
    with pytest.raises(RecordNotFound):
        book.do(lambda tx: ledger.remove_rule(tx, rule.id, "ada"))


def test_a_rule_settles_the_others_where_a_question_is_damaged(book: Book) -> None:
    session = book.session()
    first, good = book.ask(session, "pytest"), book.ask(book.beside(session), "pytest")
    gone = book.beside(session)
    book.ask(gone, "pytest")
    book.do(lambda tx: tx.db.execute("UPDATE sessions SET checksum = 0 WHERE id = ?", [gone.id]))
    rule = book.allow(first, "pytest")
    settled = book.do(lambda tx: [one.id for one in settlement.settle_by_rule(tx, rule)])
    assert [first.id, good.id] == settled


def test_what_waits_beside_it_is_answered_too_where_the_rule_covers_it(book: Book) -> None:
    session = book.session()
    first, alike = book.ask(session, "pytest"), book.ask(book.beside(session), "pytest a")
    tighter = book.ask(book.beside(session, sandbox="read-only"), "pytest a")
    other, elsewhere = book.ask(session, "pytest; rm x"), book.ask(book.session(), "pytest a")
    rule = book.allow(first, "pytest")
    settled = book.do(lambda tx: [one.id for one in settlement.settle_by_rule(tx, rule)])
    assert [first.id, alike.id] == settled
    counted = book.do(lambda tx: rules.get(tx.db, rule.id))
    assert 2 == counted.uses
    assert counted.last_used_at is not None
    assert not {tighter.id, other.id, elsewhere.id} & set(settled)


def test_the_same_rule_is_made_once_and_a_removed_one_answers_no_more(book: Book) -> None:
    session = book.session()
    one, same = book.ask(session, "make test"), book.ask(session, "make test")
    rule = book.allow(one, "make", "test", is_exact=True)
    assert rule == book.allow(same, "make", "test", is_exact=True)
    assert 1 == book.types().count("repo.rule.added")
    book.do(lambda tx: ledger.remove_rule(tx, rule.id, "ada"))
    assert "pending" == book.ask(session, "make test").status
    assert 1 == book.types().count("repo.rule.removed")


def test_a_command_with_a_secret_is_never_kept(book: Book) -> None:
    asked = book.ask(book.session(), f"deploy {SECRET}")
    (_, hidden) = asked.details["alwaysAllow"]["words"]
    assert SECRET not in hidden
    for word in (SECRET, hidden):
        with pytest.raises(Conflict):
            book.allow(asked, "deploy", word, is_exact=True)
    assert [] == book.do(lambda tx: rules.every(tx.db, {}))


def test_what_no_agent_asked_can_be_allowed_by_nobody(book: Book) -> None:
    asked = book.ask(book.session(), "pytest")
    for wrong in ({"kind": "manual"}, {"codex_request": None}, {"session_id": None}):
        made_up = msgspec.structs.replace(asked, **wrong)
        with pytest.raises(Conflict):
            book.allow(made_up, "pytest")


def test_rules_go_with_the_folder_and_with_the_repository(book: Book) -> None:
    session = book.session()
    book.allow(book.ask(session, "pytest"), "pytest")
    book.do(lambda tx: sessions.update(tx, session.id, status="stopped", finished_at=tx.now))
    moved = {"local_path": "/srv/moved"}
    book.do(lambda tx: patch_repository(tx, session.repository_id, moved, "ada"))
    assert [] == book.do(lambda tx: rules.every(tx.db, {}))
    other = book.session()
    book.allow(book.ask(other, "pytest"), "pytest")
    book.do(lambda tx: sessions.update(tx, other.id, status="stopped", finished_at=tx.now))
    book.do(lambda tx: delete_repository(tx, other.repository_id, "ada"))
    assert [] == book.do(lambda tx: rules.every(tx.db, {}))


def test_a_repository_has_no_more_rules_than_a_person_can_look_over(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MOST_RULES", 1)
    session = book.session()
    book.allow(book.ask(session, "pytest"), "pytest")
    with pytest.raises(Conflict, match="remove some"):
        book.allow(book.ask(session, "make test"), "make", "test", is_exact=True)
