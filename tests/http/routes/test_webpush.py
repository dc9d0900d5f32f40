"""/api/push over real sockets: who is told what, and what a notification decides."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from command_center.actors.webpush.capabilities import capability_of
from command_center.actors.webpush.encryption import application_server_key
from command_center.actors.webpush.settings import make_key
from command_center.store import push_messages, push_subscriptions
from tests.actors.webpush.rig import KEY, Rig, rig
from tests.http.devices import server
from tests.push_service import Keys, b64

ALL = [
    *("approvals", "questions", "warnings", "sessions", "interrupted"),
    *("limits", "automations", "system"),
]
SUBSCRIPTIONS = "/api/push/subscriptions"
DECISIONS = "/api/push/decisions"


async def test_a_server_without_the_extra_says_so(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        body = {"endpoint": "https://push.example/a", "keys": Keys().shown}
        answers = [
            await at.root.get("/api/push/key"),
            await at.root.post(SUBSCRIPTIONS, json=body),
            await at.root.post(DECISIONS, json={"capability": "a", "status": "approved"}),
        ]
        assert [409, 409, 409] == [answer.status_code for answer in answers]
        said = {answer.json()["error"]["message"] for answer in answers}
        assert {True} == {"command-center[push]" in message for message in said}
        assert [] == (await at.root.get(SUBSCRIPTIONS)).json()["items"]


async def test_a_browser_is_subscribed_and_shown_without_what_could_be_used(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        key = (await r.at.root.get("/api/push/key")).json()
        assert {"key": application_server_key(KEY)} == key
        body = {**r.service.subscription(), "kinds": ["questions", "approvals"]}
        answer = await r.at.root.post(SUBSCRIPTIONS, json=body)
        assert (201, f"{SUBSCRIPTIONS}/1") == (answer.status_code, answer.headers["Location"])
        shown = answer.json()
        assert shown == (await r.at.root.get(f"{SUBSCRIPTIONS}/1")).json()
        assert (r.service.url, ["approvals", "questions"]) == (shown["service"], shown["kinds"])
        for secret in (body["endpoint"], *body["keys"].values()):
            assert secret not in answer.text
        (told,) = await r.at.events("webpush.subscribed")
        assert {"id": 1, "deviceId": None, "service": r.service.url, "kinds": shown["kinds"]} == (
            told["data"]
        )


async def test_one_that_is_subscribed_again_keeps_its_preferences(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        made = await r.subscribe(kinds=["sessions"], quietHours="22:00-07:00")
        again = await r.subscribe()
        for field in ("id", "kinds", "quietHours"):
            assert made[field] == again[field]
        assert 1 == len(await r.at.events("webpush.subscribed"))


async def test_a_new_endpoint_takes_over_the_preferences_of_the_one_before(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe("old", kinds=["sessions"], quietHours="22:00-07:00", timeZone="UTC")
        made = await r.subscribe("new", replaces=r.service.subscription("old")["endpoint"])
        assert (["sessions"], "22:00-07:00", "UTC") == (
            made["kinds"],
            made["quietHours"],
            made["timeZone"],
        )
        assert [made] == (await r.at.root.get(SUBSCRIPTIONS)).json()["items"]


async def test_a_device_sees_and_changes_its_own_browsers_alone(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        phone, other = await r.at.device("read"), await r.at.device("read", "approve")
        async with r.at.client(phone) as mine, r.at.client(other) as theirs:
            made = await r.subscribe("phone", mine)
            assert phone["id"] == made["deviceId"]
            path = f"{SUBSCRIPTIONS}/{made['id']}"
            for answer in (
                await theirs.get(path),
                await theirs.patch(path, json={"kinds": []}),
                await theirs.post(f"{path}/test"),
                await theirs.delete(path),
            ):
                assert 404 == answer.status_code
            assert [] == (await theirs.get(SUBSCRIPTIONS)).json()["items"]
            stolen = {**r.service.subscription("phone"), "keys": Keys().shown}
            assert 409 == (await theirs.post(SUBSCRIPTIONS, json=stolen)).status_code
            changed = await mine.patch(path, json={"kinds": [], "quietHours": "22:00-07:00"})
            assert ([], "22:00-07:00") == (
                changed.json()["kinds"],
                changed.json()["quietHours"],
            )
            assert 200 == (await r.at.root.get(path)).status_code
            (told,) = await r.at.events("webpush.updated")
            assert {
                "kinds": {"from": ALL, "to": []},
                "quietHours": {"from": None, "to": "22:00-07:00"},
            } == (told["data"]["changes"])
            assert str(told["device"]).startswith(f"device:{phone['id']} ")
            assert 200 == (await mine.delete(path)).status_code
            (told,) = await r.at.events("webpush.ended")
            assert "unsubscribed" == told["data"]["why"]


async def test_a_revoked_device_is_told_no_more_from_that_very_moment(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        phone = await r.at.device("read", "approve")
        async with r.at.client(phone) as mine:
            await r.subscribe("phone", mine)
        await r.ask("before")
        (told,) = await r.service.take(1)
        await r.at.root.delete(f"/api/devices/{phone['id']}")
        revoked, ended = await r.at.events("device.revoked", "webpush.ended")
        assert {revoked["correlationId"]} == {ended["correlationId"]}
        assert "revoked" in {one["data"].get("why") for one in (revoked, ended)}
        await r.subscribe("root")
        await r.ask("after")
        assert ["before", "after"] == [one["title"] for one in await r.service.take(2)]
        decision = {"capability": told["capability"], "status": "approved"}
        assert 409 == (await r.at.root.post(DECISIONS, json=decision)).status_code


async def test_a_device_that_may_see_nothing_or_has_expired_is_not_told(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        phone = await r.at.device("read", "work")
        async with r.at.client(phone) as mine:
            await r.subscribe("phone", mine)
        await r.at.root.patch(f"/api/devices/{phone['id']}", json={"scopes": ["work"]})
        await r.subscribe("root")
        await r.ask()
        await r.service.take(1)
        await r.until_none_waits()
        assert {"/push/root"} == {left.path for left in r.service.left}


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("endpoint", "https://127.0.0.1/a", "endpoint"),
        ("endpoint", "http://push.example/a", "endpoint"),
        ("endpoint", "ftp://push.example/a", "endpoint"),
        ("keys", {"p256dh": "B" + "A" * 86, "auth": b64(b"a" * 16)}, "keys.p256dh"),
        ("keys", {**Keys().shown, "auth": "short"}, "keys.auth"),
        ("kinds", ["weather"], "kinds.0"),
        ("quietHours", "25:00-07:00", "quietHours"),
        ("quietHours", "07:00-07:00", "quietHours"),
        ("timeZone", "Mars/Olympus", "timeZone"),
    ],
)
async def test_a_subscription_that_cannot_be_used_is_refused(
    tmp_path: Path, field: str, value: Any, path: str
) -> None:
    async with rig(tmp_path, allows_private=False) as r:
        body = {"endpoint": "https://push.example/a", "keys": Keys().shown, field: value}
        answer = await r.at.root.post(SUBSCRIPTIONS, json=body)
        assert 400 == answer.status_code, answer.text
        assert path in answer.text.replace("[0]", ".0")


async def test_a_test_reaches_the_one_browser(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe("one")
        await r.subscribe("two")
        assert 202 == (await r.at.root.post(f"{SUBSCRIPTIONS}/2/test")).status_code
        (told,) = await r.service.take(1)
        assert ("A test", "/push/two") == (told["title"], r.service.left[0].path)


async def decide(r: Rig, http: Any, capability: str, status: str = "approved") -> Any:
    return await http.post(DECISIONS, json={"capability": capability, "status": status})


async def test_a_notification_decides_the_approval_that_it_shows_once(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        phone = await r.at.device("read", "approve")
        async with r.at.client(phone) as mine:
            await r.subscribe("phone", mine)
            await r.ask("a")
            await r.ask("b")
            first, second = await r.service.take(2)
            answer = await decide(r, mine, first["capability"])
            assert 200 == answer.status_code, answer.text
            assert (1, "approved") == (answer.json()["id"], answer.json()["status"])
            (told,) = await r.at.events("approval.resolved")
            assert ("notification", 1) == (told["actor"], told["approvalId"])
            assert str(told["device"]).startswith(f"device:{phone['id']} ")
            again = await decide(r, mine, first["capability"], "rejected")
            assert 409 == again.status_code
            answer = await decide(r, mine, second["capability"], "rejected")
            assert (2, "rejected") == (answer.json()["id"], answer.json()["status"])


async def test_a_stolen_capability_decides_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        phone, thief = await r.at.device("read", "approve"), await r.at.device("read", "approve")
        looks = await r.at.device("read")
        async with (
            r.at.client(phone) as mine,
            r.at.client(thief) as theirs,
            r.at.client(looks) as blind,
        ):
            await r.subscribe("phone", mine)
            await r.ask("a")
            await r.ask("b")
            first, _ = await r.service.take(2)
            stolen = first["capability"]
            one, two = await r.messages()
            assert 409 == (await decide(r, theirs, stolen)).status_code
            assert 409 == (await decide(r, r.at.root, stolen)).status_code
            assert 403 == (await decide(r, blind, stolen)).status_code
            number, _, proof = stolen.partition(".")
            for made_up in (
                f"{two.id}.{proof}",
                f"{number}.{'0' * 64}",
                f"99.{proof}",
                capability_of(make_key(), one),
                "a",
                f"{number}.{proof}é",
            ):
                assert 409 == (await decide(r, mine, made_up)).status_code
            assert [] == await r.at.events("approval.resolved")
            stored = await r.at.center.storage.read(
                lambda db: [*push_messages.every(db, {}), *push_subscriptions.every(db, {})]
            )
            assert proof not in repr(stored)
            assert 200 == (await decide(r, mine, stolen)).status_code


async def test_a_device_that_may_not_approve_is_shown_no_buttons(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        looks = await r.at.device("read")
        async with r.at.client(looks) as blind:
            await r.subscribe("looks", blind)
        await r.ask()
        (told,) = await r.service.take(1)
        assert "capability" not in told


@pytest.mark.parametrize(
    ("kind", "details", "has_buttons"),
    [
        ("command", {"script": "make test"}, True),
        ("command", {"script": "make test", "beyondRun": ["This session may not commit."]}, False),
        ("command", {"script": "curl a.b", "network": True}, False),
        ("command", {"script": "a\nb"}, False),
        ("command", {"script": "a" * 301}, False),
        ("command", {}, False),
        ("file_change", {"files": [{"path": "a.py"}]}, True),
        ("file_change", {"files": [{"path": "a.py"}], "beyondRun": ["It may not write."]}, False),
        ("file_change", {"files": [{"path": "a.py"}], "grantRoot": "/srv"}, False),
        ("run", {"sandbox": "workspace-write"}, True),
        ("run", {"sandbox": "danger-full-access"}, False),
        ("permissions", {"write": ["/srv"]}, False),
        ("trust", {"diff": "a"}, False),
        ("setup", {"diff": "a"}, False),
        ("push", {}, False),
        ("user_input", {"questions": []}, False),
        ("elicitation", {"message": "a"}, False),
    ],
)
async def test_what_a_notification_cannot_show_whole_or_goes_further_has_no_buttons(
    tmp_path: Path,
    kind: str,
    details: dict[str, Any],
    has_buttons: bool,  # noqa: FBT001 - it is a column of the table
) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe()
        await r.ask_as(kind, details)
        (told,) = await r.service.take(1)
        assert has_buttons is ("capability" in told)
        (message,) = await r.messages()
        forged = {"capability": capability_of(KEY, message), "status": "approved"}
        answer = await r.at.root.post(DECISIONS, json=forged)
        assert has_buttons is (answer.status_code == 200)


async def test_what_was_settled_elsewhere_is_taken_away_but_not_where_it_was_decided(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe("one")
        await r.subscribe("two")
        await r.subscribe("three", kinds=["sessions"])
        await r.ask("Deploy?")
        told = await r.service.take(2)
        by = {left.path: one for left, one in zip(r.service.left, told, strict=True)}
        await decide(r, r.at.root, by["/push/one"]["capability"])
        await r.service.take(3)
        await r.until_none_waits()
        (left,) = r.service.left[2:]
        assert "/push/two" == left.path
        assert {
            "title": "Deploy?",
            "body": "Approved by notification.",
            "where": "/approvals/1",
            "silent": True,
            "settled": True,
        } == r.service.read(left)
        topics = {one.path: one.headers["topic"] for one in r.service.left[:2]}
        assert topics["/push/two"] == left.headers["topic"]


async def test_kinds_and_quiet_hours_are_those_of_the_browser(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        await r.subscribe("asked", kinds=["questions"])
        hour = datetime.now(ZoneInfo("Asia/Tokyo")).hour
        hours = f"{(hour - 1) % 24:02}:00-{(hour + 2) % 24:02}:00"
        await r.subscribe("quiet", quietHours=hours, timeZone="Asia/Tokyo")
        await r.subscribe("loud", quietHours=hours, timeZone="Europe/Berlin")
        await r.ask_as("user_input", {"questions": []})
        await r.service.take(3)
        silent = {left.path: r.service.read(left)["silent"] for left in r.service.left}
        assert {"/push/asked": False, "/push/quiet": True, "/push/loud": False} == silent
        urgencies = {left.path: left.headers["urgency"] for left in r.service.left}
        for path, is_silent in silent.items():
            assert ("normal" if is_silent else "high") == urgencies[path]
