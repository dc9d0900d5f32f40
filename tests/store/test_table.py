"""Records in their tables."""

import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from command_center.store import (
    ConstraintViolated,
    InvalidCursor,
    InvalidRecord,
    Readers,
    RecordNotFound,
    Repository,
    Table,
    Transaction,
    Writer,
    agents,
    approvals,
    automation_runs,
    automations,
    followups,
    items,
    repositories,
    sessions,
    tasks,
)
from command_center.store import table as table_module
from command_center.store.database.text_match import holds_words
from command_center.store.queries.automation_runs import begun_since
from command_center.store.records import Risk
from command_center.store.table import Where
from tests.store.units import add_repository, add_session, add_task, run

ASKED = {"kind": "manual", "title": "May I?", "requested_by": "api"}


def test_a_record_comes_back_as_it_was_put_in(writer: Writer, readers: Readers) -> None:
    added = run(writer, lambda tx: add_repository(tx, allow_write=True, is_dirty=False, ahead=2))
    with readers.connection() as db:
        assert added == repositories.get(db, added.id)
    assert (True, False, False, 2, None) == (
        added.allow_write,
        added.allow_network,
        added.is_dirty,
        added.ahead,
        added.behind,
    )


def test_records_within_a_record_come_back_as_what_they_are(
    writer: Writer, readers: Readers
) -> None:
    found = [Risk("deletes", "rm -rf build"), Risk("unreadable", "$it")]
    added = run(writer, lambda tx: approvals.insert(tx, **ASKED, risks=found))
    with readers.connection() as db:
        assert found == added.risks == approvals.get(db, added.id).risks


def test_a_record_is_what_the_api_shows(writer: Writer) -> None:
    task = run(writer, lambda tx: add_task(tx, automation_id=None))
    shown = msgspec.to_builtins(task)
    assert {"repositoryId", "approvalRequired", "requestedBy", "createdAt"} <= shown.keys()
    assert ("prompt_task", "normal", False, "open", "stop", 1) == (
        shown["type"],
        shown["priority"],
        shown["approvalRequired"],
        shown["status"],
        shown["onInterrupt"],
        shown["maxAttempts"],
    )


def test_every_kind_of_record_can_be_put_in_and_found(writer: Writer, readers: Readers) -> None:
    def unit(tx: Transaction) -> list[tuple[Table[Any], Any]]:
        session = add_session(tx, plan={"steps": []}, token_usage={"total": 3})
        approval = approvals.insert(
            tx, title="Run ls?", requested_by="codex", session_id=session.id
        )
        item = items.insert(
            tx, session_id=session.id, turn_id="t", item_id="i", type="agentMessage", status="done"
        )
        automation = automations.insert(
            tx,
            repository_id=session.repository_id,
            title="Morning",
            schedule_expr="hourly",
            requested_by="web",
            last_session_id=session.id,
        )
        return [
            (sessions, session),
            (approvals, approval),
            (items, item),
            (automations, automation),
        ]

    added = run(writer, unit)
    with readers.connection() as db:
        for table, record in added:
            assert record == table.get(db, record.id)
        assert {"total": 3} == sessions.get(db, 1).token_usage
        assert {} == approvals.get(db, 1).details
        assert "pending" == approvals.get(db, 1).status
        assert {} == items.get(db, 1).body
        assert automations.get(db, 1).enabled is True


def test_an_absent_record_is_named_in_the_words_of_the_api(readers: Readers) -> None:
    with readers.connection() as db:
        with pytest.raises(RecordNotFound, match=r"^Repository 99999 not found\.$") as caught:
            repositories.get(db, 99999)
        assert ("Repository", 99999) == (caught.value.kind, caught.value.id)
        for impossible in (0, -1, 2**63, 10**40):
            with pytest.raises(RecordNotFound):
                repositories.get(db, impossible)
            with pytest.raises(RecordNotFound):
                repositories.require(db, impossible)


def test_a_record_that_is_there_is_not_missed(writer: Writer, readers: Readers) -> None:
    added = run(writer, add_repository)
    with readers.connection() as db:
        repositories.require(db, added.id)


def test_a_change_is_seen_and_dated(writer: Writer) -> None:
    added = run(writer, add_repository)
    changed = run(
        writer, lambda tx: repositories.update(tx, added.id, name="b", facts={"remotes": [1]})
    )
    assert ("b", {"remotes": [1]}) == (changed.name, changed.facts)
    assert added.created_at == changed.created_at
    assert added.updated_at <= changed.updated_at
    assert added.local_path == changed.local_path


