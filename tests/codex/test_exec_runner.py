"""The CLI runner: its lines in the app-server's words, and the real `codex exec`."""

from pathlib import Path
from typing import Any

import psutil
import pytest
import trio

from command_center.actors.codex.errors import NotAMessage
from command_center.actors.codex.exec_lines import ExecTranslator
from command_center.actors.codex.exec_runner import ExecEnd, ExecRun, exec_arguments, run_exec
from command_center.actors.codex.messages import CodexNotification
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.hosts.local.codex.orphans import is_alive
from tests.codex.bridging import real
from tests.codex.confining import confined
from tests.codex.script import AddFile, Gate, Refuse, Run, Say
from tests.codex.scripted_model import ScriptedModel

WHERE = {"threadId": "t", "turnId": "u"}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def asked(cwd: Path, prompt: str = "Do it.", **options: Any) -> ExecRun:
    return ExecRun(prompt=prompt, confinement=confined(cwd), **{"turn_id": "u", **options})


async def run(settings: BridgeSettings, wanted: ExecRun) -> tuple[list[CodexNotification], ExecEnd]:
    told: list[CodexNotification] = []

    async def keep(notification: CodexNotification) -> None:
        told.append(notification)

    return told, await run_exec(LocalCodex(settings), wanted, keep)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            b'{"type":"turn.started"}',
            ("turn/started", {"turn": {"id": "u", "status": "inProgress"}}),
        ),
        (
            b'{"type":"item.completed","item":{"id":"1","type":"agent_message","text":"x"}}',
            ("item/completed", {"item": {"id": "1", "type": "agentMessage", "text": "x"}}),
        ),
        (
            (
                b'{"type":"item.started","item":{"id":"1","type":"command_execution","command":"ls",'
                b'"aggregated_output":"","exit_code":null,"status":"in_progress"}}'
            ),
            (
                "item/started",
                {
                    "item": {
                        "id": "1",
                        "type": "commandExecution",
                        "status": "inProgress",
                        "command": "ls",
                        "aggregatedOutput": "",
                        "exitCode": None,
                    }
                },
            ),
        ),
        (
            (
                b'{"type":"item.completed","item":{"id":"1","type":"file_change","status":"completed",'
                b'"changes":[{"path":"/a","kind":"add"}]}}'
            ),
            (
                "item/completed",
                {
                    "item": {
                        "id": "1",
                        "type": "fileChange",
                        "status": "completed",
                        "changes": [{"path": "/a", "kind": {"type": "add"}, "diff": ""}],
                    }
                },
            ),
        ),
        (
            (
                b'{"type":"item.updated","item":{"id":"1","type":"todo_list",'
                b'"items":[{"text":"a","completed":true},{"text":"b","completed":false}]}}'
            ),
            (
                "turn/plan/updated",
                {
                    "explanation": None,
                    "plan": [
                        {"step": "a", "status": "completed"},
                        {"step": "b", "status": "pending"},
                    ],
                },
            ),
        ),
        (
            b'{"type":"turn.failed","error":{"message":"no"}}',
            (
                "turn/completed",
                {"turn": {"id": "u", "status": "failed", "error": {"message": "no"}}},
            ),
        ),
        (
            b'{"type":"error","message":"Reconnecting"}',
            ("error", {"error": {"message": "Reconnecting"}, "willRetry": True}),
        ),
    ],
)
def test_a_line_is_told_as_the_app_server_would(line: bytes, told: tuple[str, Any]) -> None:
    method, params = ExecTranslator("u", "t").read(line)[0]
    if "turn" in told[1]:
        told[1]["turn"] = {"items": [], "error": None} | told[1]["turn"]
    assert (method, params) == (told[0], {**WHERE, **told[1]})


def test_a_line_that_is_unknown_tells_nothing_and_one_that_is_no_json_is_refused() -> None:
    translator = ExecTranslator("u")
    assert translator.read(b'{"type":"from.the.future"}') == []
    with pytest.raises(NotAMessage):
        translator.read(b"Reading additional input from stdin...")


def test_the_usage_is_told_as_a_total() -> None:
    line = b'{"type":"turn.completed","usage":{"input_tokens":7,"output_tokens":2}}'
    usage, completed = ExecTranslator("u", "t").read(line)
    assert usage[1]["tokenUsage"]["total"]["totalTokens"] == 9
    assert completed[1]["turn"]["status"] == "completed"


