"""Seeing what a session has changed: the files, their patches, and what was viewed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from command_center.actors.contracts.landing import (
    Changes,
    MarkViewed,
    SeeChanges,
    SeePatch,
    ViewedFiles,
)
from command_center.actors.contracts.worktrees import RemoveWorktree
from command_center.actors.git import Checkout, NotAWorkTree
from command_center.actors.git.changes import Against
from command_center.actors.git.patches import PAGE_BYTES, PageCursor, Patch
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.repositories.worktrees import Worktrees
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from command_center.store import sessions
from tests.actors.git.repository import commit, plain_git
from tests.actors.repositories.rig import Rig
from tests.actors.repositories.work import Work

LINES = "".join(f"line {number}\n" for number in range(20))


async def see(work: Work, against: Against = "base") -> Changes:
    return await work.rig.ask(SeeChanges(work.session.id, against))


async def patch_of(work: Work, path: str, **how: object) -> Patch:
    return await work.rig.ask(SeePatch(work.session.id, path, **how))  # type: ignore[arg-type]


async def view(work: Work, *paths: str, is_viewed: bool = True) -> None:
    wanted = ViewedFiles(paths=list(paths), is_viewed=is_viewed, requested_by="ada")
    await work.rig.ask(MarkViewed(work.session.id, wanted))


def unseen(changes: Changes) -> list[str]:
    return [file.path for file in changes.items if not file.is_viewed]


async def test_each_file_says_what_became_of_it(work: Work) -> None:
    commit(work.folder, {"old.txt": LINES, "gone.txt": "bye\nbye\n"})
    plain_git(work.folder, "branch", "-f", "main", "HEAD", check=False)
    (work.folder / "gone.txt").unlink()
    (work.folder / "old.txt").rename(work.folder / "moved.txt")
    (work.folder / "picture.png").write_bytes(bytes(range(256)))
    work.write(readme_txt="changed\n", new_txt="1\n2\n3\n", empty_txt="")
    changes = await see(work, "commit")
    told = {
        file.path: (file.status, file.additions, file.deletions, file.is_binary, file.is_new)
        for file in changes.items
    }
    assert {
        "empty.txt": ("added", 0, 0, False, True),
        "gone.txt": ("deleted", 0, 2, False, False),
        "moved.txt": ("renamed", 0, 0, False, False),
        "new.txt": ("added", 3, 0, False, True),
        "picture.png": ("added", None, None, True, True),
        "readme.txt": ("modified", 1, 1, False, False),
    } == told
    moved = next(file for file in changes.items if file.path == "moved.txt")
    assert "old.txt" == moved.previous_path
    assert ("git", 6, 6, 4, 3) == (
        changes.source,
        changes.total,
        changes.uncommitted,
        changes.additions,
        changes.deletions,
    )


async def test_changes_since_the_base_have_what_was_committed_too(work: Work) -> None:
    work.write(one_txt="1\n")
    await work.commit(message="One")
    work.write(two_txt="2\n")
    changes = await see(work)
    assert [("one.txt", True), ("two.txt", False)] == [
        (file.path, file.is_committed) for file in changes.items
    ]
    assert (1, 1, "main") == (changes.commits, changes.uncommitted, changes.base_ref)
    assert ["two.txt"] == [file.path for file in (await see(work, "commit")).items]


async def test_looking_leaves_the_repository_as_it_is(work: Work, project: Path) -> None:
    work.write(new_txt="new\n", readme_txt="changed\n")
    before = plain_git(project, "count-objects")
    status = work.git("status", "--porcelain")
    await see(work)
    await patch_of(work, "new.txt")
    assert (before, status) == (
        plain_git(project, "count-objects"),
        work.git("status", "--porcelain"),
    )


async def test_a_new_file_is_shown_with_its_content(work: Work) -> None:
    work.write(new_txt="first\nsecond\n")
    patch = await patch_of(work, "new.txt")
    assert patch.patch.endswith("--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1,2 @@\n+first\n+second\n")
    assert "new file mode 100644" in patch.patch


async def test_a_moved_file_is_shown_as_such(work: Work) -> None:
    commit(work.folder, {"old.txt": LINES})
    (work.folder / "old.txt").rename(work.folder / "moved.txt")
    with (work.folder / "moved.txt").open("a") as file:
        file.write("more\n")
    patch = await patch_of(work, "moved.txt", previous_path="old.txt", against="commit")
    assert "rename from old.txt\nrename to moved.txt" in patch.patch
    assert patch.patch.endswith("+more\n")


async def test_space_and_context_are_as_asked(work: Work) -> None:
    commit(work.folder, {"code.txt": LINES})
    (work.folder / "code.txt").write_text(LINES.replace("line 9", "  line  9"))
    patch = await patch_of(work, "code.txt", against="commit")
    assert 9 == len(patch.patch.partition("\n@@")[2].split("\n")) - 1
    wide = await patch_of(work, "code.txt", against="commit", context=100)
    assert 22 == len(wide.patch.partition("\n@@")[2].split("\n")) - 1
    assert "" == (await patch_of(work, "code.txt", against="commit", ignores_space=True)).patch


async def test_a_long_patch_comes_in_pages_that_fit_together(work: Work) -> None:
    text = "".join(f"line {number} {'x' * 70}\n" for number in range(3 * PAGE_BYTES // 80))
    work.write(long_txt=text)
    pages = [await patch_of(work, "long.txt")]
    while pages[-1].next_cursor is not None:
        cursor = PageCursor.read(pages[-1].next_cursor)
        pages.append(await patch_of(work, "long.txt", cursor=cursor))
    assert 4 == len(pages)
    whole = "".join(page.patch for page in pages)
    added = [line[1:] for line in whole.splitlines(keepends=True) if line.startswith("+l")]
    assert text == "".join(added)
    assert all(len(page.patch.encode()) <= PAGE_BYTES for page in pages)


async def test_a_page_of_a_file_that_has_changed_since_is_refused(work: Work) -> None:
    work.write(long_txt="x" * 79 * 2 + "\n" + "line\n" * PAGE_BYTES)
    first = await patch_of(work, "long.txt")
    work.write(long_txt="other\n" * PAGE_BYTES)
    cursor = PageCursor.read(first.next_cursor or "")
    with pytest.raises(Conflict, match="read it again"):
        await patch_of(work, "long.txt", cursor=cursor)
    (work.folder / "long.txt").unlink()
    with pytest.raises(Conflict, match="read it again"):
        await patch_of(work, "long.txt", cursor=cursor)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", ".git/config", ""])
async def test_a_path_outside_is_refused(work: Work, path: str) -> None:
    with pytest.raises(Invalid):
        await patch_of(work, path)
    with pytest.raises(Invalid):
        await view(work, path)


async def test_the_patch_of_a_file_that_has_not_changed_is_empty(work: Work) -> None:
    work.write(new_txt="new\n", readme_txt="changed\n")
    shown = [file.path for file in (await see(work)).items]
    (work.folder / "new.txt").unlink()
    work.git("checkout", "--", "readme.txt")
    for path in [*shown, "never.txt"]:
        patch = await patch_of(work, path)
        assert ("", False, None, path) == (
            patch.patch,
            patch.is_binary,
            patch.next_cursor,
            patch.path,
        )
        with pytest.raises(NotFound):
            await view(work, path)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
async def test_what_lies_behind_a_link_is_not_shown(work: Work, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key.txt").write_text("secret\n")
    (work.folder / "folder").symlink_to(secret, target_is_directory=True)
    (work.folder / "file").symlink_to(secret / "key.txt")
    assert ["file", "folder"] == unseen(await see(work))
    for path in ("file", "folder"):
        assert "+secret" not in (await patch_of(work, path)).patch
    assert "" == (await patch_of(work, "folder/key.txt")).patch


async def test_a_repository_inside_is_named_and_not_entered(work: Work) -> None:
    inner = work.folder / "inner"
    inner.mkdir()
    plain_git(inner, "init", "--quiet")
    commit(inner, {"file.txt": "1\n"})
    changes = await see(work)
    assert [("inner/", "added", None)] == [
        (file.path, file.status, file.additions) for file in changes.items
    ]


async def test_a_file_with_conflicts_says_so(work: Work, project: Path) -> None:
    commit(project, {"readme.txt": "theirs\n"})
    commit(work.folder, {"readme.txt": "ours\n"})
    plain_git(work.folder, "merge", "main", check=False)
    (file,) = (await see(work, "commit")).items
    assert ("readme.txt", "conflicted") == (file.path, file.status)


async def test_before_the_first_commit_all_files_are_new(rig: Rig, tmp_path: Path) -> None:
    plain_git(tmp_path, "init", "--quiet", "--initial-branch=main", "project")
    project = tmp_path / "project"
    repository = await rig.register(project)
    session = await rig.start_session(repository, worktree_path=str(project))
    (project / "a.txt").write_text("a\n")
    seen = await rig.ask(SeeChanges(session.id))
    assert "agent" == seen.source  # it is the main checkout, whatever the run called it


async def no_patch(work: Work) -> None:
    with pytest.raises(NotFound):
        await patch_of(work, "readme.txt")


async def none_viewed(work: Work) -> None:
    with pytest.raises(NotFound):
        await view(work, "readme.txt")


async def told_by_the_agent(work: Work) -> None:
    assert "agent" == (await see(work)).source


@pytest.mark.parametrize("look", [told_by_the_agent, no_patch, none_viewed])
async def test_a_worktree_that_is_deleted_meanwhile_is_seen_as_gone(
    work: Work, monkeypatch: pytest.MonkeyPatch, look: Callable[[Work], Awaitable[None]]
) -> None:
    opened, looked = LocalGit.open, trio.Event()

    async def deleting(main: Checkout, path: Path) -> None:
        (path / ".git").unlink()  # as it is half way
        looked.set()
        await asked.wait()
        shutil.rmtree(path)

    asked = trio.Event()

    async def open_it(git: LocalGit, path: Path, *, common_dir: Path | None = None) -> Checkout:
        try:
            return await opened(git, path, common_dir=common_dir)
        except NotAWorkTree:
            asked.set()
            raise

    monkeypatch.setattr(f"{Worktrees.__module__}.remove_worktree", deleting)
    monkeypatch.setattr(LocalGit, "open", open_it)
    async with trio.open_nursery() as nursery:
        removal = RemoveWorktree(work.session.repository_id, str(work.folder))
        nursery.start_soon(work.rig.ask, removal)
        await looked.wait()
        await look(work)


async def test_what_was_viewed_is_kept_until_it_changes(work: Work) -> None:
    work.write(one_txt="1\n", two_txt="2\n", readme_txt="changed\n")
    (work.folder / "source.py").unlink()
    await view(work, "one.txt", "readme.txt", "source.py")
    assert ["two.txt"] == unseen(await see(work))
    assert ["two.txt"] == [file.path for file in (await see(work, "viewed")).items]
    work.write(one_txt="1\nmore\n")
    (work.folder / "source.py").write_text("back\n")
    assert ["one.txt", "source.py", "two.txt"] == unseen(await see(work))
    await view(work, "readme.txt", is_viewed=False)
    assert ["one.txt", "readme.txt", "source.py", "two.txt"] == unseen(await see(work))
    event = (await work.rig.events())[-1]
    assert ("session.changes.viewed", "ada", ["readme.txt"], False) == (
        event["type"],
        event["actor"],
        event["data"]["paths"],
        event["data"]["isViewed"],
    )


async def test_since_the_last_look_only_what_is_new_is_shown(work: Work) -> None:
    work.write(one_txt="1\n2\n")
    await view(work, "one.txt")
    work.write(one_txt="1\n2\n3\n")
    patch = await patch_of(work, "one.txt", against="viewed")
    assert "viewed" == patch.against
    assert ["+3"] == [
        line for line in patch.patch.split("\n") if line[:1] == "+" and line[1:2] != "+"
    ]
    (work.folder / "one.txt").unlink()
    commit(work.folder, {"other.txt": "1\n"})
    work.write(one_txt="1\n2\n3\n")
    assert "viewed" == (await patch_of(work, "one.txt", against="viewed")).against


async def test_what_was_viewed_and_is_not_kept_any_more_is_shown_from_the_base(
    work: Work, project: Path
) -> None:
    work.write(one_txt="1\n2\n")
    await view(work, "one.txt")
    work.write(one_txt="1\n2\n3\n")
    plain_git(project, "prune", "--expire=now")
    patch = await patch_of(work, "one.txt", against="viewed")
    assert ("base", True) == (patch.against, "+1\n+2\n+3\n" in patch.patch)


async def test_what_the_turn_before_showed_is_viewed_in_the_next(work: Work) -> None:
    work.write(one_txt="1\n")
    await view(work, "one.txt")
    fields = {"cwd": str(work.folder), "worktree_path": str(work.folder)}
    repository = await work.rig.storage.read(lambda db: sessions.get(db, work.session.id))

    def follow(tx: object) -> int:
        return sessions.insert(
            tx,  # type: ignore[arg-type]
            task_id=work.session.task_id,
            repository_id=repository.repository_id,
            runner="stub",
            sandbox="read-only",
            prompt="More",
            requested_by="ada",
            correlation_id="c",
            **fields,
        ).id

    after = await work.rig.storage.write(follow)
    assert [] == unseen(await work.rig.ask(SeeChanges(after)))


TURN = """\
diff --git a/old.txt b/old.txt
deleted file mode 100644
index 587be6b..0000000
--- a/old.txt
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/src/new.py b/src/new.py
new file mode 100644
index 0000000..587be6b
--- /dev/null
+++ b/src/new.py
@@ -0,0 +1,2 @@
+--- a
++++ b
"""


async def test_in_the_main_checkout_only_what_codex_told_is_the_sessions(
    rig: Rig, project: Path
) -> None:
    (project / "mine.txt").write_text("mine\n")
    repository = await rig.register(project)
    session = await rig.start_session(repository, diff=TURN)
    work = Work(rig, session, project)
    changes = await see(work)
    assert ("agent", None, 2, 2, 1) == (
        changes.source,
        changes.problem,
        changes.total,
        changes.additions,
        changes.deletions,
    )
    assert [("old.txt", "deleted", False), ("src/new.py", "added", True)] == [
        (file.path, file.status, file.is_new) for file in changes.items
    ]
    patch = await patch_of(work, "src/new.py")
    assert patch.patch.endswith("+--- a\n++++ b\n")
    await view(work, "old.txt")
    assert ["src/new.py"] == unseen(await see(work))
    assert "" == (await patch_of(work, "mine.txt")).patch
