"""Files of a checkout: folders, pages of texts, and searches, whatever an agent puts there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import trio
import trio.testing

from command_center.actors.contracts.files import FilesOf, FindFiles, SearchedFor, SeeFiles
from command_center.actors.git.errors import FileChanged, UnsafeRepository
from command_center.actors.git.files import (
    HITS_OF_A_FILE,
    MOST_WORDS,
    SEARCHED_BYTES,
    FileEntry,
    FileView,
    FoundFile,
    FoundFiles,
)
from command_center.actors.git.patches import PAGE_BYTES, PageCursor
from command_center.actors.hosts.local.git.looking import MOST_ENTRIES
from command_center.actors.repositories import files as repositories_files
from command_center.actors.rules.errors import Conflict, Invalid, NotFound
from command_center.actors.rules.text_lines import SHOWN_LINE
from tests.actors.git.repository import make_repository
from tests.actors.repositories.rig import Rig
from tests.actors.repositories.work import Work

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are POSIX ones")


async def see(work: Work, path: str = "", cursor: str | None = None) -> FileView:
    place = FilesOf("session", work.session.id)
    read = None if cursor is None else PageCursor.read(cursor)
    return await work.rig.ask(SeeFiles(place, path, read))


async def find(
    work: Work, query: str, searched: SearchedFor = "text", limit: int = 50
) -> FoundFiles:
    return await work.rig.ask(
        FindFiles(FilesOf("session", work.session.id), query, searched, limit)
    )


def fill(folder: Path) -> None:
    """Put into it what an agent might."""
    (folder / ".gitignore").write_text("*.secret\nbuilt/\n")
    (folder / "src").mkdir()
    (folder / "src" / "new.py").write_text("import os\n\nNeedle = 'needle'\n")
    (folder / "a.secret").write_text("needle: hunter2\n")
    (folder / "built").mkdir()
    (folder / "built" / "out.txt").write_text("needle\n")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "around").symlink_to("/etc")
    make_repository(folder / "nested")
    if sys.platform != "win32":
        os.mkfifo(folder / "pipe")


async def test_a_folder_is_shown_without_what_git_ignores(work: Work) -> None:
    fill(work.folder)
    top = await see(work)
    assert [
        FileEntry(path="nested", kind="repository"),
        FileEntry(path="src", kind="folder"),
        FileEntry(path=".gitignore", kind="file", size=16),
        FileEntry(path="around", kind="link", target="/etc"),
        FileEntry(path="link", kind="link", target="/etc/passwd"),
        FileEntry(path="pipe", kind="other"),
        FileEntry(path="readme.txt", kind="file", size=6),
        FileEntry(path="source.py", kind="file", size=9),
    ] == top.items
    assert ["src/new.py"] == [entry.path for entry in (await see(work, "src/")).items]
    shown = await see(work, "src/new.py")
    assert ("file", "import os\n\nNeedle = 'needle'\n", 29) == (shown.kind, shown.text, shown.size)
    for hidden in ("a.secret", "built", "built/out.txt", "absent", "readme.txt/x", "link/x"):
        with pytest.raises(NotFound):
            await see(work, hidden)
    for outside in (".git", ".git/config", "../project", "/etc/passwd", "src/../../x", "a\0b"):
        with pytest.raises(Invalid):
            await see(work, outside)
    for refused in ("link", "around", "pipe", "nested", "nested/readme.txt"):
        with pytest.raises(UnsafeRepository):
            await see(work, refused)


async def test_a_long_file_comes_in_pages_that_fit_together(work: Work) -> None:
    text = "".join(f"line {number}, ä\n" for number in range(40_000))
    (work.folder / "long.txt").write_text(text, encoding="utf-8")
    first = await see(work, "long.txt")
    pages = [first]
    while (cursor := pages[-1].next_cursor) is not None:
        pages.append(await see(work, "long.txt", cursor))
    assert 2 < len(pages)
    assert text == "".join(page.text or "" for page in pages)
    assert not any(page.is_cut for page in pages)
    (work.folder / "long.txt").write_text("x" * (PAGE_BYTES * 2))
    with pytest.raises(FileChanged):
        await see(work, "long.txt", first.next_cursor)
    assert PAGE_BYTES == len((await see(work, "long.txt")).text or "")
    (work.folder / "raw.bin").write_bytes(bytes(range(256)))
    raw = await see(work, "raw.bin")
    assert (True, None, 256) == (raw.is_binary, raw.text, raw.size)


async def test_a_text_is_found_in_all_that_a_commit_would_have(work: Work) -> None:
    fill(work.folder)
    found = await find(work, "needle")
    line = "Needle = 'needle'"
    assert FoundFiles(items=[FoundFile(path="src/new.py", line=3, text=line)]) == found
    assert not (await find(work, "NEEDLE")).items
    assert not (await find(work, "n.*e")).items
    assert ["source.py"] == [hit.path for hit in (await find(work, "print(1")).items]
    (work.folder / "wide.txt").write_text("x" * 5000 + "wide" + "y" * 5000 + "\n" + "wide\n" * 60)
    wide = await find(work, "wide", limit=500)
    assert HITS_OF_A_FILE == len(wide.items)
    assert "wide" in (wide.items[0].text or "")
    assert SHOWN_LINE == len(wide.items[0].text or "")
    few = await find(work, "wide", limit=2)
    assert (2, True) == (len(few.items), few.is_cut)
    (work.folder / "far.txt").write_text("\n" * SEARCHED_BYTES + "farther\n")
    assert FoundFiles(items=[], is_cut=True) == await find(work, "farther")
    for refused in ("", " ", "a\nb", "a\0b", "\ud800", "x" * 201):
        with pytest.raises(Invalid):
            await find(work, refused)


async def test_no_search_reads_through_a_link_in_the_place_of_a_folder(
    work: Work, tmp_path: Path
) -> None:
    (work.folder / "keys").mkdir()
    (work.folder / "keys" / "id").write_text("harmless\n")
    work.git("add", "keys")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "id").write_text("private words\n")
    (work.folder / "keys" / "id").unlink()
    (work.folder / "keys").rmdir()
    (work.folder / "keys").symlink_to(elsewhere)
    assert "private words" in work.git("grep", "private"), "git itself reads it"
    assert FoundFiles(items=[]) == await find(work, "private")


@pytest.mark.parametrize(
    "name", ["x\n/etc/passwd", "u\n../beside.txt", "y\n.env", "z\n.git/config", "1\x1b\n2\n.env"]
)
async def test_a_line_end_in_a_name_leads_nowhere_else(work: Work, name: str) -> None:
    (work.folder.parent / "beside.txt").write_text("needle root: bare\n")
    (work.folder / ".gitignore").write_text(".env\n")
    (work.folder / ".env").write_text("needle root: bare\n")
    hostile = work.folder / name
    hostile.parent.mkdir(parents=True, exist_ok=True)
    hostile.write_text("needle\n")
    assert [FoundFile(path=name, line=1, text="needle")] == (await find(work, "needle")).items
    assert not (await find(work, "root:")).items
    assert not (await find(work, "bare")).items


async def test_a_name_of_another_coding_is_found_and_told_as_it_can_be(work: Work) -> None:
    (work.folder / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"needle \xe9\n")
    found = await find(work, "needle")
    assert [FoundFile(path="caf\\xe9.txt", line=1, text="needle \\xe9")] == found.items
    assert not (await find(work, "caf", "names")).items, "it cannot be asked for"
    (work.folder / "odd").symlink_to(os.fsdecode(b"to \xe9"))
    with pytest.raises(UnsafeRepository, match=r"a link to to \\xe9"):
        await see(work, "odd")


async def test_what_git_tracks_is_shown_and_found_whatever_is_ignored(work: Work) -> None:
    (work.folder / "build").mkdir()
    for name in ("k.log", "build/k.txt", "left.log", "build/left.txt", "*.log"):
        (work.folder / name).write_text("needle\n")
    work.git("add", "k.log", "build/k.txt")
    (work.folder / ".gitignore").write_text("*.log\nbuild/\n")
    assert ["build", ".gitignore", "k.log", "readme.txt", "source.py"] == [
        entry.path for entry in (await see(work)).items
    ]
    assert ["build/k.txt"] == [entry.path for entry in (await see(work, "build")).items]
    assert "needle\n" == (await see(work, "k.log")).text
    assert ["build/k.txt", "k.log"] == [hit.path for hit in (await find(work, "needle")).items]
    with pytest.raises(NotFound):
        await see(work, "left.log")


async def test_a_search_passes_over_what_cannot_be_read(work: Work) -> None:
    (work.folder / "a").mkdir()
    (work.folder / "a" / ".git").mkdir()
    (work.folder / "a" / "f").write_text("needle\n")
    for name in ("swapped.txt", "piped.txt", "seen.txt"):
        (work.folder / name).write_text("needle\n")
    work.git("add", "swapped.txt", "piped.txt")
    (work.folder / "swapped.txt").unlink()
    (work.folder / "swapped.txt").symlink_to("seen.txt")
    (work.folder / "piped.txt").unlink()
    if sys.platform != "win32":
        os.mkfifo(work.folder / "piped.txt")
    with (work.folder / "sparse").open("wb") as file:
        file.truncate(700 * 1024 * 1024)
    found = await find(work, "needle")
    assert FoundFiles(items=[FoundFile(path="seen.txt", line=1, text="needle")]) == found
    assert not (await find(work, "swapped", "names")).items
    assert not (await find(work, "piped", "names")).items
    assert ["seen.txt"] == [hit.path for hit in (await find(work, "txt seen", "names")).items]
    assert not (await find(work, "a/f", "names")).items


async def test_a_large_text_leaves_the_search_with_the_others(work: Work) -> None:
    with (work.folder / "a-large.txt").open("wb") as file:
        file.write(b"needle\n" + b" " * SEARCHED_BYTES)
        file.truncate(700 * 1024 * 1024)
    (work.folder / "other.txt").write_text("needle\n")
    found = await find(work, "needle")
    assert (["a-large.txt", "other.txt"], True) == ([hit.path for hit in found.items], found.is_cut)


async def test_one_line_takes_no_place_of_the_others(work: Work) -> None:
    (work.folder / "a.txt").write_text("needle" * 400_000)
    (work.folder / "b.txt").write_text("a needle\n")
    found = await find(work, "needle", limit=2)
    assert [("a.txt", 1), ("b.txt", 1)] == [(hit.path, hit.line) for hit in found.items]
    assert not found.is_cut


async def test_names_are_looked_for_by_a_few_words(work: Work) -> None:
    words = " ".join("source.py"[:MOST_WORDS])
    assert ["source.py"] == [hit.path for hit in (await find(work, words, "names")).items]
    with pytest.raises(Invalid, match=str(MOST_WORDS)):
        await find(work, f"{words} y", "names")


async def test_a_repository_is_searched_once_at_a_time(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = most = 0

    async def counted(*_: object) -> FoundFiles:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await trio.testing.wait_all_tasks_blocked()
        at_once -= 1
        return FoundFiles(items=[])

    monkeypatch.setattr(repositories_files, "find_text", counted)
    monkeypatch.setattr(repositories_files, "find_names", counted)
    async with trio.open_nursery() as nursery:
        kinds: list[SearchedFor] = ["text", "names", "text"]
        for searched in kinds:
            nursery.start_soon(find, work, "x", searched)
    assert (1, 0) == (most, at_once)


async def test_a_search_ends_with_the_wait_for_it(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = trio.Event(), trio.Event()

    async def endless(*_: object) -> FoundFiles:
        begun.set()
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    monkeypatch.setattr(repositories_files, "find_text", endless)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(find, work, "x")
        await begun.wait()
        nursery.cancel_scope.cancel()
    await ended.wait()
    assert ["source.py"] == [hit.path for hit in (await find(work, "source.py", "names")).items]


async def test_a_folder_of_too_many_things_and_a_path_of_too_many_folders_are_cut(
    work: Work,
) -> None:
    many = work.folder / "many"
    many.mkdir()
    for number in range(MOST_ENTRIES + 1):
        (many / str(number)).touch()
    listed = await see(work, "many")
    assert (MOST_ENTRIES, True) == (len(listed.items), listed.is_cut)
    with pytest.raises(UnsafeRepository, match="more than 256 folders"):
        await see(work, "a/" * 256 + "a")


async def test_a_page_without_line_ends_ends_with_a_whole_character(work: Work) -> None:
    text = "x" + "ä€😀" * (PAGE_BYTES // 8)
    (work.folder / "wide.txt").write_text(text, encoding="utf-8")
    first = await see(work, "wide.txt")
    rest = await see(work, "wide.txt", first.next_cursor)
    assert text == (first.text or "") + (rest.text or "")


async def test_files_are_found_by_their_names_where_they_are_now(work: Work) -> None:
    fill(work.folder)
    work.git("rm", "--quiet", "--cached", "source.py")
    (work.folder / "readme.txt").unlink()
    (work.folder / "odd\nname.py").write_text("")
    found = await find(work, "py", "names")
    assert ["source.py", "src/new.py", "odd\nname.py"] == [hit.path for hit in found.items]
    assert not (await find(work, "readme", "names")).items
    assert not (await find(work, "secret", "names")).items
    everything = await find(work, "", "names", limit=2)
    assert (2, True) == (len(everything.items), everything.is_cut)


async def test_the_main_checkout_is_seen_and_a_folder_that_is_gone_is_told(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    place = FilesOf("repository", repository.id)
    top = await rig.ask(SeeFiles(place, ""))
    assert ["readme.txt", "source.py"] == [entry.path for entry in top.items]
    found = await rig.ask(FindFiles(place, "hello", "text", 10))
    assert [FoundFile(path="readme.txt", line=1, text="hello")] == found.items
    made = await rig.make_worktree(repository)
    there = {"cwd": made.path, "worktree_path": made.path, "branch_name": "work"}
    reserved = await rig.start_session(repository, **there, worktree_reserved=True)
    session = await rig.start_session(repository, **there)
    Path(made.path).rename(Path(made.path).with_name("moved"))
    for one, why in ((reserved, "made when it starts"), (session, "is gone")):
        with pytest.raises(Conflict, match=why):
            await rig.ask(SeeFiles(FilesOf("session", one.id), ""))
    with pytest.raises(NotFound):
        await rig.ask(SeeFiles(FilesOf("session", 99), ""))
