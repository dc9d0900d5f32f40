"""Addresses of servers, as people write them."""

import pytest

from command_center.actors.nats.addresses import NatsAddress, parse_addresses


def test_several_servers_stand_in_one_text() -> None:
    found = parse_addresses("nats://one, tls://u%40x:p%3Aw@two:5222 ,nats://token@[::1]")
    assert (
        NatsAddress("one"),
        NatsAddress("two", 5222, tls=True, user="u@x", password="p:w"),
        NatsAddress("::1", user="token"),
    ) == found
    assert "nats://one:4222 tls://two:5222 nats://[::1]:4222" == " ".join(map(str, found))


def test_a_password_is_in_no_text() -> None:
    (found,) = parse_addresses("nats://user:hidden@one")
    assert "hidden" not in f"{found} {found!r}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "one:4222",
        "http://one",
        "nats://",
        "nats://one/path",
        "nats://one:no",
        "nats://a?b",
    ],
)
def test_what_is_no_address_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="address of a NATS server"):
        parse_addresses(text)
