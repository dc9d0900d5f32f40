"""What the environment and the overrides of a git process are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.git import UnsafeRepository
from command_center.actors.git.hardening import CONFIGURATION, environment, overrides


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["core.bare", "user.name"], {}),
        (["filter.lfs.clean"], {"filter.lfs.clean": "", "filter.lfs.required": "false"}),
        (["filter.a.b=c.process"], {"filter.a.b=c.process": "", "filter.a.b=c.required": "false"}),
        (["merge.union2.driver"], {"merge.union2.driver": "false"}),
        (["hook.lint.command", "hook.lint.event"], {"hook.lint.enabled": "false"}),
        (["filter.clean"], {}),
    ],
)
def test_every_program_that_has_a_name_is_disabled_by_it(
    keys: list[str], expected: dict[str, str]
) -> None:
    assert expected == dict(overrides(Path("p"), keys))


def test_more_programs_than_anybody_has_are_refused() -> None:
    with pytest.raises(UnsafeRepository, match="defines 300 programs"):
        overrides(Path("p"), [f"hook.h{number}.command" for number in range(300)])


@given(st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1), st.text()))
def test_nothing_of_the_servers_own_variables_steers_git(inherited: dict[str, str]) -> None:
    hostile = {f"GIT_{name}": value for name, value in inherited.items()}

    assert environment({}) == environment(hostile)


def test_what_is_found_in_the_repository_is_overridden_last() -> None:
    made = environment({}, configuration=[("filter.x.clean", "")])
    count = int(made["GIT_CONFIG_COUNT"])

    assert len(CONFIGURATION) + 1 == count
    assert ("filter.x.clean", "") == (
        made[f"GIT_CONFIG_KEY_{count - 1}"],
        made[f"GIT_CONFIG_VALUE_{count - 1}"],
    )
