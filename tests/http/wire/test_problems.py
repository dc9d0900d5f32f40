from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import structlog
import trio
from quart import Response, websocket
from quart_trio import QuartTrio

from command_center.actors.rules import errors as domain
from command_center.http.wire.codec import json_response
from command_center.http.wire.problems import install_error_handlers, problem_of
from command_center.store import errors as stored
from tests.http.live import client_of, exchange, served


def app_that_raises(make: Callable[[], BaseException] = RuntimeError) -> QuartTrio:
    app = QuartTrio(__name__)
    install_error_handlers(app)

    @app.get("/things/<int:thing>")
    async def get(thing: int) -> Response:
        return json_response({"id": thing})

    @app.post("/things")
    @app.get("/failing")
    async def failing() -> Response:
        raise make()

    @app.websocket("/socket")
    async def socket() -> None:
        if websocket.args:
            raise make()
        await websocket.accept()

    return app


async def error_of(method: str, path: str, make: Callable[[], BaseException] = RuntimeError) -> Any:
    async with client_of(app_that_raises(make)) as client:
        answer = await client.request(method, path)
    assert "application/json" == answer.headers["content-type"]
    error = answer.json()["error"]
    assert answer.status_code == error["statusCode"]
    return error | {"headers": answer.headers}


async def test_an_unknown_route_is_404_and_named() -> None:
    error = await error_of("GET", "/api/nope")
    assert (404, "No route GET /api/nope.") == (error["statusCode"], error["message"])


@pytest.mark.parametrize("path", ["//things/1", "/things//1", "/things/one", "/things/1/x", "/%2e"])
async def test_a_path_is_taken_as_it_is(path: str) -> None:
    assert 404 == (await error_of("GET", path))["statusCode"]


async def test_a_method_that_the_route_lacks_is_405_with_allow() -> None:
    error = await error_of("DELETE", "/things/1")
    assert 405 == error["statusCode"]
    assert "No route DELETE /things/1; allowed: GET, HEAD, OPTIONS." == error["message"]
    assert "GET, HEAD, OPTIONS" == error["headers"]["allow"]


async def test_an_unknown_method_is_405() -> None:
    assert 405 == (await error_of("BREW", "/things/1"))["statusCode"]


async def test_options_tells_what_is_allowed() -> None:
    async with client_of(app_that_raises()) as client:
        answer = await client.options("/things/1")
        assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["allow"].split(", "))


async def test_the_answer_to_head_has_no_body() -> None:
    async with client_of(app_that_raises()) as client:
        for path, status in (("/things/1", 200), ("/nope", 404)):
            answer = await client.head(path)
            assert (status, b"") == (answer.status_code, answer.content)
            assert int(answer.headers["content-length"]) > 0


async def test_an_unexpected_exception_shows_an_id_and_nothing_else() -> None:
    with structlog.testing.capture_logs() as logs:
        error = await error_of("GET", "/failing", lambda: RuntimeError("password=hunter2"))
    assert 500 == error["statusCode"]
    assert "hunter2" not in str(error)
    assert {"statusCode", "message", "errorId", "headers"} == set(error)
    assert [error["errorId"]] == [line["error_id"] for line in logs]
    assert "GET /failing" == logs[0]["target"]
    assert isinstance(logs[0]["exc_info"], RuntimeError)


async def test_a_system_error_shows_no_path_of_this_machine() -> None:
    error = await error_of(
        "GET", "/failing", lambda: FileNotFoundError(errno.ENOENT, "No such file", "/etc/x")
    )
    assert 500 == error["statusCode"]
    assert "/home/me" not in str(error)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (domain.NotFound("Repository", 99999), 404),
        (domain.Invalid.field("repositoryId", "is not there."), 400),
        (domain.Conflict("It runs already."), 409),
        (domain.Unavailable("The bridge is down."), 503),
        (domain.TooBusy("The store is behind."), 429),
        (stored.RecordNotFound("Repository", 99999), 404),
        (stored.InvalidCursor("x"), 400),
        (stored.StoreUnavailable("disk full", "SQLITE_FULL"), 503),
    ],
)
async def test_a_refusal_has_its_status_and_its_words(error: Exception, status: int) -> None:
    answer = await error_of("GET", "/failing", lambda: error)
    assert (status, str(error)) == (answer["statusCode"], answer["message"])


