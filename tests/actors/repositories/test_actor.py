"""Registering, changing, scanning and forgetting repositories."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.contracts.repositories import (
    CloneRepository,
    CreateRepository,
    DeleteRepository,
    InspectRepository,
    PatchRepository,
    ProvideClone,
    RepositoryChanges,
    ScanRepository,
)
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from command_center.store import automation_runs, automations, repositories, sessions
from tests.actors.git.repository import commit, make_repository, plain_git
from tests.actors.repositories.rig import Rig, open_rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path / "rig") as rig:
        yield rig


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project")


def only_detail(error: Invalid) -> dict[str, str]:
    (detail,) = error.details
    return detail


async def test_a_repository_is_registered_with_what_git_says_of_it(rig: Rig, project: Path) -> None:
    plain_git(project, "remote", "add", "origin", "https://me:secret@example.org/p.git?token=x")

    made = await rig.ask(
        CreateRepository(local_path=str(project), allow_write=True, requested_by="ada")
    )

    assert (1, "project", str(project)) == (made.id, made.name, made.local_path)
    assert (True, False, False, False) == (
        made.allow_write,
        made.allow_network,
        made.allow_commit,
        made.require_worktree,
    )
    assert ("main", "main", False) == (
        made.default_branch,
        made.current_branch,
        made.is_dirty,
    )
    assert plain_git(project, "rev-parse", "HEAD") == made.head_sha
    assert [{"name": "origin", "url": "https://example.org/p.git"}] == made.facts["remotes"]
    (event,) = await rig.events()
    assert ("repo.created", "ada", 1) == (event["type"], event["actor"], event["repositoryId"])
    assert made == await rig.storage.read(lambda db: repositories.get(db, 1))


async def test_a_repository_before_its_first_commit_is_one(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    plain_git(tmp_path / "empty", "init", "--quiet", "--initial-branch=main")

    made = await rig.register(tmp_path / "empty")

    assert ("main", None, False) == (made.current_branch, made.head_sha, made.is_dirty)


async def test_a_path_that_cannot_be_registered_is_refused_by_name(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "plain").mkdir()
    bare = tmp_path / "bare"
    bare.mkdir()
    plain_git(bare, "init", "--quiet", "--bare")
    (project / "inside").mkdir()
    for path, expected in (
        (tmp_path / "absent", "does not exist"),
        (project / "readme.txt", "is a file"),
        (tmp_path / "plain", "not a git repository"),
        (bare, "bare repository"),
        (project / "inside", f"in the one at {project}"),
        (project / ".git", "bare repository"),
        (Path("relative"), "not an absolute path"),
        ("", "empty"),
        ("a\x00b", "control characters"),
        ("a\nb", "control characters"),
    ):
        with pytest.raises(Invalid, match="localPath") as refused:
            await rig.ask(CreateRepository(local_path=str(path)))
        assert only_detail(refused.value)["path"] == "localPath"
        assert expected in only_detail(refused.value)["message"]
    assert [] == await rig.events()


@pytest.mark.skipif(os.name == "nt", reason="there these are paths")
@pytest.mark.parametrize("path", [r"C:\Users\ada\project", "C:/project", r"\\server\share"])
async def test_a_windows_path_is_refused_as_one(rig: Rig, path: str) -> None:
    with pytest.raises(Invalid, match="Windows path"):
        await rig.ask(CreateRepository(local_path=path))


async def test_a_repository_is_not_registered_twice_under_any_name(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    first = await rig.register(project)
    (tmp_path / "link").symlink_to(project, target_is_directory=True)
    linked = tmp_path / "linked"
    plain_git(project, "worktree", "add", "--quiet", str(linked))
    for spelling in (
        str(project),
        str(project) + os.sep,
        os.path.join(str(project), "..", "project"),  # noqa: PTH118 - a path that is not resolved
        str(tmp_path / "link"),
        str(linked),
    ):
        with pytest.raises(Conflict, match=r"repository 1 \(project\)") as refused:
            await rig.ask(CreateRepository(local_path=spelling))
        assert {"repositoryId": first.id} == refused.value.facts


async def test_a_host_without_a_pool_clones_nothing(rig: Rig, project: Path) -> None:
    remote = "https://forge.example/acme/work"
    with pytest.raises(Conflict, match=r"Host local clones nothing.*command-center host --pool"):
        await rig.ask(CloneRepository(remote=remote, host="local"))
    repository = await rig.register(project)
    with pytest.raises(Conflict, match="has no remote `origin`"):
        await rig.ask(ProvideClone(repository.id))
    plain_git(project, "remote", "add", "origin", remote)
    await rig.ask(ScanRepository(repository.id))
    with pytest.raises(Conflict, match=f"No pool host can clone {remote}"):
        await rig.ask(ProvideClone(repository.id))


async def test_of_many_who_register_one_repository_at_once_one_does(
    rig: Rig, project: Path
) -> None:
    outcomes: list[str] = []

    async def register() -> None:
        try:
            await rig.register(project)
        except Conflict:
            outcomes.append("conflict")
        else:
            outcomes.append("made")

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(register)

    assert ["conflict"] * 7 + ["made"] == sorted(outcomes)


async def test_repositories_lie_within_the_roots(tmp_path: Path) -> None:
    inside = make_repository(tmp_path / "code" / "inside")
    outside = make_repository(tmp_path / "outside")
    (tmp_path / "code" / "link").symlink_to(outside, target_is_directory=True)
    async with open_rig(tmp_path / "rig", repo_roots=(tmp_path / "code",)) as rig:
        assert (await rig.register(inside)).id == 1
        for path in (outside, tmp_path / "code" / "link"):
            with pytest.raises(Invalid, match="outside the folders"):
                await rig.register(path)
            with pytest.raises(Invalid, match="outside the folders"):
                await rig.ask(InspectRepository(local_path=str(path)))


async def test_a_repository_that_the_roots_contain_no_more_is_not_worked_in(
    tmp_path: Path,
) -> None:
    project = make_repository(tmp_path / "real" / "project")
    (tmp_path / "empty").mkdir()
    root = tmp_path / "root"
    root.symlink_to(tmp_path / "real", target_is_directory=True)
    async with open_rig(tmp_path / "rig", repo_roots=(root,)) as rig:
        made = await rig.register(project)
        root.unlink()
        root.symlink_to(tmp_path / "empty", target_is_directory=True)

        with pytest.raises(Conflict, match="outside the folders"):
            await rig.ask(ScanRepository(made.id))


async def test_an_inspection_saves_nothing(rig: Rig, project: Path) -> None:
    commit(project, {"more.txt": "1\n"})
    (project / "untracked.txt").write_text("1\n", encoding="utf-8")

    seen = await rig.ask(InspectRepository(local_path=str(project)))

    assert (True, "project", True, "main") == (
        seen.is_git_repository,
        seen.name,
        seen.is_dirty,
        seen.current_branch,
    )
    assert [str(project)] == [worktree.path for worktree in seen.worktrees]
    assert [] == await rig.events()
    assert 0 == await rig.storage.read(lambda db: repositories.count(db, {}))


async def test_a_plain_folder_is_inspected_as_no_git_repository(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()

    seen = await rig.ask(InspectRepository(local_path=str(tmp_path / "plain")))

    assert not seen.is_git_repository
    (warning,) = seen.warnings
    assert warning.startswith("It is not a git repository")


async def test_a_scan_keeps_what_it_saw(rig: Rig, project: Path) -> None:
    made = await rig.register(project)
    head = commit(project, {"AGENTS.md": "Be careful.\n", "lib/more.py": "x = 1\n"}, "Add more")

    seen = await rig.ask(ScanRepository(made.id, "ada"))

    assert head == seen.head_sha
    assert seen.scanned_at is not None
    contents = seen.facts["contents"]
    assert contents["hasAgentsFile"]
    assert {"files": 2, "bytes": 15} == contents["languages"]["Python"]
    assert ["Add more", "A change"] == [commit["subject"] for commit in seen.facts["commits"]]
    event = (await rig.events())[-1]
    assert ("repo.scanned", "ada", head) == (
        event["type"],
        event["actor"],
        event["data"]["headSha"],
    )


async def test_a_scan_of_what_became_another_repository_is_refused(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    made = await rig.register(project)
    other = make_repository(tmp_path / "other")
    (project / ".git").rename(tmp_path / "moved")
    (project / ".git").write_text(f"gitdir: {other / '.git'}\n", encoding="utf-8")

    with pytest.raises(Conflict, match="does not name this folder"):
        await rig.ask(ScanRepository(made.id))


async def test_what_is_left_out_of_a_change_stays(rig: Rig, project: Path) -> None:
    made = await rig.register(project, allow_write=True)

    changed = await rig.ask(
        PatchRepository(made.id, RepositoryChanges(allow_commit=True, requested_by="ada"))
    )

    assert (True, True) == (changed.allow_write, changed.allow_commit)
    event = (await rig.events())[-1]
    assert ("repo.updated", "ada") == (event["type"], event["actor"])
    assert {"allowCommit": {"from": False, "to": True}} == event["data"]["changes"]


async def test_a_change_that_changes_nothing_is_no_event(rig: Rig, project: Path) -> None:
    made = await rig.register(project)

    assert made == await rig.ask(PatchRepository(made.id, RepositoryChanges(allow_write=False)))
    assert 1 == len(await rig.events())


async def test_a_repository_follows_its_folder_unless_somebody_works_in_it(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    made = await rig.register(project)
    session = await rig.start_session(made)
    project.rename(tmp_path / "moved")
    move = PatchRepository(made.id, RepositoryChanges(local_path=str(tmp_path / "moved")))
    with pytest.raises(Conflict, match="cannot be moved"):
        await rig.ask(move)
    await rig.end_session(session)

    moved = await rig.ask(move)

    assert str(tmp_path / "moved") == moved.local_path
    assert moved.facts["gitDir"] == str(tmp_path / "moved" / ".git")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201])
async def test_a_name_can_be_shown(rig: Rig, project: Path, name: str) -> None:
    with pytest.raises(Invalid, match="name"):
        await rig.register(project, name=name)


async def test_a_repository_with_an_active_session_is_not_deleted(rig: Rig, project: Path) -> None:
    made = await rig.register(project)
    session = await rig.start_session(made)

    with pytest.raises(Conflict, match="cannot be deleted") as refused:
        await rig.ask(DeleteRepository(made.id))

    assert {"sessionIds": [session.id]} == refused.value.facts


async def test_a_deletion_forgets_what_was_done_and_keeps_its_events_and_files(
    rig: Rig, project: Path
) -> None:
    made = await rig.register(project)
    session = await rig.start_session(made)
    await rig.end_session(session)

    def automate(tx: Any) -> int:
        fields = {
            "repository_id": made.id,
            "title": "Check",
            "schedule_expr": "hourly",
            "enabled": True,
            "missed_runs": "skip",
            "payload": {},
            "requested_by": "test",
        }
        automation = automations.insert(tx, **fields)
        automations.update(tx, automation.id, last_session_id=session.id)
        automation_runs.insert(
            tx,
            automation_id=automation.id,
            trigger="manual",
            fired_at=tx.now,
            outcome="completed",
            task_id=session.task_id,
            session_id=session.id,
        )
        return automation.id

    automation_id = await rig.storage.write(automate)
    with pytest.raises(Conflict, match="enabled automation"):
        await rig.ask(DeleteRepository(made.id))
    await rig.storage.write(lambda tx: automations.update(tx, automation_id, enabled=False))

    gone = await rig.ask(DeleteRepository(made.id, "ada"))

    assert (1, 1, 0, 1) == (gone.tasks, gone.sessions, gone.approvals, gone.automations)
    assert 0 == await rig.storage.read(lambda db: sessions.count(db, {}))
    assert ["repo.created", "repo.deleted"] == [event["type"] for event in await rig.events()]
    assert (project / "readme.txt").exists()
    with pytest.raises(NotFound, match=r"Repository 1 not found\."):
        await rig.ask(DeleteRepository(made.id))
    assert 2 == (await rig.register(project)).id