def test_the_prompt_is_no_argument_and_a_thread_is_resumed_by_its_id(tmp_path: Path) -> None:
    arguments = exec_arguments(asked(tmp_path, "--help", model="m", thread_id="t"))
    assert "--help" not in arguments
    assert arguments[-3:] == ("resume", "t", "-")
    assert "--model=m" in arguments
    assert "sandbox_workspace_write.network_access=false" in arguments


def test_a_review_begins_a_thread_of_its_own(tmp_path: Path) -> None:
    arguments = exec_arguments(asked(tmp_path, thread_id="t", is_review=True))
    assert ("review", "-") == arguments[-2:]
    assert "t" not in arguments


@pytest.mark.parametrize(
    ("of", "option"),
    [
        ({"type": "uncommitted"}, "--uncommitted"),
        ({"type": "base", "base": "main"}, "--base=main"),
        ({"type": "commit", "commit": "0123abc"}, "--commit=0123abc"),
        ({"type": "instructions"}, "-"),
    ],
)
def test_a_review_is_of_what_was_asked_for(tmp_path: Path, of: dict[str, str], option: str) -> None:
    arguments = exec_arguments(asked(tmp_path, is_review=True, review_of=of))
    assert ("review", option) == arguments[-2:]


async def test_the_real_cli_runs_a_turn_and_its_items_are_told(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, work: Path
) -> None:
    scripted_model.script = (Run("echo one"), AddFile("new.txt", "x\n"), Say.text("Done so."))
    started: list[int] = []
    told: list[CodexNotification] = []

    async def keep(notification: CodexNotification) -> None:
        told.append(notification)

    settings = real(codex_binary, codex_home)
    end = await run_exec(
        LocalCodex(settings), asked(work, "-- do it"), keep, started=started.append
    )
    assert end == ExecEnd(0, told=True, reason="codex exec ended with exit code 0.")
    assert len(started) == 1
    assert scripted_model.requests[0].prompt == "-- do it"
    completed = [m.params["item"]["type"] for m in told if m.method == "item/completed"]
    assert completed == ["commandExecution", "fileChange", "agentMessage"]
    assert told[-1].params["turn"]["status"] == "completed"
    assert len({message.thread_id for message in told}) == 1
    assert (work / "new.txt").is_file()


async def test_the_real_cli_resumes_a_thread(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, work: Path
) -> None:
    settings = real(codex_binary, codex_home)
    told, _ = await run(settings, asked(work, "First."))
    thread_id = told[0].thread_id
    again, _ = await run(settings, asked(work, "Second.", thread_id=thread_id))
    assert again[0].thread_id == thread_id
    assert {"First.", "Second."} <= set(scripted_model.requests[-1].user_texts)


async def test_a_failing_model_fails_the_turn_of_the_real_cli(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, work: Path
) -> None:
    scripted_model.script = (Refuse(400, "no such model"),)
    told, end = await run(real(codex_binary, codex_home), asked(work))
    assert end.exit_code == 1
    assert end.told
    assert "no such model" in told[-1].params["turn"]["error"]["message"]


async def test_a_thread_that_does_not_exist_is_told_by_the_last_words(
    codex_binary: Path, codex_home: Path, work: Path
) -> None:
    wanted = asked(work, thread_id="019a0fea-5568-74d3-941a-31a216b14745")
    told, end = await run(real(codex_binary, codex_home), wanted)
    assert told == []
    assert not end.told
    assert "no rollout found" in end.reason


async def test_a_missing_cli_is_told_and_not_raised(work: Path) -> None:
    told, end = await run(BridgeSettings(command="no-such-codex"), asked(work))
    assert told == []
    assert end.exit_code is None
    assert "CC_CODEX_COMMAND" in end.reason


async def test_cancelling_ends_the_real_cli_and_its_command(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, work: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Working", gate),)
    family: list[psutil.Process] = []
    settings = real(codex_binary, codex_home)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_until_cancelled, settings, asked(work), family)
            await trio.to_thread.run_sync(gate.wait_until_reached)
            nursery.cancel_scope.cancel()
    assert [is_alive(process) for process in family] == [False]


async def run_until_cancelled(
    settings: BridgeSettings, wanted: ExecRun, family: list[psutil.Process]
) -> None:
    async def ignore(notification: CodexNotification) -> None:
        del notification

    await run_exec(
        LocalCodex(settings), wanted, ignore, started=lambda pid: family.append(psutil.Process(pid))
    )
