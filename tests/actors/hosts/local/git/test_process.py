"""Deadlines, bounds and the environment of a git process."""

import os
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest
import trio
import trio.testing

from command_center.actors.git import (
    GitAnswerTooLong,
    GitFailed,
    GitMissing,
    GitTimedOut,
    NotAWorkTree,
)
from command_center.actors.git.ports import GitOutput, shown
from command_center.actors.hosts.local.git.confinement import NICER
from command_center.actors.hosts.local.git.process import GitProgram
from tests.actors.git.repository import plain_git

POSIX = pytest.mark.skipif(os.name == "nt", reason="the programs are shell scripts")


def stand_in(folder: Path, body: str) -> GitProgram:
    """A git that tells its version like git does, and otherwise does as the script says."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "git"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "git version 2.47.3" && exit\n'
        f'[ "$1" = --exec-path ] && echo /nowhere && exit\n{body}\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return GitProgram(folder / "home", executable=str(program))


def at(repository: Path) -> dict[str, str]:
    """Return where a repository is whose configuration is nobody's but ours."""
    return {"GIT_DIR": str(repository / ".git"), "GIT_WORK_TREE": str(repository)}


async def test_an_answer_is_what_git_printed(program: GitProgram, repository: Path) -> None:
    answer = await program.run(repository, "rev-parse", "HEAD", where=at(repository))

    assert plain_git(repository, "rev-parse", "HEAD") == answer.text
    assert (False, 0) == (answer.cut, answer.exit_code)


async def test_a_refusal_of_git_is_told_in_its_own_words(
    program: GitProgram, repository: Path
) -> None:
    with pytest.raises(GitFailed, match="git rev-parse failed: Needed a single revision") as error:
        await program.run(repository, "rev-parse", "--verify", "absent", where=at(repository))

    assert 128 == error.value.exit_code


async def test_an_exit_code_that_is_accepted_is_an_answer(
    program: GitProgram, repository: Path
) -> None:
    answer = await program.run(
        repository, "rev-parse", "--verify", "absent", where=at(repository), accepted=(128,)
    )

    assert 128 == answer.exit_code


async def test_what_is_sent_is_read_by_git(program: GitProgram, repository: Path) -> None:
    answer = await program.run(repository, "hash-object", "--stdin", sent=b"hello\n")

    assert "ce013625030ba8dba906f756967f9e9ca394464a" == answer.text


@POSIX
async def test_an_endless_output_is_cut_and_its_process_ended(tmp_path: Path) -> None:
    endless = stand_in(tmp_path / "bin", "yes")

    answer = await endless.run(tmp_path, "diff", limit=1000, may_cut=True)

    assert answer.cut
    assert b"y\n" * 500 == answer.stdout


@POSIX
async def test_an_output_that_may_not_be_cut_is_an_error(tmp_path: Path) -> None:
    endless = stand_in(tmp_path / "bin", "yes")

    with pytest.raises(GitAnswerTooLong, match="git diff printed more than 1000 bytes"):
        await endless.run(tmp_path, "diff", limit=1000)


async def test_an_output_of_exactly_the_limit_is_whole(
    program: GitProgram, repository: Path
) -> None:
    answer = await program.run(repository, "rev-parse", "HEAD", where=at(repository), limit=41)

    assert (False, 41) == (answer.cut, len(answer.stdout))


@POSIX
async def test_an_output_that_is_taken_as_it_comes_is_not_kept(tmp_path: Path) -> None:
    endless = stand_in(tmp_path / "bin", "yes")
    taken = 0

    def take(chunk: bytes) -> None:
        nonlocal taken
        taken += len(chunk)

    answer = await endless.run(tmp_path, "log", limit=1_000_000, may_cut=True, sink=take)

    assert (1_000_000, b"") == (taken, answer.stdout)


@POSIX
async def test_a_flood_of_complaints_neither_blocks_nor_grows(tmp_path: Path) -> None:
    loud = stand_in(tmp_path / "bin", "yes complaint | head -c 5000000 >&2; exit 3")

    with pytest.raises(GitFailed) as error:
        await loud.run(tmp_path, "status")

    assert 3 == error.value.exit_code
    assert len(error.value.complaint) <= 16 * 1024
    assert len(str(error.value)) < 600


