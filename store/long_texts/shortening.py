"""Shortening: what agents say may be of any length, and what is shown of it in rows is not.

A text that is too long keeps its beginning and its end, since a command's output says at its end
what went wrong. Plain JSON keeps its shape: the room is shared out among its members, so that
numbers and short texts stay whole and the long ones share what is left. From a list that is too
long the last members are left out.
"""

from typing import Any

LONGEST = 64 * 1024
"""Characters of a text, or of all texts of plain JSON together, that are not shortened."""

_END = 0.25
"""The part of a shortened text that is its end."""

_LEAST = 200
"""Characters below which a text in plain JSON is not shortened, as long as there is room at all."""

_MEMBER = 4
"""Characters that a member of plain JSON counts for, beside its texts."""


def shorten_text(text: str, room: int = LONGEST) -> str:
    """Return the beginning and the end of a text that is longer than `room`, and what is missing.

    A note of some twenty words comes on top.
    """
    if len(text) <= room:
        return text
    end = int(room * _END)
    note = f"\n… {len(text) - room:,} characters are left out here …\n"
    return text[: room - end] + note + text[len(text) - end :]


def shorten(value: Any, room: int = LONGEST) -> Any:
    """Return plain JSON whose texts come to about `room` characters; the value itself if they do.

    Recursion is as deep as the value.
    """
    if length_of(value) <= room:
        return value
    match value:
        case str():
            return shorten_text(value, room)
        case dict():
            return _shorten_members(value, room)
        case list() | tuple():
            return _shorten_elements(value, room)
        case _:
            return value


def length_of(value: Any) -> int:
    """Return the characters of all texts of plain JSON, and a few for each member."""
    match value:
        case str():
            return len(value)
        case dict():
            return sum(len(name) + _MEMBER + length_of(inner) for name, inner in value.items())
        case list() | tuple():
            return sum(_MEMBER + length_of(inner) for inner in value)
        case _:
            return _MEMBER


def _shorten_members(members: dict[str, Any], room: int) -> dict[str, Any]:
    """Give each its part of the room; what one does not need, those that are longer share."""
    made: dict[str, Any] = {}
    waiting = sorted(members, key=lambda name: length_of(members[name]))
    for count, name in zip(range(len(waiting), 0, -1), waiting, strict=True):
        share = max(room // count, min(room, _LEAST)) - _MEMBER
        if len(name) > share:
            continue
        made[name] = shorten(members[name], share - len(name))
        room -= len(name) + _MEMBER + min(length_of(made[name]), share)
    return {name: made[name] for name in members if name in made}


def _shorten_elements(elements: list[Any] | tuple[Any, ...], room: int) -> list[Any]:
    """Give each its part of the room, at least what a short one needs, until there is none."""
    made: list[Any] = []
    for number, element in enumerate(elements):
        share = max(room // (len(elements) - number), min(room, _LEAST)) - _MEMBER
        if share <= 0:
            break
        made.append(shorten(element, share))
        room -= _MEMBER + min(length_of(made[-1]), share)
    return made
