"""Settings that reach git from a configuration, and those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command_center.actors.git import UnsafeRepository
from command_center.actors.git.settings import OURS, is_true, written_settings
from tests.actors.git.repository import plain_git

PATH = Path("p")


@pytest.mark.parametrize(
    "key",
    [
        "core.fsmonitor",
        "core.hookspath",
        "core.sshcommand",
        "core.worktree",
        "core.excludesfile",
        "diff.external",
        "filter.lfs.clean",
        "gpg.program",
        "hook.lint.command",
        "include.path",
        "merge.x.driver",
        "remote.origin.uploadpack",
        "remote.origin.url",
        "submodule.x.update",
    ],
)
def test_no_key_of_a_repository_that_names_a_program_or_a_place_is_taken_over(key: str) -> None:
    assert written_settings(PATH, [], []) == written_settings(PATH, [], [(key, "evil")])


def test_what_is_known_is_taken_over_before_what_holds_whatever_is_said() -> None:
    written = written_settings(
        PATH, [("core.excludesfile", "~/ignored")], [("core.filemode", "false")]
    ).decode()

    assert '[core]\n\texcludesfile = "~/ignored"\n[core]\n\tfilemode = "false"\n' in written
    assert written.index("filemode") < written.index(OURS[0][0].split(".")[1])


@pytest.mark.parametrize(
    "setting",
    [
        ("core.filemode", "maybe"),
        ("core.compression", "9; id"),
        ("user.name", "Ada\n[core]\n\tfsmonitor = evil"),
        ("branch.x.merge", "\x1b"),
        ("branch.x\n.merge", "refs/heads/main"),
    ],
)
def test_a_value_of_another_kind_is_left_out(setting: tuple[str, str]) -> None:
    assert written_settings(PATH, [], []) == written_settings(PATH, [], [setting])


def test_an_extension_with_a_value_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(UnsafeRepository, match=r"extensions\.refstorage"):
        written_settings(PATH, [], [("extensions.refstorage", "files:///elsewhere")])


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.text(min_size=1, max_size=40), branch=st.text(min_size=1, max_size=40))
def test_git_reads_what_was_written_and_nothing_else(
    tmp_path: Path, name: str, branch: str
) -> None:
    taken = [("user.name", name), (f"branch.{branch}.merge", "refs/heads/main")]
    file = tmp_path / "config"
    file.write_bytes(written_settings(PATH, [], taken))

    listed = plain_git(tmp_path, "config", "--file", str(file), "--list", "-z").split("\0")[:-1]

    expected = [
        f"{key}\n{value}" for key, value in taken if key.isprintable() and value.isprintable()
    ]
    assert expected == listed[: len(listed) - len(OURS)]


@pytest.mark.parametrize(
    ("values", "expected"), [([], False), (["true"], True), (["true", "no"], False), (["0"], False)]
)
def test_the_last_value_of_a_key_counts(values: list[str], *, expected: bool) -> None:
    assert expected == is_true([("a.b", value) for value in values], "a.b")
