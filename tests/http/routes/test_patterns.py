"""Patterns of texts that come in: a newline at the end is none that slips through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from command_center.actors.rules.policy import RunInput
from command_center.http.routes.table import OPERATIONS


def patterns_in(kind: Any) -> Iterator[str]:
    """Find the pattern of every text that a body or a query may have."""
    seen: set[type] = set()

    def walk(told: Any) -> Iterator[str]:
        if isinstance(told, msgspec.inspect.StrType) and told.pattern is not None:
            yield told.pattern
        if isinstance(told, msgspec.inspect.StructType):
            if told.cls in seen:
                return
            seen.add(told.cls)
        for name in getattr(told, "__struct_fields__", ()):
            value = getattr(told, name)
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, msgspec.inspect.Type | msgspec.inspect.Field):
                    yield from walk(part)

    yield from walk(msgspec.inspect.type_info(kind))


def test_no_pattern_lets_a_newline_through_at_the_end() -> None:
    """`$` of Python's expressions matches before it as well."""
    taken = [kind for one in OPERATIONS for kind in (one.body, one.query) if kind is not None]
    patterns = {pattern for kind in taken for pattern in patterns_in(kind)}
    assert len(patterns) >= 8
    assert set() == {pattern for pattern in patterns if re.search(r"(?<!\\)\$$", pattern)}


@pytest.mark.parametrize("field", ["model", "effort"])
def test_a_name_with_a_newline_at_its_end_is_refused(field: str) -> None:
    msgspec.json.decode(msgspec.json.encode({field: "high"}), type=RunInput)
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.json.decode(msgspec.json.encode({field: "high\n"}), type=RunInput)
