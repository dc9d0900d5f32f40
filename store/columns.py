"""Columns: how the fields of a record lie in a row.

A nested value is a column of JSON text, a truth value a column of 0 and 1.
"""

import types
import typing
from collections.abc import Callable
from typing import Any

import attrs
import msgspec

from command_center.store.lists.where import Scalar
from command_center.store.long_texts.shortening import shorten, shorten_text
from command_center.store.transaction import Transaction

_PLAIN: frozenset[Any] = frozenset({str, int, bool, types.NoneType})
"""The classes of what goes into a row as it is."""


@attrs.frozen
class Column:
    """The column of a field."""

    name: str
    wire_name: str
    type: Any
    is_json: bool
    is_truth: bool
    is_redacted: bool
    plain: frozenset[Any]
    """Values of exactly these classes need no check."""
    ready: frozenset[Any]
    """Of these, those that go into the row as they are."""
    choices: frozenset[Any]
    """The only texts that the field allows; empty if it allows any."""
    default: Callable[[], object] | None
    decode: Callable[[str], Any]
    """Read the JSON text of a row, records within it as what they are."""

    def to_row(self, tx: Transaction, value: Any) -> Scalar:
        """Give what goes into the row for a value that is not ready."""
        if type(value) not in _PLAIN:
            value = msgspec.to_builtins(value, str_keys=True)
        if self.is_redacted:
            value = tx.redact(value)
        kind = type(value)
        if kind not in self.plain and not (kind is str and value in self.choices):
            value = msgspec.convert(value, self.type)
        if value is None:
            return None
        if self.is_json:
            return msgspec.json.encode(value).decode()
        return typing.cast("Scalar", value)

    @property
    def empty(self) -> str:
        """Give the value of the field that says nothing, in SQL."""
        return "NULL" if types.NoneType in self.plain else "'{}'" if self.is_json else "''"

    def shortened(self, text: str) -> str:
        """Give what stands in the row for a text that is too long for it."""
        if self.is_json:
            return msgspec.json.encode(shorten(msgspec.json.decode(text))).decode()
        return shorten_text(text)

    def from_row(self, value: Any) -> Any:
        """Give the value of the field that stands in a row."""
        if value is None:
            return None
        if self.is_json:
            return self.decode(value)
        if self.is_truth:
            return bool(value)
        return value


def column_of(field: msgspec.structs.FieldInfo, *, is_redacted: bool) -> Column:
    """Make the column of a record's field."""
    kinds = _alternatives(field.type)
    plain = _PLAIN.intersection(kinds)
    is_json = any(typing.get_origin(kind) in {dict, list} for kind in kinds)
    has_records = any(
        isinstance(part, type) and issubclass(part, msgspec.Struct)
        for kind in kinds
        for part in typing.get_args(kind)
    )
    default: Callable[[], object] | None = None
    if field.default is not msgspec.NODEFAULT:
        value = field.default
        default = lambda: value  # noqa: E731 - two lines for it would say no more
    elif field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory
    return Column(
        name=field.name,
        wire_name=field.encode_name,
        type=field.type,
        is_json=is_json,
        is_truth=bool in kinds,
        is_redacted=is_redacted,
        plain=plain,
        ready=plain & {types.NoneType} if is_json or is_redacted else plain,
        choices=frozenset(
            choice
            for kind in kinds
            if typing.get_origin(kind) is typing.Literal
            for choice in typing.get_args(kind)
        ),
        default=default,
        decode=msgspec.json.Decoder(field.type if has_records else Any).decode,
    )


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return tuple(map(_plain, typing.get_args(annotation)))
    return (_plain(annotation),)


def _plain(annotation: Any) -> Any:
    """Return the type itself, without its annotations."""
    if typing.get_origin(annotation) is typing.Annotated:
        return typing.get_args(annotation)[0]
    return annotation
