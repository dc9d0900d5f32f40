"""Snapshots of the files of a worktree after each turn, and putting files back to them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.snapshots import (
    KeepSnapshot,
    RewindRequest,
    RewindWork,
    Rewound,
)
from command_center.actors.contracts.worktrees import (
    PrepareWorkplace,
    RemoveWorktree,
    TidyWorktrees,
)
from command_center.actors.git import Checkout, rewinding, stepping
from command_center.actors.git.errors import StepCutOff
from command_center.actors.git.rewinding import SNAPSHOTS_BELOW
from command_center.actors.repositories import snapshots as module
from command_center.actors.rules.errors import Conflict, NotFound, Unavailable
from command_center.store import Snapshot, repositories, snapshots, tasks
from tests.actors.git.held_folders import can_hold, held
from tests.actors.git.repository import commit, make_repository, plain_git
from tests.actors.repositories.rig import Rig
from tests.actors.repositories.work import Work


async def rows(rig: Rig) -> list[Snapshot]:
    return await rig.storage.read(lambda db: snapshots.every(db, {}))


async def keep(work: Work, turn: str | None) -> Snapshot:
    """Keep what the worktree is like, and return it once it is."""
    known = {row.id for row in await rows(work.rig)}
    session = work.session
    await work.rig.system.lookup(REPOSITORIES).tell(
        KeepSnapshot(session.repository_id, session.id, turn)
    )
    with trio.fail_after(30):
        while not (added := [row for row in await rows(work.rig) if row.id not in known]):
            await work.rig.ask(PrepareWorkplace(session.id))  # it takes the same lock
    (row,) = added
    return row


async def rewind(work: Work, **wanted: object) -> Rewound:
    request = RewindRequest(requested_by="ada", **wanted)  # type: ignore[arg-type]
    return await work.rig.ask(RewindWork(work.session.id, request))


def refs(project: Path) -> set[str]:
    listed = plain_git(project, "for-each-ref", "--format=%(objectname)", f"{SNAPSHOTS_BELOW}/")
    return {*listed.split("\n")} - {""}


async def test_files_are_put_back_to_a_turn_and_that_is_undone(work: Work, project: Path) -> None:
    commit(work.folder, {"old.txt": "1\n", ".gitignore": "*.log\n"})
    await work.rig.storage.write(
        lambda tx: tasks.update(tx, work.session.task_id, title="a\0b")  # no commit says it
    )
    head = work.git("rev-parse", "HEAD")
    work.write(new_txt="first\n", build_log="mine\n")
    first = await keep(work, "turn-1")
    assert ("turn", head, "work", 1) == (
        first.moment,
        first.head_sha,
        first.branch_name,
        first.files,
    )
    (work.folder / "old.txt").unlink()
    work.write(new_txt="second\n", more_txt="more\n", readme_txt="changed\n")
    commit(work.folder, {"done.txt": "done\n"})
    last = work.git("rev-parse", "HEAD")
    work.write(staged_txt="staged\n")
    work.git("add", "staged.txt")
    make_repository(work.folder / "inner")
    second = await keep(work, "turn-2")
    state = work.git("status", "--porcelain", "-uall").replace("A  staged", "?? staged")

    put = await rewind(work, turn_id="turn-1", head_sha=last)
    assert "1\n" == (work.folder / "old.txt").read_text()
    assert "first\n" == (work.folder / "new.txt").read_text()
    assert "mine\n" == (work.folder / "build.log").read_text()
    assert {"more.txt", "staged.txt", "done.txt"}.isdisjoint(
        path.name for path in work.folder.iterdir()
    )
    assert (work.folder / "inner" / ".git").exists()
    assert last == work.git("rev-parse", "HEAD")  # no commit is lost
    assert ["D done.txt", "D more.txt", "M new.txt", "M readme.txt", "?? inner/", "?? old.txt"] == [
        line.strip() for line in work.git("status", "--porcelain").split("\n")
    ]
    assert ("rewind", "turn-1", first.sha, last, 5) == (
        put.snapshot.moment,
        put.snapshot.turn_id,
        put.snapshot.sha,
        put.snapshot.head_sha,
        put.snapshot.files,
    )
    event = (await work.rig.events())[-1]
    assert ("session.rewound", "ada", put.before.id) == (
        event["type"],
        event["actor"],
        event["data"]["beforeId"],
    )

    undone = await rewind(work)
    again = work.git("status", "--porcelain", "-uall")
    assert sorted(state.split("\n")) == sorted(again.split("\n"))
    assert "second\n" == (work.folder / "new.txt").read_text()
    assert put.before.sha == undone.snapshot.sha
    assert {second.sha, undone.before.sha} <= refs(project)
    assert "* main\n+ work" == plain_git(project, "branch", "--list").strip()


async def test_what_cannot_be_put_back_stays_as_it_is(
    work: Work, rig: Rig, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(work.folder, {".gitignore": "*.log\n"})
    work.write(old_log="kept\n")
    work.git("add", "-f", "old.log")
    first = await keep(work, "turn-1")
    work.git("rm", "-q", "--cached", "old.log")
    work.write(old_log="mine alone\n", readme_txt="changed\n")
    with pytest.raises(Conflict, match="ignore"):
        await rewind(work, turn_id="turn-1")
    assert "mine alone\n" == (work.folder / "old.log").read_text()
    assert "changed\n" == (work.folder / "readme.txt").read_text()
    with pytest.raises(Conflict, match="has moved"):
        await rewind(work, turn_id="turn-1", head_sha="0" * 40)
    for wanted in ({"turn_id": "turn-9"}, {"turn_id": "turn-9", "snapshot_id": first.id}):
        with pytest.raises(NotFound):
            await rewind(work, **wanted)
    place = await rig.storage.read(lambda db: repositories.get(db, work.session.repository_id))
    other = await rig.make_worktree(place, "other")
    beside = await rig.start_session(place, cwd=other.path, worktree_path=other.path)
    await rig.end_session(beside)
    with pytest.raises(NotFound):
        await rewind(Work(rig, beside, Path(other.path)), snapshot_id=first.id)
    with monkeypatch.context() as small:
        small.setattr(rewinding, "MOST_BYTES", 5)
        with pytest.raises(Conflict, match="ignore those that are made anew"):
            await rewind(work, turn_id="turn-1")
        await rig.system.lookup(REPOSITORIES).tell(
            KeepSnapshot(work.session.repository_id, work.session.id, "turn-2")
        )
        await rig.ask(PrepareWorkplace(work.session.id))  # it takes the same lock
    event = (await rig.events())[-1]
    assert ("session.snapshot.failed", "turn-2") == (event["type"], event["data"]["turnId"])
    assert event["data"]["problem"].endswith("have git ignore those that are made anew.")
    assert [first] == await rows(rig)  # so that undoing finds none of a refused one
    assert {first.sha} == refs(project)
    plain_git(project, "update-ref", "-d", f"{SNAPSHOTS_BELOW}/{first.sha}")
    await rig.storage.write(lambda tx: tx.db.execute("UPDATE sessions SET finished_at = NULL"))
    with pytest.raises(Conflict, match="works in"):
        await rewind(work, turn_id="turn-1")


@pytest.mark.skipif(not can_hold(), reason="nothing keeps this user from replacing a file")
async def test_what_cannot_be_put_back_to_the_end_is_stepped_back_or_kept(
    work: Work, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = work.folder / "closed"
    closed.mkdir()
    files = {work.folder / "a.txt": "a", closed / "b.txt": "b", work.folder / "z.txt": "z"}
    for file, text in files.items():
        file.write_text(text)
    await keep(work, "turn-1")
    mine = {file: f"my only {text}" for file, text in files.items()}
    for file, text in mine.items():
        file.write_text(text)
    with held(closed), pytest.raises(StepCutOff, match="All files are again") as stepped:
        await rewind(work, turn_id="turn-1")
    assert mine == {file: file.read_text() for file in files}
    kept = (await rows(work.rig))[-1]
    assert ("left", kept.id, []) == (
        kept.moment,
        stepped.value.facts["snapshotId"],
        stepped.value.facts["paths"],
    )
    real, calls = stepping._step, 0

    async def close_all(checkout: Checkout, *sides: str, **how: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            with held(closed):
                return await real(checkout, *sides, **how)  # type: ignore[arg-type]
        with held(work.folder):
            return await real(checkout, *sides, **how)  # type: ignore[arg-type]

    with monkeypatch.context() as cut:
        cut.setattr(stepping, "_step", close_all)
        with pytest.raises(StepCutOff, match=r"Changed are a\.txt, z\.txt") as left:
            await rewind(work, turn_id="turn-1")
    assert ["a", "my only b", "z"] == [file.read_text() for file in files]
    kept = (await rows(work.rig))[-1]
    assert (kept.id, ["a.txt", "z.txt"]) == (
        left.value.facts["snapshotId"],
        left.value.facts["paths"],
    )
    assert {row.sha for row in await rows(work.rig)} == refs(project)
    await rewind(work)
    assert mine == {file: file.read_text() for file in files}


@pytest.mark.skipif(not can_hold(), reason="nothing keeps this user from replacing a file")
async def test_what_was_there_is_kept_also_where_nobody_can_look_what_is_left_of_it(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [work.folder / name for name in ("a.txt", "closed/b.txt", "sub/c.txt")]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text("then")
    await keep(work, "turn-1")
    for file in files:
        file.write_text("now")
    real = stepping._step

    async def lead_away(checkout: Checkout, *sides: str, **how: Any) -> None:
        try:
            await real(checkout, *sides, **how)
        finally:
            (work.folder / "sub").rename(tmp_path / "away")
            (work.folder / "sub").symlink_to(tmp_path / "away")

    with monkeypatch.context() as cut, held(work.folder / "closed"):
        cut.setattr(stepping, "_step", lead_away)
        with pytest.raises(StepCutOff, match="cannot be said") as left:
            await rewind(work, turn_id="turn-1")
    assert (await rows(work.rig))[-1].id == left.value.facts["snapshotId"]


async def test_so_many_are_kept_of_a_worktree_and_none_of_one_that_is_gone(
    work: Work, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    made = []
    for number in range(3):
        (work.folder / "new.txt").write_bytes(os.urandom(100_000))
        made.append(await keep(work, f"turn-{number}"))
    assert {row.sha for row in made[1:]} == refs(project)
    with monkeypatch.context() as small:
        small.setattr(module, "MOST", 50)
        small.setattr(module, "MOST_KEPT_BYTES", 350_000)
        for number in range(3, 5):
            (work.folder / "new.txt").write_bytes(os.urandom(100_000))
            made.append(await keep(work, f"turn-{number}"))
        assert made[-3:] == await rows(work.rig)
        assert {row.sha for row in made[-3:]} == refs(project)
        small.setattr(module, "MOST_KEPT_BYTES", 1)  # less than any has, but two stay
        (work.folder / "new.txt").write_bytes(os.urandom(100_000))
        made.append(await keep(work, "turn-5"))
    assert made[-2:] == await rows(work.rig)
    assert {row.sha for row in made[-2:]} == refs(project)
    await rewind(work, snapshot_id=made[-1].id)
    work.write(new_txt="again\n")
    put = await rewind(work)
    assert [put.before, put.snapshot] == await rows(work.rig)
    kept = {put.before.sha, put.snapshot.sha}
    assert kept == refs(project)
    session = work.session
    await work.rig.ask(RemoveWorktree(session.repository_id, str(work.folder), force=True))
    assert [] == await rows(work.rig)
    old = plain_git(
        *(project, "commit-tree", "-m", "Old", "HEAD^{tree}"),
        variables={"GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"},
    )
    plain_git(project, "update-ref", f"{SNAPSHOTS_BELOW}/{old}", old)
    await work.rig.system.lookup(REPOSITORIES).tell(TidyWorktrees(session.repository_id))
    with trio.fail_after(30):
        while old in refs(project):
            await trio.lowlevel.checkpoint()
    assert kept == refs(project)  # another server may know them


async def test_a_file_that_is_kept_nowhere_is_not_written_over(work: Work) -> None:
    inner = work.folder / "lib"
    inner.mkdir()
    (inner / ".env").write_text("then\n")
    await keep(work, "turn-1")
    (work.folder / ".gitignore").write_text(".env\n")
    plain_git(inner, "init", "-q")
    (inner / ".env").write_text("the only copy\n")
    with pytest.raises(Conflict, match=r"lib/\.env"):
        await rewind(work, turn_id="turn-1")
    assert "the only copy\n" == (inner / ".env").read_text()
    (inner / ".env").write_text("then\n")  # as it is to be: nothing is lost
    await rewind(work, turn_id="turn-1")
    assert not (work.folder / ".gitignore").exists()


async def test_nothing_is_put_back_where_a_turn_may_run_or_in_the_midst_of_a_rebase(
    work: Work, project: Path
) -> None:
    await keep(work, "turn-1")
    work.write(new_txt="new\n")
    work.rig.turns.are_known = False
    with pytest.raises(Unavailable):
        await rewind(work, turn_id="turn-1")
    work.rig.turns.are_known = True
    commit(work.folder, {"readme.txt": "mine\n"})
    commit(project, {"readme.txt": "theirs\n"})
    plain_git(work.folder, "rebase", "main", check=False)
    with pytest.raises(Conflict, match="rebase"):
        await rewind(work, turn_id="turn-1")
    work.git("rebase", "--abort")
    work.write(readme_txt="stashed\n")
    work.git("stash")
    commit(work.folder, {"readme.txt": "committed\n"})
    plain_git(work.folder, "stash", "pop", check=False)
    with pytest.raises(Conflict, match=r"readme\.txt has conflicts"):
        await rewind(work, turn_id="turn-1")
    assert (work.folder / "new.txt").exists()


async def test_a_file_is_put_back_whatever_git_noted_of_it(work: Work) -> None:
    work.write(readme_txt="turn 1\n")
    await keep(work, "turn-1")
    (work.folder / "readme.txt").write_text("hello\n")  # as it was committed
    os.utime(work.folder / "readme.txt", (1, 1))
    await keep(work, "turn-2")
    await rewind(work, turn_id="turn-1")
    assert "turn 1\n" == (work.folder / "readme.txt").read_text()


async def test_what_git_was_told_to_pass_over_is_kept(work: Work) -> None:
    await keep(work, "turn-1")
    work.git("update-index", "--assume-unchanged", "readme.txt")
    work.git("update-index", "--skip-worktree", "source.py")
    work.write(readme_txt="changed\n", source_py="changed\n")
    assert 2 == (await keep(work, "turn-2")).files
    await rewind(work, turn_id="turn-1")
    assert "hello\n" == (work.folder / "readme.txt").read_text()
    assert "changed\n" != (work.folder / "source.py").read_text()
    await rewind(work)
    assert "changed\n" == (work.folder / "readme.txt").read_text()
    assert "changed\n" == (work.folder / "source.py").read_text()


async def test_a_file_that_git_converts_is_not_put_back(work: Work) -> None:
    await keep(work, "turn-1")
    commit(work.folder, {".gitattributes": "*.bat text eol=crlf\n", "a.txt": "a\n"})
    (work.folder / "a.bat").write_bytes(b"one\r\n")
    os.utime(work.folder / "a.bat", (1, 1))
    work.git("add", "-A")
    work.git("commit", "-qm", "Add a.bat")
    assert b"one\n" == work.git("cat-file", "-p", "HEAD:a.bat").encode() + b"\n"
    await keep(work, "turn-2")
    with pytest.raises(Conflict, match=r"a\.bat .eol=crlf"):
        await rewind(work, turn_id="turn-1")
    (work.folder / ".gitattributes").write_text("")
    with pytest.raises(Conflict, match=r"a\.bat.*touch"):  # the index has other bytes
        await rewind(work, turn_id="turn-1")
    assert b"one\r\n" == (work.folder / "a.bat").read_bytes()
    os.utime(work.folder / "a.bat", (2, 2))
    put = await rewind(work, turn_id="turn-1")
    assert not (work.folder / "a.bat").exists()
    assert "one\r" == plain_git(work.folder, "show", f"{put.before.sha}:a.bat")