def test_an_absent_record_cannot_be_changed(writer: Writer) -> None:
    with pytest.raises(RecordNotFound):
        run(writer, lambda tx: repositories.update(tx, 7, name="b"))
    with pytest.raises(RecordNotFound):
        run(writer, lambda tx: repositories.swap(tx, 7, expected={"name": "a"}, name="b"))


def test_a_swap_changes_only_what_is_as_expected(writer: Writer) -> None:
    task = run(writer, add_task)
    swapped = run(
        writer,
        lambda tx: tasks.swap(
            tx,
            task.id,
            expected={"status": ["open", "queued"], "codex_thread_id": None},
            status="running",
            codex_thread_id="thr_1",
        ),
    )
    assert swapped is not None
    assert "running" == swapped.status
    late = run(
        writer, lambda tx: tasks.swap(tx, task.id, expected={"status": "open"}, status="failed")
    )
    assert late is None
    assert "running" == run(writer, lambda tx: tasks.get(tx.db, task.id)).status


def test_of_those_who_race_for_one_batch_exactly_one_wins(writer: Writer) -> None:
    approval = run(writer, lambda tx: approvals.insert(tx, title="t", requested_by="codex"))

    def settle(status: str) -> object:
        return lambda tx: approvals.swap(
            tx, approval.id, expected={"status": "pending"}, status=status
        )

    units = [settle(status) for status in ("approved", "rejected", "expired")]
    outcomes = writer.commit(units).outcomes  # type: ignore[arg-type]
    assert ["approved"] == [o.value.status for o in outcomes if o.value is not None]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "sideways"}, "Invalid enum value 'sideways'"),
        ({"title": 5}, "title: Expected `str`, got `int`"),
        ({"title": None}, "title: Expected `str`, got `null`"),
        ({"approval_required": 1}, "approvalRequired: Expected `bool`, got `int`"),
        ({"colour": "red"}, "colour cannot be set"),
        ({"id": 5}, "id cannot be set"),
        ({"created_at": ""}, "created_at cannot be set"),
        ({"max_attempts": 2**70}, "too large"),
        ({"correlation_id": "\ud800"}, "surrogates not allowed"),
    ],
)
def test_fields_that_make_no_record_are_refused(
    writer: Writer, fields: dict[str, object], reason: str
) -> None:
    with pytest.raises(InvalidRecord, match=reason):
        run(writer, lambda tx: add_task(tx, **fields))


def test_a_missing_field_is_named(writer: Writer) -> None:
    with pytest.raises(InvalidRecord, match="Repository: localPath is missing"):
        run(writer, lambda tx: repositories.insert(tx, name="a"))


def test_what_is_referred_to_must_be_there(writer: Writer) -> None:
    with pytest.raises(ConstraintViolated, match="FOREIGN KEY") as caught:
        run(writer, lambda tx: add_task(tx, repository_id=404))
    assert "Task" == caught.value.kind


def test_an_item_is_in_a_turn_once(writer: Writer) -> None:
    session = run(writer, add_session)
    named = {"session_id": session.id, "turn_id": "t", "item_id": "i", "type": "x", "status": "s"}
    run(writer, lambda tx: items.insert(tx, **named))
    with pytest.raises(ConstraintViolated, match="UNIQUE"):
        run(writer, lambda tx: items.insert(tx, **named))


def test_ids_of_records_are_not_given_twice(writer: Writer) -> None:
    first = run(writer, add_repository)
    run(writer, lambda tx: tx.db.execute("DELETE FROM repositories"))
    assert first.id + 1 == run(writer, add_repository).id