def a_pipe(folder: Path) -> Path:
    """A named pipe: reading it waits for whoever writes."""
    pipe = folder / "pipe"
    if sys.platform != "win32":
        os.mkfifo(pipe)
    return pipe


async def gone(pid: int) -> None:
    """Return when there is no such process any more, dead ones that nobody asked for aside."""
    try:
        process = psutil.Process(pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            await trio.lowlevel.checkpoint()
    except psutil.NoSuchProcess:
        return


@POSIX
async def test_at_its_deadline_a_process_is_ended_with_all_that_it_started(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    pipe = a_pipe(tmp_path)
    slow = stand_in(tmp_path / "bin", f"sleep 1000 & echo $! > {pipe}; wait")
    told: list[str] = []

    async def wait_for_it() -> None:
        with pytest.raises(GitTimedOut) as error:
            await slow.run(tmp_path, "status", writable=(tmp_path,), deadline=30)
        told.append(str(error.value))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait_for_it)
        child = int(await trio.Path(pipe).read_text())
        mock_clock.jump(30)

    assert ["git status took longer than 30 s and was ended."] == told
    await gone(child)


@POSIX
async def test_a_process_does_not_outlive_whoever_waits_for_it(tmp_path: Path) -> None:
    pipe = a_pipe(tmp_path)
    slow = stand_in(tmp_path / "bin", f"echo $$ > {pipe}; sleep 1000")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(slow.run, tmp_path, "status", writable=(tmp_path,)))
        process = int(await trio.Path(pipe).read_text())
        nursery.cancel_scope.cancel()

    await gone(process)


async def test_a_folder_that_is_gone_is_not_a_missing_git(
    program: GitProgram, tmp_path: Path
) -> None:
    with pytest.raises(NotAWorkTree, match="cannot be entered"):
        await program.run(tmp_path / "gone", "status")


@pytest.mark.parametrize("path", ["", "/nowhere", ".", "bin"])
async def test_without_git_the_message_says_what_to_do(tmp_path: Path, path: str) -> None:
    with pytest.raises(GitMissing, match=r"Install git 2\.41 or newer"):
        await GitProgram(tmp_path / "home", inherited={"PATH": path}).run(tmp_path, "status")


@POSIX
async def test_a_git_that_is_too_old_is_not_used(tmp_path: Path) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\necho git version 2.39.5\n", encoding="utf-8")
    program.chmod(0o755)

    with pytest.raises(GitMissing, match=r"git version 2\.39\.5"):
        await GitProgram(tmp_path / "home", executable=str(program)).run(tmp_path, "status")


@POSIX
async def test_git_sees_little_of_the_environment(tmp_path: Path) -> None:
    told = stand_in(tmp_path / "bin", "env")
    secretive = GitProgram(
        tmp_path / "home",
        executable=told.executable,
        inherited={
            "PATH": os.environ["PATH"],
            "HOME": "/home/ada",
            "CC_API_TOKEN": "secret",
            "CC_TELEGRAM_BOT_TOKEN": "secret",
            "OPENAI_API_KEY": "secret",
            "GIT_DIR": "secret",
            "GIT_EXTERNAL_DIFF": "secret",
            "SSH_AUTH_SOCK": "secret",
        },
    )

    answer: GitOutput = await secretive.run(tmp_path, "status")

    assert "secret" not in answer.text
    assert "HOME=/home/ada" in answer.text
    assert "GIT_TERMINAL_PROMPT=0" in answer.text


@POSIX
@pytest.mark.skipif(sys.platform == "darwin", reason="/dev/tty opens differently there")
async def test_there_is_no_terminal_to_ask_on(tmp_path: Path) -> None:
    asking = stand_in(tmp_path / "bin", "(: < /dev/tty) 2>/dev/null && echo terminal; cat")

    assert "" == (await asking.run(tmp_path, "status")).text


def test_bytes_that_are_no_text_can_be_shown() -> None:
    assert "a\\xffb" == shown(b"a\xffb")


@POSIX
async def test_git_leaves_the_processor_to_the_server(tmp_path: Path) -> None:
    assert sys.platform != "win32"
    program = stand_in(tmp_path, 'until [ "$(nice)" -eq "$2" ]; do :; done; nice')
    nice = min(psutil.Process().nice() + NICER, 19)

    assert f"{nice}" == (await program.run(tmp_path, "wait", f"{nice}", deadline=20)).text
