"""Abilities of a unit, which end when it has returned."""

import json

import pytest

from command_center.store import (
    Transaction,
    TransactionEnded,
    Writer,
    from_timestamp,
    now_timestamp,
)
from tests.made_up import made_up
from tests.store.units import add_repository, run, tell


def test_an_event_has_the_members_that_the_api_shows(writer: Writer) -> None:
    def unit(tx: Transaction) -> int:
        cause = tell(tx)
        return tx.emit(
            made_up("approval.requested", {"title": "Run ls?"}),
            actor="/sessions/3",
            repository_id=1,
            task_id=2,
            session_id=3,
            approval_id=4,
            automation_id=5,
            correlation_id="c",
            causation_id=cause,
        )

    commit = writer.commit([unit])
    shown = json.loads(commit.events[1].body)
    assert {
        "id": 2,
        "type": "approval.requested",
        "ts": commit.events[1].ts,
        "repositoryId": 1,
        "taskId": 2,
        "sessionId": 3,
        "approvalId": 4,
        "automationId": 5,
        "actor": "/sessions/3",
        "correlationId": "c",
        "causationId": 1,
        "data": {"title": "Run ls?"},
    } == shown


def test_an_event_leaves_out_what_it_is_not_about_but_never_its_cause(writer: Writer) -> None:
    shown = json.loads(writer.commit([tell]).events[0].body)
    assert ["id", "type", "ts", "actor", "correlationId", "causationId", "data"] == list(shown)
    assert shown["correlationId"] is shown["causationId"] is None


def test_a_record_in_an_events_data_is_shown_as_the_api_shows_it(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        tx.emit(made_up("repo.created", {"repository": add_repository(tx)}), actor="api")

    shown = json.loads(writer.commit([unit]).events[0].body)
    assert "/srv/a" == shown["data"]["repository"]["localPath"]


def test_an_events_data_is_redacted_and_so_is_who_did_it(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        tx.emit(
            made_up("a.b", {"env": {"CC_API_TOKEN": "x"}, "said": "token='a'"}), actor="token='a'"
        )

    shown = json.loads(writer.commit([unit]).events[0].body)
    expected = {"env": {"CC_API_TOKEN": "[redacted]"}, "said": "token='[redacted]'"}
    assert (expected, "token='[redacted]'") == (shown["data"], shown["actor"])


def test_text_that_json_cannot_carry_is_made_to_fit(writer: Writer) -> None:
    def unit(tx: Transaction) -> None:
        tx.emit(made_up("a.b", {"of": {"name\udc80": ["file\udcff", float("nan")]}}), actor="api")

    shown = json.loads(writer.commit([unit]).events[0].body)
    assert {"of": {"name\ufffd": ["file\ufffd", None]}} == shown["data"]


def test_data_that_is_no_json_is_the_units_error(writer: Writer) -> None:
    with pytest.raises(TypeError):
        run(writer, lambda tx: tx.emit(made_up("a.b", {"x": object()}), actor="api"))
    assert 1 == run(writer, tell)


def test_all_that_a_unit_does_has_one_moment(writer: Writer) -> None:
    before = now_timestamp()

    def unit(tx: Transaction) -> list[str]:
        tell(tx)
        return [tx.now, add_repository(tx).created_at]

    commit = writer.commit([unit])
    moments = {*run(writer, unit)} | {commit.events[0].ts}
    assert all(from_timestamp(before) <= from_timestamp(moment) for moment in moments)
    (first,) = {commit.events[0].ts, *commit.outcomes[0].value}  # type: ignore[union-attr]
    assert first == commit.events[0].ts


def test_a_transaction_cannot_be_kept(writer: Writer) -> None:
    kept: list[Transaction] = []
    writer.commit([kept.append])
    with pytest.raises(TransactionEnded):
        kept[0].db.execute("SELECT 1")
    with pytest.raises(TransactionEnded):
        tell(kept[0])
    assert 1 == run(writer, tell)
