"""Lines of NATS: whole or in pieces, right, wrong or hostile."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.nats.errors import InvalidSubject, NatsProtocolError
from command_center.actors.nats.headers import NatsHeaders
from command_center.actors.nats.wire import (
    MAX_LINE,
    MAX_PAYLOAD,
    Info,
    NatsDelivery,
    NatsFault,
    NatsMessage,
    Ping,
    Pong,
    WireParser,
    check_subject,
    encode_publish,
    encode_subscribe,
    encode_unsubscribe,
)

SAID = (
    b'INFO {"server_name":"n1","headers":true,"max_payload":9,"unknown":{}}\r\n'
    b"PING\r\n+OK\r\npong\r\n"
    b"MSG a.b 7 5\r\n\r\nx\r\n\r\n"
    b"MSG a.b 7 back 0\r\n\r\n"
    b"HMSG a 8 back 23 25\r\nNATS/1.0\r\nName: it \r\n\r\nhi\r\n"
    b"HMSG a 8 30 30\r\nNATS/1.0 503 No Responders\r\n\r\n\r\n"
    b"-ERR 'Unknown Protocol Operation'\r\n"
)
HEARD = [
    Info(server_name="n1", headers=True, max_payload=9),
    Ping(),
    Pong(),
    NatsDelivery(7, NatsMessage("a.b", b"\r\nx\r\n")),
    NatsDelivery(7, NatsMessage("a.b", b"", "back")),
    NatsDelivery(8, NatsMessage("a", b"hi", "back", NatsHeaders((("Name", "it"),)))),
    NatsDelivery(8, NatsMessage("a", b"", "", NatsHeaders((), 503, "No Responders"))),
    NatsFault("Unknown Protocol Operation"),
]


@given(st.lists(st.integers(0, len(SAID)), max_size=12))
def test_lines_may_be_cut_anywhere(cuts: list[int]) -> None:
    parser, heard = WireParser(), []
    places = [0, *sorted(cuts), len(SAID)]
    for start, end in pairwise(places):
        heard += parser.feed(SAID[start:end])
    assert HEARD == heard
    assert parser.is_empty


def test_what_waits_for_its_rest_is_not_empty() -> None:
    parser = WireParser()
    assert [] == parser.feed(b"MSG a 1 3\r\n")
    assert not parser.is_empty


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"INFO\r\n",
        b"INFO [1]\r\n",
        b'INFO {"x":' + b"[" * 60_000 + b"\r\n",
        b'INFO {"max_payload": "many"}\r\n',
        b'INFO {"server_name": "\xff"}\r\n',
        b"MSG a 1\r\n",
        b"MSG a 1 b c 2\r\n",
        b"MSG a one 2\r\n",
        b"MSG a 1 -2\r\n",
        b"MSG a 1 +2\r\n",
        b"MSG a 1 2.0\r\n",
        b"MSG a 1 \xd9\xa2\r\n",
        b"MSG \xff 1 2\r\n",
        b"MSG a 1 " + b"9" * 5000 + b"\r\n",
        f"MSG a 1 {MAX_PAYLOAD + 1}\r\n".encode(),
        b"MSG a 1 2\r\nabc\r\n",
        b"HMSG a 1 9 8\r\n",
        b"HMSG a 1 12\r\n",
        b"HMSG a 1 8 8\r\nNATS/1.0\r\n",
        b"HMSG a 1 12 12\r\nHTTP/1.1\r\n\r\n\r\n",
        b"HMSG a 1 15 15\r\nNATS/1.0\r\nx\r\n\r\n\r\n",
        b"HMSG a 1 17 17\r\nNATS/1.0 5\xd9\xa23\r\n\r\n\r\n",
        b"x" * (MAX_LINE + 1),
        b"-ERR " + b"x" * MAX_LINE + b"\r\n",
    ],
)
def test_what_is_not_nats_ends_the_connection(line: bytes) -> None:
    with pytest.raises(NatsProtocolError):
        WireParser().feed(line)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_raise_another_error(data: bytes) -> None:
    with suppress(NatsProtocolError):
        WireParser().feed(data)


@pytest.mark.parametrize(
    "subject", ["", ".", "a.", ".a", "a..b", "a b", "a\r\nPUB x 0", "a\tb", "a\x00", "a" * 1025]
)
def test_a_text_that_would_be_another_line_is_no_subject(subject: str) -> None:
    with pytest.raises(InvalidSubject):
        encode_publish(subject, b"")
    with pytest.raises(InvalidSubject):
        encode_publish("a", b"", reply=subject or " ")
    with pytest.raises(InvalidSubject):
        encode_subscribe(subject, 1)


@pytest.mark.parametrize("subject", ["*", "a.*", ">", "a.>"])
def test_a_pattern_can_be_heard_and_not_be_published_to(subject: str) -> None:
    assert f"SUB {subject} 1\r\n".encode() == encode_subscribe(subject, 1)
    with pytest.raises(InvalidSubject):
        encode_publish(subject, b"")


def test_the_rest_of_a_subject_is_its_end() -> None:
    with pytest.raises(InvalidSubject):
        check_subject("a.>.b", is_pattern=True)


def test_lines_to_send() -> None:
    assert b"PUB a.b back 2\r\nhi\r\n" == encode_publish("a.b", b"hi", reply="back")
    whole = b"HPUB a 18 20\r\nNATS/1.0\r\nN: v\r\n\r\nhi\r\n"
    assert whole == encode_publish("a", b"hi", headers={"N": "v"})
    assert b"SUB a.* workers 3\r\n" == encode_subscribe("a.*", 3, "workers")
    assert b"UNSUB 3\r\n" == encode_unsubscribe(3)


@pytest.mark.parametrize("header", [("a\r\nb", "v"), ("a:b", "v"), ("", "v"), ("a", "v\r\nb: c")])
def test_a_header_cannot_be_two(header: tuple[str, str]) -> None:
    with pytest.raises(InvalidSubject):
        encode_publish("a", b"", headers=dict([header]))
