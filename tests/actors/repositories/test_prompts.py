"""Prompts of a repository: those that are saved, and those of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_center.actors.contracts.prompts import (
    DeletePrompt,
    ListPrompts,
    NewPrompt,
    ReadyPrompt,
    SavePrompt,
)
from command_center.actors.contracts.repositories import DeleteRepository
from command_center.actors.git.errors import GitTimedOut
from command_center.actors.ledger.prompts import MOST_PROMPTS
from command_center.actors.repositories import prompts
from command_center.actors.repositories.prompts import FILE_BYTES
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from tests.actors.repositories.rig import Rig


async def test_prompts_are_saved_changed_and_deleted_and_each_is_told_once(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    before = len(await rig.kinds())

    async def save(name: str, text: str, description: str = "") -> None:
        wanted = NewPrompt(text=text, description=description, requested_by="ada")
        await rig.ask(SavePrompt(repository.id, name, wanted))

    await save("tests", "Run the tests.")
    await save("again", "Again, $ARGUMENTS")
    await save("tests", "Run all tests.", "All of them")
    await save("tests", "Run all tests.", "All of them")
    listed = (await rig.ask(ListPrompts(repository.id))).items
    assert [
        ReadyPrompt(name="again", description="", text="Again, $ARGUMENTS", source="saved"),
        ReadyPrompt(name="tests", description="All of them", text="Run all tests.", source="saved"),
    ] == listed
    await rig.ask(DeletePrompt(repository.id, "again", "ada"))
    with pytest.raises(NotFound):
        await rig.ask(DeletePrompt(repository.id, "again", "ada"))
    assert ["tests"] == [one.name for one in (await rig.ask(ListPrompts(repository.id))).items]
    told = (await rig.events())[before:]
    assert [
        ("prompt.saved", "tests"),
        ("prompt.saved", "again"),
        ("prompt.saved", "tests"),
        ("prompt.deleted", "again"),
    ] == [(event["type"], event["data"]["name"]) for event in told]
    assert {("ada", repository.id)} == {(event["actor"], event["repositoryId"]) for event in told}
    for name, text in (("a b", "x"), ("../x", "x"), ("", "x"), ("x\n", "x"), ("x", " \n")):
        with pytest.raises(Invalid):
            await save(name, text)
    for number in range(1, MOST_PROMPTS):
        await save(f"p{number}", "x")
    with pytest.raises(Conflict):
        await save("one-more", "x")
    await save("tests", "It may change still.")
    await rig.ask(DeleteRepository(repository.id))
    with pytest.raises(NotFound):
        await rig.ask(ListPrompts(repository.id))


async def test_files_of_the_repository_have_prompts_of_their_own(rig: Rig, project: Path) -> None:
    repository = await rig.register(project)
    assert not (await rig.ask(ListPrompts(repository.id))).items
    folder = project / ".codex" / "prompts"
    folder.mkdir(parents=True)
    (folder / "review.md").write_text("---\ndescription: Look\n---\nLook at $1.\n")
    (folder / "notes.txt").write_text("no prompt")
    (folder / "long.md").write_text("x" * (FILE_BYTES + 1))
    (folder / "link.md").symlink_to("/etc/hostname")
    (folder / "mine.md").write_text("secret")
    (project / ".gitignore").write_text("mine.md\n")
    assert [
        ReadyPrompt(
            name="review",
            description="Look",
            text="Look at $1.",
            source="repository",
            path=".codex/prompts/review.md",
        )
    ] == (await rig.ask(ListPrompts(repository.id))).items
    project.rename(project.with_name("moved"))
    assert not (await rig.ask(ListPrompts(repository.id))).items


async def test_what_is_saved_is_listed_where_git_is_slow(
    rig: Rig, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = await rig.register(project)
    wanted = NewPrompt(text="Run the tests.", requested_by="ada")
    await rig.ask(SavePrompt(repository.id, "prüfen", wanted))

    async def slow(*_given: object) -> None:
        raise GitTimedOut("check-ignore", 30)

    monkeypatch.setattr(prompts, "read_files", slow)
    assert ["prüfen"] == [one.name for one in (await rig.ask(ListPrompts(repository.id))).items]
