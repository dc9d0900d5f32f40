"""The Bot API's client over real HTTP, and that nothing which leaves it holds the token."""

from __future__ import annotations

import io
import logging
import traceback

import pytest
import trio

from command_center.actors.telegram.api import BotApi
from command_center.actors.telegram.errors import (
    BotApiFailed,
    BotApiLimited,
    BotApiRefused,
    BotApiUnreachable,
    TokenRejected,
)
from tests.actors.telegram.rig import ME, telegram_settings
from tests.telegram_bot_api import TOKEN, FakeBotApi, Fault, fake_bot_api


async def failure(api: FakeBotApi, method: str = "getMe", **more: object) -> Exception:
    """Return what a call raises."""
    client = BotApi(telegram_settings(api, **more))
    try:
        await client.call(method, {"chat_id": ME, "text": "x"})
    except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
        return error
    finally:
        await client.close()
    raise AssertionError("it did not fail")


async def test_a_call_gives_the_result() -> None:
    async with fake_bot_api() as api:
        client = BotApi(telegram_settings(api))
        assert "command_center_bot" == (await client.call("getMe"))["username"]
        await client.close()


async def test_a_limit_says_how_long_to_wait() -> None:
    async with fake_bot_api() as api:
        api.limit_next("getMe", 17)
        error = await failure(api)
        assert isinstance(error, BotApiLimited)
        assert 17 == error.retry_after


@pytest.mark.parametrize(("said", "seconds"), [(-5, 0.0), (10**300, 86400.0), (1e308, 86400.0)])
async def test_no_limit_is_for_more_than_a_day(said: float, seconds: float) -> None:
    async with fake_bot_api() as api:
        api.limit_next("getMe", said)
        error = await failure(api)
        assert isinstance(error, BotApiLimited)
        assert seconds == error.retry_after


async def test_a_refusal_has_the_words_of_the_bot_api() -> None:
    async with fake_bot_api() as api:
        error = await failure(api, "sendMessage")
        assert isinstance(error, BotApiRefused)
        assert (400, "Bad Request: chat not found") == (error.status, error.description)


async def test_a_migrated_chat_is_named() -> None:
    async with fake_bot_api() as api:
        api.migrate(ME, -1009)
        error = await failure(api, "sendMessage")
        assert isinstance(error, BotApiRefused)
        assert -1009 == error.migrated_to


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(500), BotApiFailed),
        (Fault(502, garbage=b"<html>Bad Gateway"), BotApiFailed),
        (Fault(200, garbage=b"<html>Sign in to the hotel"), BotApiUnreachable),
        (Fault(200, garbage=b"\xff"), BotApiUnreachable),
        (Fault(200, garbage=b"[" * 100_000), BotApiUnreachable),
        (Fault(drop=True), BotApiUnreachable),
        (Fault(404, "Not Found"), TokenRejected),
    ],
)
async def test_each_failure_has_its_own_error(fault: Fault, kind: type[Exception]) -> None:
    async with fake_bot_api() as api:
        api.fail_next("getMe", fault)
        assert kind is type(await failure(api))


async def test_a_token_that_is_not_known_is_told_apart() -> None:
    async with fake_bot_api() as api:
        api.token = "1:other"
        assert isinstance(await failure(api), TokenRejected)


async def test_an_answer_that_does_not_come_is_given_up() -> None:
    async with fake_bot_api() as api:
        api.fail_next("getMe", Fault(until=trio.Event()))
        error = await failure(api, call_seconds=0.05)
        assert "The Bot API gave no answer to getMe: it took too long." == str(error)


async def test_no_error_and_no_log_line_of_any_level_holds_the_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "httpx"):
            async with fake_bot_api() as api:
                api.fail_next(
                    "getMe",
                    Fault(drop=True),
                    Fault(500),
                    Fault(400, f"Bad Request: no such path /bot{TOKEN}/getMe"),
                    Fault(429, "Too Many Requests"),
                    Fault(200, garbage=TOKEN.encode()),
                )
                errors = [await failure(api) for _ in range(5)]
                nobody_there = [
                    await failure(api, api_base="http://127.0.0.1:9"),
                    await failure(api, api_base="http://no-such-host.invalid"),
                    await failure(api, api_base="https://127.0.0.1:9"),
                ]
    finally:
        root.removeHandler(handler)
    for error in [*errors, *nobody_there]:
        told = "".join(traceback.format_exception(error))
        assert TOKEN not in told
        assert TOKEN not in repr(error.__dict__)
        assert error.__cause__ is None
        assert error.__context__ is None
    assert "HTTP Request" in stream.getvalue()
    assert TOKEN not in stream.getvalue()
    assert TOKEN not in repr(BotApi(telegram_settings(api)).__dict__["_client"])
