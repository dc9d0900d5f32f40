"""The bytes that wait for all clients are bounded, and who is stuck for longest goes first."""

from __future__ import annotations

import attrs

from command_center.http.transport.unsent import Unsent


@attrs.define(eq=False)
class Connection:
    is_cut: bool = False

    def cut(self) -> None:
        self.is_cut = True


def test_the_one_that_has_moved_on_least_lately_is_cut() -> None:
    unsent = Unsent(100)
    first, second, third = Connection(), Connection(), Connection()
    assert not unsent.add(first, 40)
    assert not unsent.add(second, 40)
    unsent.sent(first, 10)
    assert unsent.add(third, 40)
    assert [False, True, False] == [one.is_cut for one in (first, second, third)]
    assert 70 == len(unsent)


def test_one_alone_may_have_more_than_the_bound() -> None:
    unsent, only = Unsent(100), Connection()
    assert not unsent.add(only, 500)
    assert not only.is_cut
    unsent.sent(only, 450)
    unsent.discard(only)
    unsent.discard(only)
    assert 0 == len(unsent)
