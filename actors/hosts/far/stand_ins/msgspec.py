"""Small records, to and from JSON: what is used of msgspec where it cannot be had."""

from __future__ import annotations

import json as _json
import types
import typing
from typing import Any, Final, Generic, TypeVar, get_args, get_origin

T = TypeVar("T")


class MsgspecError(Exception):
    """Data are not what they should be."""


class DecodeError(MsgspecError):
    """Data are no JSON."""


class ValidationError(DecodeError):
    """Data are JSON of another shape."""


class UnsetType:
    """The type of what is not there."""


UNSET: Final = UnsetType()


class Struct:
    """A record; its fields are its annotations, and their defaults the attributes of its class."""

    def __init_subclass__(cls, **options: object) -> None:
        """Take the options that msgspec takes, of which none matters here."""

    def __init__(self, *positional: object, **named: object) -> None:
        """Take the fields in their order, or by name."""
        cls = type(self)
        names = list(typing.get_type_hints(cls))
        given = {**dict(zip(names, positional, strict=False)), **named}
        for name in names:
            if name not in given and not hasattr(cls, name):
                raise TypeError(f"{cls.__name__} needs {name}")
            vars(self)[name] = given.get(name, getattr(cls, name, None))

    def __eq__(self, other: object) -> bool:
        """Compare the fields."""
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


def _read(told: Any, declared: Any) -> Any:  # noqa: C901, PLR0911, PLR0912 - a case for each type
    origin, inner = get_origin(declared), get_args(declared)
    if declared is Any:
        return told
    if origin in (typing.Union, types.UnionType):
        for kind in inner:
            if kind is UnsetType:
                continue
            try:
                return _read(told, kind)
            except ValidationError:
                continue
        raise ValidationError("nothing of what it may be")
    if isinstance(declared, type) and issubclass(declared, Struct):
        return _record(told, declared)
    if origin in (list, tuple):
        if not isinstance(told, list):
            raise ValidationError("no list")
        kinds = inner if origin is tuple and inner[-1] is not ... else [inner[0]] * len(told)
        if len(kinds) != len(told):
            raise ValidationError("of another length")
        return origin(_read(one, kind) for one, kind in zip(told, kinds, strict=True))
    if origin is dict:
        if not isinstance(told, dict):
            raise ValidationError("no object")
        return {_read(key, inner[0]): _read(one, inner[1]) for key, one in told.items()}
    if declared is float and type(told) is int:
        return float(told)
    if type(told) is not (types.NoneType if declared is None else declared):
        raise ValidationError(f"{type(told).__name__} in the place of {declared}")
    return told


def _record(told: Any, declared: type[Struct]) -> Any:
    if not isinstance(told, dict):
        raise ValidationError("no object")
    hints = typing.get_type_hints(declared)
    try:
        return declared(**{n: _read(told[n], kind) for n, kind in hints.items() if n in told})
    except TypeError as error:
        raise ValidationError(str(error)) from None


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        return vars(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


class json:  # noqa: N801 - the name of msgspec's module
    """JSON, to and from records."""

    class Decoder(Generic[T]):
        """Reads one type."""

        def __init__(self, type: Any) -> None:  # noqa: A002 - msgspec's name
            """Read `type`."""
            self._type = type

        def decode(self, data: bytes | str) -> T:
            """Read it; raises `DecodeError`."""
            try:
                told = _json.loads(data)
            except ValueError as error:
                raise DecodeError(str(error)) from None
            return typing.cast("T", _read(told, self._type))

    class Encoder:
        """Writes anything."""

        def encode(self, value: object) -> bytes:
            """Write it."""
            return _json.dumps(value, default=_plain, separators=(",", ":")).encode()

    @staticmethod
    def decode(data: bytes | str, *, type: Any = Any) -> Any:  # noqa: A002 - msgspec's name
        """Read a value of that type."""
        return json.Decoder[Any](type).decode(data)

    @staticmethod
    def encode(value: object) -> bytes:
        """Write a value."""
        return json.Encoder().encode(value)
