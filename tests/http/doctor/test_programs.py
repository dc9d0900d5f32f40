"""git and Codex: where they are missing, too old, signed out, or cannot confine a command."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from command_center.actors.codex.versions import NEWEST, OLDEST, spelled
from command_center.http.doctor import child
from tests.http.doctor.looks import look_for_one, program, subject

SAYS = "print({!r})"


async def test_a_git_that_is_missing_or_too_old_is_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    here = subject(tmp_path, {"PATH": str(folder)})
    level, message, mend = await look_for_one("git", here)
    assert ("error", "git was not found, or cannot be started.") == (level, message)
    program(folder, "git", SAYS.format("git version 2.30.2"))
    level, message, mend = await look_for_one("git", here)
    assert ("error", "git version 2.30.2 is too old.") == (level, message)
    assert "2.41 or newer" in mend


async def test_a_git_that_never_answers_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "SECONDS", 0.3)
    forever = f"import time; time.sleep(600)  # {tmp_path}"
    asks = f"import subprocess; subprocess.run([sys.executable, '-c', {forever!r}])"
    program(tmp_path / "bin", "git", asks)
    git = tmp_path / "bin" / "git"
    level, message, _ = await look_for_one("git", subject(tmp_path, {"PATH": str(git.parent)}))
    assert "error" == level
    assert f"{git} does not say its version: it was not done within 0.3 s." == message
    commands = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    assert [] == [command for command in commands if command and forever in command]


async def test_a_codex_that_is_here_is_supported_and_its_sandbox_works(
    tmp_path: Path, codex_binary: Path
) -> None:
    here = subject(tmp_path, codex_command=(str(codex_binary),))
    level, message, _ = await look_for_one("codex", here)
    assert "ok" == level
    assert f"at {codex_binary} is supported ({spelled(OLDEST)} to {spelled(NEWEST)})" in message
    assert "ok" == (await look_for_one("codex-sandbox", here))[0]


async def test_a_codex_that_ends_at_once_is_told_of_with_its_words(tmp_path: Path) -> None:
    broken = program(tmp_path / "bin", "codex", "sys.exit('GLIBC_2.39 not found')")
    level, message, _ = await look_for_one("codex", subject(tmp_path, codex_command=(str(broken),)))
    assert "error" == level
    told = "does not say its version, and ends with exit code 1: GLIBC_2.39 not found."
    assert f"{broken} {told}" == message


@pytest.mark.parametrize(
    ("says", "level", "words"),
    [
        ("codex-cli 0.133.0", "error", "Codex 0.133.0 is too old"),
        ("codex-cli 9.0.0", "warning", "Codex 9.0.0 was not tested"),
    ],
)
async def test_a_codex_out_of_the_range_is_told_of(
    tmp_path: Path, says: str, level: str, words: str
) -> None:
    codex = program(tmp_path, "codex", SAYS.format(says))
    seen, message, mend = await look_for_one(
        "codex", subject(tmp_path, codex_command=(str(codex),))
    )
    assert level == seen
    assert words in message
    assert f"npm install -g @openai/codex@{spelled(NEWEST)}" in mend


async def test_a_codex_that_is_missing_or_broken_is_told_of(tmp_path: Path) -> None:
    broken = str(program(tmp_path, "broken", "print('codex-cli 0.163.0'); sys.exit(1)"))
    missing = "/nowhere/codex"
    for command, mode, level in [
        (missing, "auto", "warning"),  # the stub plays
        (missing, "app-server", "error"),
        (broken, "auto", "error"),
    ]:
        here = subject(tmp_path, codex_command=(command,), codex_runner_mode=mode)
        seen, _, mend = await look_for_one("codex", here)
        assert level == seen
        assert "npm install -g @openai/codex" in mend


async def test_codex_is_not_given_the_servers_own_secrets(tmp_path: Path) -> None:
    asks = "import os; print('codex-cli', '9.0.0' if os.environ.get('CC_API_TOKEN') else '0.163.0')"
    codex = program(tmp_path, "codex", asks)
    here = subject(tmp_path, {"CC_API_TOKEN": "hush"}, codex_command=(str(codex),))
    assert "Codex 0.163.0 at" in (await look_for_one("codex", here))[1]


async def test_a_codex_that_nobody_has_signed_in_is_told_of(
    tmp_path: Path, codex_binary: Path
) -> None:
    here = subject(tmp_path, codex_command=(str(codex_binary),))
    level, message, mend = await look_for_one("codex-sign-in", here)
    assert ("error", "Codex is not signed in.") == (level, message)
    assert "codex login" in mend


async def test_a_sandbox_that_the_system_refuses_is_told_of_in_codexs_own_words(
    tmp_path: Path,
) -> None:
    panic = (
        "\nthread 'main' (2) panicked at main.rs:5:\n"
        "bwrap: setting up uid map: Permission denied\n"
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace"
    )
    refuses = f"sys.exit({panic!r})"
    codex = program(tmp_path, "codex", refuses)
    here = subject(tmp_path, codex_command=(str(codex),), codex_runner_mode="app-server")
    level, message, mend = await look_for_one("codex-sandbox", here)
    assert "error" == level
    assert "bwrap: setting up uid map: Permission denied" in message
    assert f"{codex} sandbox -- " in mend
