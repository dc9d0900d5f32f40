"""Making, listing, comparing, merging and removing worktrees."""

import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from command_center.actors.contracts.worktrees import (
    CreateWorktree,
    DiffWorktree,
    ListWorktrees,
    MergeRequest,
    MergeWorktree,
    PruneWorktrees,
    RemoveWorktree,
    WorktreeRequest,
)
from command_center.actors.git import WorktreeUnfinished
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from tests.actors.git.repository import commit, make_repository, plain_git
from tests.actors.repositories.rig import Rig, open_rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path / "rig") as rig:
        yield rig


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project")


async def test_a_worktree_is_made_in_the_data_folder_on_a_new_branch(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)

    made = await rig.ask(
        CreateWorktree(repository.id, WorktreeRequest(branch_name="cc/work", requested_by="ada"))
    )

    assert str(rig.data_dir / "worktrees" / "1" / "cc-work") == made.path
    assert ("cc/work", plain_git(project, "rev-parse", "main")) == (
        made.branch_name,
        made.head_sha,
    )
    assert "hello\n" == (Path(made.path) / "readme.txt").read_text(encoding="utf-8")
    assert "" == plain_git(Path(made.path), "status", "--porcelain")
    event = (await rig.events())[-1]
    assert ("worktree.created", "ada", made.path) == (
        event["type"],
        event["actor"],
        event["data"]["path"],
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
async def test_the_way_to_the_worktrees_of_the_data_folder_is_its_users_alone(
    rig: Rig, project: Path
) -> None:
    made = Path((await rig.make_worktree(await rig.register(project))).path)
    ways = (made.parent.parent, made.parent)
    assert [0o700, 0o700] == [stat.S_IMODE(way.stat().st_mode) for way in ways]


async def test_a_worktree_starts_where_it_is_told_to(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    first = plain_git(project, "rev-parse", "HEAD")
    commit(project, {"later.txt": "1\n"})
    repository = await rig.register(project)
    wanted = WorktreeRequest(branch_name="old", base_ref="main~1", path=str(tmp_path / "old"))

    made = await rig.ask(CreateWorktree(repository.id, wanted))

    assert (str(tmp_path / "old"), first) == (made.path, made.head_sha)
    assert not (tmp_path / "old" / "later.txt").exists()


async def test_a_branch_that_exists_is_used_as_it_is(rig: Rig, project: Path) -> None:
    plain_git(project, "branch", "there")
    repository = await rig.register(project)

    assert "there" == (await rig.make_worktree(repository, "there")).branch_name
    commit(project, {"later.txt": "1\n"})
    plain_git(project, "branch", "other", "main~1")
    with pytest.raises(Conflict, match="not at main"):
        await rig.ask(
            CreateWorktree(repository.id, WorktreeRequest(branch_name="other", base_ref="main"))
        )


async def test_a_branch_is_checked_out_once(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    before = await rig.kinds()

    with pytest.raises(Conflict, match="main"):
        await rig.make_worktree(repository, "main")

    assert before == await rig.kinds()
    assert 1 == len(await rig.ask(ListWorktrees(repository.id)))


@pytest.mark.parametrize(
    "name",
    [
        "--output=x",
        "-b",
        "-",
        "@",
        "@{-1}",
        "HEAD",
        "",
        "a..b",
        "a b",
        "a~1",
        "a:b",
        "a\nb",
        "a\x00b",
        "a/",
        "/a",
        "a.lock",
        ".a",
        "a\\b",
        "x" * 300,
    ],
)
async def test_a_name_that_git_would_take_otherwise_is_no_branch(
    rig: Rig, project: Path, name: str
) -> None:
    repository = await rig.register(project)
    branches = plain_git(project, "branch", "--list")

    with pytest.raises(Invalid, match="branchName"):
        await rig.make_worktree(repository, name)

    assert branches == plain_git(project, "branch", "--list")
    assert not (project / "x").exists()


@pytest.mark.parametrize(
    "name", ["--output=x", "absent", "HEAD:readme.txt", "", "a\nb", "^main", "main..main"]
)
async def test_a_base_that_is_no_commit_is_refused(rig: Rig, project: Path, name: str) -> None:
    repository = await rig.register(project)

    with pytest.raises(NotFound, match=r"^Commit .* not found"):
        await rig.ask(
            CreateWorktree(repository.id, WorktreeRequest(branch_name="b", base_ref=name))
        )


async def test_a_worktree_is_never_put_in_the_way(rig: Rig, project: Path, tmp_path: Path) -> None:
    other = make_repository(tmp_path / "other")
    repository = await rig.register(project)
    await rig.register(other)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("1", encoding="utf-8")
    (tmp_path / "link").symlink_to(project, target_is_directory=True)
    for path, expected in (
        (project / "inner", "inside repository 1"),
        (project / ".git" / "inner", "inside repository 1"),
        (tmp_path / "link" / "inner", "inside repository 1"),
        (other / "inner", "inside repository 2"),
        (rig.data_dir / "inner", "data folder"),
        (tmp_path / "full", "exists already"),
        (Path("relative"), "not an absolute path"),
    ):
        wanted = WorktreeRequest(branch_name="b", path=str(path))
        with pytest.raises(Invalid, match="path") as refused:
            await rig.ask(CreateWorktree(repository.id, wanted))
        assert expected in refused.value.details[0]["message"]


async def test_a_worktree_whose_folder_cannot_be_made_is_refused_and_crashes_nothing(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project)
    (tmp_path / "a-file").write_text("in the way", encoding="utf-8")
    wanted = WorktreeRequest(branch_name="work", path=str(tmp_path / "a-file" / "below" / "work"))
    with pytest.raises(Conflict, match="cannot be made"):
        await rig.ask(CreateWorktree(repository.id, wanted))
    assert "" == plain_git(project, "branch", "--list", "work")


async def test_the_list_tells_how_each_worktree_is(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    (Path(made.path) / "new.txt").write_text("new\n", encoding="utf-8")
    session = await rig.start_session(repository, cwd=made.path, worktree_path=made.path)

    main, work = await rig.ask(ListWorktrees(repository.id))

    assert (True, False, str(project), []) == (
        main.is_main,
        main.is_dirty,
        main.path,
        main.session_ids,
    )
    assert (False, True, made.path, [session.id]) == (
        work.is_main,
        work.is_dirty,
        work.path,
        work.session_ids,
    )
    assert work.size_bytes is not None
    assert work.size_bytes > len("hello\nnew\n")


async def test_a_diff_shows_what_is_committed_and_what_is_not(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    work = Path(made.path)
    commit(work, {"committed.txt": "one\n"})
    commit(project, {"elsewhere.txt": "not of the worktree\n"})
    (work / "readme.txt").write_text("changed\n", encoding="utf-8")
    (work / "untracked.txt").write_text("new\n", encoding="utf-8")

    diff = await rig.ask(DiffWorktree(repository.id, made.path))

    assert [
        ("committed.txt", "added", True),
        ("readme.txt", "modified", False),
        ("untracked.txt", "added", False),
    ] == [(file.path, file.status, file.is_committed) for file in diff.files]
    assert "+changed" in diff.patch
    assert "+new" in diff.patch
    assert "elsewhere" not in diff.patch
    assert not diff.is_cut


async def test_a_diff_names_a_file_in_its_own_letters(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    commit(Path(made.path), {"grüße.txt": "one\n"})

    diff = await rig.ask(DiffWorktree(repository.id, made.path))

    assert "diff --git a/grüße.txt b/grüße.txt\n" in diff.patch


async def test_a_long_diff_is_cut_and_says_so(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    (Path(made.path) / "readme.txt").write_text("line\n" * 200_000, encoding="utf-8")

    diff = await rig.ask(DiffWorktree(repository.id, made.path, limit=10_000))

    assert diff.is_cut
    assert diff.patch.endswith("[… cut here: the diff is longer than 10000 bytes …]\n")
    assert len(diff.patch) < 10_100


async def test_a_dirty_worktree_is_removed_only_by_force(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    (Path(made.path) / "untracked.txt").write_text("new\n", encoding="utf-8")

    with pytest.raises(Conflict, match="force=true"):
        await rig.ask(RemoveWorktree(repository.id, made.path))
    assert Path(made.path).exists()
    await rig.ask(RemoveWorktree(repository.id, made.path, force=True, requested_by="ada"))

    assert not Path(made.path).exists()
    assert "work" in plain_git(project, "branch", "--list", "work")
    event = (await rig.events())[-1]
    assert ("worktree.removed", "ada", True) == (
        event["type"],
        event["actor"],
        event["data"]["force"],
    )


async def test_a_worktree_that_a_session_works_in_stays_even_by_force(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    session = await rig.start_session(repository, cwd=made.path, worktree_path=made.path)

    with pytest.raises(Conflict, match=f"Session {session.id} works in"):
        await rig.ask(RemoveWorktree(repository.id, made.path, force=True))
    await rig.end_session(session)

    assert made.path == (await rig.ask(RemoveWorktree(repository.id, made.path))).path


async def test_a_locked_worktree_stays_even_by_force(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    plain_git(project, "worktree", "lock", "--reason", "on a stick", made.path)

    with pytest.raises(Conflict, match="locked: on a stick"):
        await rig.ask(RemoveWorktree(repository.id, made.path, force=True))


async def test_only_a_worktree_of_the_repository_is_removed(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project)
    other = await rig.register(make_repository(tmp_path / "other"))
    made = await rig.make_worktree(other)
    for path, refusal in (
        (str(project), Conflict),
        (str(tmp_path / "other"), NotFound),
        (made.path, NotFound),
        (str(tmp_path), NotFound),
        ("relative", Invalid),
    ):
        with pytest.raises(refusal):
            await rig.ask(RemoveWorktree(repository.id, path, force=True))
    assert (project / "readme.txt").exists()


async def test_a_worktree_whose_git_file_was_turned_elsewhere_is_not_worked_in(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    secret = make_repository(tmp_path / "secret")
    (Path(made.path) / ".git").write_text(f"gitdir: {secret / '.git'}\n", encoding="utf-8")

    with pytest.raises(Conflict, match="does not name this folder"):
        await rig.ask(DiffWorktree(repository.id, made.path))
    _, state = await rig.ask(ListWorktrees(repository.id))
    assert state.problem is not None


async def test_a_worktree_that_became_a_link_is_not_followed(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    Path(made.path).rename(tmp_path / "elsewhere")
    Path(made.path).symlink_to(tmp_path / "elsewhere", target_is_directory=True)

    with pytest.raises(Conflict, match="somewhere else"):
        await rig.ask(DiffWorktree(repository.id, made.path))
    with pytest.raises(Conflict, match="somewhere else"):
        await rig.ask(RemoveWorktree(repository.id, made.path))
    assert (tmp_path / "elsewhere" / "readme.txt").exists()


async def test_worktrees_whose_folders_are_gone_are_forgotten(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    Path(made.path).rename(rig.data_dir / "gone")

    (pruned,) = (await rig.ask(PruneWorktrees(repository.id))).items

    assert made.path == pruned.path
    assert "worktree.pruned" == (await rig.kinds())[-1]
    assert [] == (await rig.ask(PruneWorktrees(repository.id))).items


@pytest.mark.parametrize(
    ("strategy", "diverged", "expected"),
    [
        ("auto", False, "fast-forward"),
        ("auto", True, "merge-commit"),
        ("fast-forward", False, "fast-forward"),
        ("merge-commit", False, "merge-commit"),
    ],
)
async def test_work_comes_back_into_the_main_checkout(
    rig: Rig, project: Path, *, strategy: str, diverged: bool, expected: str
) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    tip = commit(Path(made.path), {"work.txt": "done\n"})
    if diverged:
        commit(project, {"main.txt": "meanwhile\n"})
    wanted = {"path": made.path, "strategy": strategy, "requestedBy": "ada"}

    merged = await rig.ask(MergeWorktree(repository.id, msgspec.convert(wanted, MergeRequest)))

    assert (expected, "main") == (merged.how, merged.target_branch)
    assert merged.head_sha == plain_git(project, "rev-parse", "main")
    assert "done\n" == (project / "work.txt").read_text(encoding="utf-8")
    assert "" == plain_git(project, "status", "--porcelain")
    assert "" == plain_git(project, "rev-list", "--max-count=1", tip, "^main")
    assert "worktree.merged" == (await rig.kinds())[-1]
    again = await rig.ask(MergeWorktree(repository.id, MergeRequest(path=made.path)))
    assert "up-to-date" == again.how


async def test_a_merge_that_conflicts_changes_nothing_and_names_the_files(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    commit(Path(made.path), {"readme.txt": "theirs\n"})
    head = commit(project, {"readme.txt": "ours\n"})

    with pytest.raises(Conflict, match="conflicts with main") as refused:
        await rig.ask(MergeWorktree(repository.id, MergeRequest(path=made.path)))

    assert ["readme.txt"] == refused.value.facts["conflicts"]
    assert (head, "") == (
        plain_git(project, "rev-parse", "HEAD"),
        plain_git(project, "status", "--porcelain"),
    )
    assert "worktree.merged" not in await rig.kinds()


@pytest.mark.parametrize("ignored", [".env", "build/out.txt"])
async def test_no_merge_writes_over_a_file_that_git_ignores(
    rig: Rig, project: Path, ignored: str
) -> None:
    commit(project, {".gitignore": ".env\nbuild\n"})
    (project / ignored).parent.mkdir(exist_ok=True)
    (project / ignored).write_text("mine\n", encoding="utf-8")
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    commit(Path(made.path), {".gitignore": "\n"})
    commit(Path(made.path), {".env": "theirs\n", "build": "theirs\n"})

    with pytest.raises(Conflict, match="ignores"):
        await rig.ask(MergeWorktree(repository.id, MergeRequest(path=made.path)))

    assert "mine\n" == (project / ignored).read_text(encoding="utf-8")
    assert "" == plain_git(project, "status", "--porcelain")


async def test_nothing_is_merged_into_or_out_of_what_is_in_use(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    commit(Path(made.path), {"work.txt": "done\n"})
    merge = MergeWorktree(repository.id, MergeRequest(path=made.path))

    (project / "untracked.txt").write_text("1\n", encoding="utf-8")
    with pytest.raises(Conflict, match="not committed"):
        await rig.ask(merge)
    (project / "untracked.txt").unlink()
    (Path(made.path) / "untracked.txt").write_text("1\n", encoding="utf-8")
    with pytest.raises(Conflict, match="not committed"):
        await rig.ask(merge)
    (Path(made.path) / "untracked.txt").unlink()
    session = await rig.start_session(repository)
    with pytest.raises(Conflict, match="works in"):
        await rig.ask(merge)
    await rig.end_session(session)

    assert "fast-forward" == (await rig.ask(merge)).how


async def test_a_fast_forward_that_cannot_be_one_is_refused(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    commit(Path(made.path), {"work.txt": "done\n"})
    commit(project, {"main.txt": "meanwhile\n"})

    with pytest.raises(Conflict, match="cannot be fast-forwarded"):
        await rig.ask(
            MergeWorktree(repository.id, MergeRequest(path=made.path, strategy="fast-forward"))
        )


async def cut_off(project: Path, path: Path, how: str) -> None:
    """Leave a worktree as a kill does while it is made."""
    plain_git(project, "worktree", "add", "--no-checkout", "-b", "work", str(path))
    administration = project / ".git" / "worktrees" / path.name
    if how == "no .git file":
        (path / ".git").unlink()
    if how in {"a stand-in", "initializing"}:
        (path / ".git").write_text(f"gitdir: {path.parent}/git-work/tmp1/worktrees/{path.name}\n")
    if how == "initializing":
        (administration / "locked").write_text("initializing")
    if how == "half filled":
        (path / "readme.txt").write_text("hel")


@pytest.mark.parametrize(
    "how", ["no .git file", "a stand-in", "initializing", "half filled", "not filled"]
)
@pytest.mark.parametrize("is_named", [False, True])
async def test_a_worktree_whose_making_was_cut_off_is_finished_where_it_is_asked_for_again(
    rig: Rig, project: Path, tmp_path: Path, how: str, *, is_named: bool
) -> None:
    repository = await rig.register(project)
    kept = rig.data_dir / "worktrees" / str(repository.id)
    kept.mkdir(parents=True)
    path = (tmp_path if is_named else kept) / "work"
    await cut_off(project, path, how)
    wanted = WorktreeRequest(branch_name="work", path=str(path) if is_named else None)

    made = await rig.ask(CreateWorktree(repository.id, wanted))

    assert (str(path), "work") == (made.path, made.branch_name)
    assert "hello\n" == (path / "readme.txt").read_text(encoding="utf-8")
    assert "" == plain_git(path, "status", "--porcelain")
    assert "worktree.created" == (await rig.events())[-1]["type"]
    with pytest.raises((Conflict, Invalid)):
        await rig.ask(CreateWorktree(repository.id, wanted))


async def test_one_in_which_somebody_has_written_is_left_alone_where_it_is_asked_for_again(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    kept = rig.data_dir / "worktrees" / str(repository.id)
    kept.mkdir(parents=True)
    await cut_off(project, kept / "work", "half filled")
    (kept / "work" / "mine.txt").write_text("mine")
    with pytest.raises(WorktreeUnfinished, match="force=true"):
        await rig.make_worktree(repository)
    assert ("hel", "mine") == (
        (kept / "work" / "readme.txt").read_text(),
        (kept / "work" / "mine.txt").read_text(),
    )


async def test_one_that_lies_elsewhere_or_leads_elsewhere_is_nobodys_beginning(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project)
    await cut_off(project, tmp_path / "elsewhere", "not filled")
    with pytest.raises(Conflict, match="already used by worktree"):
        await rig.make_worktree(repository)
    assert [".git"] == [entry.name for entry in (tmp_path / "elsewhere").iterdir()]
    other = make_repository(tmp_path / "other")
    text = f"gitdir: {other / '.git'}\n"
    (tmp_path / "elsewhere" / ".git").write_text(text)
    wanted = WorktreeRequest(branch_name="work", path=str(tmp_path / "elsewhere"))
    with pytest.raises((Conflict, Invalid)):
        await rig.ask(CreateWorktree(repository.id, wanted))
    assert text == (tmp_path / "elsewhere" / ".git").read_text()


async def test_one_that_is_asked_for_at_another_base_is_not_it(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    kept = rig.data_dir / "worktrees" / str(repository.id)
    kept.mkdir(parents=True)
    await cut_off(project, kept / "work", "not filled")
    commit(project, {"later.txt": "1\n"})
    wanted = WorktreeRequest(branch_name="work", base_ref="main")
    with pytest.raises(Conflict, match="not at main"):
        await rig.ask(CreateWorktree(repository.id, wanted))
    assert [".git"] == [entry.name for entry in (kept / "work").iterdir()]


async def test_a_worktree_that_cannot_be_finished_leaves_nothing(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project)
    lost = plain_git(project, "rev-parse", "HEAD:source.py")
    (project / ".git" / "objects" / lost[:2] / lost[2:]).unlink()

    with pytest.raises(Conflict, match="git read-tree failed"):
        await rig.ask(
            CreateWorktree(
                repository.id, WorktreeRequest(branch_name="work", path=str(tmp_path / "work"))
            )
        )

    assert not (tmp_path / "work").exists()
    assert "" == plain_git(project, "branch", "--list", "work")
    assert 1 == len(plain_git(project, "worktree", "list").splitlines())
