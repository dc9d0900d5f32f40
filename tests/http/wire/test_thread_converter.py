"""A thread's id in a path is not the word by which loaded threads are listed."""

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from command_center.http.wire.codec import ThreadConverter

PATHS = Map(
    [
        Rule("/threads/loaded", endpoint="list", methods=["GET"]),
        Rule("/threads/<thread:thread_id>", endpoint="one", methods=["GET", "DELETE"]),
        Rule("/threads/<thread:thread_id>/turns", endpoint="turns", methods=["GET"]),
    ],
    converters={"thread": ThreadConverter},
).bind("localhost")


def test_a_list_is_no_thread() -> None:
    assert ("list", {}) == PATHS.match("/threads/loaded", "GET")
    with pytest.raises(MethodNotAllowed):
        PATHS.match("/threads/loaded", "DELETE")
    with pytest.raises(NotFound):
        PATHS.match("/threads/loaded/turns", "GET")


@pytest.mark.parametrize("thread_id", ["loaded2", "unloaded", "0199a213-81c0", "a b"])
def test_any_other_word_is_one(thread_id: str) -> None:
    named = {"thread_id": thread_id}
    assert ("one", named) == PATHS.match(f"/threads/{thread_id}", "DELETE")
    assert ("turns", named) == PATHS.match(f"/threads/{thread_id}/turns", "GET")
