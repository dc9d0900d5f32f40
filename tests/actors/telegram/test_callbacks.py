"""Buttons: each good once, in its own chat, and decided before anybody is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.contracts.addresses import APPROVALS
from command_center.actors.contracts.approvals import Resolution, ResolveApproval
from command_center.actors.telegram.messages import INBOX, KeepUpdates
from command_center.actors.telegram.updates import read_update
from command_center.store import (
    Approval,
    Transaction,
    approvals,
    tasks,
    telegram_buttons,
    telegram_updates,
)
from tests.actors.telegram.rig import GROUP, ME, Rig, opened, rig
from tests.made_up import made_up
from tests.telegram_bot_api import Fault, fake_bot_api

QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "color",
        "header": "Color",
        "question": "Which color?",
        "options": [{"label": "Red", "description": "warm"}, {"label": "Blue"}],
        "freeText": False,
        "secret": False,
    },
    {
        "id": "name",
        "header": "Name",
        "question": "Which name?",
        "options": [],
        "freeText": True,
        "secret": False,
    },
]


async def insert_approval(r: Rig, kind: str, details: dict[str, Any]) -> Approval:
    """An approval as Codex asks for it, without a Codex that waits for it."""

    def unit(tx: Transaction) -> Approval:
        made = approvals.insert(
            tx, kind=kind, title=f"A {kind}", details=details, requested_by="codex"
        )
        tx.emit(made_up("approval.requested"), actor="codex", approval_id=made.id)
        return made

    return await r.center.storage.write(unit)


async def test_callback_data_is_an_opaque_nonce_and_never_twice_the_same(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await insert_approval(r, "command", {"command": "rm -rf build"})
        message = await r.api.message(ME, "A command")
        rows = message["reply_markup"]["inline_keyboard"]
        data = [button["callback_data"] for row in rows for button in row]
        assert [["✅ Approve", "❌ Reject"], ["✅ For this session", "🔍 Details"]] == [
            [button["text"] for button in row] for row in rows
        ]
        assert len(data) == len(set(data))
        assert all(len(nonce.encode()) <= 64 and int(nonce, 16) >= 0 for nonce in data)


async def test_a_press_that_comes_again_decides_once(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask()
        update = r.api.pressed(await r.api.message(ME, "May I?"), "Approve", user_id=ME)
        assert [1, 0, 0] == [await r.receive(update) for _ in range(3)]
        await r.api.wait_until(lambda: r.api.called("answerCallbackQuery"))
        assert "approved" == (await r.approval(approval.id)).status


async def test_of_two_presses_of_one_button_the_second_is_told_so(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.ask()
        message = dict(await r.api.message(ME, "May I?"))  # as it was shown, with its buttons
        assert "Approved" in (await r.press(message, "Approve"))["text"]
        again = (await r.press(message, "Approve"))["text"]
        assert again in {"This button was used already.", "This button is no longer valid."}


async def test_who_comes_second_is_told_of_the_winner(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask()
        message = await r.api.message(ME, "May I?")
        await r.center.system.stop_child("/telegram/notifier", reason="so the button stays")
        wish = Resolution(status="rejected", resolved_by="web")
        await r.center.ask(APPROVALS, ResolveApproval(approval.id, wish))
        answer = await r.press(message, "Approve")
        assert f"Approval {approval.id} is already rejected by web." == answer["text"]
        assert "rejected" == (await r.approval(approval.id)).status


@pytest.mark.parametrize("data", ["", "x" * 64, "0" * 32, "resolve:1:approved", None])
async def test_a_button_that_the_bot_did_not_make_does_nothing(
    tmp_path: Path, data: str | None
) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask()
        message = await r.api.message(ME, "May I?")
        update = r.api.pressed(message, "Approve", user_id=ME, data=data or "")
        if data is None:
            del update["callback_query"]["data"]
        await r.receive(update)
        await r.api.wait_until(lambda: r.api.called("answerCallbackQuery"))
        assert "no longer valid" in r.api.called("answerCallbackQuery")[0]["text"]
        assert "pending" == (await r.approval(approval.id)).status


async def test_a_button_works_only_in_the_chat_that_it_was_sent_to(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask()
        message = await r.api.message(ME, "May I?")
        elsewhere = {**message, "chat": {"id": GROUP, "type": "group"}}
        await r.receive(r.api.pressed(elsewhere, "Approve", user_id=ME))
        await r.api.wait_until(lambda: r.api.called("answerCallbackQuery"))
        assert "pending" == (await r.approval(approval.id)).status


async def test_the_decision_stands_though_telegram_cannot_be_told(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask()
        message = await r.api.message(ME, "May I?")
        r.api.fail_next("answerCallbackQuery", Fault(400, "Bad Request: query is too old"))
        r.api.fail_next("editMessageText", Fault(400, "Bad Request: message can't be edited"))
        await r.press(message, "Reject")
        assert "rejected" == (await r.approval(approval.id)).status
        await r.ask("And now?")
        await r.api.message(ME, "And now?")


async def test_the_decision_is_committed_before_anybody_is_answered(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask()
        message = await r.api.message(ME, "May I?")
        held = trio.Event()
        r.api.fail_next("answerCallbackQuery", Fault(until=held))
        await r.receive(r.api.pressed(message, "Approve", user_id=ME))
        await r.api.wait_until(lambda: r.api.called("answerCallbackQuery"))
        assert "approved" == (await r.approval(approval.id)).status
        held.set()


async def test_details_show_everything_and_leave_the_other_buttons(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await insert_approval(
            r, "command", {"command": "make\n" * 900 + "the end", "cwd": "/x", "reason": "Why not?"}
        )
        message = await r.api.message(ME, "A command")
        assert "lines left out" in message["text"]
        await r.press(message, "Details")
        await r.api.message(ME, f"Approval {approval.id}")
        await r.api.wait_until(lambda: r.api.called("editMessageText"))
        changed = r.api.chat(ME).messages[message["message_id"]]
        await r.press(changed, "For this session")
        settled = await r.approval(approval.id)
        assert ("approved", "session") == (settled.status, settled.scope)


async def test_questions_are_answered_by_a_button_and_by_a_reply(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await insert_approval(r, "user_input", {"questions": QUESTIONS})
        message = await r.api.message(ME, "Which color?")
        await r.press(message, "Red")
        message = await r.api.message(ME, "Which name?")
        assert "Which color? <b>Red</b>" in message["text"]
        await r.say("Rosa", reply_to=message)
        await r.api.message(ME, "Approved by")
        settled = await r.approval(approval.id)
        assert {"color": "Red", "name": "Rosa"} == settled.answers
        assert f"telegram:{ME}" == settled.resolved_by


async def test_a_question_with_options_only_takes_no_other_words(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await insert_approval(r, "user_input", {"questions": QUESTIONS[:1]})
        message = await r.api.message(ME, "Which color?")
        await r.say("Green", reply_to=message)
        await r.api.message(ME, "Answer with one of the buttons")
        assert "pending" == (await r.approval(approval.id)).status


async def test_a_secret_is_never_asked_for_in_a_chat(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        question = {**QUESTIONS[1], "secret": True}
        approval = await insert_approval(r, "user_input", {"questions": [question]})
        message = await r.api.message(ME, "It wants a secret")
        await r.say("hunter2", reply_to=message)
        await r.api.message(ME, "or in the browser.")
        assert "pending" == (await r.approval(approval.id)).status


async def test_a_form_is_left_to_the_browser_but_can_be_refused(tmp_path: Path) -> None:
    schema = {"properties": {"port": {"type": "integer"}}, "required": ["port"]}
    async with rig(tmp_path) as r:
        approval = await insert_approval(
            r, "elicitation", {"message": "Which port?", "schema": schema}
        )
        message = await r.api.message(ME, "Which port?")
        rows = message["reply_markup"]["inline_keyboard"]
        assert ["❌ Reject", "🔍 Details"] == [b["text"] for row in rows for b in row]
        await r.press(message, "Reject")
        assert "rejected" == (await r.approval(approval.id)).status


async def test_a_reply_to_an_approval_points_to_its_buttons(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask()
        await r.say("yes", reply_to=await r.api.message(ME, "May I?"))
        await r.api.message(ME, "To decide, press one of the buttons.")
        assert "pending" == (await r.approval(approval.id)).status


async def test_a_button_that_was_pressed_in_vain_is_good_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask()
        message = await r.api.message(ME, "May I?")
        await r.center.system.stop_child("/approvals", reason="test")
        assert "That did not work." in (await r.press(message, "Approve"))["text"]
        await r.center.system.restart("/approvals", reason="test")
        assert "Approved" in (await r.press(message, "Approve"))["text"]
        assert "approved" == (await r.approval(approval.id)).status


async def test_an_update_that_was_kept_but_not_acted_on_is_acted_on_by_the_next_life(
    tmp_path: Path,
) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        async with opened(tmp_path, api) as r:
            approval = await r.ask()
            message = await api.message(ME, "May I?")
            await r.center.system.stop_child("/telegram/inbox", reason="test")
            update = api.pressed(message, "Approve", user_id=ME)
            await r.center.storage.write(
                lambda tx: telegram_updates.insert(tx, update_id=update["update_id"], body=update)
            )
        async with opened(tmp_path, api) as r:
            await api.message(ME, "Approved by")
            assert "approved" == (await r.approval(approval.id)).status
            assert 0 == await r.receive(update)


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        ("begun", "/run Once more", "is queued"),
        ("begun", "/steer 1 Careful", "Command Center was stopped while it did this"),
        ("begun", "/automations run 1", "Command Center was stopped while it did this"),
        ("again", "/run Never", "Nothing was done."),
    ],
)
async def test_what_was_cut_off_is_tried_once_more_unless_that_could_do_it_twice(
    tmp_path: Path, status: str, said: str, expected: str
) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        async with opened(tmp_path, api) as r:
            await r.say("/run Something")
            await api.message(ME, "completed")
            await r.center.system.stop_child("/telegram/inbox", reason="test")
            update = api.said(said, user_id=ME)
            await r.center.storage.write(
                lambda tx: telegram_updates.insert(
                    tx, update_id=update["update_id"], body=update, status=status
                )
            )
        before = len(api.texts(ME))
        async with opened(tmp_path, api) as r:
            await api.wait_until(lambda: expected in " ".join(api.texts(ME)[before:]))
            await r.until(lambda db: not telegram_updates.count(db, {"status": status}))


async def test_who_is_taken_off_the_list_is_not_obeyed_for_what_was_kept_before(
    tmp_path: Path,
) -> None:
    async with fake_bot_api() as api:
        api.chat(ME)
        async with opened(tmp_path, api) as r:
            await r.center.system.stop_child("/telegram/inbox", reason="test")
            update = api.said("/run Something", user_id=ME)
            await r.center.storage.write(
                lambda tx: telegram_updates.insert(tx, update_id=update["update_id"], body=update)
            )
        async with opened(tmp_path, api, allowed_ids=frozenset({GROUP})) as r:
            await r.until(lambda db: telegram_updates.find(db, {"status": "done"}))
            assert 0 == await r.center.storage.read(lambda db: tasks.count(db, {}))


async def test_updates_that_come_in_another_order_are_each_done_once(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        first = r.api.said("/run first", user_id=ME)
        second = r.api.said("/run second", user_id=ME)
        batch = tuple(map(read_update, (second, first, second)))
        assert 2 == await r.center.ask(INBOX, KeepUpdates(batch))
        assert 0 == await r.receive(first)
        await r.api.message(ME, "is queued in r", count=2)


async def test_pressing_a_button_leaves_no_other_press_of_the_same_button(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.ask()
        message = await r.api.message(ME, "May I?")
        await r.press(message, "Approve")
        await r.api.message(ME, "Approved by")
        left = await r.center.storage.read(
            lambda db: telegram_buttons.count(db, {"used_by": None, "chat_id": ME})
        )
        assert 0 == left
