"""A server that is killed at any step of a commit, a merge or a discard loses nothing.

Asked again after the restart, it does what is left of the act, or says that it is done.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest
import trio

from command_center.actors.git.discarding import KEPT_BELOW
from command_center.actors.rules.errors import Conflict
from command_center.store import discarded
from tests.actors.git.repository import commit, plain_git
from tests.actors.repositories.landing_acts import ACTS
from tests.actors.repositories.rig import open_rig
from tests.checkout import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no process is killed like that")

MOST_STEPS = 60


@attrs.frozen
class Case:
    """A repository with work of a session in a worktree, and an act that is about to be done."""

    folder: Path
    project: Path
    work: Path
    act: str
    subject: int
    before: str

    def killed_at(self, step: int | str) -> int | None:
        """Do the act, killed before a step; the number of steps if it has no such one."""
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.actors.repositories.killed_landing",
                str(self.folder),
                self.act,
                str(self.subject),
                str(step),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=False,
            timeout=100,
        )
        return int(done.stdout.split()[-1]) if done.returncode == 0 else None

    async def again(self) -> None:
        """Do it in a new life; it may be done already, and then a Conflict says so."""
        async with open_rig(self.folder) as rig:
            try:
                await ACTS[self.act](rig, self.subject)
            except Conflict as error:
                assert "nothing to" in str(error) or "already" in str(error), error  # noqa: PT017
            rows = await rig.storage.read(lambda db: discarded.every(db, {}))
        check = {
            "commit": self.check_commit,
            "merge": self.check_merge,
            "mark": self.check_mark,
            "resolve": self.check_resolve,
            "discard": self.check_discard,
            "restore": self.check_restore,
            "create": self.check_create,
        }
        check[self.act](rows)

    def git(self, *arguments: str) -> str:
        return plain_git(self.work, *arguments)

    def check_commit(self, _: object) -> None:
        """It is committed once, with all that was there."""
        assert ("", self.before) == (
            self.git("status", "--porcelain"),
            self.git("rev-parse", "HEAD^"),
        )
        assert "new" == self.git("show", "HEAD:new.txt")

    def check_merge(self, _: object) -> None:
        """The main checkout has it, and is clean."""
        assert "" == plain_git(self.project, "status", "--porcelain")
        assert "changed" == plain_git(self.project, "show", "main:readme.txt")
        assert "other\n" == (self.project / "other.txt").read_text()

    def check_mark(self, _: object) -> None:
        """The conflicts are marked once, in the files and in the commit, which has both parents."""
        assert "" == self.git("status", "--porcelain")
        parents = [self.before, plain_git(self.project, "rev-parse", "main")]
        assert parents == self.git("show", "--no-patch", "--format=%P").split()
        assert (self.work / "readme.txt").read_text().startswith("<<<<<<< ")
        assert "<<<<<<< " in self.git("show", "HEAD:readme.txt")

    def check_resolve(self, _: object) -> None:
        """The merge has both parents and what resolves it, and there is no other before it."""
        assert "" == self.git("status", "--porcelain")
        parents = [self.before, plain_git(self.project, "rev-parse", "main")]
        assert parents == self.git("show", "--no-patch", "--format=%P").split()
        assert ("both", "Done") == (
            self.git("show", "HEAD:readme.txt"),
            self.git("show", "--no-patch", "--format=%s"),
        )

    def check_discard(self, rows: Sequence[object]) -> None:
        """The work tree is clean, and what was in it is kept, also what the index had alone."""
        assert ("", self.before) == (
            self.git("status", "--porcelain"),
            self.git("rev-parse", "HEAD"),
        )
        assert rows
        kept = self.git("for-each-ref", "--format=%(objectname)", f"{KEPT_BELOW}/").split("\n")
        texts = {
            plain_git(self.project, "show", f"{sha}:new.txt", check=False)
            for found in kept
            for sha in (found, f"{found}^2")
        }
        assert {"new", "staged"} <= texts

    def check_restore(self, rows: Sequence[object]) -> None:
        """The branch is there."""
        assert 1 == len(rows)
        assert "new" == self.git("show", "back:new.txt")

    def check_create(self, _: object) -> None:
        """There is one worktree on the branch, and it has all of its files."""
        listed = plain_git(self.project, "worktree", "list", "--porcelain")
        (made,) = [
            lines.partition("\n")[0].removeprefix("worktree ")
            for lines in listed.split("\n\n")
            if "refs/heads/made" in lines
        ]
        assert "" == plain_git(Path(made), "status", "--porcelain")
        assert "hello\n" == (Path(made) / "readme.txt").read_text()


async def case_of(folder: Path, act: str) -> Case:
    project = folder / "project"
    plain_git(folder, "init", "--quiet", "--initial-branch=main", str(project))
    project = project.resolve()
    commit(project, {"readme.txt": "hello\n", "old.txt": "old\n"})
    async with open_rig(folder / "rig") as rig:
        repository = await rig.register(project)
        made = await rig.make_worktree(repository)
        session = await rig.start_session(
            repository, cwd=made.path, worktree_path=made.path, branch_name="work"
        )
        await rig.end_session(session)
        work, subject = Path(made.path), session.id
        if act == "merge":
            commit(project, {"theirs.txt": "theirs\n"})
            commit(work, {"readme.txt": "changed\n", "other.txt": "other\n"})
        elif act in {"mark", "resolve"}:
            commit(project, {"readme.txt": "theirs\n"})
            commit(work, {"readme.txt": "ours\n"})
        else:
            (work / "new.txt").write_text("staged\n")
            plain_git(work, "add", "new.txt")
            (work / "new.txt").write_text("new\n")
            (work / "readme.txt").write_text("changed\n")
            (work / "old.txt").unlink()
        before = plain_git(work, "rev-parse", "HEAD")
        if act == "create":
            subject = repository.id
        if act == "resolve":
            await ACTS["mark"](rig, session.id)
            (work / "readme.txt").write_text("both\n")
        if act == "restore":
            await ACTS["discard"](rig, session.id)
            (row,) = await rig.storage.read(lambda db: discarded.every(db, {}))
            subject = row.id
    return Case(folder / "rig", project, work, act, subject, before)


# Of each act, steps where something has just been changed and nobody knows it yet.
@pytest.mark.parametrize(
    ("act", "step"),
    [
        ("commit", "update-ref"),
        ("commit", "write"),
        ("merge", "update-ref"),
        ("mark", "update-ref"),
        ("mark", "write"),
        ("resolve", "update-ref"),
        ("resolve", "write"),
        ("discard", "read-tree"),
        ("restore", "write"),
        ("create", 13),
        ("create", 15),
    ],
)
async def test_a_kill_at_a_step_loses_nothing_and_the_act_is_done_once(
    tmp_path: Path, act: str, step: int | str
) -> None:
    case = await case_of(tmp_path, act)
    assert (await trio.to_thread.run_sync(case.killed_at, step)) is None
    await case.again()


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("act", sorted(ACTS))
async def test_a_kill_at_each_step_loses_nothing(tmp_path: Path, act: str) -> None:
    for step in range(MOST_STEPS):
        folder = tmp_path / str(step)
        folder.mkdir()
        case = await case_of(folder, act)
        if (await trio.to_thread.run_sync(case.killed_at, step)) is not None:
            print(f"{act}: killed at each of {step} steps")  # noqa: T201 - figures
            return
        await case.again()
    pytest.fail("It has more steps than that.")
