from __future__ import annotations

import threading
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart import Response, request
from quart_trio import QuartTrio

from command_center.http.wire.codec import (
    LONGEST_AT_ONCE,
    MAX_DEPTH,
    IdConverter,
    PageQuery,
    aside,
    decode_body,
    decode_json,
    decode_query,
    encode_aside,
    is_long,
    json_response,
    within_page,
)
from command_center.http.wire.problems import InvalidFields, MalformedBody, install_error_handlers
from command_center.store import Page
from command_center.store.lists.pages import PAGE_BYTES
from tests.http.live import client_of


class RunInput(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    sandbox: Literal["read-only", "workspace-write"] = "read-only"
    allow_network: bool = False


class CreateTask(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    repository_id: int
    title: Annotated[str, msgspec.Meta(min_length=1)] = "A title"
    priority: Literal["low", "normal", "high"] = "normal"
    run_input: RunInput | None = None
    steps: list[RunInput] = []
    facts: dict[str, Any] = {}


class Stop(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    reason: str | None = None


class EventQuery(PageQuery, frozen=True, kw_only=True):
    after: int = 0
    type: tuple[str, ...] = ()
    enabled: bool | None = None
    session_id: int | None = None


class Lax(msgspec.Struct):
    name: str = ""


def fault_of(body: bytes) -> InvalidFields:
    with pytest.raises(InvalidFields) as caught:
        decode_json(body, CreateTask)
    return caught.value


def test_a_body_becomes_the_message_that_the_actor_gets() -> None:
    body = b'{"repositoryId": 1, "runInput": {"allowNetwork": true}}'
    expected = CreateTask(repository_id=1, run_input=RunInput(allow_network=True))
    assert expected == decode_json(body, CreateTask)


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        (b"{}", "repositoryId", "The field repositoryId is required."),
        (b'{"repositoryId": "1"}', "repositoryId", "repositoryId: expected int, got str."),
        (b'{"repositoryId": null}', "repositoryId", "repositoryId: expected int, got null."),
        (b'{"repositoryId": 1, "title": ""}', "title", "title: expected str of length >= 1."),
        (
            b'{"repositoryId": 1, "priority": "urgent"}',
            "priority",
            "priority: must be one of high, low, normal.",
        ),
        (
            b'{"repositoryId": 1, "runInput": {"sandbox": "none"}}',
            "runInput.sandbox",
            "runInput.sandbox: must be one of read-only, workspace-write.",
        ),
        (
            b'{"repositoryId": 1, "steps": [{}, {"sandbox": "none"}]}',
            "steps[1].sandbox",
            "steps[1].sandbox: must be one of read-only, workspace-write.",
        ),
        (
            b'{"repository_id": 1}',
            "repository_id",
            "Unknown field repository_id. Did you mean repositoryId?",
        ),
        (
            b'{"repositoryId": 1, "steps": [{"allowNetwrok": true}]}',
            "steps[0].allowNetwrok",
            "Unknown field steps[0].allowNetwrok. Did you mean allowNetwork?",
        ),
        (b'{"repositoryId": 1, "zzz": 1}', "zzz", "Unknown field zzz."),
        (b"[]", "", "The body: expected object, got array."),
        (b"null", "", "The body: expected object, got null."),
    ],
)
def test_a_fault_names_its_field_as_the_wire_spells_it(
    body: bytes, path: str, message: str
) -> None:
    error = fault_of(body)
    assert message == str(error)
    assert [path] == [detail.path for detail in error.details]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"repositoryId": 1,}',
        b'{"repositoryId": 1} x',
        b'{"repositoryId": NaN}',
        b"\xff",
        b'{"title": "\xff"}',
        b'{"title": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"repositoryId=1",
    ],
)
def test_what_is_no_json_is_called_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody, match=r"^The body is not valid JSON: .*\.$"):
        decode_json(body, CreateTask)


@pytest.mark.parametrize("digits", ["9" * 19, "-" + "9" * 19, "9" * 30])
def test_a_number_that_sqlite_cannot_hold_is_refused_wherever_it_stands(digits: str) -> None:
    message = "is a number beyond 64 bits."
    assert f"repositoryId {message}" == str(fault_of(f'{{"repositoryId": {digits}}}'.encode()))
    nested = f'{{"repositoryId": 1, "facts": {{"a": [0, {digits}]}}}}'.encode()
    assert f"facts.a[1] {message}" == str(fault_of(nested))


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_the_largest_numbers_that_sqlite_holds_are_taken(number: int) -> None:
    task = decode_json(f'{{"repositoryId": {number}}}'.encode(), CreateTask)
    assert number == task.repository_id


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    error = fault_of(b'{"repositoryId": ' + b"9" * 100_000 + b"}")
    assert "repositoryId: integer value out of range." == str(error)


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 900, 200_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_body_nested_too_deeply_is_refused(levels: int, opening: bytes, closing: bytes) -> None:
    body = (
        b'{"repositoryId": 1, "facts": {"a": ' + opening * levels + b"1" + closing * levels + b"}}"
    )
    assert f"The body is nested deeper than {MAX_DEPTH} levels." == str(fault_of(body))


