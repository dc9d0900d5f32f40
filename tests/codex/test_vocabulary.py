"""New things that Codex says are found, counted, and told of once."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.actors.codex.protocol import Notification, ServerRequest
from command_center.actors.codex.routing import Routes
from command_center.actors.codex.vocabulary import (
    FURTHER,
    LONGEST_BODY,
    LONGEST_NAME,
    MOST_NAMES,
    Unknown,
    Unknowns,
)
from command_center.actors.contracts.bridges import BridgeUnknown
from tests.codex.schemas import schema_of
from tests.codex.test_routing import ref, take_all
from tests.codex.versions import news_in, told_by


@pytest.mark.usefixtures("codex_binary")
def test_all_that_the_installed_codex_may_tell_and_ask_is_known() -> None:
    told = told_by(schema_of)
    assert "turn/completed" in told["notification"]
    assert "agentMessage" in told["item"]
    assert [] == news_in(told)


def test_what_is_known_is_not_counted() -> None:
    unknowns = Unknowns()
    message = {"item": {"type": "agentMessage", "id": "i"}}
    assert unknowns.in_notification("item/completed", message) is None
    assert unknowns.in_notification("turn/started", {"item": {"type": "new"}}) is None
    assert unknowns.in_request("item/tool/call", {}) is None
    assert not unknowns.counts


def test_what_is_new_is_given_as_it_came_once_and_counted_each_time() -> None:
    unknowns = Unknowns()
    body = {"threadId": "t", "more": {"a": [1]}}
    assert Unknown("notification", "turn/dreamt", body) == (
        unknowns.in_notification("turn/dreamt", body)
    )
    assert unknowns.in_notification("turn/dreamt", {}) is None
    item = {"type": "hologram", "id": "i"}
    assert unknowns.in_notification("item/started", {"item": item}) is None
    assert Unknown("item", "hologram", item) == (
        unknowns.in_notification("item/completed", {"item": item})
    )
    assert Unknown("request", "item/dream", {}) == unknowns.in_request("item/dream", {})
    assert {
        ("notification", "turn/dreamt"): 2,
        ("item", "hologram"): 1,
        ("request", "item/dream"): 1,
    } == unknowns.counts


@pytest.mark.parametrize("odd", [["agentMessage"], {"a": 1}, 7, None, "x" * 1000])
def test_an_item_whose_type_is_no_name_is_new(odd: Any) -> None:
    unknowns = Unknowns()
    found = unknowns.in_notification("item/completed", {"item": {"type": odd}})
    assert Unknown("item", str(odd)[:LONGEST_NAME], {"type": odd}) == found


def test_of_something_long_the_beginning_is_told() -> None:
    found = Unknowns().in_request("item/dream", {"password": "hunter-2", "of": "a" * LONGEST_BODY})
    assert found is not None
    assert LONGEST_BODY == len(found.body["cut"])
    assert "hunter-2" not in found.body["cut"]


def test_no_more_names_are_told_apart_than_a_person_reads() -> None:
    unknowns = Unknowns()
    told = [unknowns.in_notification(f"new/{n}", {}) for n in range(3 * MOST_NAMES)]
    assert MOST_NAMES == sum(one is not None for one in told)
    assert 2 * MOST_NAMES == unknowns.counts["notification", FURTHER]
    assert MOST_NAMES + 1 == len(unknowns.counts)


async def test_who_watches_is_told_once_also_of_what_came_before() -> None:
    routes = Routes()
    params: dict[str, Any] = {"threadId": "t", "dream": "a"}
    routes.notification(Notification("turn/dreamt", params), 10)
    watcher = routes.watch(ref("/watcher"))
    routes.notification(Notification("turn/dreamt", params), 10)
    routes.refused(ServerRequest(1, "item/dream", {}), None)
    assert [
        BridgeUnknown("notification", "turn/dreamt", params),
        BridgeUnknown("request", "item/dream", {}),
    ] == await take_all(watcher)
