"""People are told by Apprise, at a place of its that speaks the wire on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from command_center.actors.notify.places import UnknownPlace, places_of
from command_center.actors.notify.settings import NotifySettings
from command_center.runtime import Backoff
from command_center.store import NotifyMessage, notify_messages
from tests.http.devices import Server, server
from tests.webhook_receiver import Receiver, Reply, webhook_receiver

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

PAGE = "https://box.example"


@asynccontextmanager
async def told(folder: Path, *paths: str, **more: Any) -> AsyncIterator[tuple[Server, Receiver]]:
    """A server that tells these places of a receiver."""
    async with webhook_receiver() as receiver:
        urls = [f"json{receiver.url.removeprefix('http')}{path}" for path in paths]
        quick = Backoff(initial=0.01, cap=0.05, jitter=0.0)
        settings = NotifySettings(targets=places_of(urls), page=PAGE, **{"backoff": quick, **more})
        async with server(folder, notify=settings) as at:
            yield at, receiver


async def ask(at: Server, title: str) -> None:
    answer = await at.root.post("/api/approvals", json={"title": title})
    assert 201 == answer.status_code, answer.text


async def messages(at: Server, count: int, status: str) -> list[NotifyMessage]:
    """Wait until so many have come to that, and return all."""
    with trio.fail_after(60):
        while True:
            found = await at.center.storage.read(lambda db: notify_messages.every(db, {}))
            if sum(message.status == status for message in found) >= count:
                return found


def titles(receiver: Receiver, path: str) -> list[str]:
    return [delivery.event["title"] for delivery in receiver.at(path)]


async def test_each_place_is_told_with_a_link_that_opens_the_approval(tmp_path: Path) -> None:
    async with told(tmp_path, "/one", "/two") as (at, receiver):
        await ask(at, "Deploy?")
        for path in ("/one", "/two"):
            (came,) = await receiver.take(1, path)
            assert ("Deploy?", f"{PAGE}/#/approvals/1") == (
                came.event["title"],
                came.event["message"],
            )
        sent = await messages(at, 2, "sent")
        assert {("approvals", 1)} == {(one.purpose, one.attempts) for one in sent}


async def test_a_place_that_does_not_take_it_is_asked_again_and_the_others_are_told(
    tmp_path: Path,
) -> None:
    async with told(tmp_path, "/slow", "/quick", call_seconds=0.3) as (at, receiver):
        receiver.by_path["/slow"] = Reply(500)
        for title in ("a", "b"):
            await ask(at, title)
        await receiver.take(2, "/quick")
        assert ["a", "b"] == titles(receiver, "/quick")
        await receiver.take(2, "/slow")
        assert {"a"} == {*titles(receiver, "/slow")}
        shown = (await at.root.get("/api/notify/targets")).json()["items"]
        assert [True, False] == [one["error"] is not None for one in shown]
        receiver.by_path.clear()
        await messages(at, 4, "sent")
        assert "b" == titles(receiver, "/slow")[-1]


async def test_one_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    async with told(tmp_path, "/hangs?rto=2", "/quick", call_seconds=0.5) as (at, receiver):
        receiver.by_path["/hangs"] = Reply(None)
        for title in ("a", "b"):
            await ask(at, title)
        await receiver.take(2, "/quick")
        with trio.fail_after(60):
            while not (errors := {one.error for one in await messages(at, 2, "waiting")} - {None}):
                await trio.lowlevel.checkpoint()
        assert {"JSON did not answer within 0.5 seconds."} == errors


async def test_what_was_decided_meanwhile_is_not_asked(tmp_path: Path) -> None:
    async with told(tmp_path, "/one") as (at, receiver):
        receiver.by_path["/one"] = Reply(500)
        await ask(at, "a")
        await receiver.take(1, "/one")
        await at.root.post("/api/approvals/1/resolve", json={"status": "approved"})
        (failed,) = await messages(at, 1, "failed")
        assert "It was no news any more." == failed.error


async def test_a_place_is_told_only_of_the_kinds_that_are_chosen_for_it(tmp_path: Path) -> None:
    async with told(tmp_path, "/one", "/two") as (at, receiver):
        first = (await at.root.get("/api/notify/targets")).json()["items"][0]
        assert "approvals" in first["kinds"]
        others = [kind for kind in first["kinds"] if kind != "approvals"]
        path = "/api/notify/targets/1"
        for _ in range(2):  # the second changes nothing
            answer = await at.root.patch(path, json={"kinds": others, "requestedBy": "ada"})
            assert (200, others) == (answer.status_code, answer.json()["kinds"])
        (event,) = await at.events("notify.updated")
        changed = {"kinds": {"from": first["kinds"], "to": others}}
        assert ({"id": 1, "service": "JSON", "changes": changed}, "ada") == (
            event["data"],
            event["actor"],
        )
        await ask(at, "Deploy?")
        await receiver.take(1, "/two")
        await at.root.patch(path, json={"kinds": first["kinds"]})
        await ask(at, "Once more?")
        await receiver.take(1, "/one")
        assert ["Once more?"] == titles(receiver, "/one")
        assert 400 == (await at.root.patch(path, json={"kinds": ["nonsense"]})).status_code
        missing = await at.root.patch("/api/notify/targets/3", json={"kinds": []})
        assert 404 == missing.status_code


async def test_a_test_arrives_and_only_who_has_admin_may_send_it(tmp_path: Path) -> None:
    async with told(tmp_path, "/one") as (at, receiver):
        answer = await at.root.post("/api/notify/targets/1/test")
        assert (202, "JSON") == (answer.status_code, answer.json()["service"])
        await receiver.take(1, "/one")
        assert ["A test"] == titles(receiver, "/one")
        assert 404 == (await at.root.post("/api/notify/targets/2/test")).status_code
        async with at.client(await at.device("read", "work")) as http:
            assert 403 == (await http.get("/api/notify/targets")).status_code
            patched = await http.patch("/api/notify/targets/1", json={"kinds": []})
            assert 403 == patched.status_code


async def test_without_places_there_is_nobody_to_tell(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        assert {"items": []} == (await at.root.get("/api/notify/targets")).json()
        for answer in (
            await at.root.post("/api/notify/targets/1/test"),
            await at.root.patch("/api/notify/targets/1", json={"kinds": []}),
        ):
            assert 409 == answer.status_code
            assert "CC_NOTIFY_URLS" in answer.json()["error"]["message"]


def test_a_place_is_shown_without_what_is_secret() -> None:
    url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#builds"
    (place,) = places_of([url])
    assert ("Slack", True) == (place.service, "TIiajkdnlazkcOXrIdevi7FQ" not in place.shown)
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in repr(place)


@pytest.mark.parametrize("url", ["nonsense://a", "slack://", "mailto://"])
def test_what_apprise_does_not_know_is_refused_by_its_position(url: str) -> None:
    with pytest.raises(UnknownPlace, match="URL 2 is none") as caught:
        places_of(["json://127.0.0.1/a", url])
    assert url not in str(caught.value)
