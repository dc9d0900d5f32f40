"""Structs as JSON Schema: whole where they are answered, and told in the words of the wire."""

from __future__ import annotations

from typing import Any

import msgspec

from command_center.http.openapi.schemas import schemas_of


class Inner(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part."""

    at_most: int = 3


class Whole(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that is shown.

    Attributes:
        first_name: what ``last_name`` is not; None where there is none,
            as sometimes.
    """

    first_name: str | None = None
    last_name: str = "b"
    seen_by: int | msgspec.UnsetType = msgspec.UNSET
    inner: Inner = Inner()


class Sparse(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Something of which only a part is shown."""

    always: int
    sometimes: bool = False


def component(kind: type, *, taken: bool = False) -> dict[str, Any]:
    made = schemas_of((), [kind]) if taken else schemas_of([kind])
    return made.components[kind.__name__]


def test_an_answer_has_every_field_but_those_that_are_left_out() -> None:
    assert ["firstName", "lastName", "inner"] == component(Whole)["required"]
    assert ["always"] == component(Sparse)["required"]
    assert "default" not in component(Whole)["properties"]["lastName"]


def test_what_is_taken_may_leave_out_what_has_a_default() -> None:
    assert [] == component(Whole, taken=True)["required"]
    assert "b" == component(Whole, taken=True)["properties"]["lastName"]["default"]


def test_a_part_of_what_is_taken_is_taken_too() -> None:
    made = schemas_of([Whole], [Inner])
    assert {"Inner"} == made.taken
    assert [] == made.components["Inner"]["required"]
    assert {"Whole", "Inner"} == schemas_of((), [Whole]).taken


def test_words_have_the_names_of_the_wire() -> None:
    told = component(Whole)
    assert "Something that is shown." == told["description"]
    assert (
        "What `lastName` is not; null where there is none, as sometimes."
        == told["properties"]["firstName"]["description"]
    )