async def test_a_record_that_is_not_there_is_told_in_the_documented_words() -> None:
    error = await error_of("POST", "/things", lambda: domain.NotFound("Repository", 99999))
    del error["headers"]
    assert {"statusCode": 404, "message": "Repository 99999 not found."} == error


async def test_a_refused_field_is_named_in_the_details() -> None:
    error = await error_of(
        "GET", "/failing", lambda: domain.Invalid.field("localPath", "is a file.")
    )
    assert [{"path": "localPath", "message": "is a file."}] == error["details"]


async def test_a_conflict_shows_what_it_met() -> None:
    error = await error_of(
        "GET",
        "/failing",
        lambda: domain.Conflict("Settled.", resolved_by="telegram", status="approved"),
    )
    assert {"resolvedBy": "telegram", "status": "approved"} == error["facts"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (domain.Unavailable("Down.", retry_after=2.5), "3"),
        (domain.Unavailable("Down."), None),
        (domain.TooBusy("Busy.", retry_after=0.2), "1"),
    ],
)
async def test_an_answer_for_later_says_when(error: Exception, expected: str | None) -> None:
    answer = await error_of("GET", "/failing", lambda: error)
    assert expected == answer["headers"].get("retry-after")


async def test_a_name_that_is_no_text_is_told_as_far_as_it_is_one() -> None:
    error = domain.Conflict("caf\udce9.txt has changed.", paths=["caf\udce9.txt"], count=1)
    answer = await error_of("GET", "/failing", lambda: error)
    assert (409, "caf?.txt has changed.") == (answer["statusCode"], answer["message"])
    assert {"paths": ["caf?.txt"], "count": 1} == answer["facts"]


def test_a_refusal_out_of_a_nursery_is_still_that_refusal() -> None:
    group = ExceptionGroup("", [ExceptionGroup("", [domain.NotFound("Task", 1)])])
    assert (404, "Task 1 not found.") == (problem_of(group).status, problem_of(group).message)


def test_several_failures_at_once_are_a_defect() -> None:
    group = ExceptionGroup("", [domain.NotFound("Task", 1), domain.NotFound("Task", 2)])
    assert 500 == problem_of(group).status


async def refusal_of(path: str, make: Callable[[], BaseException] = RuntimeError) -> Any:
    """Return what a WebSocket handshake that is refused gets to read."""
    handshake = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    async with served(app_that_raises(make)) as address:
        head, _, body = (await exchange(address, handshake.encode())).partition(b"\r\n\r\n")
    error = msgspec.json.decode(body)["error"]
    assert head.startswith(f"HTTP/1.1 {error['statusCode']}".encode())
    return error


async def test_an_unknown_route_of_a_websocket_is_404_too() -> None:
    assert {"statusCode": 404, "message": "No route WebSocket /nope."} == await refusal_of("/nope")


@pytest.mark.parametrize("path", ["/things/1", "/things"])
async def test_a_websocket_on_another_route_is_404(path: str) -> None:
    expected = {"statusCode": 404, "message": f"No route WebSocket {path}."}
    assert expected == await refusal_of(path)


async def test_a_refusal_before_the_handshake_is_json_too() -> None:
    expected = {"statusCode": 404, "message": "Task 1 not found."}
    assert expected == await refusal_of("/socket?x=1", lambda: domain.NotFound("Task", 1))


async def test_a_websocket_route_asked_without_a_websocket_says_so() -> None:
    error = await error_of("GET", "/socket")
    assert (426, "websocket") == (error["statusCode"], error["headers"]["upgrade"].lower())


async def test_many_failures_at_once_are_each_answered() -> None:
    async with client_of(app_that_raises()) as client:
        statuses: list[int] = []

        async def ask() -> None:
            statuses.append((await client.get("/nope")).status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(ask)
    assert [404] * 50 == statuses
