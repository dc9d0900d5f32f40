"""An inbox joins what can be joined, drops what it must, and says so."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.codex.inbox import MAX_QUEUED, Inbox
from command_center.actors.codex.messages import (
    CodexAgentHeard,
    CodexLagged,
    CodexNotification,
    CodexServerRequest,
    ThreadMessage,
)
from command_center.actors.codex.open_requests import MAX_OPEN
from command_center.actors.codex.protocol import Notification, ServerRequest
from command_center.actors.codex.routing import AnyInbox, Routes
from command_center.actors.contracts.bridges import (
    BridgeWarned,
)
from command_center.runtime import ActorRef


class Ref:
    """Stands for a handle: an inbox only passes it on."""

    def __init__(self, path: str = "/sessions/1") -> None:
        self.path = path

    async def tell(self, message: object) -> None:
        """Take it in."""


def ref(path: str = "/sessions/1") -> ActorRef[Any]:
    return cast("ActorRef[Any]", Ref(path))


def inbox() -> Inbox[ThreadMessage]:
    to = ref()
    return Inbox("t", to, to.tell)


def told(method: str, **params: Any) -> CodexNotification:
    return CodexNotification("t", method, params)


def delta(text: str, item: str = "i") -> CodexNotification:
    return told("item/agentMessage/delta", turnId="u", itemId=item, delta=text)


async def take_all(box: AnyInbox) -> list[Any]:
    taken = []
    while len(box):
        taken.append(await box.first())
        box.sent()
    return taken


async def test_texts_that_grow_one_item_are_joined_while_they_wait() -> None:
    box = inbox()
    for message in (delta("a"), delta("b"), delta("c", item="j"), delta("d", item="j")):
        box.notify(message, 10)
    assert await take_all(box) == [delta("ab"), delta("cd", item="j")]


async def test_of_a_value_only_the_newest_waits() -> None:
    box = inbox()
    for version in range(3):
        box.notify(told("turn/diff/updated", diff=str(version)), 10)
    assert await take_all(box) == [told("turn/diff/updated", diff="2")]


async def test_nothing_is_joined_over_another_message() -> None:
    box = inbox()
    messages = [delta("a"), told("item/completed", item={"id": "i"}), delta("b")]
    for message in messages:
        box.notify(message, 10)
    assert await take_all(box) == messages


async def test_a_message_that_is_on_its_way_is_not_changed_and_not_lost() -> None:
    box = inbox()
    box.notify(delta("a"), 10)
    leaving = await box.first()
    box.notify(delta("b"), 10)
    assert leaving == delta("a")
    assert await box.first() == delta("a")
    box.sent()
    assert await take_all(box) == [delta("b")]


async def test_a_full_inbox_drops_notifications_says_how_many_and_keeps_requests() -> None:
    box = inbox()
    request = CodexServerRequest("t", "c:0", "m", {})
    box.notify(told("item/started", n=-1), 10)
    box.tell(request)
    for n in range(MAX_QUEUED * 2):
        box.notify(told("item/started", n=n), 10)
    taken = await take_all(box)
    kept = [message for message in taken if isinstance(message, CodexNotification)]
    assert taken[0] == CodexLagged("t", MAX_QUEUED * 2 + 1 - len(kept))
    assert taken[1] == request
    assert kept[-1] == told("item/started", n=MAX_QUEUED * 2 - 1)


async def test_an_inbox_is_bounded_in_bytes_too() -> None:
    box = inbox()
    for n in range(5):
        box.notify(told("item/completed", n=n), 10_000_000)
    taken = await take_all(box)
    assert taken[0] == CodexLagged("t", 3)
    assert taken[1:] == [told("item/completed", n=3), told("item/completed", n=4)]


@given(st.lists(st.tuples(st.sampled_from(["i", "j"]), st.text(max_size=3)), max_size=50))
def test_no_text_is_lost_by_joining(parts: list[tuple[str, str]]) -> None:
    box = inbox()
    for item, text in parts:
        box.notify(delta(text, item), 1)
    texts = {"i": "", "j": ""}
    while len(box):
        message = cast("CodexNotification", box._take())
        texts[message.params["itemId"]] += message.params["delta"]
    for item, text in texts.items():
        assert text == "".join(part for key, part in parts if key == item)


def test_requests_that_nobody_answers_are_bounded() -> None:
    routes = Routes()
    routes.connected("1", None)
    taken = [
        routes.request(ServerRequest(n, "m", {"threadId": "t"}), "t") for n in range(MAX_OPEN + 5)
    ]
    assert taken == [True] * MAX_OPEN + [False] * 5


def test_threads_that_start_each_other_in_a_circle_end_no_search() -> None:
    routes = Routes()
    routes.connected("1", None)
    for child, parent in (("a", "b"), ("b", "a")):
        started = {"thread": {"id": child, "parentThreadId": parent}}
        routes.notification(Notification("thread/started", started), 10)
    assert routes.request(ServerRequest(1, "m", {"threadId": "a"}), "a")


V1 = {"type": "collabAgentToolCall", "tool": "spawnAgent", "receiverThreadIds": ["agent"]}
V2 = {"type": "subAgentActivity", "kind": "started", "agentThreadId": "agent", "agentPath": "/a"}


@pytest.mark.parametrize("item", [V1, V2], ids=["v1", "v2"])
async def test_what_a_sub_agent_asks_is_asked_of_the_thread_that_started_it(
    item: dict[str, Any],
) -> None:
    routes = Routes()
    routes.connected("1", None)
    attached = routes.attach("t", ref())
    routes.request(ServerRequest(1, "m", {"threadId": "agent"}), "agent")
    assert 0 == len(attached)
    assert ["agent"] == routes.take_unknown()
    spawned = {"threadId": "t", "item": item}
    routes.notification(Notification("item/completed", spawned), 10)
    routes.request(ServerRequest(2, "m", {"threadId": "agent"}), "agent")
    asked = [m for m in await take_all(attached) if isinstance(m, CodexServerRequest)]
    assert ["agent", "agent"] == [request.thread_id for request in asked]


async def test_what_a_sub_agent_does_and_uses_is_told_to_the_thread_that_started_it() -> None:
    routes = Routes()
    attached = routes.attach("t", ref())
    started = {"thread": {"id": "agent", "parentThreadId": "t"}}
    routes.notification(Notification("thread/started", started), 10)
    assert [CodexAgentHeard("t")] == await take_all(attached)
    said = {"threadId": "agent", "itemId": "i", "delta": "Working."}
    for _ in range(3):
        routes.notification(Notification("item/agentMessage/delta", said), 10)
    (growing,) = await take_all(attached)
    assert ("agent", "t", 3 * "Working.") == (
        growing.thread_id,
        growing.parent_id,
        growing.params["delta"],
    )
    usage = {"total": {"totalTokens": 7}, "last": {"totalTokens": 7}}
    told = {"threadId": "agent", "turnId": "u", "tokenUsage": usage}
    routes.notification(Notification("thread/tokenUsage/updated", told), 10)
    routes.notification(Notification("thread/tokenUsage/updated", {**told, "threadId": "t"}), 10)
    assert ["agent", "t"] == [message.thread_id for message in await take_all(attached)]
    for method in ("item/autoApprovalReview/completed", "hook/completed", "warning"):
        routes.notification(Notification(method, {"threadId": "agent", "turnId": "u"}), 10)
        assert [method] == [message.method for message in await take_all(attached)]
    assert 0 == routes.unrouted


async def test_what_an_unknown_thread_tells_is_held_in_order_until_its_family_is_known() -> None:
    routes = Routes()
    attached = routes.attach("t", ref())
    for number in (1, 2):
        item = {"threadId": "grandchild", "item": {"id": str(number), "type": "plan"}}
        routes.notification(Notification("item/completed", item), 10)
    assert ["grandchild"] == routes.take_unknown()
    routes.adopt("grandchild", "child")
    assert (["child"], 0) == (routes.take_unknown(), len(attached))
    routes.adopt("child", "t")
    told = await take_all(attached)
    assert ["1", "2"] == [message.params["item"]["id"] for message in told]
    assert 0 == routes.unrouted


async def test_a_thread_of_another_client_is_looked_up_once_and_holds_nothing() -> None:
    routes = Routes()
    attached = routes.attach("t", ref())
    item = {"threadId": "foreign", "item": {"id": "i", "type": "plan"}}
    routes.notification(Notification("item/completed", item), 10)
    assert ["foreign"] == routes.take_unknown()
    routes.disown("foreign")
    routes.notification(Notification("item/completed", item), 10)
    assert ([], 0, 2) == (routes.take_unknown(), len(attached), routes.unrouted)


async def test_an_actor_that_attaches_again_keeps_what_waits_and_is_asked_again_once() -> None:
    routes = Routes()
    routes.connected("1", None)
    attached = routes.attach("t", ref())
    routes.notification(Notification("item/started", {"threadId": "t"}), 10)
    routes.request(ServerRequest(1, "m", {"threadId": "t"}), "t")
    again = ref()
    assert routes.attach("t", again) is attached
    assert attached.ref is again
    taken = await take_all(attached)
    assert [type(message) for message in taken] == [CodexNotification, CodexServerRequest]
    assert routes.attach("t", ref("/sessions/2")) is not attached


def test_a_detachment_of_somebody_else_changes_nothing() -> None:
    routes = Routes()
    attached = routes.attach("t", ref("/sessions/1"))
    assert routes.detach("t", ref("/sessions/2")) is None
    assert routes.attachment("t") is attached


def test_who_watches_late_is_told_that_codex_is_missing_and_nobody_twice() -> None:
    routes = Routes()
    routes.unreachable("No.")
    routes.unreachable("Still no.")
    first, second = (routes.watch(ref(path)) for path in ("/a", "/b"))
    routes.unreachable("No again.")
    assert (1, 0) == (len(first), len(second))


def test_a_connection_that_was_lost_is_not_told_of_as_missing_too() -> None:
    routes = Routes()
    inbox = routes.watch(ref("/a"))
    routes.connected("1", 1)
    routes.lost("Gone.")
    routes.unreachable("No.")
    assert 2 == len(inbox)


def warned(message: str, **where: str) -> Notification:
    return Notification("warning", {"message": message, **where})


async def test_what_a_thread_is_warned_of_as_it_begins_waits_for_who_attaches() -> None:
    routes = Routes()
    routes.notification(warned("No such model.", threadId="t"), 10)
    routes.notification(warned("Another's.", threadId="other"), 10)
    box = routes.attach("t", ref())
    assert await take_all(box) == [told("warning", message="No such model.", threadId="t")]
    assert await take_all(routes.attach("t", ref("/elsewhere"))) == []


async def test_what_concerns_no_thread_is_told_once_to_who_watches() -> None:
    routes = Routes()
    routes.notification(warned("Early."), 10)
    box = routes.watch(ref())
    for message in ("Early.", "Late.", "Late."):
        routes.notification(warned(message), 10)
    said = [BridgeWarned("warning", message, None) for message in ("Early.", "Late.")]
    assert await take_all(box) == said
