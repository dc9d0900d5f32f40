"""Quart as this product uses it: what is left out is not missed."""

from __future__ import annotations

import httpx
import pytest
from quart import Blueprint, Response, request, session
from quart_trio.wrappers import TrioResponse

from command_center.http.wire.problems import install_error_handlers
from command_center.http.wire.quart_app import Application
from tests.http.live import served, stock_served


def an_app() -> Application:
    app = Application(__name__)
    install_error_handlers(app)
    outer = Blueprint("outer", __name__)
    inner = Blueprint("inner", __name__)

    @inner.post("/echo")
    async def echo() -> Response:
        body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
        assert body == await request.get_data(cache=True, as_text=False, parse_form_data=False)
        return TrioResponse(body)

    @inner.get("/where")
    async def where() -> Response:
        return TrioResponse(",".join(request.blueprints))

    @inner.get("/plain")
    def plain() -> Response:
        return TrioResponse("a plain function is called, too")

    @inner.get("/session")
    async def look() -> Response:
        return TrioResponse(str(dict(session)))

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app


async def ask(
    method: str, path: str, body: str | None = None, *, guarded: bool = True
) -> httpx.Response:
    serving = served if guarded else stock_served
    async with (
        serving(an_app()) as address,
        httpx.AsyncClient(base_url=address.url) as client,
    ):
        return await client.request(method, path, content=body)


async def test_a_body_is_read_once_and_again() -> None:
    for guarded in (True, False):
        assert "hello" == (await ask("POST", "/echo", "hello", guarded=guarded)).text


async def test_a_request_knows_its_blueprints() -> None:
    assert "outer.inner,outer" == (await ask("GET", "/where")).text


async def test_a_route_is_found_and_no_other_is() -> None:
    assert "a plain function is called, too" == (await ask("GET", "/plain")).text
    assert 404 == (await ask("GET", "/plain/more")).status_code
    assert 405 == (await ask("POST", "/plain")).status_code


async def test_the_session_is_empty() -> None:
    assert "{}" == (await ask("GET", "/session")).text


def test_a_rule_is_matched_and_builds_no_address() -> None:
    routes = an_app().url_map.bind("localhost")
    assert ("outer.inner.where", {}) == routes.match("/where", "GET")
    with pytest.raises(NotImplementedError):
        routes.build("outer.inner.where")
