"""The parsers of settings' values."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.http.config.parsers import (
    COMMAND,
    FORGES,
    HOST,
    HOSTS,
    NETWORKS,
    NUMBERS,
    PATH,
    PATHS,
    TIME_ZONE,
    is_loopback,
    optional,
    secret,
    url,
    whole_number,
)


@given(st.integers(-(10**17), 10**17))
def test_a_whole_number_is_the_same_as_text_and_as_number(number: int) -> None:
    parser = whole_number(-(10**17), 10**17)
    assert number == parser(number) == parser(str(number))


@pytest.mark.parametrize("given", [True, 1.0, "1.0", "1_0", "", None, "9" * 5000, "٣", 11, -1])
def test_what_is_no_whole_number_within_the_bounds_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be a whole number from 0 to 10"):
        whole_number(0, 10)(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("codex", ("codex",)),
        ("codex -c 'a b'", ("codex", "-c", "a b")),
        (["my codex", "x"], ("my codex", "x")),
        (("codex",), ("codex",)),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="quotes as a POSIX shell takes them")
def test_a_command_is_split_as_a_shell_would(given: object, expected: tuple[str, ...]) -> None:
    assert expected == COMMAND(given)


def test_a_command_that_is_the_path_of_a_file_is_one_word(tmp_path: Path) -> None:
    program = tmp_path / "my codex"
    program.touch()
    assert (str(program),) == COMMAND(str(program))


@pytest.mark.parametrize("given", ["", "  ", "'open", [], 7, "''"])
def test_what_is_no_command_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be a "):
        COMMAND(given)


def test_a_command_may_be_longer_than_a_files_name() -> None:
    words = ("codex", "-c", "a" * 300)
    assert words == COMMAND(" ".join(words))


@pytest.mark.parametrize("given", ["", "localhost:8787", "a b", "http://x", "[::1]", "-x", 7])
def test_what_is_no_host_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be an IP address or a host name"):
        HOST(given)


def test_hosts_are_compared_in_lower_case_and_their_list_has_commas() -> None:
    assert ("box.local", "192.0.2.7") == HOSTS("Box.local, 192.0.2.7,")


def test_listed_hosts_may_have_a_port_and_ipv6_is_told_apart_by_brackets() -> None:
    told = HOSTS("Box.local:8443,192.0.2.7:1,FD00::5,[fd00::6],[fd00::7]:8443")
    expected = ("box.local:8443", "192.0.2.7:1", "[fd00::5]", "[fd00::6]", "[fd00::7]:8443")
    assert expected == told == HOSTS(told)


@pytest.mark.parametrize(
    "given", ["a:b", "a:1:2", ":1", "a:", "a:123456", "[a]", "[::1", "[::1]x", "[::1]:", "a b:1", 7]
)
def test_what_is_no_listed_host_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be "):
        HOSTS(given)


def test_networks_are_addresses_or_ranges_of_them() -> None:
    expected = ("127.0.0.1/32", "10.0.0.0/8", "fd00::/8")
    assert expected == NETWORKS("127.0.0.1, 10.0.0.0/8,fd00::/8")


@pytest.mark.parametrize("given", ["proxy.local", "10.0.0.1/8", "10.0.0.0/99", "*", 7])
def test_what_is_no_network_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be "):
        NETWORKS(given)


def test_paths_become_absolute_and_know_the_home_folder() -> None:
    assert Path.home() / "x" == PATH("~/x")
    assert (Path("a").absolute(), Path("b").absolute()) == PATHS(os.pathsep.join("ab"))


@pytest.mark.parametrize("given", ["", "a\0b", "~nobody-here/x", 7, None])
def test_what_is_no_path_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be a path"):
        PATH(given)


@pytest.mark.parametrize("given", ["1,two", [1, "2"], [True], 7])
def test_what_is_no_list_of_numbers_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be whole numbers"):
        NUMBERS(given)


@pytest.mark.parametrize("given", ["Mars/Olympus", "../etc/passwd", "", "Europe", 7])
def test_what_is_no_time_zone_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be a time zone's name"):
        TIME_ZONE(given)


def test_a_time_zone_is_known_by_its_name() -> None:
    assert "Europe/Berlin" == TIME_ZONE("Europe/Berlin")


@pytest.mark.parametrize("given", ["http://x", "ws://", "x", 7, None])
def test_a_url_of_another_scheme_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be a URL that begins with ws:// or wss://"):
        url("ws", "wss")(given)


def test_a_url_that_holds_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="must not hold a user name or password") as caught:
        url("ws")("ws://me:hush@localhost")
    assert "hush" not in str(caught.value)


def test_an_optional_setting_is_unset_by_nothing_and_by_an_empty_text() -> None:
    parser = optional(PATH)
    assert None is parser(None)
    assert None is parser("")
    assert PATH.form == parser.form


def test_a_secret_hides_itself_and_takes_its_own_kind() -> None:
    parser = secret("[a-z]+", "letters")
    hush = parser("hush")
    assert "hush" == hush.reveal()
    assert hush == parser(hush)
    assert ["[hidden]"] * 3 == [repr(hush), str(hush), f"{hush}"]


def test_only_this_machine_reaches_a_loopback_address() -> None:
    reachable = ["127.0.0.1", "127.1.2.3", "::1", "localhost", "0.0.0.0", "::", "example.org"]
    assert [True] * 4 + [False] * 3 == [is_loopback(host) for host in reachable]


def test_forges_are_hosts_with_what_they_run() -> None:
    expected = ("git.corp=gitlab", "code.corp=bitbucket-server")
    assert expected == FORGES("Git.corp=gitlab, code.corp = bitbucket-server")
    assert expected == FORGES(expected)
    assert () == FORGES("")


@pytest.mark.parametrize("given", ["git.corp", "git.corp=svn", "=gitlab", "a b=gitlab", 7])
def test_what_is_no_forge_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        FORGES(given)
