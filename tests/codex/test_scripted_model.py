import os
import subprocess
from pathlib import Path

import msgspec

from tests.codex.fixtures import both_models
from tests.codex.script import (
    ENDING,
    AddFile,
    Gate,
    Refuse,
    Run,
    Say,
    Script,
    SpawnAgent,
    Step,
    WaitForAgents,
)
from tests.codex.scripted_model import ModelRequest, ScriptedModel


def exec_codex(binary: Path, home: Path, cwd: Path, prompt: str) -> list[dict[str, object]]:
    cwd.mkdir(exist_ok=True)
    done = subprocess.run(
        [binary, "exec", "--json", "--skip-git-repo-check", "-C", cwd, prompt],
        env={**os.environ, "CODEX_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    return [msgspec.json.decode(line, type=dict[str, object]) for line in done.stdout.splitlines()]


@both_models
def test_the_real_codex_says_what_the_script_says(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    scripted_model.script = (Say.text("Four words are streamed"),)
    lines = exec_codex(codex_binary, codex_home, tmp_path / "work", "Say it.")
    items = [line["item"] for line in lines if line["type"] == "item.completed"]
    said = [item for item in items if isinstance(item, dict) and item["type"] == "agent_message"]
    assert ["Four words are streamed"] == [item["text"] for item in said]
    assert [request.prompt for request in scripted_model.requests] == ["Say it."]
    assert [text for _, text in scripted_model.sent] == ["Four", " words", " are", " streamed"]


@both_models
def test_the_real_codex_runs_the_commands_of_the_script_and_tells_their_output(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    scripted_model.script = (Run("echo one"), Run("echo two"))
    lines = exec_codex(codex_binary, codex_home, tmp_path / "work", "Run them.")
    assert lines[-1]["type"] == "turn.completed"
    outputs = scripted_model.requests[-1].tool_outputs
    assert len(outputs) == 2
    assert "one" in outputs[0]
    assert "two" in outputs[1]


def test_a_call_that_codex_has_dropped_is_made_once_more() -> None:
    model = ScriptedModel((Run("echo one"), Run("echo two"), Say.text("Ran.")))

    def ask(*taken: str) -> tuple[Step, str]:
        body = {
            "prompt_cache_key": "a thread",
            "input": [{"type": "function_call", "call_id": f"call_{one}"} for one in taken],
        }
        return model.next_step(ModelRequest(body))

    one, first = ask()
    assert Run("echo one") == one
    dropped, _ = ask(first)
    again, second = ask(first)
    assert Run("echo two") == dropped == again
    assert Say.text("Ran.") == ask(first, second)[0]
    assert Say.text(ENDING) == ask(first, second)[0], "what was said is not said again"
    model._server.server_close()


def test_every_turn_plays_the_script_from_its_beginning(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    scripted_model.script = (Run("echo one"), Say.text("Ran."))
    for prompt in ("First.", "Second."):
        exec_codex(codex_binary, codex_home, tmp_path / "work", prompt)
    prompts = [request.prompt for request in scripted_model.requests]
    assert prompts == ["First.", "First.", "Second.", "Second."]


def test_a_refusal_of_the_model_fails_the_turn(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    scripted_model.script = (Refuse(400, "no such model"),)
    lines = exec_codex(codex_binary, codex_home, tmp_path / "work", "Say it.")
    assert lines[-1]["type"] == "turn.failed"
    assert "no such model" in str(lines[-1]["error"])


@both_models
def test_a_patch_of_the_script_writes_the_file(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    scripted_model.script = (AddFile("new.txt", "hello\n"),)
    with (codex_home / "config.toml").open("r+", encoding="utf-8") as config:
        rest = config.read()
        config.seek(0)
        config.write('sandbox_mode = "danger-full-access"\n' + rest)
    exec_codex(codex_binary, codex_home, tmp_path / "work", "Patch it.")
    assert (tmp_path / "work" / "new.txt").read_text(encoding="utf-8") == "hello\n"


def test_a_gate_holds_the_model_until_it_is_opened(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Held", gate, " back."),)
    work = tmp_path / "work"
    work.mkdir()
    with subprocess.Popen(
        [codex_binary, "exec", "--json", "--skip-git-repo-check", "-C", work, "Wait."],
        env={**os.environ, "CODEX_HOME": str(codex_home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        gate.wait_until_reached()
        assert [text for _, text in scripted_model.sent] == ["Held"]
        assert process.poll() is None
        gate.open()
        output, _ = process.communicate(timeout=60)
    assert b"Held back." in output


@both_models
def test_a_sub_agent_of_the_script_plays_its_own_and_is_waited_for(
    codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    def choose(prompt: str) -> Script:
        if "agent" in prompt:
            return (Run("echo from the agent"),)
        return (SpawnAgent("You are the agent.", "scout"), WaitForAgents())

    scripted_model.choose = choose
    exec_codex(codex_binary, codex_home, tmp_path / "work", "Begin.")
    parent = scripted_model.requests[0].thread_id
    of_agent = [one for one in scripted_model.requests if one.thread_id != parent]
    assert "You are the agent." == of_agent[0].prompt
    assert of_agent[0].agent.split("/") in (["", "root", "scout"], ["", "root"])
    assert "from the agent" in of_agent[1].tool_outputs[0]
    last = scripted_model.requests[-1]
    assert parent == last.thread_id
    assert 2 == len(last.tool_outputs)