def test_records_are_found_by_what_they_hold(writer: Writer, readers: Readers) -> None:
    for name, write, sha in [("a", True, None), ("b", True, "x"), ("c", False, "y")]:
        run(writer, lambda tx: add_repository(tx, name=name, allow_write=write, head_sha=sha))  # noqa: B023 - it runs at once
    with readers.connection() as db:

        def found(where: dict[str, object]) -> list[str]:
            return [r.name for r in repositories.every(db, where)]  # type: ignore[arg-type]

        assert ["a", "b"] == found({"allow_write": True})
        assert ["a"] == found({"head_sha": None})
        assert ["a", "c"] == found({"name": ["a", "c", "z"]})
        assert ["a", "c"] == found({"head_sha": (None, "y")})
        assert [] == found({"name": []})
        assert [] == found({"name": "a", "head_sha": "x"})
        assert [] == found({"name": "'; DROP TABLE repositories; --"})
        assert [] == found({"ahead": 2**70})
        newest = repositories.find(db, {"allow_write": True}, newest_first=True)
        assert newest is not None
        assert "b" == newest.name
        assert repositories.find(db, {"name": "z"}) is None
        assert 2 == repositories.count(db, {"allow_write": True})
        for unknown in ("facts", "colour", "1=1; --"):
            with pytest.raises(InvalidRecord, match="cannot be looked up"):
                found({unknown: 1})


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_give_every_record_once_though_more_are_added(
    writer: Writer,
    readers: Readers,
    newest_first: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    for _ in range(5):
        run(writer, add_repository)
    seen: list[int] = []
    cursor: str | None = None
    while True:
        with readers.connection() as db:
            page = repositories.page(
                db, {"name": "a"}, limit=2, cursor=cursor, newest_first=newest_first
            )
        seen += [record.id for record in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        if len(seen) == 2:
            run(writer, add_repository)
    assert [5, 4, 3, 2, 1] == seen if newest_first else [1, 2, 3, 4, 5, 6] == seen


@pytest.mark.parametrize(
    ("words", "held_by"),
    [
        ("", [4, 3, 2, 1]),
        (" \n", [4, 3, 2, 1]),
        ("LOGIN", [2, 1]),
        ("flow login", [1]),
        ("flow\tEXPIRES", [1]),
        ("ÜBERSICHT", [3]),
        ("100%", [3]),
        ("%", [3]),
        ("_", [4]),
        ("a\\b", [4]),
        ("\\", [4]),
        ("o'clock", [4]),
        ('"', [4]),
        ("' OR 1=1 --", []),
        ("\0", []),
        ("#3", [3]),
        ("login #2", [2]),
    ],
)
def test_words_are_looked_for_as_they_are_typed(
    writer: Writer, readers: Readers, words: str, held_by: list[int]
) -> None:
    for title, prompt in (
        ("Review the login flow", "What expires, and when?"),
        ("Log in again", "The LOGIN fails."),
        ("Eine übersicht", "100% of it."),
        ("Rename a\\b to a_b", 'At five o\'clock, "now".'),
    ):
        run(writer, lambda tx, t=title, p=prompt: add_task(tx, title=t, prompt=p))  # type: ignore[misc]
    with readers.connection() as db:
        page = tasks.page(db, {}, words=words, limit=10, newest_first=True)
    assert held_by == [task.id for task in page.items]


def test_pages_go_on_among_those_that_hold_the_words(writer: Writer, readers: Readers) -> None:
    for number in range(6):
        run(writer, lambda tx, n=number: add_task(tx, title=f"Half {n % 2}"))  # type: ignore[misc]
    with readers.connection() as db:
        first = tasks.page(db, {}, words="half 0", limit=2, newest_first=True)
        rest = tasks.page(
            db, {}, words="half 0", limit=2, cursor=first.next_cursor, newest_first=True
        )
    assert ([5, 3], [1], None) == (
        [task.id for task in first.items],
        [task.id for task in rest.items],
        rest.next_cursor,
    )


def test_a_page_is_shown_as_items_and_next_cursor(writer: Writer, readers: Readers) -> None:
    run(writer, add_repository)
    with readers.connection() as db:
        shown = msgspec.to_builtins(repositories.page(db, {}, limit=1))
    assert ["items", "nextCursor"] == list(shown)
    assert "/srv/a" == shown["items"][0]["localPath"]


def test_a_cursor_of_another_table_is_refused(writer: Writer, readers: Readers) -> None:
    run(writer, add_task)
    run(writer, add_task)
    with readers.connection() as db:
        cursor = tasks.page(db, {}, limit=1).next_cursor
        with pytest.raises(InvalidCursor):
            repositories.page(db, {}, limit=1, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_page_has_a_sensible_size(readers: Readers, limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 500"), readers.connection() as db:
        repositories.page(db, {}, limit=limit)


def test_secrets_do_not_get_into_records(writer: Writer) -> None:
    def unit(tx: Transaction) -> Repository:
        task = add_task(tx, prompt="use ghp_abcdefghijklmnopqrstuvwxyz0123456789 please")
        assert "use [redacted] please" == task.prompt
        changed = tasks.update(tx, task.id, title="password='a'")
        assert "password='[redacted]'" == changed.title
        return add_repository(tx, facts={"remotes": [{"url": "https://bob:pw@git.example/a"}]})

    added = run(writer, unit)
    assert {"remotes": [{"url": "https://bob:[redacted]@git.example/a"}]} == added.facts


def test_a_secret_in_the_place_of_a_name_does_not_get_into_records(writer: Writer) -> None:
    said, kept = "token='a'", "token='[redacted]'"

    def unit(tx: Transaction) -> list[str | None]:
        session = add_session(tx, requested_by=said)
        repository_id, task_id = session.repository_id, session.task_id
        task = tasks.update(tx, task_id, requested_by=said)
        approval = approvals.insert(tx, title="t", requested_by=said)
        resolved = approvals.update(tx, approval.id, resolved_by=said)
        followup = followups.insert(
            tx, task_id=task_id, session_id=session.id, message="m", requested_by=said
        )
        automation = automations.insert(
            tx, repository_id=repository_id, title="t", schedule_expr="hourly", requested_by=said
        )
        asked = (session, task, approval, followup, automation)
        return [*(record.requested_by for record in asked), resolved.resolved_by]

    assert [kept] * 6 == run(writer, unit)


def test_paths_are_kept_to_the_letter(writer: Writer) -> None:
    odd = "/srv/token=abc123def/password='x'"
    assert odd == run(writer, lambda tx: add_repository(tx, local_path=odd)).local_path


def test_a_table_knows_its_fields() -> None:
    with pytest.raises(InvalidRecord, match="has no colour"):
        Table(Repository, "repositories", redacted=["colour"])
    assert "<Table tasks of Task>" == repr(tasks)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def shared_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "command-center.db"


@given(
    name=st.text(st.characters(exclude_categories=["Cs"])),
    ahead=st.none() | st.integers(-(2**63), 2**63 - 1),
    is_dirty=st.none() | st.booleans(),
    facts=st.dictionaries(st.text(max_size=5), json_values, max_size=3),
)
def test_any_record_comes_back_as_it_was_put_in(
    shared_path: Path,
    name: str,
    ahead: int | None,
    is_dirty: bool | None,  # noqa: FBT001 - Hypothesis gives it by name
    facts: dict[str, object],
) -> None:
    writer = Writer(shared_path)
    added = run(
        writer,
        lambda tx: add_repository(tx, name=name, ahead=ahead, is_dirty=is_dirty, facts=facts),
    )
    assert (name, ahead, is_dirty) == (added.name, added.ahead, added.is_dirty)
    assert added == run(writer, lambda tx: repositories.get(tx.db, added.id))
    writer.close()


def test_words_are_found_by_their_trigrams_as_by_a_look_at_every_task(
    writer: Writer, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(tx: Transaction) -> None:
        for name in ("a", "b"):
            add_repository(tx, name=name, local_path=f"/srv/{name}")
        for number in range(1, 81):
            title = ("Überholt", "see #12", "plain", "\u212aelvin 40%")[number % 4]
            prompt = f"Word{number % 7} of x{number % 11}y\0z"
            add_task(tx, repository_id=number % 2 + 1, title=title, prompt=prompt)
        for number in range(1, 81, 13):
            tasks.update(tx, number, title="other ÜBER #77", status="failed")
        tx.db.execute("DELETE FROM tasks WHERE id = 12")

    def turned(db: Database, where: dict[str, Any], words: str, *, newest_first: bool) -> list[int]:
        found: list[int] = []
        cursor = None
        while True:
            page = tasks.page(
                db, where, limit=7, cursor=cursor, newest_first=newest_first, words=words
            )
            found += [task.id for task in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return found

    run(writer, fill)
    looks = ("über", "word3 x5y", "#12", "#1 plain", "#012", "kelvin", "zz", "y\0z", "")
    wheres: list[dict[str, Any]] = [{}, {"repository_id": 1}, {"status": "failed"}]
    with readers.connection() as db:
        for few, words, where in itertools.product((0, 10**9), looks, wheres):
            monkeypatch.setattr(table_module, "_FEW", few)
            wanted = [
                task.id
                for task in tasks.every(db, where)
                if holds_words(words, f"#{task.id}", task.title, task.prompt)
            ]
            assert wanted == turned(db, where, words, newest_first=False)
            assert wanted[::-1] == turned(db, where, words, newest_first=True)


def test_a_rare_word_is_found_among_many_tasks_without_a_look_at_them(
    writer: Writer, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(tx: Transaction) -> None:
        place = add_repository(tx)
        for number in range(400):
            prompt = "a needle" if number == 5 else "nothing but straw"
            add_task(tx, repository_id=place.id, prompt=prompt)

    run(writer, fill)
    with readers.connection() as db:
        taken: list[int] = []
        for few in (0, 10**9):
            monkeypatch.setattr(table_module, "_FEW", few)
            steps: list[None] = []
            db.conn.set_progress_handler(lambda: steps.append(None), 10)  # noqa: B023 - run at once
            page = tasks.page(db, {"repository_id": 1}, limit=50, words="needle")
            db.conn.set_progress_handler(None, 0)
            assert [6] == [task.id for task in page.items]
            taken.append(len(steps))
        assert taken[0] < taken[1] / 4


def test_a_rare_condition_is_looked_up_whatever_else_is_asked_for(
    writer: Writer, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(tx: Transaction) -> None:
        place = add_repository(tx)
        for _ in range(400):
            add_task(tx, repository_id=place.id)
        tasks.update(tx, 7, status="failed")

    monkeypatch.setattr(table_module, "_FEW", 50)
    run(writer, fill)
    wishes: tuple[Where, ...] = (
        {"status": ["failed"], "priority": "normal"},
        {"priority": "normal", "repository_id": 1, "type": "review_task"},
    )
    with readers.connection() as db:
        for where in wishes:
            tasks.page(db, where, limit=50)
            steps: list[None] = []
            db.conn.set_progress_handler(lambda: steps.append(None), 10)  # noqa: B023 - run at once
            page = tasks.page(db, where, limit=50)
            db.conn.set_progress_handler(None, 0)
            assert ([7] if "status" in where else []) == [task.id for task in page.items]
            assert len(steps) < 150


def test_a_rare_outcome_is_found_among_many_runs_without_a_look_at_them(
    writer: Writer, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(tx: Transaction) -> None:
        place = add_repository(tx)
        task = add_task(tx, repository_id=place.id)
        automation = automations.insert(
            tx, repository_id=place.id, title="a", schedule_expr="every@1h", requested_by="web"
        )
        of_it = {"automation_id": automation.id, "task_id": task.id}
        for number in range(600):
            automation_runs.insert(
                tx,
                **of_it,
                trigger="event" if number % 2 else "schedule",
                outcome="completed" if number % 3 else "failed",
                fired_at="2026-01-01T00:00:00.000Z",
            )
        late = "2026-02-01T00:00:00.000Z"
        automation_runs.insert(tx, **of_it, trigger="hook", outcome="failed", fired_at=late)
        automation_runs.insert(tx, **of_it, trigger="event", outcome="denied", fired_at=late)

    monkeypatch.setattr(table_module, "_FEW", 20)
    run(writer, fill)
    wishes: tuple[tuple[Where, list[int]], ...] = (
        ({"outcome": "denied"}, [602]),
        ({"outcome": "missed"}, []),
        ({"trigger": "hook"}, [601]),
        ({"trigger": "hook", "outcome": "failed"}, [601]),
        ({"trigger": "event", "outcome": "stopped"}, []),
        ({"trigger": "schedule", "outcome": "denied"}, []),
    )
    with readers.connection() as db:
        steps: list[None] = []
        db.conn.set_progress_handler(lambda: steps.append(None), 10)
        for where, ids in wishes:
            wanted = {**where, "automation_id": 1}
            automation_runs.page(db, wanted, limit=50, newest_first=True)
            steps.clear()
            page = automation_runs.page(db, wanted, limit=50, newest_first=True)
            assert ids == [one.id for one in page.items]
            assert len(steps) < 60, where
        steps.clear()
        assert 1 == begun_since(db, 1, "event", "2026-01-15T00:00:00.000Z")
        assert len(steps) < 60


def test_a_page_of_the_sub_agents_of_a_session_sorts_no_others(
    writer: Writer, readers: Readers
) -> None:
    def fill(tx: Transaction) -> None:
        session = add_session(tx)
        for number in range(400):
            agents.insert(tx, session_id=session.id, thread_id=f"t{number}", parent_thread_id="p")

    run(writer, fill)
    with readers.connection() as db:
        agents.page(db, {"session_id": 1}, limit=2)  # reads the schema, too
        steps: list[None] = []
        db.conn.set_progress_handler(lambda: steps.append(None), 10)
        page = agents.page(db, {"session_id": 1}, limit=2)
        assert ["t0", "t1"] == [one.thread_id for one in page.items]
        assert len(steps) < 60
