"""/api/webhooks over real sockets: who is sent what, in which order, and what failures lead to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from command_center.actors.webhooks.settings import WebhookSettings
from command_center.runtime import Backoff
from tests.http.devices import Server, server
from tests.webhook_receiver import Receiver, Reply, webhook_receiver

WEBHOOKS = "/api/webhooks"
ASKED = ["approval.requested"]
SECRET = "whsec_" + "A" * 40


@attrs.frozen
class Rig:
    """A server, and a receiver."""

    at: Server
    receiver: Receiver

    async def make(self, path: str = "/", **wanted: Any) -> dict[str, Any]:
        """Make a webhook of the receiver."""
        body = {"url": self.receiver.url + path, "types": ASKED, **wanted}
        answer = await self.at.root.post(WEBHOOKS, json=body)
        assert 201 == answer.status_code, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def ask(self, *titles: str) -> None:
        """Let things happen."""
        for title in titles:
            answer = await self.at.root.post("/api/approvals", json={"title": title})
            assert 201 == answer.status_code, answer.text

    async def get(self, path: str) -> Any:
        """Return what is shown there."""
        answer = await self.at.root.get(path)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    async def act(self, path: str, body: object = None, method: str = "POST") -> Any:
        """Do something that is taken."""
        answer = await self.at.root.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def deliveries(self, count: int, status: str = "delivered") -> list[dict[str, Any]]:
        """Wait until so many have come to that, and return all, the oldest first."""
        with trio.fail_after(60):
            while True:
                found: list[Any] = (await self.get(f"{WEBHOOKS}/1/deliveries"))["items"]
                if sum(one["status"] == status for one in found) >= count:
                    return found[::-1]


@asynccontextmanager
async def rig(folder: Path, **more: Any) -> AsyncIterator[Rig]:
    quick: dict[str, Any] = {
        "allows_private": True,
        "backoff": Backoff(initial=0.01, cap=0.05, jitter=0.0),
        **more,
    }
    async with (
        webhook_receiver() as receiver,
        server(folder, webhooks=WebhookSettings(**quick)) as at,
    ):
        yield Rig(at, receiver)


def titles(receiver: Receiver, path: str = "/") -> list[str]:
    return [delivery.event["data"]["title"] for delivery in receiver.at(path)]


async def test_events_of_the_types_come_in_order_signed_and_as_the_log_has_them(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await r.ask("before")
        made = await r.make()
        await r.ask("a", "b", "c")
        came = await r.receiver.take(3)
        assert ["a", "b", "c"] == titles(r.receiver)
        assert [True] * 3 == [one.is_signed_by(made["secret"]) for one in came]
        assert not came[0].is_signed_by(SECRET)
        shown = await r.at.events("approval.requested")
        assert shown[1:] == [one.event for one in came]
        log_id = r.at.center.log_id
        wanted = [f"{log_id}-{one.event['id']}" for one in came]
        assert wanted == [one.headers["webhook-id"] for one in came]
        listed = await r.deliveries(3)
        assert [204] * 3 == [one["responseStatus"] for one in listed]
        now = await r.get(f"{WEBHOOKS}/1")
        assert (came[-1].event["id"], None) == (now["position"], now["error"])


async def test_the_secret_is_shown_once_and_no_event_tells_it_or_the_path(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        answer = await r.at.root.post(
            WEBHOOKS, json={"url": f"{r.receiver.url}/hidden", "types": ["*"]}
        )
        assert f"{WEBHOOKS}/1" == answer.headers["Location"]
        secret = answer.json()["secret"]
        patched = await r.act(f"{WEBHOOKS}/1", {"secret": "another-secret-of-mine"}, "PATCH")
        texts = [
            str(patched),
            str(await r.get(WEBHOOKS)),
            str(await r.get(f"{WEBHOOKS}/1")),
            str(told := await r.at.events("webhook.created", "webhook.updated")),
        ]
        assert [] == [text for text in texts if secret in text or "another-secret" in text]
        assert "hidden" not in str(told)
        assert [r.receiver.url, ["secret"]] == [
            told[0]["data"]["origin"],
            told[1]["data"]["changed"],
        ]
        with trio.fail_after(60):
            await r.receiver.until(lambda: len(r.receiver.at("/hidden")) >= 2)


async def test_a_failure_holds_back_what_comes_after_it_until_it_is_taken(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.receiver.replies.extend([Reply(500), Reply(302, {"Location": "/elsewhere"}), Reply(400)])
        await r.make()
        await r.ask("a", "b")
        await r.receiver.take(5)
        assert ["a"] * 4 + ["b"] == titles(r.receiver)
        assert {"/"} == {one.path for one in r.receiver.came}
        assert 1 == len({one.headers["webhook-id"] for one in r.receiver.came[:4]})
        first, second = await r.deliveries(2)
        assert (4, 1) == (first["attempts"], second["attempts"])


async def test_one_that_never_answers_holds_up_no_other(tmp_path: Path) -> None:
    async with rig(tmp_path, call_seconds=0.2) as r:
        r.receiver.by_path["/slow"] = Reply(None)
        await r.make("/slow")
        await r.make("/quick")
        await r.ask("a", "b", "c")
        await r.receiver.take(3, "/quick")
        assert {"a"} == set(titles(r.receiver, "/slow"))
        waiting = (await r.deliveries(1, "waiting"))[0]
        assert "no answer within 0.2 seconds" in waiting["error"]


async def test_a_day_of_failures_pauses_it_and_resuming_sends_what_it_missed(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path, pause_seconds=0.1) as r:
        r.receiver.by_path["/"] = Reply(503)
        await r.make()
        await r.ask("a")
        (told,) = await r.at.rig.until_event("webhook.paused")
        assert "It answered 503." == told["data"]["reason"]
        paused = await r.get(f"{WEBHOOKS}/1")
        assert ("paused", "It answered 503.") == (paused["status"], paused["pausedReason"])
        await r.ask("b")
        r.receiver.by_path.clear()
        r.receiver.came.clear()
        await r.act(f"{WEBHOOKS}/1", {"status": "active"}, "PATCH")
        await r.receiver.take(2)
        assert ["a", "b"] == titles(r.receiver)
        now = await r.get(f"{WEBHOOKS}/1")
        assert ("active", None) == (now["status"], now["pausedReason"])


async def test_one_that_is_gone_is_paused_at_once(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.receiver.replies.append(Reply(410))
        await r.make()
        await r.ask("a")
        (told,) = await r.at.rig.until_event("webhook.paused")
        assert "It answered 410." == told["data"]["reason"]
        assert 1 == len(r.receiver.came)


async def test_a_receiver_says_when_to_come_back_and_a_change_hurries_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.receiver.replies.append(Reply(429, {"Retry-After": "1800"}))
        await r.make()
        await r.ask("a")
        (waiting,) = await r.deliveries(1, "waiting")
        assert waiting["notBefore"] > waiting["updatedAt"]
        await r.act(f"{WEBHOOKS}/1", {"url": f"{r.receiver.url}/new"}, "PATCH")
        await r.receiver.take(1, "/new")
        assert ["a"] == titles(r.receiver, "/new")


async def test_the_log_is_replayed_from_where_one_likes(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.ask("before")
        await r.make()
        await r.ask("a", "b")
        await r.receiver.take(2)
        await r.deliveries(2)
        await r.act(f"{WEBHOOKS}/1/replay", {"after": 0})
        await r.receiver.take(5)
        assert ["a", "b", "before", "a", "b"] == titles(r.receiver)
        assert {"after": 0, "id": 1} == (await r.at.events("webhook.replayed"))[0]["data"]
        refused = await r.at.root.post(f"{WEBHOOKS}/1/replay", json={"after": 10_000})
        assert (409, "The last event is") == (
            refused.status_code,
            refused.json()["error"]["message"][:17],
        )


async def test_what_a_receiver_never_takes_is_passed_over_by_its_id(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.receiver.replies.append(Reply(400, {"Retry-After": "1800"}))
        await r.make()
        await r.ask("poison", "good")
        (waiting,) = await r.deliveries(1, "waiting")
        await r.act(f"{WEBHOOKS}/1/replay", {"after": waiting["eventId"]})
        await r.receiver.take(2)
        assert ["poison", "good"] == titles(r.receiver)
        assert ["passed_over", "delivered"] == [one["status"] for one in await r.deliveries(1)]


async def test_one_delivery_is_sent_again_and_a_test_comes_whatever_the_types_are(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await r.make()
        await r.ask("a", "b")
        first, _ = await r.deliveries(2)
        await r.act(f"{WEBHOOKS}/1", {"status": "paused"}, "PATCH")
        again = await r.act(f"{WEBHOOKS}/1/deliveries/{first['id']}/resend")
        assert (True, "waiting", first["eventId"]) == (
            again["isByHand"],
            again["status"],
            again["eventId"],
        )
        assert ["a", "b", "a"] == [one.event["data"]["title"] for one in await r.receiver.take(3)]
        r.receiver.replies.append(Reply(500))
        await r.act(f"{WEBHOOKS}/1/test", {"requestedBy": "me"})
        *_, tested = await r.receiver.take(4)
        assert ("webhook.tested", "me") == (tested.event["type"], tested.event["actor"])
        (failed,) = [o for o in await r.deliveries(1, "failed") if o["status"] == "failed"]
        assert (500, "It answered 500.") == (failed["responseStatus"], failed["error"])


async def test_other_types_count_from_now_on(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.make(types=["approval.resolved"])
        await r.ask("old")
        await r.act(f"{WEBHOOKS}/1", {"types": ASKED}, "PATCH")
        await r.ask("new")
        await r.receiver.take(1)
        assert ["new"] == titles(r.receiver)


async def test_who_deletes_it_is_sent_nothing_more(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.receiver.by_path["/"] = Reply(500)
        await r.make()
        await r.ask("a")
        await r.receiver.take(1)
        await r.act(f"{WEBHOOKS}/1", method="DELETE")
        assert [] == (await r.get(WEBHOOKS))["items"]
        assert 404 == (await r.at.root.get(f"{WEBHOOKS}/1/deliveries")).status_code
        (told,) = await r.at.events("webhook.deleted")
        assert {"id": 1, "origin": r.receiver.url} == told["data"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://hooks.example/a"}, "url"),
        ({"url": "https://127.0.0.1/a"}, "url"),
        ({"url": "https://a:b@hooks.example/a"}, "url"),
        ({"url": "https://10.0.0.1/a"}, "url"),
        ({"types": ["session.finished"]}, "types"),
        ({"types": ["session.output.delta"]}, "types"),
        ({"types": []}, "types"),
        ({"secret": "whsec_!!!!!!!!!!!!!!!!"}, "secret"),
        ({"secret": "short"}, "secret"),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    tmp_path: Path, body: dict[str, Any], field: str
) -> None:
    async with rig(tmp_path, allows_private=False) as r:
        wanted = {"url": "https://hooks.example/a", "types": ASKED, **body}
        answer = await r.at.root.post(WEBHOOKS, json=wanted)
        assert (400, field) == (
            answer.status_code,
            answer.json()["error"]["details"][0]["path"].partition("[")[0].partition(".")[0],
        )


async def test_a_name_that_leads_to_this_machine_is_not_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rebound(_host: str, port: int, **_given: object) -> list[object]:
        return [(0, 0, 0, "", ("127.0.0.1", port)), (0, 0, 0, "", ("::ffff:127.0.0.1", port))]

    async with rig(tmp_path, allows_private=False) as r:
        monkeypatch.setattr(trio.socket, "getaddrinfo", rebound)
        port = r.receiver.url.rpartition(":")[2]
        await r.act(WEBHOOKS, {"url": f"https://hooks.example:{port}/", "types": ASKED})
        await r.ask("a")
        (waiting,) = await r.deliveries(1, "waiting")
        assert "CC_WEBHOOK_PRIVATE_ADDRESSES=allow" in waiting["error"]
        assert [] == r.receiver.came


async def test_only_who_has_admin_sees_or_makes_one(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        device = await r.at.device("read", "work", "approve", "land", "operate")
        async with r.at.client(device) as http:
            body = {"url": f"{r.receiver.url}/", "types": ASKED}
            answers = [await http.get(WEBHOOKS), await http.post(WEBHOOKS, json=body)]
            assert [403, 403] == [answer.status_code for answer in answers]