def test_many_siblings_are_no_depth() -> None:
    body = b'{"repositoryId": 1, "facts": {"a": [' + b"[]," * 1000 + b"[]]}}"
    assert 1001 == len(decode_json(body, CreateTask).facts["a"])


def test_brackets_in_a_text_are_no_depth() -> None:
    body = b'{"repositoryId": 1, "title": "' + b"[" * 1000 + b'"}'
    assert "[" * 1000 == decode_json(body, CreateTask).title


def test_a_struct_that_takes_unknown_fields_may_not_cross_the_wire() -> None:
    with pytest.raises(TypeError, match="must forbid unknown fields"):
        decode_json(b"{}", Lax)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_message_or_a_refusal(body: bytes) -> None:
    try:
        decode_json(body, CreateTask)
    except (InvalidFields, MalformedBody) as error:
        assert str(error).endswith((".", "?"))  # noqa: PT017 - either outcome is right


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from(["repositoryId", "title", "facts", "steps", "x"]), _json))
def test_any_json_gives_a_message_or_names_a_field(value: dict[str, Any]) -> None:
    try:
        decode_json(msgspec.json.encode(value), CreateTask)
    except (InvalidFields, MalformedBody) as error:
        assert str(error).endswith((".", "?"))  # noqa: PT017 - either outcome is right


def app_that_decodes() -> QuartTrio:
    app = QuartTrio(__name__)
    install_error_handlers(app)
    app.url_map.converters["id"] = IdConverter

    @app.post("/tasks")
    async def create() -> Response:
        return json_response(await decode_body(request, CreateTask), 201)

    @app.post("/stop")
    async def stop() -> Response:
        return json_response(await decode_body(request, Stop))

    @app.get("/events")
    async def events() -> Response:
        return json_response(decode_query(request, EventQuery))

    @app.get("/pages")
    async def pages() -> Response:
        items = [msgspec.Raw(b'{"id":1}'), msgspec.Raw(b'{"id": 2}')]
        return json_response(Page(items=items, next_cursor="next"))

    @app.get("/tasks/<id:task_id>")
    async def get(task_id: int) -> Response:
        return json_response({"id": task_id})

    return app


async def test_a_record_is_answered_in_the_wires_spelling() -> None:
    async with client_of(app_that_decodes()) as client:
        answer = await client.post("/tasks", json={"repositoryId": 7})
        assert 201 == answer.status_code
        assert "application/json" == answer.headers["content-type"]
        assert 7 == answer.json()["repositoryId"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/merge-patch+json",
    ],
)
async def test_json_is_known_by_any_of_its_names(content_type: str) -> None:
    async with client_of(app_that_decodes()) as client:
        answer = await client.post(
            "/tasks", content=b'{"repositoryId": 1}', headers={"content-type": content_type}
        )
        assert 201 == answer.status_code


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/jsonp"},
    ],
)
async def test_a_body_of_another_type_is_415(headers: dict[str, str]) -> None:
    async with client_of(app_that_decodes()) as client:
        answer = await client.post("/tasks", content=b'{"repositoryId": 1}', headers=headers)
        assert 415 == answer.status_code
        assert 415 == answer.json()["error"]["statusCode"]
        assert "application/json" in answer.json()["error"]["message"]


async def test_a_post_that_needs_no_body_takes_none() -> None:
    async with client_of(app_that_decodes()) as client:
        answer = await client.post("/stop")
        assert (200, {"reason": None}) == (answer.status_code, answer.json())


async def test_a_post_that_needs_a_body_names_what_is_missing() -> None:
    async with client_of(app_that_decodes()) as client:
        answer = await client.post("/tasks")
        assert 400 == answer.status_code
        expected = [{"path": "repositoryId", "message": "required"}]
        assert expected == answer.json()["error"]["details"]


async def test_a_query_is_read_by_its_types() -> None:
    async with client_of(app_that_decodes()) as client:
        answer = await client.get("/events?after=3&limit=500&type=a&type=b%20c&enabled=true")
        assert {
            "after": 3,
            "limit": 500,
            "cursor": None,
            "type": ["a", "b c"],
            "enabled": True,
            "sessionId": None,
        } == answer.json()


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        ("limit=0", "limit", "limit: expected int >= 1."),
        ("limit=501", "limit", "limit: expected int <= 500."),
        ("limit=many", "limit", "limit: expected int, got str."),
        ("limit=", "limit", "limit: expected int, got str."),
        ("limit=1&limit=2", "limit", "limit is given more than once."),
        ("after=99999999999999999999", "after", "after is a number beyond 64 bits."),
        ("enabled=perhaps", "enabled", "enabled: expected bool | null, got str."),
        (
            "session_id=1",
            "session_id",
            "Unknown parameter session_id. Did you mean sessionId?",
        ),
        ("x%5B0%5D=1", "x[0]", "Unknown parameter x[0]."),
    ],
)
async def test_a_query_that_does_not_fit_is_refused(query: str, path: str, message: str) -> None:
    async with client_of(app_that_decodes()) as client:
        answer = await client.get(f"/events?{query}")
        assert 400 == answer.status_code
        assert message == answer.json()["error"]["message"]
        assert [path] == [detail["path"] for detail in answer.json()["error"]["details"]]


