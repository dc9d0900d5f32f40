"""Committing what a session left."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from command_center.actors.contracts.landing import CommitRequest, CommitWork, SeeChanges
from command_center.actors.contracts.worktrees import RemoveWorktree
from command_center.actors.git import Checkout, committing
from command_center.actors.git.committing import Committed
from command_center.actors.git.ports import Unfinished
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.confinement import ConfinementSupport
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from tests.actors.git.repository import commit, make_repository, plain_git
from tests.actors.repositories.rig import Rig
from tests.actors.repositories.work import Work


async def test_what_is_new_changed_and_deleted_is_committed_on_the_branch(
    work: Work, project: Path
) -> None:
    commit(work.folder, {"old.txt": "1\n"})
    before = work.git("rev-parse", "HEAD")
    (work.folder / "old.txt").unlink()
    work.write(readme_txt="changed\n", new_txt="new\n")
    made = await work.commit(message="Do it")
    assert (
        Committed(
            branch_name="work",
            before_sha=before,
            sha=plain_git(project, "rev-parse", "work"),
            message="Do it",
            files=3,
        )
        == made
    )
    assert "" == work.git("status", "--porcelain")
    told = work.git("show", "--no-patch", "--format=%an|%ae|%s|%P")
    assert f"Ada Lovelace|ada@example.org|Do it|{before}" == told
    changed = work.git("show", "--name-status", "--format=").split("\n")
    assert {"M\treadme.txt", "A\tnew.txt", "D\told.txt"} == set(changed)
    event = (await work.rig.events())[-1]
    assert ("session.committed", "ada", work.session.id, made.sha) == (
        event["type"],
        event["actor"],
        event["sessionId"],
        event["data"]["commit"]["sha"],
    )


async def test_the_message_is_the_tasks_title_unless_given(work: Work) -> None:
    work.write(new_txt="new\n")
    made = await work.commit()
    assert made.message == work.git("show", "--no-patch", "--format=%s")


async def test_of_some_paths_only_those_are_committed(work: Work) -> None:
    (work.folder / "src").mkdir()
    work.write(one_txt="1\n", two_txt="2\n")
    (work.folder / "src" / "three.txt").write_text("3\n", encoding="utf-8")
    work.git("add", "two.txt")
    made = await work.commit(paths=["one.txt", "src"])
    assert 2 == made.files
    assert "A  two.txt" == work.git("status", "--porcelain")
    names = work.git("show", "--name-only", "--format=").split("\n")
    assert {"one.txt", "src/three.txt"} == set(names)


async def test_a_name_with_signs_of_patterns_is_that_file_alone(work: Work) -> None:
    work.write(**{"*_txt": "star\n", "b_txt": "b\n"})
    await work.commit(paths=["*.txt"])
    assert "?? b.txt" == work.git("status", "--porcelain")


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", ".git/config", "a/.git", ""])
async def test_a_path_outside_is_refused(work: Work, path: str) -> None:
    work.write(new_txt="new\n")
    with pytest.raises(Invalid):
        await work.commit(paths=[path])
    assert "?? new.txt" == work.git("status", "--porcelain")


async def test_more_files_than_one_commit_takes_are_refused(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committing, "FILES_LIMIT", 2)
    work.write(a="1", b="2", c="3")
    with pytest.raises(Conflict, match="More than 2 files differ"):
        await work.commit()
    assert 2 == (await work.commit(paths=["a", "b"])).files
    assert 1 == (await work.commit()).files


async def test_a_message_that_says_nothing_is_refused(work: Work) -> None:
    work.write(new_txt="new\n")
    with pytest.raises(Invalid, match="needs a message"):
        await work.commit(message=" \n")


async def test_what_is_left_is_told_with_its_lines_and_commits(work: Work) -> None:
    commit(work.folder, {"old.txt": "1\n2\n"})
    (work.folder / "old.txt").unlink()
    work.write(readme_txt="changed\n", new_txt="new\n")
    left = await work.rig.ask(SeeChanges(work.session.id, "commit"))
    assert ("work", "main", 1, False) == (
        left.branch_name,
        left.base_ref,
        left.commits,
        left.is_cut,
    )
    told = {file.path: (file.status, file.additions, file.deletions) for file in left.items}
    assert {
        "readme.txt": ("modified", 1, 1),
        "old.txt": ("deleted", 0, 2),
        "new.txt": ("added", 1, 0),
    } == told
    await work.commit()
    left = await work.rig.ask(SeeChanges(work.session.id, "commit"))
    assert ([], 2) == (left.items, left.commits)


async def test_nothing_to_commit_a_moved_branch_and_no_branch_are_conflicts(work: Work) -> None:
    head = work.git("rev-parse", "HEAD")
    with pytest.raises(Conflict, match="nothing to commit"):
        await work.commit()
    work.write(new_txt="new\n")
    with pytest.raises(Conflict, match="nothing to commit"):
        await work.commit(paths=["readme.txt"])
    with pytest.raises(Conflict, match="has moved") as moved:
        await work.commit(head_sha="0" * 40)
    assert {"headSha": head} == moved.value.facts
    assert head != (await work.commit(head_sha=head)).sha
    work.git("checkout", "-q", "--detach")
    work.write(more_txt="more\n")
    with pytest.raises(Conflict, match="on no branch"):
        await work.commit()


async def test_while_a_session_works_there_nothing_is_committed(work: Work) -> None:
    work.write(new_txt="new\n")
    repository = work.session.repository_id
    assert repository
    await work.rig.storage.write(lambda tx: tx.db.execute("UPDATE sessions SET finished_at = NULL"))
    with pytest.raises(Conflict, match="works in"):
        await work.commit()


async def test_in_the_main_checkout_the_files_have_to_be_named(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    session = await rig.start_session(repository)
    await rig.end_session(session)
    work = Work(rig, session, project)
    work.write(mine_txt="mine\n", agents_txt="agent\n")
    with pytest.raises(Conflict, match="Name the files"):
        await work.commit()
    await work.commit(paths=["agents.txt"])
    assert "?? mine.txt" == work.git("status", "--porcelain")


async def test_of_a_session_that_is_not_there_nothing_is_committed(rig: Rig) -> None:
    with pytest.raises(NotFound):
        await rig.ask(CommitWork(7, CommitRequest()))


async def test_who_is_unknown_to_git_has_to_be_named(
    work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    work.write(new_txt="new\n")
    for name in ("user.name", "user.email"):
        if work.git("config", "--default", "", "--local", "--get", name):
            work.git("config", "--unset", name)
    with pytest.raises(Conflict, match="Git does not know who you are"):
        await work.commit(author=None)
    assert (await work.commit()).files == 1
    assert "Ada Lovelace" == work.git("show", "--no-patch", "--format=%cn")


@pytest.mark.skipif(sys.platform == "win32", reason="the canary is a shell script")
async def test_nothing_of_the_repository_runs(work: Work, project: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {canary}\ncat\n", encoding="utf-8")
    program.chmod(0o755)
    for hook in (
        "pre-commit",
        "commit-msg",
        "prepare-commit-msg",
        "post-commit",
        "post-index-change",
    ):
        (project / ".git/hooks" / hook).symlink_to(program)
    for key in ("filter.evil.clean", "filter.evil.process", "core.fsmonitor", "gpg.program"):
        plain_git(project, "config", key, str(program))
    plain_git(project, "config", "commit.gpgSign", "true")
    (project / ".git/info").mkdir(exist_ok=True)
    (project / ".git/info/attributes").write_text("* filter=evil\n", encoding="utf-8")
    work.write(new_txt="new\n")
    made = await work.commit()
    assert not canary.exists()
    assert [
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
        "post-commit",
    ] == made.hooks_skipped


@pytest.mark.parametrize("is_relative", [False, True])
async def test_hooks_of_another_folder_are_named(
    work: Work, project: Path, *, is_relative: bool
) -> None:
    commit(work.folder, {".husky/pre-commit": "npm test\n", ".husky/commit-msg": "# nothing\n"})
    elsewhere = work.folder / ".husky" if not is_relative else Path(".husky")
    plain_git(project, "config", "core.hooksPath", str(elsewhere))
    work.write(new_txt="new\n")
    assert ["pre-commit"] == (await work.commit()).hooks_skipped


async def test_what_a_filter_keeps_is_refused(work: Work) -> None:
    commit(work.folder, {".gitattributes": "*.bin filter=lfs diff=lfs\n"})
    work.write(a_bin="large\n", b_txt="small\n")
    with pytest.raises(Conflict, match=r"a\.bin is kept by the filter lfs"):
        await work.commit()
    assert "?? a.bin\n?? b.txt" == work.git("status", "--porcelain")
    assert 1 == (await work.commit(paths=["b.txt"])).files


async def test_what_a_filter_of_new_attributes_keeps_is_refused(work: Work) -> None:
    work.write(_gitattributes="*.key filter=git-crypt\n", a_key="secret\n")
    with pytest.raises(Conflict, match=r"a\.key is kept by the filter git-crypt"):
        await work.commit()
    assert "?? .gitattributes\n?? a.key" == work.git("status", "--porcelain")


async def test_a_filter_of_the_first_commits_attributes_is_seen(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "new"
    path.mkdir()
    plain_git(path, "init", "--quiet", "--initial-branch=main")
    repository = await rig.register(path)
    session = await rig.start_session(repository)
    await rig.end_session(session)
    work = Work(rig, session, path)
    work.write(_gitattributes="*.key filter=git-crypt\n", a_key="secret\n", b_txt="b\n")
    with pytest.raises(Conflict, match="is kept by the filter"):
        await work.commit(paths=["a.key", ".gitattributes"])
    made = await work.commit(paths=["b.txt"])
    assert (None, "b.txt") == (made.before_sha, work.git("ls-tree", "--name-only", "HEAD"))


@pytest.mark.parametrize("leads_elsewhere", [False, True])
async def test_a_repository_in_the_folder_is_no_change_of_one_file(
    work: Work, tmp_path: Path, *, leads_elsewhere: bool
) -> None:
    inner = make_repository(tmp_path / "inner" if leads_elsewhere else work.folder / "inner")
    if leads_elsewhere:
        (work.folder / "inner").mkdir()
        (work.folder / "inner/.git").write_text(f"gitdir: {inner}/.git\n", encoding="utf-8")
    work.write(a_txt="a\n")
    with pytest.raises(Conflict, match="inner/ is a repository of its own"):
        await work.commit()
    assert "?? a.txt\n?? inner/" == work.git("status", "--porcelain")
    assert 1 == (await work.commit(paths=["a.txt"])).files


async def test_a_folder_in_the_place_of_a_file_is_committed(work: Work) -> None:
    (work.folder / "readme.txt").unlink()
    (work.folder / "readme.txt").mkdir()
    (work.folder / "readme.txt" / "more.txt").write_text("more\n", encoding="utf-8")
    await work.commit()
    assert "" == work.git("status", "--porcelain")
    assert {"readme.txt/more.txt", "source.py"} == set(
        work.git("ls-tree", "-r", "--name-only", "HEAD").split("\n")
    )


async def test_what_was_staged_and_is_as_before_counts_for_nothing(work: Work) -> None:
    work.write(gone_txt="gone\n")
    work.git("add", "gone.txt")
    (work.folder / "gone.txt").unlink()
    work.git("rm", "-q", "--cached", "readme.txt")
    with pytest.raises(Conflict, match="nothing to commit"):
        await work.commit()
    work.write(new_txt="new\n")
    assert 1 == (await work.commit()).files


async def test_a_merge_that_is_not_finished_is_not_committed(work: Work) -> None:
    work.git("checkout", "-q", "-b", "other")
    commit(work.folder, {"readme.txt": "other\n"})
    work.git("checkout", "-q", "work")
    commit(work.folder, {"readme.txt": "work\n"})
    plain_git(work.folder, "merge", "-q", "other", check=False)
    with pytest.raises(Conflict, match="A merge into work is not finished"):
        await work.commit()
    (Path(work.git("rev-parse", "--absolute-git-dir")) / "MERGE_HEAD").unlink()
    with pytest.raises(Conflict, match=r"readme\.txt has conflicts"):
        await work.commit()
    assert "UU readme.txt" == work.git("status", "--porcelain")


@pytest.mark.parametrize(
    ("head", "why"),
    [("refs/heads/main", "main is checked out in 2 work trees"), ("refs/stash", "is on no branch")],
)
async def test_a_commit_goes_to_no_branch_but_the_folders_own(
    work: Work, project: Path, head: str, why: str
) -> None:
    plain_git(project, "update-ref", "refs/stash", "HEAD")
    before = plain_git(project, "for-each-ref")
    git_dir = Path(work.git("rev-parse", "--absolute-git-dir"))
    (git_dir / "HEAD").write_text(f"ref: {head}\n", encoding="utf-8")
    work.write(new_txt="new\n")
    with pytest.raises(Conflict, match=why):
        await work.commit()
    assert before == plain_git(project, "for-each-ref")


async def test_many_long_paths_and_a_message_that_is_no_text(work: Work) -> None:
    work.write(new_txt="new\n")
    with pytest.raises(Conflict, match="nothing to commit"):
        await work.commit(paths=[f"{'a' * 3000}{number}" for number in range(2000)])
    with pytest.raises(Invalid, match="which is text"):
        await work.commit(message="a\0b")


@pytest.mark.skipif(sys.platform == "win32", reason="the names are not to be had there")
async def test_a_name_that_git_takes_from_nobody_is_told(work: Work) -> None:
    (work.folder / "git~1").mkdir()
    (work.folder / "git~1" / "config").write_text("", encoding="utf-8")
    with pytest.raises(Conflict, match="Git takes no file of the name git~1/config"):
        await work.commit()


@pytest.fixture
def unconfined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConfinementSupport, "found", classmethod(lambda cls: cls(0)))


@pytest.mark.usefixtures("unconfined")
@pytest.mark.skipif(sys.platform == "win32", reason="the canary is a shell script")
async def test_a_submodule_is_not_asked_for_its_state(work: Work, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {canary}\n", encoding="utf-8")
    program.chmod(0o755)
    inner = make_repository(work.folder / "folder" / "inner")
    plain_git(inner, "config", "core.fsmonitor", str(program))
    head, blob = plain_git(inner, "rev-parse", "HEAD"), work.git("rev-parse", "HEAD:readme.txt")
    entries = f"100644 {blob}\tfo.der\n160000 {head}\tfolder/inner\n"
    plain_git(work.folder, "update-index", "--add", "--index-info", sent=entries.encode())
    index = Path(work.git("rev-parse", "--absolute-git-dir")) / "index"
    # A file and a folder of one name, which git itself does not write.
    forged = index.read_bytes()[:-20].replace(b"fo.der", b"folder")
    index.write_bytes(forged + hashlib.sha1(forged).digest())  # noqa: S324 - it is git's
    canary.unlink(missing_ok=True)
    await work.commit()
    assert not canary.exists()


async def test_line_ends_are_committed_as_the_attributes_say(work: Work) -> None:
    commit(work.folder, {".gitattributes": "*.txt text eol=crlf\n"})
    (work.folder / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    await work.commit()
    assert "one\ntwo" == work.git("cat-file", "blob", "HEAD:dos.txt").replace("\r", "<cr>")


@pytest.mark.skipif(not hasattr(os, "fsencode") or sys.platform == "win32", reason="POSIX names")
async def test_a_name_that_is_no_text_is_committed_too(work: Work) -> None:
    name = b"caf\xe9.bin"
    with open(os.fsencode(work.folder) + b"/" + name, "wb") as file:  # noqa: PTH123, ASYNC230
        file.write(b"1")
    assert 1 == (await work.commit()).files
    assert "" == work.git("status", "--porcelain")


async def test_an_agent_that_moves_head_meanwhile_moves_no_other_branch(
    work: Work, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = plain_git(project, "rev-parse", "main")
    git_dir = Path(work.git("rev-parse", "--absolute-git-dir"))
    looked = LocalGit.find_unfinished

    async def find_unfinished(git: LocalGit, checkout: Checkout) -> Unfinished | None:
        found = await looked(git, checkout)
        (git_dir / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
        return found

    monkeypatch.setattr(LocalGit, "find_unfinished", find_unfinished)
    work.write(new_txt="new\n")
    made = await work.commit()
    assert ("work", before) == (made.branch_name, made.before_sha)
    assert (before, made.sha) == (
        plain_git(project, "rev-parse", "main"),
        plain_git(project, "rev-parse", "work"),
    )


async def test_of_a_worktree_that_is_gone_that_is_told(work: Work) -> None:
    repository = work.session.repository_id
    await work.rig.ask(RemoveWorktree(repository, str(work.folder)))
    seen = await work.rig.ask(SeeChanges(work.session.id))
    assert ("agent", []) == (seen.source, seen.items)
    assert seen.problem is not None
    assert "is gone" in seen.problem
    with pytest.raises(Conflict, match="is gone"):
        await work.commit()
