"""Discarding what a session left, keeping it, and bringing it back."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.hosts import Hosts
from command_center.actors.contracts.landing import (
    DiscardRequest,
    DiscardWork,
    RestoreRequest,
    RestoreWork,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.git import Checkout
from command_center.actors.git.discarding import KEPT_BELOW
from command_center.actors.git.discarding import take_back as taking
from command_center.actors.git.errors import StepCutOff
from command_center.actors.git.kept_work import KeptWork
from command_center.actors.hosts.local.host import LocalHost
from command_center.actors.repositories.discards import Discards
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.store import DiscardedWork, discarded
from tests.actors.git.held_folders import can_hold, held
from tests.actors.git.repository import commit, make_repository, plain_git
from tests.actors.repositories.rig import Rig
from tests.actors.repositories.work import Work


async def discard(work: Work, head: str | None = None) -> DiscardedWork:
    wanted = DiscardRequest(head_sha=head, requested_by="ada")
    return await work.rig.ask(DiscardWork(work.session.id, wanted))


async def restore(work: Work, row: DiscardedWork, branch: str | None = None) -> str:
    wanted = RestoreRequest(branch_name=branch, requested_by="ada")
    return (await work.rig.ask(RestoreWork(row.id, wanted))).branch_name


def change(work: Work) -> None:
    commit(work.folder, {"old.txt": "1\n", "src/a.txt": "a\n"})
    (work.folder / "old.txt").unlink()
    (work.folder / "more").mkdir()
    (work.folder / "more" / "new.txt").write_text("new\n")
    work.write(readme_txt="changed\n", staged_txt="staged\n")
    work.git("add", "staged.txt")


async def test_the_work_tree_is_as_its_last_commit_and_what_was_there_is_kept(
    work: Work, project: Path
) -> None:
    change(work)
    head = work.git("rev-parse", "HEAD")
    row = await discard(work, head)
    assert ("", head, False) == (
        work.git("status", "--porcelain"),
        work.git("rev-parse", "HEAD"),
        (work.folder / "more").exists(),
    )
    assert ("work", head, 4, "discarded") == (
        row.branch_name,
        row.head_sha,
        row.files,
        row.status,
    )
    assert row.sha == plain_git(project, "rev-parse", f"{KEPT_BELOW}/{row.sha}")
    event = (await work.rig.events())[-1]
    assert ("session.discarded", "ada", row.id) == (
        event["type"],
        event["actor"],
        event["data"]["discardedId"],
    )


@pytest.mark.skipif(not can_hold(), reason="nothing keeps this user from replacing a file")
async def test_what_cannot_be_discarded_whole_is_all_there_still(work: Work, project: Path) -> None:
    commit(work.folder, {"a.txt": "1\n", "closed/b.txt": "1\n", "old.txt": "1\n", "z.txt": "1\n"})
    files = [work.folder / name for name in ("a.txt", "closed/b.txt", "new.txt", "z.txt")]
    (work.folder / "old.txt").unlink()
    work.write(z_txt="staged\n")
    work.git("add", "z.txt")
    for file in files:
        file.write_text("mine\n")
    state = work.git("status", "--porcelain")
    with held(work.folder / "closed"), pytest.raises(StepCutOff, match="All files are again"):
        await discard(work)
    assert ["mine\n"] * 4 == [file.read_text() for file in files]
    assert (state, "staged") == (work.git("status", "--porcelain"), work.git("show", ":z.txt"))
    assert "discarded" == (await discard(work)).status
    assert "" == work.git("status", "--porcelain")


async def test_what_was_discarded_comes_back_on_a_branch(work: Work, project: Path) -> None:
    change(work)
    head = work.git("rev-parse", "HEAD")
    row = await discard(work)
    assert f"cc/restored-{row.id}" == await restore(work, row)
    assert "mine" == await restore(work, row, "mine")
    assert head == plain_git(project, "rev-parse", "mine^")
    listed = plain_git(project, "diff", "--name-status", head, "mine").split("\n")
    assert {"A\tmore/new.txt", "A\tstaged.txt", "D\told.txt", "M\treadme.txt"} == set(listed)
    with pytest.raises(Conflict, match="already"):
        await restore(work, row, "mine")
    with pytest.raises(Invalid):
        await restore(work, row, "-x")


async def test_nothing_to_discard_and_a_moved_branch_are_conflicts(work: Work) -> None:
    with pytest.raises(Conflict, match="nothing to discard"):
        await discard(work)
    work.write(new_txt="new\n")
    with pytest.raises(Conflict, match="has moved"):
        await discard(work, "0" * 40)
    make_repository(work.folder / "inner")
    with pytest.raises(Conflict, match="repository of its own"):
        await discard(work)
    assert "new\n" == (work.folder / "new.txt").read_text()


async def test_while_a_session_works_there_nothing_is_taken(work: Work) -> None:
    work.write(new_txt="new\n")
    await work.rig.storage.write(lambda tx: tx.db.execute("UPDATE sessions SET finished_at = NULL"))
    with pytest.raises(Conflict, match="works in"):
        await discard(work)


async def test_of_the_main_checkout_nothing_is_taken(rig: Rig, project: Path) -> None:
    session = await rig.start_session(await rig.register(project))
    await rig.end_session(session)
    (project / "mine.txt").write_text("mine\n")
    with pytest.raises(Conflict, match="of others"):
        await discard(Work(rig, session, project))
    assert (project / "mine.txt").exists()


async def test_a_file_that_changed_after_it_was_kept_stays_and_so_do_all(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(work)

    async def take_back(checkout: Checkout, kept: KeptWork) -> None:
        await trio.Path(work.folder / "readme.txt").write_text("changed again\n")
        await taking(checkout, kept)

    monkeypatch.setattr(f"{Discards.__module__}.take_back", take_back)
    before = work.git("status", "--porcelain")
    with pytest.raises(Conflict):
        await discard(work)
    assert before == work.git("status", "--porcelain")
    assert "changed again\n" == (work.folder / "readme.txt").read_text()
    (row,) = await work.rig.storage.read(lambda db: discarded.every(db, {}))
    assert "kept" == row.status


@pytest.mark.parametrize("ignored", ["old.txt/.env", "src"])
async def test_an_ignored_file_that_is_in_the_way_stays_and_so_do_all(
    work: Work, ignored: str
) -> None:
    commit(work.folder, {"old.txt": "1\n", "src/a.txt": "a\n"})
    commit(work.folder, {".gitignore": ".env\nsrc\n"})
    (work.folder / "old.txt").unlink()
    (work.folder / "src" / "a.txt").unlink()
    (work.folder / "src").rmdir()
    (work.folder / ignored).parent.mkdir(exist_ok=True)
    (work.folder / ignored).write_text("mine alone\n")
    before = work.git("status", "--porcelain")
    with pytest.raises(Conflict, match="ignore"):
        await discard(work)
    assert "mine alone\n" == (work.folder / ignored).read_text()
    assert before == work.git("status", "--porcelain")


async def test_it_is_kept_for_its_time_and_no_longer(
    work: Work, project: Path, tmp_path: Path
) -> None:
    change(work)
    row = await discard(work)
    host = LocalHost.of(tmp_path / "host", BridgeSettings())
    kept = Discards(work.rig.storage, Hosts({host.name: host}), KeyedLocks())
    await kept.expire(row.repository_id)
    assert "discarded" == (await found(work, row)).status
    await work.rig.storage.write(
        lambda tx: discarded.update(tx, row.id, expires_at="2020-01-01T00:00:00.000Z")
    )
    await kept.expire(row.repository_id)
    assert "expired" == (await found(work, row)).status
    assert "" == plain_git(project, "for-each-ref", KEPT_BELOW)
    with pytest.raises(Conflict, match="was kept until"):
        await restore(work, row)


async def test_what_was_staged_and_then_changed_is_kept_too(work: Work, project: Path) -> None:
    work.write(new_txt="staged\n")
    work.git("add", "new.txt")
    work.write(new_txt="new\n")
    row = await discard(work)
    assert "new" == plain_git(project, "show", f"{row.sha}:new.txt")
    assert "staged" == plain_git(project, "show", f"{row.sha}^2:new.txt")
    assert row.head_sha == plain_git(project, "rev-parse", f"{row.sha}^2^")
    work.write(new_txt="new\n")
    work.git("add", "new.txt")
    again = await discard(work)
    assert row.head_sha == plain_git(project, "show", "-s", "--format=%P", again.sha)


async def test_what_a_crash_kept_without_a_row_is_kept_for_its_time_and_no_longer(
    work: Work, project: Path, tmp_path: Path
) -> None:
    of_old = {"GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
    shas = []
    for variables in (of_old, {}):
        shas.append(
            plain_git(project, "commit-tree", "HEAD^{tree}", "-m", "x", variables=variables)
        )
        plain_git(project, "update-ref", f"{KEPT_BELOW}/{shas[-1]}", shas[-1])
    host = LocalHost.of(tmp_path / "host", BridgeSettings())
    kept = Discards(work.rig.storage, Hosts({host.name: host}), KeyedLocks())
    await kept.expire(work.session.repository_id)
    assert shas[1] == plain_git(project, "for-each-ref", "--format=%(objectname)", KEPT_BELOW)


async def test_a_ref_that_names_another_lets_go_of_itself_alone(
    work: Work, project: Path, tmp_path: Path
) -> None:
    """An agent may have made it, so that a branch would be deleted in its place."""
    of_old = {"GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
    sha = plain_git(project, "commit-tree", "HEAD^{tree}", "-m", "x", variables=of_old)
    plain_git(project, "branch", "old", sha)
    plain_git(project, "symbolic-ref", f"{KEPT_BELOW}/{'a' * 40}", "refs/heads/old")
    host = LocalHost.of(tmp_path / "host", BridgeSettings())
    await Discards(work.rig.storage, Hosts({host.name: host}), KeyedLocks()).expire(
        work.session.repository_id
    )
    assert "" == plain_git(project, "for-each-ref", KEPT_BELOW)
    assert sha == plain_git(project, "rev-parse", "refs/heads/old")


async def found(work: Work, row: DiscardedWork) -> DiscardedWork:
    return await work.rig.storage.read(lambda db: discarded.get(db, row.id))
