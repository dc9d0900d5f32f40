"""Messages at push services, whatever those answer."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trio

from command_center.actors.channels.posting import LONGEST_RETRY
from command_center.actors.webpush.encryption import application_server_key
from command_center.store import push_subscriptions
from tests.actors.webpush.rig import KEY, rig
from tests.push_service import Reply


async def test_a_push_service_is_left_what_only_the_browser_reads_and_whose_it_is(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe()
        await r.ask("Deploy?", ttlSeconds=600)
        (told,) = await r.service.take(1)
        capability = told.pop("capability")
        assert {"title": "Deploy?", "body": "", "where": "/approvals/1", "silent": False} == told
        (left,) = r.service.left
        assert capability.encode() not in left.body
        assert b"Deploy" not in left.body
        headers = left.headers
        assert ("aes128gcm", "high") == (headers["content-encoding"], headers["urgency"])
        assert 500 < int(headers["ttl"]) <= 600
        assert 32 == len(headers["topic"])
        claims = left.claims
        assert (r.service.url, application_server_key(KEY)) == (claims["aud"], claims["k"])
        assert time.time() < claims["exp"] <= time.time() + 24 * 3600
        (sent,) = await r.until_none_waits()
        assert ("sent", 1) == (sent.status, sent.attempts)
        (shown,) = (await r.at.root.get("/api/push/subscriptions")).json()["items"]
        assert shown["lastSentAt"] is not None
        assert shown["error"] is None


async def test_what_is_left_for_one_browser_goes_over_one_connection(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe()
        for title in "abc":
            await r.ask(title)
        assert ["a", "b", "c"] == [told["title"] for told in await r.service.take(3)]
        assert 1 == r.service.connections


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_its_service_knows_no_more_is_told_no_more(
    tmp_path: Path, status: int
) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe("gone")
        await r.subscribe("there")
        r.service.replies.append(Reply(status))
        await r.ask("a")
        (ended,) = await r.at.rig.until_event("webpush.ended")
        assert ("push", "gone") == (ended["actor"], ended["data"]["why"])
        await r.ask("b")
        await r.service.until(lambda: len(r.service.left) == 3)
        await r.until_none_waits()
        assert 3 == len(r.service.left)
        assert 1 == len((await r.at.root.get("/api/push/subscriptions")).json()["items"])


@pytest.mark.parametrize(
    "fault",
    [
        Reply(429, {"Retry-After": "0"}),
        Reply(503, {"Retry-After": format_datetime(datetime.now(UTC))}),
        Reply(500),
        Reply(drop=True),
        Reply(429, {"Retry-After": b"\xff\xfe"}),
        Reply(429, {"Retry-After": b"\xb2"}),
        Reply(429, {"Retry-After": "-1"}),
        Reply(429, {"Retry-After": "soon"}),
        Reply(429, {"Retry-After": "Fri, 31 Feb 99999 99:99:99 GMT"}),
        Reply(429, {"Retry-After": "Sat, 01 Jan 0001 00:00:00 +2359"}),
    ],
)
async def test_what_may_be_sent_later_is_sent_again(tmp_path: Path, fault: Reply) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe()
        r.service.replies += [fault, fault]
        await r.ask()
        first, *_, last = await r.service.take(3)
        assert first == last
        topics = {left.headers["topic"] for left in r.service.left}
        assert 1 == len(topics)  # so a push service that took two shows the last
        (sent,) = await r.until_none_waits()
        assert ("sent", 3, None) == (sent.status, sent.attempts, sent.error)


async def test_a_message_waits_for_as_long_as_the_push_service_says(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe()
        r.service.replies.append(Reply(429, {"Retry-After": "1800"}))
        await r.ask()
        await r.service.take(1)

        error = await r.until(lambda db: push_subscriptions.get(db, 1).error)
        assert "The push service answered 429." == error
        (message,) = await r.messages()
        assert message.not_before is not None
        left = datetime.fromisoformat(message.not_before) - datetime.now(UTC)
        assert timedelta(minutes=25) < left <= timedelta(minutes=30)


@pytest.mark.parametrize("said", ["9" * 5000, "Fri, 31 Dec 9999 23:59:59 -2359"])
async def test_no_push_service_makes_a_message_wait_for_more_than_a_day(
    tmp_path: Path, said: str
) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe()
        r.service.replies.append(Reply(429, {"Retry-After": said}))
        await r.ask(ttlSeconds=7 * 24 * 3600)
        await r.service.take(1)
        await r.until(lambda db: push_subscriptions.get(db, 1).error)
        (message,) = await r.messages()
        assert message.not_before is not None
        left = datetime.fromisoformat(message.not_before) - datetime.now(UTC)
        assert timedelta(hours=23) < left <= timedelta(seconds=LONGEST_RETRY)


async def test_a_service_that_no_resolver_takes_is_asked_in_vain_and_crashes_nothing(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe()
        await r.at.center.storage.write(
            lambda tx: push_subscriptions.update(tx, 1, endpoint="http://a..b/push/one")
        )
        await r.ask()
        error = await r.until(lambda db: push_subscriptions.get(db, 1).error)
        assert "no machine can be called a..b" in (error or "")
        assert 0 == r.at.center.system.snapshot_of("/webpush/outbox").restarts


async def test_a_push_service_that_never_answers_holds_up_no_other_browser(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path, call_seconds=600.0) as r:
        r.service.replies.append(Reply(None))
        await r.subscribe("slow")
        await r.ask("a")
        await r.service.take(1)
        await r.subscribe("other")
        await r.ask("b")
        assert "b" == (await r.service.take(2))[-1]["title"]
        assert "/push/other" == r.service.left[-1].path


async def test_one_that_takes_too_long_is_asked_again(tmp_path: Path) -> None:
    async with rig(tmp_path, call_seconds=0.05) as r:
        await r.subscribe()
        r.service.replies.append(Reply(None))
        await r.ask()
        await r.service.until(lambda: len(r.service.left) >= 2)
        await r.until_none_waits()


@pytest.mark.parametrize("status", [301, 400, 403, 413])
async def test_what_is_refused_for_good_is_not_sent_again(tmp_path: Path, status: int) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe()
        r.service.replies.append(Reply(status, {"Location": "/push/elsewhere"}))
        await r.ask("a")
        await r.ask("b")
        await r.service.take(2)
        failed, sent = await r.until_none_waits()
        assert ("failed", f"The push service answered {status}.") == (failed.status, failed.error)
        assert "sent" == sent.status
        assert {"/push/one"} == {left.path for left in r.service.left}  # no redirect is followed


async def test_a_name_that_leads_to_this_machine_is_not_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = []

    async def rebound(host: str, port: int, **_given: object) -> list[object]:
        looked_up.append(host)
        return [(0, 0, 0, "", ("127.0.0.1", port)), (0, 0, 0, "", ("::ffff:127.0.0.1", port))]

    async with rig(tmp_path, allows_private=False) as r:
        monkeypatch.setattr(trio.socket, "getaddrinfo", rebound)
        port = r.service.url.rpartition(":")[2]
        body = {**r.service.subscription(), "endpoint": f"https://push.example:{port}/push/one"}
        answer = await r.at.root.post("/api/push/subscriptions", json=body)
        assert 201 == answer.status_code, answer.text
        await r.ask()
        (ended,) = await r.at.rig.until_event("webpush.ended")
        assert "refused" == ended["data"]["why"]
        monkeypatch.undo()
        assert "push.example" in looked_up
        assert 0 == r.service.connections
