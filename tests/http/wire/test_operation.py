"""A route does what is declared above its handler."""

from __future__ import annotations

import msgspec
import pytest
from quart import Response
from quart_trio import QuartTrio

from command_center.http.app import install
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.operation import NOTHING, Api, Location, Operation
from command_center.http.wire.problems import install_error_handlers
from command_center.store import Page
from tests.http.live import client_of


class Cup(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A cup."""

    id: int = 7
    at_most: int = 3


shelf = Api[str]("Cups")


@shelf.operation("GET", "/api/cups")
async def list_cups(label: str, query: PageQuery) -> Page[str]:
    """List the cups. There may be many."""
    return Page(items=[label] * query.limit)


@shelf.operation("POST", "/api/cups", answers=201, refuses=(409,), location="/api/cups/{id}")
async def make_cup(label: str, body: Cup) -> Cup:
    """Make a cup."""
    del label
    return body


@shelf.operation(
    "POST",
    "/api/cups/<name>/fill",
    answers=(201, 202),
    status=lambda filled: 202 if "mug" in filled else 201,
    is_done_once=False,
)
async def fill_cup(label: str, name: str) -> str:
    """Fill a cup."""
    return f"{label}: {name}"


@shelf.operation("POST", "/api/cups/raw", body=dict, answers={200: NOTHING})
async def read_raw(label: str) -> Response:
    """Read the body in a way of its own."""
    return Response(label, status=200)


def declared(name: str) -> Operation:
    (found,) = [operation for operation in shelf.operations if operation.id == name]
    return found


def app_of_cups() -> QuartTrio:
    app = QuartTrio(__name__)
    install_error_handlers(app)
    install(app, shelf, "blue")
    return app


def test_an_operation_says_what_its_handlers_name_signature_and_docstring_say() -> None:
    made = declared("makeCup")
    assert ("POST /api/cups", "Cups", "Make a cup") == (made.name, made.tag, made.summary)
    assert (Cup, None, {201: Cup}) == (made.body, made.query, made.answers)
    assert (PageQuery, {200: Page[str]}) == (
        declared("listCups").query,
        declared("listCups").answers,
    )
    assert {201: str, 202: str} == declared("fillCup").answers
    assert (dict, {200: NOTHING}) == (declared("readRaw").body, declared("readRaw").answers)


def test_a_post_is_done_once_unless_told_otherwise() -> None:
    done_once = {operation.id for operation in shelf.operations if operation.is_done_once}
    assert {"makeCup", "readRaw"} == done_once


async def test_a_handler_gets_what_it_names_and_its_answer_is_sent() -> None:
    async with client_of(app_of_cups()) as client:
        listed = await client.get("/api/cups", params={"limit": 2})
        made = await client.post("/api/cups", json={"atMost": 5})
        filled = await client.post("/api/cups/mug/fill")
    assert {"items": ["blue", "blue"], "nextCursor": None} == listed.json()
    assert (201, {"id": 7, "atMost": 5}) == (made.status_code, made.json())
    assert "/api/cups/7" == made.headers["Location"]
    assert (202, "blue: mug") == (filled.status_code, filled.json())


@pytest.mark.parametrize(("path", "status"), [("/api/cups/mug/fill", 400), ("/api/cups/raw", 200)])
async def test_parameters_that_are_not_declared_are_refused_but_by_who_reads_the_request(
    path: str, status: int
) -> None:
    async with client_of(app_of_cups()) as client:
        assert status == (await client.post(path, params={"unheardOf": 1})).status_code


def test_a_location_is_made_of_the_answer_that_holds_the_record() -> None:
    location = Location("/api/cups/{cup.id}")
    assert ("/api/cups", "/cup/id") == (location.noun, location.pointer)
    assert "/api/cups/7" == location.of(b'{"cup": {"id": 7}, "id": 3}')