@pytest.mark.parametrize("query", ["cursor=%ff", "&".join(f"a{n}=1" for n in range(100))])
async def test_a_query_string_that_cannot_be_read_is_refused(query: str) -> None:
    async with client_of(app_that_decodes()) as client:
        answer = await client.get(f"/events?{query}")
        assert 400 == answer.status_code


async def test_stored_json_passes_through_unchanged() -> None:
    async with client_of(app_that_decodes()) as client:
        answer = await client.get("/pages")
        assert '{"items":[{"id":1},{"id": 2}],"nextCursor":"next"}' == answer.text


async def test_an_id_is_a_number_that_a_record_can_have() -> None:
    async with client_of(app_that_decodes()) as client:
        assert {"id": 2**63 - 1} == (await client.get(f"/tasks/{2**63 - 1}")).json()
        for wrong in ("0", "-1", "1.5", "abc", str(2**63), "9" * 5000):
            answer = await client.get(f"/tasks/{wrong}")
            assert 404 == answer.status_code
            assert 404 == answer.json()["error"]["statusCode"]


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("1", 200),
        ("9223372036854775807", 200),
        ("9223372036854775806", 200),
        ("8999999999999999999", 200),
        ("0", 404),
        ("01", 404),
        ("9223372036854775808", 404),
        ("9300000000000000000", 404),
        ("10000000000000000000", 404),
        ("-1", 404),
    ],
)
async def test_an_id_that_no_record_can_have_is_no_route_under_any_method(
    number: str, status: int
) -> None:
    app = app_that_decodes()

    @app.patch("/tasks/<id:task_id>")
    async def patch(task_id: int) -> Response:
        return json_response({"id": task_id})

    @app.delete("/tasks/<id:task_id>")
    async def delete(task_id: int) -> Response:
        return json_response({"id": task_id})

    async with client_of(app) as client:
        for method in ("GET", "PATCH", "DELETE"):
            answer = await client.request(method, f"/tasks/{number}")
            assert status == answer.status_code, method


def test_a_whole_number_may_be_written_as_json_allows() -> None:
    assert 7 == decode_json(b'{"repositoryId": 7.0}', CreateTask).repository_id
    assert 700 == decode_json(b'{"repositoryId": 7e2}', CreateTask).repository_id
    for text in (b"7.5", b"1e30", b"1e999"):
        with pytest.raises((InvalidFields, MalformedBody)):
            decode_json(b'{"repositoryId": %b}' % text, CreateTask)


async def test_a_parameter_that_says_null_is_not_taken_for_one_that_was_left_out() -> None:
    async with client_of(app_that_decodes()) as client:
        answer = await client.get("/events?sessionId=null")
        assert 400 == answer.status_code
        assert "sessionId" == answer.json()["error"]["details"][0]["path"]


@pytest.mark.parametrize("count", [1, 20, 500])
def test_a_page_of_somebody_else_is_no_longer_than_ours(count: int) -> None:
    items = [{"id": f"thread-{number}", "preview": "x" * 2_000_000} for number in range(count)]
    shown = within_page(items)
    assert [item["id"] for item in items] == [item["id"] for item in shown]
    assert len(msgspec.json.encode(shown)) < 1.2 * PAGE_BYTES
    assert [{"id": "a", "preview": "b"}] == within_page([{"id": "a", "preview": "b"}])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Page(items=[1]), True),
        ({"id": 1}, False),
        ("x" * LONGEST_AT_ONCE, False),
        ("x" * (LONGEST_AT_ONCE + 1), True),
        ([1] * 101, True),
        ([["x" * (LONGEST_AT_ONCE + 1)]], True),
    ],
)
def test_what_may_take_long_to_encode_is_known(value: object, *, expected: bool) -> None:
    assert expected is is_long(value)


async def test_what_is_long_is_decoded_and_encoded_beside_the_loop() -> None:
    threads: list[int] = []

    def where(*_: object) -> bytes:
        threads.append(threading.get_ident())
        return b"{}"

    await aside(where, 1)
    assert threading.get_ident() not in threads
    long = "x" * (2 * LONGEST_AT_ONCE)
    assert msgspec.json.encode([long]) == await encode_aside([long])
    async with client_of(app_that_decodes()) as client:
        answer = await client.post("/stop", json={"reason": long})
        assert (200, long) == (answer.status_code, answer.json()["reason"])
