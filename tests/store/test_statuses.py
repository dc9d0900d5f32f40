"""Each status of a session is in one set, and the page has the same sets."""

from __future__ import annotations

import re
from itertools import combinations
from typing import get_args

import pytest

from command_center.store.records import SessionStatus
from command_center.store.statuses import ACTIVE, FINAL, WAITING
from tests.checkout import ROOT

SETS = (frozenset({"created"}), WAITING, ACTIVE, FINAL)


def test_every_status_is_in_one_set() -> None:
    assert all(not (one & other) for one, other in combinations(SETS, 2))
    assert set(get_args(SessionStatus)) == set().union(*SETS)


@pytest.mark.parametrize(
    ("name", "statuses"),
    [("ACTIVE", ACTIVE), ("WAITING", WAITING | {"created"}), ("ENDED", FINAL)],
)
def test_the_page_has_the_same_sets(name: str, statuses: frozenset[str]) -> None:
    source = (ROOT / "http/web/store.js").read_text()
    found = re.search(rf"^export const {name} = new Set\((\[.*\])\);$", source, re.MULTILINE)
    assert found is not None
    assert statuses == set(re.findall(r'"(\w+)"', found[1]))
