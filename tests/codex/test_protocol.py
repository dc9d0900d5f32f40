"""Anything at all is either a message or refused as none."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.codex.errors import NotAMessage
from command_center.actors.codex.protocol import (
    Notification,
    Response,
    RpcError,
    ServerRequest,
    answered_by,
    decode,
    encode_error,
    encode_notification,
    encode_request,
    encode_result,
    thread_of,
)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id": 1, "result": {"a": 1}}', Response(1, {"a": 1})),
        (b'{"id": "x", "result": null}', Response("x", None)),
        (
            b'{"error": {"code": -32001, "message": "busy"}, "id": 2}',
            Response(2, error=RpcError(-32001, "busy")),
        ),
        (b'{"method": "m", "id": 0, "params": {}}', ServerRequest(0, "m", {})),
        (b'{"method": "m", "params": {"x": 1}, "emittedAtMs": 5}', Notification("m", {"x": 1})),
        (b'{"method": "m"}', Notification("m", {})),
        ('{"method": "m", "params": null}', Notification("m", {})),
    ],
)
def test_a_message_is_read_as_what_it_is(line: bytes | str, message: object) -> None:
    assert decode(line) == message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"[]",
        b"1",
        b"{}",
        b'{"id": 1}',
        b'{"id": 1.5, "result": {}}',
        b'{"method": 3}',
        b'{"method": "m", "params": []}',
        b'{"id": 1, "result": {}',
        b'\xff\xfe{"id": 1}',
        b'{"method": "\xff"}',
        b"[" * 100_000,
        b'{"method": "m", "params": {"a": ' * 10_000,
    ],
)
def test_anything_else_is_refused_with_its_beginning(line: bytes) -> None:
    with pytest.raises(NotAMessage) as caught:
        decode(line)
    assert len(caught.value.excerpt) <= 200


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_whatever_comes_is_a_message_or_refused(data: bytes | str) -> None:
    with contextlib.suppress(NotAMessage):
        decode(data)


def test_what_we_write_has_no_jsonrpc_member_and_always_params() -> None:
    assert json.loads(encode_request(1, "m", {})) == {"id": 1, "method": "m", "params": {}}
    assert json.loads(encode_notification("initialized")) == {"method": "initialized"}
    assert json.loads(encode_result("x", {"a": None})) == {"id": "x", "result": {"a": None}}
    error = {"code": -1, "message": "no"}
    assert json.loads(encode_error(0, -1, "no")) == {"id": 0, "error": error}


@pytest.mark.parametrize(
    ("params", "thread_id"),
    [
        ({"threadId": "t"}, "t"),
        ({"thread": {"id": "t"}}, "t"),
        ({"threadId": 5}, None),
        ({"thread": "t"}, None),
        ({}, None),
    ],
)
def test_the_thread_of_a_message_is_found(params: dict[str, Any], thread_id: str | None) -> None:
    assert thread_of(params) == thread_id


@pytest.mark.parametrize(
    ("head", "id_"),
    [
        (b'{"id":7,"result":{"data":[', 7),
        (b' { "id" : 8 , "error":{', 8),
        (b'{"id":7,"method":"item/tool/call"', None),
        (b'{"id":"7","result":', None),
        (b'{"method":"turn/completed","params":{"id":7,"result":', None),
        (b"", None),
    ],
)
def test_which_request_is_answered_is_read_from_how_the_answer_begins(
    head: bytes, id_: int | None
) -> None:
    assert answered_by(head) == id_
