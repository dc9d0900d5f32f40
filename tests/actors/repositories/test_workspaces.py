"""Sessions work in the main checkout, or in a worktree made for them."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.repositories import PatchRepository, RepositoryChanges
from command_center.actors.contracts.worktrees import (
    CleanWorktrees,
    FindFolder,
    ListWorktrees,
    PrepareWorkplace,
    RemakeWorktree,
    RemoveWorktree,
    SetUpScript,
    WorkFolder,
)
from command_center.actors.git import WorktreeUnfinished
from command_center.actors.ledger.setup import finish_setup
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.policy import PolicyDenied, RunInput
from command_center.store import Session, repositories, sessions
from command_center.store.queries.summaries import finished_worktrees
from tests.actors.git.repository import commit, make_repository, plain_git
from tests.actors.repositories.rig import Rig, open_rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path / "rig") as rig:
        yield rig


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project")


async def test_a_session_works_in_the_main_checkout_where_that_is_allowed(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    session = await rig.start_session(repository)

    ready = await rig.prepare(session.id)

    assert (str(project), None, None) == (ready.cwd, ready.worktree_path, ready.branch_name)
    assert "worktree.created" not in await rig.kinds()


async def test_a_session_gets_a_worktree_of_its_own_where_one_is_required(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, require_worktree=True)
    session = await rig.start_session(repository)

    ready = await rig.prepare(session.id)

    assert ready.worktree_path == ready.cwd != str(project)
    assert f"cc/task-{session.task_id}-session-{session.id}" == ready.branch_name
    assert (Path(ready.cwd) / "readme.txt").exists()
    event = (await rig.events())[-1]
    assert ("worktree.created", session.id, session.task_id) == (
        event["type"],
        event["sessionId"],
        event["taskId"],
    )
    assert ready == await rig.prepare(session.id)


async def test_a_session_works_at_the_place_and_on_the_branch_that_its_run_names(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project)
    place = str(tmp_path / "place")
    first = await rig.start_session(
        repository, cwd=place, worktree_path=place, branch_name="cc/mine"
    )
    ready = await rig.prepare(first.id)
    assert (place, place, "cc/mine") == (ready.cwd, ready.worktree_path, ready.branch_name)
    await rig.end_session(first)

    second = await rig.start_session(repository, cwd=place, worktree_path=place)
    again = await rig.prepare(second.id)
    third = await rig.start_session(repository, branch_name="cc/mine")
    reused = await rig.prepare(third.id)

    assert (place, "cc/mine") == (again.cwd, again.branch_name)
    assert (place, place) == (reused.cwd, reused.worktree_path)
    assert 1 == (await rig.kinds()).count("worktree.created")


async def test_a_session_is_not_put_on_another_branch_than_it_asked_for(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    session = await rig.start_session(
        repository, cwd=made.path, worktree_path=made.path, branch_name="other"
    )

    with pytest.raises(Conflict, match="is on work, not on other"):
        await rig.prepare(session.id)


async def test_the_main_checkout_under_another_name_is_still_the_main_checkout(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project, require_worktree=True)
    alias = tmp_path / "alias"
    alias.symlink_to(project, target_is_directory=True)
    by_link = await rig.start_session(repository, worktree_path=str(alias))
    by_name = await rig.start_session(repository, worktree_path=str(project) + os.sep)
    by_branch = await rig.start_session(repository, branch_name="main")

    with pytest.raises(Conflict, match="main checkout"):
        await rig.prepare(by_link.id)
    with pytest.raises(PolicyDenied, match="main checkout"):
        await rig.prepare(by_name.id)
    with pytest.raises(Conflict, match="main checkout"):
        await rig.prepare(by_branch.id)


async def test_a_session_that_the_repository_allows_no_more_gets_no_place(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    session = await rig.start_session(repository, sandbox="workspace-write")
    await rig.ask(PatchRepository(repository.id, RepositoryChanges(allow_write=False)))

    with pytest.raises(PolicyDenied, match="does not allow writing"):
        await rig.prepare(session.id)


async def test_a_branch_that_a_crash_left_of_a_session_keeps_it_from_no_worktree(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, require_worktree=True)
    session = await rig.start_session(repository)
    branch = f"cc/task-{session.task_id}-session-{session.id}"
    left = str(rig.data_dir / "worktrees" / "left")
    plain_git(project, "worktree", "add", "--no-checkout", "-b", branch, left)

    ready = await rig.prepare(session.id)

    assert (f"{branch}-2", False) == (ready.branch_name, ready.cwd == left)
    assert (Path(ready.cwd) / "readme.txt").exists()
    assert ready == await rig.prepare(session.id)


@pytest.mark.parametrize("named_by", ["path", "branch"])
async def test_a_worktree_that_a_crash_left_without_its_files_gets_them_before_it_is_worked_in(
    rig: Rig, project: Path, tmp_path: Path, named_by: str
) -> None:
    repository = await rig.register(project)
    left = tmp_path / "left"
    plain_git(project, "worktree", "add", "--no-checkout", "-b", "work", str(left))
    run = {"worktree_path": str(left)} if named_by == "path" else {"branch_name": "work"}
    session = await rig.start_session(repository, **run)

    ready = await rig.prepare(session.id)

    assert (str(left), "work") == (ready.cwd, ready.branch_name)
    assert "hello\n" == (left / "readme.txt").read_text(encoding="utf-8")
    assert "" == plain_git(left, "status", "--porcelain")


@pytest.mark.parametrize(
    ("left_behind", "text"),
    [
        ("index.lock", "hel"),
        ("readme.txt", "mine"),
        ("readme.txt", "hello\nand more\n"),
        ("draft.txt", "hel"),
        ("folder/readme.txt", "hel"),
        (".gitignore", "*"),
    ],
)
async def test_a_worktree_that_somebody_may_be_writing_is_not_worked_in_and_is_left_alone(
    rig: Rig, project: Path, tmp_path: Path, left_behind: str, text: str
) -> None:
    repository = await rig.register(project)
    left = tmp_path / "left"
    plain_git(project, "worktree", "add", "--no-checkout", "-b", "work", str(left))
    of_git = Path(plain_git(left, "rev-parse", "--absolute-git-dir"))
    trace = (of_git if left_behind == "index.lock" else left) / left_behind
    trace.parent.mkdir(exist_ok=True)
    trace.write_text(text, encoding="utf-8")
    session = await rig.start_session(repository, worktree_path=str(left))

    with pytest.raises(WorktreeUnfinished, match="force=true"):
        await rig.prepare(session.id)

    assert text == trace.read_text(encoding="utf-8")
    assert not (left / "source.py").exists()
    trace.unlink()
    ready = await rig.prepare(session.id)
    assert (Path(ready.cwd) / "source.py").exists()


async def test_a_worktree_that_git_was_cut_off_in_gets_the_rest_of_its_files(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    commit(project, {"folder/deep.txt": "deep\n", "empty.txt": ""})
    (project / "link").symlink_to("readme.txt")
    plain_git(project, "add", "link")
    plain_git(project, "commit", "--quiet", "--message=Link")
    repository = await rig.register(project)
    left = tmp_path / "left"
    plain_git(project, "worktree", "add", "--no-checkout", "-b", "work", str(left))
    (left / "folder").mkdir()
    (left / "folder" / "deep.txt").write_text("deep\n")
    (left / "empty.txt").touch()
    (left / "link").symlink_to("readme.txt")
    (left / "readme.txt").write_text("hel")
    session = await rig.start_session(repository, worktree_path=str(left))

    await rig.prepare(session.id)

    assert "hello\n" == (left / "readme.txt").read_text(encoding="utf-8")
    assert "" == plain_git(left, "status", "--porcelain")


async def test_a_worktree_where_everything_was_deleted_stays_as_somebody_left_it(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    plain_git(Path(made.path), "rm", "--quiet", "-r", ".")
    session = await rig.start_session(repository, branch_name="work")

    ready = await rig.prepare(session.id)

    assert [".git"] == [entry.name for entry in Path(ready.cwd).iterdir()]


async def test_a_worktree_on_a_branch_without_a_commit_is_worked_in_as_it_is(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project)
    left = tmp_path / "left"
    plain_git(project, "worktree", "add", "--no-checkout", "-b", "work", str(left))
    plain_git(left, "symbolic-ref", "HEAD", "refs/heads/empty")
    (left / "draft.txt").write_text("mine\n", encoding="utf-8")
    session = await rig.start_session(repository, worktree_path=str(left))

    ready = await rig.prepare(session.id)

    assert (str(left), "empty") == (ready.cwd, ready.branch_name)


async def test_a_run_reserves_the_place_that_its_worktree_has_later(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    first = await rig.start_run(repository)
    second = await rig.start_run(repository)

    home = rig.data_dir.resolve() / "worktrees" / str(repository.id)
    name = f"cc-task-{first.task_id}-session-{first.id}"
    assert (str(home / name), True) == (first.worktree_path, first.worktree_reserved)
    assert first.cwd == first.worktree_path != second.worktree_path
    ready = await rig.prepare(first.id)
    assert (first.cwd, first.cwd, False) == (
        ready.cwd,
        ready.worktree_path,
        ready.worktree_reserved,
    )
    assert "worktree" == ready.workplace
    assert (Path(ready.cwd) / "readme.txt").exists()


async def test_where_something_is_at_the_reserved_place_another_one_is_taken(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    session = await rig.start_run(repository)
    Path(session.cwd).mkdir(parents=True)
    (Path(session.cwd) / "mine.txt").write_text("keep me", encoding="utf-8")

    ready = await rig.prepare(session.id)

    assert f"{session.cwd}-2" == ready.cwd == ready.worktree_path
    assert "keep me" == (Path(session.cwd) / "mine.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("touched", [False, True])
async def test_a_worktree_made_before_a_crash_is_the_sessions_unless_somebody_worked_there(
    rig: Rig, project: Path, *, touched: bool
) -> None:
    repository = await rig.register(project, allow_write=True)
    reserved = await rig.start_run(repository)
    made = await rig.prepare(reserved.id)
    await _forget_place(rig, reserved)
    if touched:
        (Path(made.cwd) / "draft.txt").write_text("mine", encoding="utf-8")

    ready = await rig.prepare(reserved.id)

    assert (ready.cwd, ready.branch_name) == (made.cwd, made.branch_name) or touched
    assert (Path(made.cwd) / "draft.txt").exists() == touched
    assert not (Path(ready.cwd) / "draft.txt").exists()
    assert 2 == (await rig.kinds()).count("worktree.created")


async def _forget_place(rig: Rig, reserved: Session) -> None:
    """Put the row back to what it was before its worktree was made."""
    before = {"cwd": reserved.cwd, "worktree_path": reserved.worktree_path, "branch_name": None}
    await rig.storage.write(
        lambda tx: sessions.update(tx, reserved.id, **before, worktree_reserved=True)
    )


async def test_runs_on_one_branch_have_one_place_and_branches_of_one_name_have_two(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    first = await rig.start_run(repository, RunInput(branch_name="cc/mine"))
    same = await rig.start_run(repository, RunInput(branch_name="cc/mine"))
    alike = await rig.start_run(repository, RunInput(branch_name="cc-mine"))

    assert first.cwd == same.cwd
    assert f"{first.cwd}-{alike.id}" == alike.cwd
    for session in (first, same, alike):
        assert session.cwd == (await rig.prepare(session.id)).cwd


async def test_a_branch_that_the_main_checkout_is_on_is_worked_on_there(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    session = await rig.start_run(repository, RunInput(branch_name="main"))

    ready = await rig.prepare(session.id)

    assert (str(project), None, "main_checkout", False) == (
        ready.cwd,
        ready.worktree_path,
        ready.workplace,
        ready.worktree_reserved,
    )
    assert ready == await rig.prepare(session.id)


async def test_places_are_reserved_where_the_data_folder_is_now(rig: Rig, project: Path) -> None:
    repository = await rig.register(project, allow_write=True)
    moved = {**repository.facts, "worktreesFolder": "/where/it/was"}
    await rig.storage.write(lambda tx: repositories.update(tx, repository.id, facts=moved))
    await rig.system.restart(REPOSITORIES, reason="a test")

    await rig.ask(ListWorktrees(repository.id))

    session = await rig.start_run(repository)
    assert str(rig.data_dir.resolve() / "worktrees") in session.cwd


@pytest.mark.parametrize("named", [False, True])
async def test_a_new_worktree_has_the_ignored_files_that_the_repository_names(
    rig: Rig, project: Path, tmp_path: Path, *, named: bool
) -> None:
    commit(project, {".gitignore": ".env\n*.pem\n", ".worktreeinclude": ".env\n"})
    for name in (".env", "key.pem"):
        (project / name).write_text("secret", encoding="utf-8")
    repository = await rig.register(project, allow_write=True)
    place = str(tmp_path / "place") if named else None
    session = await rig.start_run(repository, RunInput(worktree_path=place))

    ready = await rig.prepare(session.id)

    assert "secret" == (Path(ready.cwd) / ".env").read_text(encoding="utf-8")
    assert not (Path(ready.cwd) / "key.pem").exists()
    told = (await rig.events())[-1]["data"]
    assert ([".env"], 1) == (told["included"], told["includedCount"])

    made = await rig.make_worktree(repository)
    assert ([".env"], 1) == (made.included, made.included_count)
    assert (Path(made.path) / ".env").exists()


async def test_a_worktree_that_a_crash_left_without_its_ignored_files_gets_them(
    rig: Rig, project: Path
) -> None:
    commit(project, {".gitignore": ".env\n", ".worktreeinclude": ".env\n"})
    (project / ".env").write_text("secret", encoding="utf-8")
    repository = await rig.register(project, allow_write=True)
    reserved = await rig.start_run(repository)
    made = await rig.prepare(reserved.id)
    await _forget_place(rig, reserved)
    (Path(made.cwd) / ".env").unlink()

    ready = await rig.prepare(reserved.id)

    assert (made.cwd, "secret") == (ready.cwd, (Path(ready.cwd) / ".env").read_text("utf-8"))


async def test_no_worktree_is_made_before_a_person_has_decided_how_it_is_set_up(
    rig: Rig, project: Path
) -> None:
    commit(project, {".gitignore": ".env\n", ".worktreeinclude": ".env\n"})
    (project / ".env").write_text("secret", encoding="utf-8")
    repository = await rig.register(project, allow_write=True, codex_config="ask")
    session = await rig.start_run(repository)

    waiting = await rig.ask(PrepareWorkplace(session.id))

    assert waiting.undecided is not None
    assert ([".env"], {".worktreeinclude": ".env\n"}) == (
        waiting.undecided.included,
        waiting.undecided.texts,
    )
    assert (session, False) == (waiting.session, Path(session.cwd).exists())

    await rig.agree(session, waiting.undecided)
    await rig.ask(PatchRepository(repository.id, RepositoryChanges(codex_config="ignore")))
    agreed = await rig.ask(PrepareWorkplace(session.id))
    assert (None, True) == (agreed.undecided, (Path(session.cwd) / ".env").exists())

    commit(project, {".worktreeinclude": ".env\n*.pem\n"})
    second = await rig.start_run(repository)
    changed = await rig.ask(PrepareWorkplace(second.id))
    assert changed.undecided is not None
    here = await rig.start_run(repository, RunInput(workplace="main_checkout"))
    assert (await rig.ask(PrepareWorkplace(here.id))).undecided is None


async def test_a_worktree_is_unready_until_its_script_has_succeeded(
    rig: Rig, project: Path
) -> None:
    commit(project, {".codex/environments/environment.toml": "[setup]\nscript = 'make'\n"})
    repository = await rig.register(project, allow_write=True)
    session = await rig.start_run(repository)
    await rig.prepare(session.id)

    for _ in range(2):
        prepared = await rig.ask(PrepareWorkplace(session.id))
        assert SetUpScript(text="make", source=str(project)) == prepared.script
    cannot = await rig.start_run(
        repository, RunInput(worktree_path=session.cwd, sandbox="read-only")
    )
    assert (await rig.ask(PrepareWorkplace(cannot.id))).script is None

    await rig.storage.write(lambda tx: finish_setup(tx, session.id))
    assert (await rig.ask(PrepareWorkplace(session.id))).script is None


async def _gone_on_with(rig: Rig, ended: Session, **fields: Any) -> Session:
    """The next session in an ended one's thread."""
    await rig.end_run(ended)
    own = {"worktree_path": ended.worktree_path, "branch_name": ended.branch_name}
    repository = await rig.storage.read(lambda db: repositories.get(db, ended.repository_id))
    return await rig.start_session(
        repository,
        **{**own, "cwd": ended.cwd, "codex_thread_id": "t", "sandbox": "workspace-write", **fields},
    )


