"""Answers that are lost on their way: what is sent again, and what is said of the rest."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from command_center_client import (
    AnswerLost,
    ApiCall,
    AsyncCommandCenter,
    CallRefused,
    CommandCenter,
    NotCommandCenter,
    NotReachable,
    calls,
)

CREATE = calls.create_approval(title="Once")


def answer(told: object, status: str = "200 OK", more: str = "") -> bytes:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def refused(status: int, more: str = "") -> bytes:
    told = {"error": {"statusCode": status, "message": "Still being answered."}}
    return answer(told, f"{status} Refused", more)


MADE = answer({"id": 7}, "201 Created")
CUT = b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{"
GATEWAY = answer(b"<html>Bad Gateway</html>", "502 Bad Gateway")
UNDER_WAY = refused(409, "Retry-After: 1\r\n")


def whole(accepted: socket.socket) -> bytes:
    """A request with its body."""
    with accepted.makefile("rb") as reader:
        head = [*iter(reader.readline, b"\r\n")]
        sizes = [int(line[15:]) for line in head if line.lower().startswith(b"content-length:")]
        return b"".join(head) + b"\r\n" + reader.read(sum(sizes))


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers each request once, and ends its connection; b"" is no answer."""
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        for each in answers:
            try:
                accepted, _ = listener.accept()
            except OSError:  # it was closed
                return
            with accepted:
                heard.append(whole(accepted))
                accepted.sendall(each)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        finally:
            thread.join()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command_center_client.place.FIRST_SECONDS", 0.001)


def keys(heard: Sequence[bytes]) -> list[bytes]:
    return [
        line.partition(b": ")[2]
        for request in heard
        for line in request.splitlines()
        if line.lower().startswith(b"idempotency-key:")
    ]


LOST = (b"", CUT, GATEWAY, UNDER_WAY, MADE)


def test_a_post_whose_answer_is_lost_is_sent_again_under_its_key() -> None:
    with answering(*LOST) as (url, heard), CommandCenter(url) as center:
        assert 7 == center.send(CREATE)["id"]
    assert (5, 1) == (len(keys(heard)), len({*keys(heard)}))
    with answering(MADE, MADE) as (url, heard), CommandCenter(url) as center:
        center.send(CREATE)
        center.send(CREATE)
    assert 2 == len({*keys(heard)})  # each is a wish of its own


async def test_so_it_is_on_trio() -> None:
    with answering(*LOST) as (url, heard):
        async with AsyncCommandCenter(url) as center:
            assert 7 == (await center.send(CREATE))["id"]
    assert (5, 1) == (len(keys(heard)), len({*keys(heard)}))


@pytest.mark.parametrize("lost", [b"", CUT, GATEWAY])
def test_what_might_be_done_twice_is_not_sent_again_and_may_have_been_done(lost: bytes) -> None:
    unkeyed: ApiCall[Any] = ApiCall("POST", "/api/devices", body={"name": "x"})
    with (
        answering(lost) as (url, heard),
        CommandCenter(url) as center,
        pytest.raises(AnswerLost, match="may have been done: look before"),
    ):
        center.send(unkeyed)
    assert (1, []) == (len(heard), keys(heard))


def test_after_a_while_a_lost_answer_is_told_to_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command_center_client.resending.LOST_SECONDS", -1.0)
    with answering(b"") as (url, _), CommandCenter(url) as center, pytest.raises(AnswerLost):
        center.send(CREATE)
    refusing = answering(UNDER_WAY)  # nothing was lost: somebody else uses the key
    with refusing as (url, _), CommandCenter(url) as center, pytest.raises(CallRefused):
        center.send(CREATE)


@pytest.mark.parametrize("lost", [b"", CUT, GATEWAY])
def test_what_only_reads_is_told_at_once_that_nobody_answers(lost: bytes) -> None:
    with (
        answering(lost) as (url, _),
        CommandCenter(url) as center,
        pytest.raises(NotReachable) as told,
    ):
        center.send(calls.health())
    assert not isinstance(told.value, AnswerLost)


def test_who_outlasts_a_server_waits_until_it_is_back() -> None:
    told: list[str] = []
    answers = (b"", CUT, GATEWAY, refused(503), answer({"id": 7}))
    with answering(*answers) as (url, _), CommandCenter(url) as center:
        center.outlast(on_open=lambda: told.append("back"), on_loss=lambda *_: told.append("lost"))
        assert 7 == center.send(calls.get_approval(7))["id"]
    assert [*["lost"] * 4, "back"] == told


@pytest.mark.parametrize(
    "foreign",
    [
        answer(b""),
        answer(b"", "302 Found", "Location: http://127.0.0.1/\r\n"),
        answer({"id": 7}, "302 Found"),
        answer(b"<html>"),
        b"SSH-2.0\r\n",
    ],
)
def test_what_is_no_answer_of_the_api_is_no_success(foreign: bytes) -> None:
    with (
        answering(foreign) as (url, _),
        CommandCenter(url) as center,
        pytest.raises(NotCommandCenter),
    ):
        center.send(CREATE)


@pytest.mark.parametrize("page", [[], {"status": "ok"}, {"items": 1, "nextCursor": None}])
def test_what_is_no_page_is_no_list(page: object) -> None:
    with (
        answering(answer(page)) as (url, _),
        CommandCenter(url) as center,
        pytest.raises(NotCommandCenter),
    ):
        [*center.every(calls.list_tasks())]


def ended(center: CommandCenter) -> None:
    """Wait until the server has ended the connection that is kept."""
    assert center._connection is not None
    select.select([center._connection.sock], [], [])


def test_a_kept_connection_that_has_ended_is_not_used_again() -> None:
    change: ApiCall[Any] = ApiCall("DELETE", "/api/tasks/1", body={})
    with answering(MADE, MADE) as (url, heard), CommandCenter(url) as center:
        center.send(change)
        ended(center)
        center.send(change)
    assert 2 == len(heard)


@contextmanager
def overhearing() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that nobody is to ask; it ends with what is no request."""
    with answering(b"") as (url, heard):
        yield url, heard
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as ending:
            ending.sendall(b"END\r\n\r\n")


async def test_no_proxy_of_the_environment_hears_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(MADE) as (url, heard), overhearing() as (proxy, overheard):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with AsyncCommandCenter(url, token="secret") as center:
            assert 7 == (await center.send(CREATE))["id"]
    assert (1, [b"END\r\n\r\n"]) == (len(heard), overheard)


@pytest.mark.parametrize("url", ["http://a..b", "http://", "ftp://a", "http://a:b", "http://[x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        CommandCenter(url)
