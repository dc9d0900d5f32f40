"""Commands, replies and buttons, as a person in a chat uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from command_center.actors.telegram.chats import KINDS
from command_center.actors.telegram.commands import COMMANDS
from command_center.store import (
    Session,
    Task,
    Transaction,
    repositories,
    sessions,
    stored_hosts,
    tasks,
    telegram_chats,
    telegram_updates,
)
from tests.actors import rows
from tests.actors.telegram.rig import GROUP, ME, Rig, rig
from tests.checkout import ROOT
from tests.telegram_bot_api import Fault


async def another_repository(r: Rig, name: str = "other") -> int:
    made = await r.center.storage.write(
        lambda tx: repositories.insert(tx, name=name, local_path=f"/{name}", allow_write=True)
    )
    return made.id


async def insert_session(r: Rig, **fields: Any) -> Session:
    """A session whose actor nobody starts, in whatever state the test needs."""

    def unit(tx: Any) -> Session:
        repository = repositories.get(tx.db, r.repository_id)
        task = rows.insert_task(tx, repository, title="Fix it", prompt="Fix it, please")
        return rows.insert_session(tx, task, **fields)

    return await r.center.storage.write(unit)


def ended(db: Database) -> Session | None:
    found = sessions.find(db, {}, newest_first=True)
    return found if found is not None and found.finished_at is not None else None


async def test_a_run_in_the_only_repository_takes_one_message(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.say("/run Find the\nflaky test")
        await r.api.message(ME, "is queued in r")
        session = await r.until(ended)
        task = await r.center.storage.read(lambda db: tasks.get(db, session.task_id))
        assert ("Find the\nflaky test", "Find the") == (task.prompt, task.title)
        assert (f"telegram:{ME}", f"telegram:{ME}") == (task.requested_by, session.requested_by)
        (update,) = await r.center.storage.read(lambda db: telegram_updates.every(db, {}))
        assert f"telegram-update-{update.update_id}" == task.correlation_id
        shown = await r.api.message(ME, "completed")
        assert "[stub] No Codex was asked." in shown["text"]


async def test_a_run_is_a_tap_on_the_repository_and_a_prompt(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        repository_id = await another_repository(r)
        await r.say("/run")
        picker = await r.api.message(ME, "Where?")
        await r.press(picker, "other")
        asked = await r.api.message(ME, "What is to be done in other?")
        assert asked["reply_markup"]["force_reply"]
        await r.say("Tidy up", reply_to=asked)
        await r.api.message(ME, "Tidy up")
        task = await r.until(lambda db: tasks.find(db, {}))
        assert (repository_id, "Tidy up") == (task.repository_id, task.prompt)
        assert "reply_markup" not in r.api.chat(ME).messages[picker["message_id"]]


async def test_a_prompt_that_came_with_the_command_runs_where_it_is_tapped(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await another_repository(r)
        await r.say("/run Tidy up")
        await r.press(await r.api.message(ME, "Where?"), "other")
        await r.api.message(ME, "is queued in other")
        await r.say("and what now?")
        await r.api.message(ME, "To put Codex to work")
        assert 1 == await r.center.storage.read(lambda db: tasks.count(db, {}))


async def test_a_repository_can_be_named_by_number_or_name(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        repository_id = await another_repository(r)
        await r.say(f"/run {repository_id} One thing")
        await r.say("/run other Another thing")
        await r.api.message(ME, "is queued in other", count=2)
        found: list[Task] = await r.center.storage.read(lambda db: tasks.every(db, {}))
        assert ["One thing", "Another thing"] == [task.prompt for task in found]


async def test_where_there_are_several_hosts_each_is_named_and_one_can_be_chosen(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:

        def unit(tx: Transaction) -> int:
            given = {"kind": "ssh", "address": "box", "host_key": "", "data_dir": "/d"}
            stored_hosts.insert(tx, name="box", requested_by="test", **given)
            there = {"host": "box", "local_path": "/r", "project": "r", "identity": "r"}
            repositories.update(tx, r.repository_id, project="r", identity="r")
            return repositories.insert(tx, name="r", allow_write=True, **there).id

        there = await r.center.storage.write(unit)
        await r.say("/run r Tidy up")
        await r.press(await r.api.message(ME, "Where? Tidy up"), "r on box")
        await r.api.message(ME, "is queued in r on box")
        await r.say("/run r@box Another thing")
        await r.api.message(ME, "is queued in r on box", count=2)
        await r.say("/run r@any")
        await r.say("Anywhere", reply_to=await r.api.message(ME, "What is to be done in r?"))
        await r.api.message(ME, "is queued in r on local")
        found: list[Task] = await r.center.storage.read(lambda db: tasks.every(db, {}))
        assert [(there, None), (there, None), (r.repository_id, "any")] == [
            (task.repository_id, task.placement) for task in found
        ]
        await r.say("/sessions")
        await r.api.message(ME, "Tidy up on box")


async def test_a_run_that_policy_denies_leaves_no_task_and_says_why(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        missing = await insert_session(r, finished_at="2026-01-01T00:00:00.000Z", status="failed")
        await r.center.storage.write(
            lambda tx: repositories.update(tx, r.repository_id, allow_write=False)
        )
        await r.center.storage.write(
            lambda tx: sessions.update(tx, missing.id, sandbox="workspace-write")
        )
        await r.say(f"/new {missing.id} go on")
        await r.api.message(ME, "does not allow writing")
        assert 1 == await r.center.storage.read(lambda db: sessions.count(db, {}))


async def test_a_reply_to_a_session_that_ended_goes_on_in_its_task_and_thread(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await r.say("/run First")
        message = await r.api.message(ME, "completed")
        await r.say("Now the tests", reply_to=message)
        await r.api.message(ME, "completed", count=2)
        both = await r.center.storage.read(lambda db: sessions.every(db, {}))
        assert ["First", "Now the tests"] == [session.prompt for session in both]
        assert both[0].task_id == both[1].task_id
        assert both[0].codex_thread_id == both[1].codex_thread_id
        assert both[0].id == both[1].previous_session_id


async def test_following_up_is_a_tap_and_a_text(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.say("/run First")
        message = await r.api.message(ME, "completed")
        await r.press(message, "Follow up")
        await r.api.message(ME, "How shall session 1 go on?")
        await r.say("Now the tests")
        await r.api.message(ME, "completed", count=2)


async def test_steering_what_cannot_be_steered_says_why(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        session = await insert_session(
            r, finished_at="2026-01-01T00:00:00.000Z", status="completed"
        )
        await r.say(f"/steer {session.id} Use the smaller fixture")
        await r.api.message(ME, "That did not work. Session 1 is completed; it has ended.")


async def test_stop_without_a_number_stops_the_only_live_session(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.say("/stop")
        await r.api.message(ME, "No session is live.")
        await r.say("/run Something")
        await r.api.message(ME, "is queued")
        await r.say("/stop")
        session = await r.until(ended)
        assert session.status in {"stopped", "completed"}
        await r.api.message(ME, f"Session 1 {session.status}")
        await r.say("/stop 1")
        await r.api.message(ME, f"Session 1 is {session.status}.")


async def test_among_several_sessions_one_is_picked(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        first = await insert_session(r)
        await insert_session(r)
        await r.say("/steer what about the docs?")
        picker = await r.api.message(ME, "Which session?")
        await r.press(picker, f"{first.id} Fix it")
        await r.api.message(ME, "That did not work.")
        message = await r.api.message(ME, "That did not work.")
        assert "Session 1" in message["text"] or "/sessions/1" in message["text"]


async def test_a_diff_is_shown_with_its_summary(tmp_path: Path) -> None:
    diff = "--- a/x.py\n+++ b/x.py\n@@ -1 +1,2 @@\n-old <b>\n+new & shiny\n+more\n"
    async with rig(tmp_path) as r:
        await insert_session(
            r, finished_at="2026-01-01T00:00:00.000Z", status="completed", diff=diff
        )
        await r.say("/diff")
        message = await r.api.message(ME, "1 file changed, +2 -1")
        assert "-old &lt;b&gt;\n+new &amp; shiny" in message["text"]


async def test_a_diff_that_no_message_holds_comes_whole_as_a_file(tmp_path: Path) -> None:
    diff = "--- a/x.py\n+++ b/x.py\n@@ -0,0 +1,1000 @@\n" + "+a <line> & more\n" * 1000
    async with rig(tmp_path) as r:
        session = await insert_session(
            r,
            finished_at="2026-01-01T00:00:00.000Z",
            status="completed",
            diff=diff,
            codex_thread_id="1",
        )
        await r.say("/diff")
        message = await r.api.message(ME, "1 file changed, +1000 -0")
        assert ("session-1.diff", diff) == tuple(message["document"].values())
        await r.say("And now?", reply_to=message)
        followed = await r.until(lambda db: sessions.find(db, {"previous_session_id": session.id}))
        assert "And now?" == followed.prompt


async def test_a_file_that_telegram_cannot_take_now_is_sent_again(tmp_path: Path) -> None:
    diff = "--- /dev/null\n+++ b/x\n@@ -0,0 +1,2000 @@\n" + "+line\n" * 2000
    async with rig(tmp_path) as r:
        await insert_session(
            r, finished_at="2026-01-01T00:00:00.000Z", status="completed", diff=diff
        )
        r.api.fail_next("sendDocument", Fault(502, "Bad Gateway"))
        await r.say("/diff")
        await r.api.message(ME, "+2000 -0")
        assert 2 == len(r.api.called("sendDocument"))


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "cancel"])
async def test_every_command_answers_where_there_is_nothing_yet(
    tmp_path: Path, command: str
) -> None:
    async with rig(tmp_path) as r:
        await r.say(f"/{command}")
        await r.api.wait_until(lambda: r.api.called("sendMessage"))
        await r.until(lambda db: telegram_updates.find(db, {"status": "done"}))
        assert 1 == len(r.api.chat(ME).messages)


@pytest.mark.parametrize("command", ["status", "tasks", "sessions", "automations"])
async def test_lists_tell_what_there_is(tmp_path: Path, command: str) -> None:
    async with rig(tmp_path) as r:
        await insert_session(r)
        await r.ask("Shall I?")
        await r.say(f"/{command}")
        expected = {
            "status": "Sessions: 1 created",
            "tasks": "Fix it",
            "sessions": "Fix it",
            "automations": "There are no automations.",
        }
        await r.api.message(ME, expected[command])


async def test_approvals_come_again_with_fresh_buttons(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask("Shall I?")
        first = await r.api.message(ME, "Shall I?")
        await r.say("/approvals")
        second = await r.api.message(ME, "Shall I?", count=2)
        assert first["reply_markup"] != second["reply_markup"]
        await r.press(second, "Reject")
        assert "rejected" == (await r.approval(approval.id)).status
        await r.api.message(ME, "Rejected by", count=2)


async def test_an_unknown_command_says_so_and_another_bots_is_not_answered(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.api.chat(GROUP)
        await r.receive(r.api.said("/status@other_bot", user_id=ME, chat_id=GROUP))
        await r.receive(r.api.said("just talking", user_id=ME, chat_id=GROUP))
        await r.receive(r.api.said("/status@Command_Center_Bot", user_id=ME, chat_id=GROUP))
        status = await r.api.message(GROUP, "Runs on")
        assert "reply_parameters" in status
        assert 1 == len(r.api.chat(GROUP).messages)
        await r.say("/dance")
        await r.api.message(ME, "I do not know /dance")


async def test_what_is_muted_does_not_come_and_what_is_silent_comes_without_a_sound(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await r.say("/mute")
        wishes = await r.api.message(ME, "What is told in this chat")
        await r.press(wishes, "Approvals and questions")
        await r.until(lambda db: "approvals" in chat_of(db).muted)
        await r.ask("Not told")
        await r.told()
        await r.say("/mute off")
        await r.api.message(ME, "What is told in this chat", count=2)
        await r.say("/mute 2h")
        await r.api.message(ME, "Without a sound until")
        await r.ask("Silent")
        message = await r.api.message(ME, "Silent")
        assert message["disable_notification"]
        assert "Not told" not in " ".join(r.api.texts(ME))


def chat_of(db: Database) -> Any:
    return telegram_chats.find(db, {"chat_id": ME})


async def test_quiet_hours_are_set_and_ended_by_command(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.say("/quiet 0:00-23:59")
        await r.api.message(ME, "Without a sound from 00:00-23:59")
        await r.say("/quiet off")
        await r.api.message(ME, "With a sound at all hours")
        await r.say("/quiet sometimes")
        await r.api.message(ME, "I know /quiet 22:00-07:00")


async def test_what_was_asked_for_is_forgotten_by_another_command(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.say("/run")
        await r.api.message(ME, "What is to be done in r?")
        await r.say("/cancel")
        await r.api.message(ME, "All right.")
        await r.say("Do something")
        await r.api.message(ME, "To put Codex to work")
        assert 0 == await r.center.storage.read(lambda db: tasks.count(db, {}))


def test_every_command_and_every_kind_of_message_is_documented() -> None:
    page = (ROOT / "docs" / "telegram.md").read_text(encoding="utf-8")
    assert [] == [name for name in COMMANDS if name != "start" and f"`/{name}`" not in page]
    assert [] == [kind for kind in KINDS if f"| `{kind}` |" not in page]
