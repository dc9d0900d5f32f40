"""Paths of hosts of any system, on a server of any system."""

from __future__ import annotations

import pytest

from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.paths import check_path, lies_in, pure_path, same_place
from command_center.actors.rules.policy import RunInput, check_run


@pytest.mark.parametrize(
    ("expected", "left", "right"),
    [
        (True, r"C:\Src\App", "c:/src/app/"),
        (True, r"\\server\share\app", r"\\SERVER\share\x\..\app"),
        (False, r"C:\src", r"D:\src"),
        (True, "/srv/app/", "/srv/x/../app"),
        (False, "/srv/app", "/srv/App"),
        (False, "/src", r"C:\src"),
    ],
)
def test_places_are_compared_as_their_own_system_does(
    expected: bool,  # noqa: FBT001 - what is expected
    left: str,
    right: str,
) -> None:
    assert expected == same_place(left, right)


def test_a_folder_has_what_is_below_it_and_no_namesake() -> None:
    assert lies_in(r"C:\src\app\lib", r"c:\SRC\app")
    assert not lies_in(r"C:\src\apple", r"C:\src\app")
    assert lies_in("/srv/app/lib", "/srv/app")
    assert not lies_in("/srv/apple", "/srv/app")


def test_a_place_below_a_folder_is_written_as_its_system_does() -> None:
    assert r"C:\data\worktrees\3\fix" == str(pure_path(r"C:\data\worktrees") / "3" / "fix")
    assert "/data/worktrees/3/fix" == str(pure_path("/data/worktrees") / "3" / "fix")


@pytest.mark.parametrize("path", [r"C:\src\app", r"\\server\share\app", "/srv/app", "~/app"])
def test_a_path_of_another_host_may_be_of_any_system(path: str) -> None:
    check_run(RunInput(worktree_path=path), "box")
    check_path(path, "cwd", is_foreign=True)


@pytest.mark.parametrize("path", ["src/app", "C:src", "..", "C:\\a\nb", ""])
def test_what_is_absolute_on_no_system_is_refused_for_any_host(path: str) -> None:
    with pytest.raises(Invalid):
        check_path(path, "cwd", is_foreign=True)
