"""Finding repositories: in pieces, without following a link or entering what hides itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from command_center.actors.hosts.local import finding
from command_center.actors.hosts.local.finding import DEPTH, find_repositories
from command_center.actors.rules.errors import Invalid


def repository(path: Path) -> Path:
    (path / ".git").mkdir(parents=True)
    return path


def all_found(roots: Sequence[Path]) -> tuple[list[Path], int]:
    """Return what is found look by look, and how many looks it took."""
    found: list[Path] = []
    looks, after = 0, None
    while True:
        assert looks < 1000, "It never ends."
        look = find_repositories(roots, after)
        found += look.found
        looks += 1
        if look.ended_at is None:
            return found, looks
        after = look.ended_at


def test_repositories_are_found_once_each_however_short_the_looks_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    expected = [
        repository(home / name)
        for name in ("a b/one", "a/b/c/two", "a/z", "a-b/three", "ä/four", "z/five")
    ]
    repository(home / "a" / "z" / "inner")  # within another one
    whole, looks = all_found([home])
    assert (sorted(expected), 1) == (sorted(whole), looks)
    for most in (1, 2, 3):
        monkeypatch.setattr(finding, "PIECE_FOLDERS", most)
        found, looks = all_found([home])
        assert whole == found
        assert looks >= 10 // most


def test_a_look_ends_where_the_paths_that_it_found_come_to_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [repository(tmp_path / (letter * 200)) for letter in "abcd"]
    monkeypatch.setattr(finding, "PIECE_BYTES", 2 * len(str(expected[0])))
    assert expected[:2] == [*find_repositories([tmp_path], None).found]
    assert (expected, 3) == all_found([tmp_path])


def test_roots_that_overlap_are_looked_through_once_each_and_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = tmp_path / "outer"
    inner, deep = outer / "work", outer / ".hidden" / "own"
    expected = [
        repository(outer / "a"),
        repository(inner / "b"),
        repository(inner / "c"),
        repository(deep / "d"),
        repository(outer / "z"),
    ]
    for roots in ([outer, inner, deep, inner], [inner, deep, outer]):
        for most in (1, 2, 100):
            monkeypatch.setattr(finding, "PIECE_FOLDERS", most)
            assert sorted(expected) == sorted(all_found(roots)[0])
    with pytest.raises(Invalid, match="after"):
        find_repositories([inner, deep], outer / "a")


def test_no_link_is_followed_and_what_hides_itself_is_passed(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", repository(tmp_path / "outside" / "there")
    own = repository(home / "own")
    for name in (".hidden/a", "node_modules/b", "data/worktrees/c"):
        repository(home / name)
    (home / "link").symlink_to(outside.parent)
    (home / "loop").symlink_to(home)
    (home / "no-repository").mkdir()
    (home / "no-repository" / ".git").symlink_to(outside / ".git")
    worktree = home / "worktree"
    worktree.mkdir()
    (worktree / ".git").write_text("gitdir: elsewhere")
    look = find_repositories([home], None, hidden=[home / "data"])
    assert ((own,), None) == (look.found, look.ended_at)


def test_what_is_deep_or_wide_is_bounded_and_what_was_passed_over_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    near = repository(home.joinpath(*"a" * DEPTH))
    repository(home.joinpath(*"b" * (DEPTH + 1)))
    wide, project = home / "wide", home / "wide project"
    monkeypatch.setattr(finding, "WIDEST", 20)
    for folder in (home, wide, project):
        folder.mkdir(exist_ok=True)
        for number in range(finding.WIDEST + 1):
            (folder / str(number)).touch()
    repository(wide / "zz")
    repository(project)  # its `.git` comes behind all the others
    look = find_repositories([home], None)
    assert ((near, project), (wide,)) == (look.found, look.passed_over)
    monkeypatch.setattr(finding, "WIDEST_ROOT", 20)
    look = find_repositories([home], None)
    assert ((), (home,)) == (look.found, look.passed_over)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_nobody_may_enter_ends_nothing(tmp_path: Path) -> None:
    closed, own = tmp_path / "a", repository(tmp_path / "b")
    closed.mkdir(mode=0)
    assert [own] == all_found([tmp_path])[0]