async def test_a_thread_whose_worktree_was_deleted_gets_it_again_as_it_was_at_first(
    rig: Rig, project: Path
) -> None:
    script = ".codex/environments/environment.toml"
    included = {".gitignore": ".env\n", ".worktreeinclude": ".env\n"}
    commit(project, {**included, script: "[setup]\nscript = 'make'\n"})
    (project / ".env").write_text("secret", encoding="utf-8")
    repository = await rig.register(project, allow_write=True)
    first = await rig.prepare((await rig.start_run(repository)).id)
    place = Path(first.cwd)
    await rig.storage.write(lambda tx: finish_setup(tx, first.id))
    commit(place, {"work.txt": "done\n"})
    second = await _gone_on_with(rig, first)
    await rig.end_session(second)
    found = FindFolder(repository.id, None, str(place / "below"))
    with pytest.raises(Conflict, match="is none of"):
        await rig.ask(FindFolder(repository.id, None, str(project.parent)))

    await rig.ask(RemoveWorktree(repository.id, str(place)))
    for wanted in (found, FindFolder(repository.id, str(place))):
        assert WorkFolder(str(place), first.branch_name) == await rig.ask(wanted)
    third = await _gone_on_with(rig, second)
    prepared = await rig.ask(PrepareWorkplace(third.id))

    assert (str(place), first.branch_name) == (prepared.session.cwd, prepared.session.branch_name)
    assert "done\n" == (place / "work.txt").read_text(encoding="utf-8")
    assert "secret" == (place / ".env").read_text(encoding="utf-8")
    assert SetUpScript(text="make", source=str(project)) == prepared.script
    await rig.end_session(third)

    shutil.rmtree(place)  # past git, which keeps it in its list
    fourth = await rig.prepare((await _gone_on_with(rig, third)).id)
    assert (str(place), True) == (fourth.cwd, (place / ".env").exists())


