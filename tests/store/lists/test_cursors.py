"""Cursors come back as they went, and nothing else is taken for one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.store import InvalidCursor
from command_center.store.lists.cursors import decode_cursor, encode_cursor


@given(st.text(max_size=20), st.booleans(), st.integers(0, 2**63 - 1))
def test_a_cursor_gives_back_where_its_page_ended(listing: str, newest: bool, last: int) -> None:  # noqa: FBT001 - Hypothesis gives it by position
    cursor = encode_cursor(listing, newest_first=newest, last_id=last)
    assert last == decode_cursor(cursor, listing, newest_first=newest)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor) as caught:
        decode_cursor(text, "tasks", newest_first=False)
    assert text == caught.value.cursor


@pytest.mark.parametrize(("listing", "newest_first"), [("events", False), ("tasks", True)])
def test_a_cursor_of_another_list_or_order_is_refused(listing: str, newest_first: bool) -> None:  # noqa: FBT001 - a parameter of the test
    cursor = encode_cursor(listing, newest_first=newest_first, last_id=3)
    with pytest.raises(InvalidCursor):
        decode_cursor(cursor, "tasks", newest_first=False)


def test_an_id_that_no_row_can_have_is_refused() -> None:
    cursor = encode_cursor("tasks", newest_first=False, last_id=2**63)
    with pytest.raises(InvalidCursor):
        decode_cursor(cursor, "tasks", newest_first=False)
