"""Secrets out of what is stored: a pure function over plain JSON.

A secret is found in three ways: it is one of those that the caller names (this installation's
own), it stands under a name that says so (``{"apiKey": …}``, ``["--token", …]``), or the text
itself shows it (``patterns``). Redaction is a net under the care of those who handle
secrets, not a wall: a secret without a name and without a form passes.
"""

import itertools
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from command_center.store.redaction.patterns import REDACTED, apply_rules

__all__ = ["REDACTED", "redact"]

_DEEPEST = 200
_SHORTEST_TELLING_TEXT = 8
_SHORTEST_SECRET = 4
_MOST_PASSES = 10
_SHORT_TEXT = 64


def redact(value: Any, secrets: Sequence[str] = ()) -> Any:
    """Give a copy of the value in which ``[redacted]`` stands where secrets were.

    The shape stays: the same lists, the same members, and every number, truth value and null,
    except a number that is somebody's password. Names of members are searched like any other
    text. To redact twice changes nothing more. What is nested deeper than 200 levels goes
    unread. Half a surrogate pair, which no JSON can carry, becomes U+FFFD.

    Args:
        value: dicts, lists, tuples, text, numbers, truth values and None.
        secrets: texts to remove wherever they are; those under 4 characters are ignored.
    """
    return _redact(value, _longest_first(tuple(secrets)), 0)


@lru_cache(maxsize=64)
def _longest_first(secrets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(filter(_can_be_removed, secrets), key=len, reverse=True))


def _can_be_removed(secret: str) -> bool:
    return len(secret) >= _SHORTEST_SECRET and secret not in REDACTED


def _redact(value: Any, secrets: tuple[str, ...], depth: int) -> Any:
    if isinstance(value, str):
        return _redact_text(value, secrets)
    if isinstance(value, dict):
        return _redact_members(value, secrets, depth) if depth < _DEEPEST else REDACTED
    if isinstance(value, list | tuple):
        if depth >= _DEEPEST:
            return REDACTED
        elements = _redact_elements(value, secrets, depth)
        return elements if isinstance(value, list) else tuple(elements)
    return value


def _redact_members(
    members: dict[Any, Any], secrets: tuple[str, ...], depth: int
) -> dict[Any, Any]:
    clean: dict[Any, Any] = {}
    # {"name": "API_TOKEN", "value": …}
    label = members.get("name", members.get("key"))
    value_is_secret = isinstance(label, str) and names_a_secret(label)
    for name, value in members.items():
        if type(name) is str and len(name) <= _SHORT_TEXT:
            is_secret, clean_name = _told_by(name, secrets)
        else:
            is_secret = isinstance(name, str) and names_a_secret(name)
            clean_name = _clean(name, secrets)
        if clean_name in clean:
            clean_name = _another(clean_name, clean)
        if is_secret or (value_is_secret and name == "value"):
            clean[clean_name] = _blank(value, name, secrets, depth + 1)
        elif type(value) in _UNREAD:
            clean[clean_name] = value
        else:
            clean[clean_name] = _redact(value, secrets, depth + 1)
    return clean


@lru_cache(maxsize=1024)
def _told_by(name: str, secrets: tuple[str, ...]) -> tuple[bool, str]:
    """Return whether a member's name is that of a secret, and the name to show."""
    return names_a_secret(name), _redact_text(name, secrets)


_UNREAD = frozenset({int, float, bool, type(None)})
"""Classes of values in which there is nothing to be read."""


def _redact_elements(elements: Sequence[Any], secrets: tuple[str, ...], depth: int) -> list[Any]:
    clean: list[Any] = []
    after_name = False
    for element in elements:
        if after_name and isinstance(element, str) and not element.startswith("-"):
            clean.append(REDACTED if element else element)
            after_name = False
            continue
        clean.append(_redact(element, secrets, depth + 1))
        # ["--token", …] anywhere, and ["Authorization", …] as a pair
        after_name = (
            isinstance(element, str)
            and (element.startswith("-") or (len(elements) == 2 and not clean[1:]))  # noqa: PLR2004 - a pair
            and names_a_secret(element)
        )
    return clean


def _clean(name: Any, secrets: tuple[str, ...]) -> Any:
    return _redact_text(name, secrets) if isinstance(name, str) else name


def _another(name: Any, taken: dict[Any, Any]) -> Any:
    """Return a name for a member whose clean name is taken."""
    if not isinstance(name, str):
        return name
    return next(
        unique for count in itertools.count(2) if (unique := f"{name} ({count})") not in taken
    )


def _blank(value: Any, name: Any, secrets: tuple[str, ...], depth: int) -> Any:
    """Redact a value because of its name, however it looks: every text in it."""
    if isinstance(value, dict) and depth < _DEEPEST:
        clean: dict[Any, Any] = {}
        for member, inner in value.items():
            unique = _clean(member, secrets)
            if unique in clean:
                unique = _another(unique, clean)
            clean[unique] = _blank(inner, member, secrets, depth + 1)
        return clean
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        elements = [_blank(inner, name, secrets, depth + 1) for inner in value]
        return elements if isinstance(value, list) else tuple(elements)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return REDACTED if isinstance(name, str) and _NUMBER_MAY_BE_SECRET.search(name) else value
    return REDACTED if value and not isinstance(value, bool) else value


_NUMBER_MAY_BE_SECRET = re.compile(r"(?:password|passwd|passphrase|secret)$", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"(?:password|passwd|passphrase|secrets?|(?<!next)(?<!next[_-])(?<!page)(?<!page[_-])tokens?|credentials?"
    r"|authorization|cookies?"
    r"|(?:api|access|private|secret|account|auth|signing|encryption)[_-]?keys?(?:[_-]?(?:id|base))?)$",
    re.IGNORECASE,
)


def names_a_secret(name: str) -> bool:
    """Tell whether what stands under this name is a secret: ``apiKey``, ``--token``, ``Cookie``.

    ``tokenUsage`` and ``secretName`` are none: the last word decides.
    """
    # Nothing that the expression knows is as long as what it looks at.
    return _ends_as_a_secret(name[-_SHORT_TEXT:])


@lru_cache(maxsize=1024)
def _ends_as_a_secret(end: str) -> bool:
    return _SECRET_NAME.search(end) is not None


def _redact_text(text: str, secrets: tuple[str, ...]) -> str:
    if not text.isascii():
        text = _HALF_A_PAIR.sub("\N{REPLACEMENT CHARACTER}", text)
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    if len(text) < _SHORTEST_TELLING_TEXT:
        return text
    return _redact_short_text(text) if len(text) <= _SHORT_TEXT else _redact_by_rules(text)


def _redact_by_rules(text: str) -> str:
    # What one rule takes away can bring a name and a value together for another.
    for _ in range(_MOST_PASSES):
        clean = apply_rules(text)
        if clean == text:
            break
        text = clean
    return text


# Names of members, types, states and paths come again and again.
_redact_short_text = lru_cache(maxsize=2048)(_redact_by_rules)

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
