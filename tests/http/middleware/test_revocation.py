"""The end of a device's streams: also of one that begins after the access has ended."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from command_center.actors.devices.roster import Roster, hash_of
from command_center.http.middleware.revocation import Revocable
from command_center.http.wire.asgi import Message, Receive, Scope, Send
from command_center.http.wire.caller import CALLER, Caller
from command_center.store import Device
from command_center.store import Scope as DeviceScope

NOW = "2030-01-31T07:05:09.000Z"
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream")],
}


def a_device(*scopes: DeviceScope) -> Device:
    return Device(
        id=7,
        created_at=NOW,
        updated_at=NOW,
        name="Phone",
        scopes=list(scopes),
        expires_at=None,
        is_paired=False,
        last_seen_at=None,
        last_seen_from=None,
    )


@pytest.mark.parametrize("act", ["revoke", "narrow"])
async def test_a_stream_that_begins_after_its_devices_access_has_ended_ends_at_once(
    act: str,
) -> None:
    roster = Roster()
    roster.put(a_device("read"), hash_of("ccd_x"))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # What happens while it is found out where the stream begins.
        if act == "revoke":
            roster.remove(7)
        else:
            roster.put(a_device("work"))
        await send(START)
        await trio.sleep_forever()

    sent: list[Message] = []

    async def send(message: Message) -> None:
        await trio.lowlevel.checkpoint()
        sent.append(message)

    async def receive() -> Message:
        return await trio.sleep_forever()

    caller = Caller(7, "Phone", frozenset({"read"}))
    with trio.fail_after(30):
        await Revocable(app, roster)({"type": "http", CALLER: caller}, receive, send)
    assert [] == [message for message in sent if message.get("more_body")]
    assert "http.response.body" == sent[-1]["type"]


@pytest.mark.parametrize("act", ["revoke", "narrow"])
async def test_a_stream_ends_after_the_frame_that_is_on_its_way(act: str) -> None:
    roster = Roster()
    roster.put(a_device("read"), hash_of("ccd_x"))
    frame = {"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        while True:
            await send(frame)

    sent: list[Message] = []

    async def send(message: Message) -> None:
        if message is frame:
            if act == "revoke":
                roster.remove(7)
            else:
                roster.put(a_device("work"))
        await trio.testing.wait_all_tasks_blocked()
        sent.append(message)

    async def receive() -> Message:
        return await trio.sleep_forever()

    caller = Caller(7, "Phone", frozenset({"read"}))
    with trio.fail_after(30):
        await Revocable(app, roster)({"type": "http", CALLER: caller}, receive, send)
    assert [START, frame] == sent[:-1]
    assert {"type": "http.response.body", "body": b"", "more_body": False} == sent[-1]
