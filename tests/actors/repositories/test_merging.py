"""Merging what a session committed in its worktree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from command_center.actors.contracts.landing import ConflictsRequest, MarkConflicts
from command_center.actors.contracts.worktrees import MergeRequest, MergeWorktree
from command_center.actors.git import Checkout, stepping
from command_center.actors.git.conflicts import MarkedConflicts
from command_center.actors.git.errors import StepCutOff
from command_center.actors.git.merging import MergeResult
from command_center.actors.rules.errors import Conflict, Invalid
from tests.actors.git.held_folders import can_hold, held
from tests.actors.git.repository import commit, plain_git
from tests.actors.repositories.work import Work


async def merge(work: Work, **wanted: str) -> MergeResult:
    fields = {"path": str(work.folder), "requested_by": "ada", **wanted}
    request = MergeRequest(**fields)  # type: ignore[arg-type]
    return await work.rig.ask(MergeWorktree(work.session.repository_id, request))


def half_merged(work: Work, project: Path) -> None:
    """Leave the main checkout as a merge that was cut off while it wrote files leaves it."""
    commit(project, {"old.txt": "old\n", "same.txt": "same\n"})
    plain_git(work.folder, "merge", "--quiet", "main")
    (work.folder / "old.txt").unlink()
    commit(work.folder, {"readme.txt": "changed\n", "new.txt": "new\n", "more.txt": "more\n"})
    (project / "readme.txt").write_text("changed\n")
    (project / "new.txt").write_text("new\n")
    (project / "old.txt").unlink()
    plain_git(project, "add", "new.txt")


async def test_a_merge_that_was_cut_off_goes_on_when_it_is_asked_for_again(
    work: Work, project: Path
) -> None:
    half_merged(work, project)
    merged = await merge(work)
    assert ("fast-forward", "") == (merged.how, plain_git(project, "status", "--porcelain"))
    assert merged.head_sha == plain_git(project, "rev-parse", "main")
    assert "more\n" == (project / "more.txt").read_text()


@pytest.mark.parametrize(
    ("name", "text"), [("readme.txt", "mine\n"), ("same.txt", "mine\n"), ("mine.txt", "mine\n")]
)
async def test_changes_that_are_not_the_merges_are_not_taken_for_it(
    work: Work, project: Path, name: str, text: str
) -> None:
    half_merged(work, project)
    (project / name).write_text(text)
    with pytest.raises(Conflict, match="not committed"):
        await merge(work)
    assert text == (project / name).read_text()


async def test_what_is_staged_unlike_the_merge_is_not_lost(work: Work, project: Path) -> None:
    half_merged(work, project)
    (project / "new.txt").write_text("staged\n")
    plain_git(project, "add", "new.txt")
    (project / "new.txt").write_text("new\n")
    with pytest.raises(Conflict, match="not committed"):
        await merge(work)
    assert "staged" == plain_git(project, "show", ":new.txt")


@pytest.mark.skipif(not can_hold(), reason="nothing keeps this user from replacing a file")
async def test_a_merge_that_cannot_write_all_files_leaves_none_of_it(
    work: Work, project: Path
) -> None:
    before = commit(project, {"a.txt": "a\n", "closed/b.txt": "b\n", "z.txt": "z\n"})
    plain_git(work.folder, "merge", "--quiet", "main")
    (work.folder / "a.txt").unlink()
    commit(work.folder, {"closed/b.txt": "B\n", "new.txt": "new\n", "z.txt": "Z\n"})
    with held(project / "closed"), pytest.raises(StepCutOff, match="All files are again") as left:
        await merge(work)
    assert [] == left.value.facts["paths"]
    assert (before, "", "a\n") == (
        plain_git(project, "rev-parse", "main"),
        plain_git(project, "status", "--porcelain"),
        (project / "a.txt").read_text(),
    )
    merged = await merge(work)
    assert ("fast-forward", "") == (merged.how, plain_git(project, "status", "--porcelain"))


@pytest.mark.skipif(not can_hold(), reason="nothing keeps this user from replacing a file")
async def test_of_a_merge_that_is_cut_off_only_what_is_not_its_own_stays(
    work: Work, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(project, {"a.txt": "a\n", "closed/b.txt": "b\n", "y.txt": "y\n", "z.txt": "z\n"})
    plain_git(work.folder, "merge", "--quiet", "main")
    (work.folder / "a.txt").unlink()
    commit(work.folder, {"closed/b.txt": "B\n", "mine.txt": "M\n", "new.txt": "N\n"})
    commit(work.folder, {"y.txt": "Y\n", "z.txt": "Z\n"})
    real = stepping._step

    async def write_meanwhile(checkout: Checkout, *sides: str, **how: Any) -> None:
        monkeypatch.setattr(stepping, "_step", real)
        try:
            await real(checkout, *sides, **how)
        finally:
            assert "Z\n" == (project / "z.txt").read_text()
            for name in ("mine.txt", "z.txt"):  # as one cut short, these are as neither has them
                (project / name).write_text("mine\n")

    monkeypatch.setattr(stepping, "_step", write_meanwhile)
    with held(project / "closed"), pytest.raises(StepCutOff, match="Changed are") as left:
        await merge(work)
    assert ["mine.txt", "z.txt"] == left.value.facts["paths"]
    assert ["M z.txt", "?? mine.txt"] == [
        line.strip() for line in plain_git(project, "status", "--porcelain").splitlines()
    ]
    assert ["mine\n"] * 2 == [(project / name).read_text() for name in ("mine.txt", "z.txt")]
    plain_git(project, "restore", "z.txt")
    (project / "mine.txt").unlink()
    assert "fast-forward" == (await merge(work)).how


@pytest.mark.skipif(not can_hold(), reason="nothing keeps this user from replacing a file")
async def test_one_that_goes_on_and_is_cut_off_again_leaves_what_was_there(
    work: Work, project: Path
) -> None:
    commit(project, {"closed/b.txt": "b\n"})
    plain_git(work.folder, "merge", "--quiet", "main")
    commit(work.folder, {"closed/b.txt": "B\n"})
    half_merged(work, project)
    half = plain_git(project, "status", "--porcelain")
    with held(project / "closed"), pytest.raises(StepCutOff, match="All files are again"):
        await merge(work)
    assert half == plain_git(project, "status", "--porcelain")
    assert "fast-forward" == (await merge(work)).how
    assert "" == plain_git(project, "status", "--porcelain")


async def test_it_is_merged_into_a_branch_that_is_checked_out_nowhere(
    work: Work, project: Path
) -> None:
    plain_git(project, "branch", "release")
    commit(work.folder, {"new.txt": "new\n"})
    (project / "mine.txt").write_text("not committed\n")
    merged = await merge(work, into="release")
    assert ("release", "fast-forward") == (merged.target_branch, merged.how)
    assert "new" == plain_git(project, "show", "release:new.txt")
    assert "?? mine.txt" == plain_git(project, "status", "--porcelain")
    event = (await work.rig.events())[-1]
    assert ("worktree.merged", "release") == (
        event["type"],
        event["data"]["merge"]["targetBranch"],
    )


async def test_a_merge_into_another_branch_names_its_conflicts(work: Work, project: Path) -> None:
    plain_git(project, "switch", "--quiet", "-c", "release")
    before = commit(project, {"readme.txt": "theirs\n"})
    plain_git(project, "switch", "--quiet", "main")
    commit(work.folder, {"readme.txt": "ours\n"})
    with pytest.raises(Conflict) as error:
        await merge(work, into="release")
    assert ["readme.txt"] == error.value.facts["conflicts"]
    assert before == plain_git(project, "rev-parse", "release")


async def test_a_branch_that_is_checked_out_elsewhere_is_not_merged_into(
    work: Work, project: Path, tmp_path: Path
) -> None:
    plain_git(project, "worktree", "add", "--quiet", "-b", "release", str(tmp_path / "other"))
    commit(work.folder, {"new.txt": "new\n"})
    for into in ("release", "work"):
        with pytest.raises(Conflict, match="is checked out in"):
            await merge(work, into=into)
    with pytest.raises(Conflict, match="no branch absent"):
        await merge(work, into="absent")
    with pytest.raises(Invalid, match=r"^into: '-x' is not a branch name"):
        await merge(work, into="-x")


async def test_a_name_for_another_branch_does_not_lead_a_merge_into_that_one(
    work: Work, project: Path
) -> None:
    """An agent may have made it; the files of the branch that it names would stay behind."""
    before = plain_git(project, "rev-parse", "main")
    plain_git(project, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    made = commit(work.folder, {"new.txt": "new\n"})
    await merge(work, into="alias")
    assert (before, "") == (
        plain_git(project, "rev-parse", "main"),
        plain_git(project, "status", "--porcelain"),
    )
    assert made == plain_git(project, "rev-parse", "alias")


async def test_the_branch_of_the_main_checkout_can_be_named(work: Work, project: Path) -> None:
    commit(work.folder, {"new.txt": "new\n"})
    await merge(work, into="main")
    assert ("new\n", "") == (
        (project / "new.txt").read_text(),
        plain_git(project, "status", "--porcelain"),
    )


async def mark(work: Work, base: str | None = None) -> MarkedConflicts:
    wanted = ConflictsRequest(base=base, requested_by="ada")
    return await work.rig.ask(MarkConflicts(work.session.id, wanted))


def make_conflict(work: Work, project: Path) -> str:
    commit(work.folder, {"readme.txt": "ours\n", "new.txt": "new\n"})
    return commit(project, {"readme.txt": "theirs\n"})


async def test_conflicts_are_marked_in_the_files_and_the_next_commit_is_the_merge(
    work: Work, project: Path
) -> None:
    theirs = make_conflict(work, project)
    ours = work.git("rev-parse", "HEAD")
    marked = await mark(work)
    assert ("work", "main", ["readme.txt"]) == (
        marked.branch_name,
        marked.base_ref,
        marked.conflicts,
    )
    assert "<<<<<<<" in (work.folder / "readme.txt").read_text()
    assert "" == work.git("status", "--porcelain")
    event = (await work.rig.events())[-1]
    assert ("session.conflicts.marked", "ada") == (event["type"], event["actor"])
    with pytest.raises(Conflict, match="not resolved"):
        await merge(work)
    assert marked == await mark(work)
    work.write(readme_txt="both\n")
    committed = await work.commit(message="Merge main")
    assert f"{ours} {theirs}" == work.git("show", "-s", "--format=%P", committed.sha)
    assert "Ada Lovelace Merge main" == work.git("show", "-s", "--format=%an %B", committed.sha)
    assert "fast-forward" == (await merge(work)).how
    assert "both\n" == (project / "readme.txt").read_text()


async def test_only_what_conflicts_and_is_committed_is_marked(work: Work, project: Path) -> None:
    make_conflict(work, project)
    work.write(more_txt="not committed\n")
    with pytest.raises(Conflict, match="not committed"):
        await mark(work)
    assert "not committed\n" == (work.folder / "more.txt").read_text()
    (work.folder / "more.txt").unlink()
    plain_git(project, "branch", "fits", "main^")
    with pytest.raises(Conflict, match="does not conflict"):
        await mark(work, "fits")
    with pytest.raises(Conflict, match="no branch absent"):
        await mark(work, "absent")
    with pytest.raises(Invalid):
        await mark(work, "-x")


async def test_a_commit_that_leaves_marks_in_a_file_does_not_take_the_merges_place(
    work: Work, project: Path
) -> None:
    commit(work.folder, {"readme.txt": "ours\n", "more.txt": "ours\n"})
    commit(project, {"readme.txt": "theirs\n", "more.txt": "theirs\n"})
    marked = await mark(work)
    work.write(readme_txt="both\n")
    for paths in ((), ("readme.txt",)):
        with pytest.raises(Conflict, match="has conflicts that are still marked") as error:
            await work.commit(message="Merge main", paths=list(paths))
        assert ["more.txt"] == error.value.facts["conflicts"]
    assert marked.sha == work.git("rev-parse", "HEAD")
    work.write(more_txt="both\n")
    with pytest.raises(Conflict, match="has conflicts that are still marked"):
        await work.commit(message="Merge main", paths=["readme.txt"])
    await work.commit(message="Merge main")
    assert "fast-forward" == (await merge(work)).how


async def test_a_conflict_without_marks_may_stay_as_it_is(work: Work, project: Path) -> None:
    commit(work.folder, {"readme.txt": "ours\n", "kept.txt": "ours\n"})
    plain_git(work.folder, "branch", "base", "HEAD")
    plain_git(project, "merge", "--quiet", "base")
    (project / "kept.txt").unlink()
    commit(project, {"readme.txt": "theirs\n"})
    commit(work.folder, {"readme.txt": "mine\n", "kept.txt": "mine\n"})
    assert {"readme.txt", "kept.txt"} == set((await mark(work)).conflicts)
    with pytest.raises(Conflict, match="not resolved"):
        await merge(work)
    work.write(readme_txt="both\n")
    await work.commit(message="Merge main")
    assert "mine" == work.git("show", "HEAD:kept.txt")


async def test_a_commit_of_others_on_top_of_marks_does_not_hide_them(
    work: Work, project: Path
) -> None:
    make_conflict(work, project)
    marked = await mark(work)
    commit(work.folder, {"new.txt": "newer\n"})
    with pytest.raises(Conflict, match="not resolved") as error:
        await merge(work)
    assert ["readme.txt"] == error.value.facts["conflicts"]
    assert marked == await mark(work)
    commit(work.folder, {"readme.txt": "both\n"})
    assert "fast-forward" == (await merge(work)).how