async def test_a_worktree_that_is_tidied_up_behind_a_prompt_is_made_again(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    first = await rig.prepare((await rig.start_run(repository)).id)
    assert WorkFolder(first.cwd) == await rig.ask(FindFolder(repository.id, None, first.cwd))
    second = await _gone_on_with(rig, first, branch_name=None)
    plain_git(project, "worktree", "remove", first.cwd)

    ready = await rig.prepare(second.id)

    assert (first.cwd, first.branch_name) == (ready.cwd, ready.branch_name)


async def test_a_worktree_that_cannot_be_made_again_is_refused_with_what_to_do(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    first = await rig.prepare((await rig.start_run(repository)).id)
    place, branch = first.cwd, first.branch_name
    second = await _gone_on_with(rig, first)
    await rig.end_session(second)
    plain_git(project, "worktree", "remove", place)
    third = await _gone_on_with(rig, second)

    async def refused(words: str) -> None:
        find, prepare = FindFolder(repository.id, None, place), PrepareWorkplace(third.id)
        for ask in (partial(rig.ask, find), partial(rig.ask, prepare)):
            with pytest.raises(Conflict, match=words) as refusal:
                await ask()
            assert "or prompt the thread with the folder to work in as cwd" in str(refusal.value)

    plain_git(project, "checkout", "--quiet", str(branch))
    await refused(f"its branch {branch} is checked out in {project}. Switch that")
    plain_git(project, "checkout", "--quiet", "main")
    plain_git(project, "branch", "--delete", "--force", str(branch))
    await refused(f"nor is its branch {branch}. Make the branch again .git branch {branch} COMMIT")

    plain_git(project, "branch", str(branch))
    assert place == (await rig.prepare(third.id)).cwd


async def test_a_run_that_goes_on_in_a_thread_begins_anew_where_the_branch_is_gone(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    first = await rig.prepare((await rig.start_run(repository)).id)
    second = await _gone_on_with(rig, first, previous_session_id=first.id)
    plain_git(project, "worktree", "remove", first.cwd)
    plain_git(project, "branch", "--delete", "--force", str(first.branch_name))

    ready = await rig.prepare(second.id)

    assert (None, True) == (ready.codex_thread_id, Path(ready.cwd, ".git").is_file())
    assert ready.branch_name not in {None, first.branch_name}


async def test_a_thread_goes_on_with_the_branch_that_it_has_switched_to(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    first = await rig.prepare((await rig.start_run(repository)).id)
    plain_git(Path(first.cwd), "switch", "--quiet", "--create", "better")

    second = await rig.prepare((await _gone_on_with(rig, first)).id)

    assert (first.cwd, "better") == (second.cwd, second.branch_name)


async def test_a_worktree_is_made_again_for_who_works_there_past_command_center(
    rig: Rig, project: Path
) -> None:
    commit(project, {".gitignore": ".env\n", ".worktreeinclude": ".env\n"})
    (project / ".env").write_text("secret", encoding="utf-8")
    repository = await rig.register(project, allow_write=True)
    session = await rig.prepare((await rig.start_run(repository)).id)
    await rig.end_run(session)
    place = Path(session.cwd)
    assert not await rig.ask(RemakeWorktree(session.id))

    await rig.ask(RemoveWorktree(repository.id, str(place)))
    assert await rig.ask(RemakeWorktree(session.id))

    assert "secret" == (place / ".env").read_text(encoding="utf-8")
    told = (await rig.events())[-1]
    assert ("worktree.created", None, session.task_id) == (
        told["type"],
        told.get("sessionId"),
        told["taskId"],
    )
    await rig.system.lookup(REPOSITORIES).ask(CleanWorktrees(repository.id), timeout=60)
    assert not place.exists()


async def test_a_worktree_that_was_made_again_for_somebody_is_not_tidied_up(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    session = await rig.prepare((await rig.start_run(repository)).id)
    await rig.end_run(session)

    def left_over() -> Awaitable[set[str]]:
        return rig.storage.read(lambda db: {*finished_worktrees(db, repository.id)})

    assert {session.cwd} == await left_over()
    await rig.ask(RemoveWorktree(repository.id, session.cwd))
    await rig.ask(RemakeWorktree(session.id))
    assert set() == await left_over()
