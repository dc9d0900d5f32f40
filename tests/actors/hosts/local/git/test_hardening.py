"""The environment of a git process."""

from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.hosts.local.git.hardening import environment


@given(st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1), st.text()))
def test_nothing_of_the_servers_own_variables_steers_git(inherited: dict[str, str]) -> None:
    hostile = {f"GIT_{name}": value for name, value in inherited.items()}

    assert environment({}) == environment(hostile)


def test_git_looks_for_no_repository_and_reads_no_configuration_unless_told_to() -> None:
    made = environment({"HOME": "/home/ada"})

    assert {
        "GIT_DIR": "/dev/null",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
    } == {name: made[name] for name in ("GIT_DIR", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM")}
    assert "GIT_CONFIG_GLOBAL" not in environment({}, users=True)
