"""Data of a host's port, written by the types that the port declares, and read by them.

Both ends read the same declaration, so a method that the port gains is carried at once. A text of
JSON has the values; bytes lie behind it as they are. What comes is whatever another machine sent:
it becomes what was declared, or it is refused. Nothing is made that the declaration does not
name.
"""

from __future__ import annotations

import enum
import json
import math
import re
import sys
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

import attrs

from command_center.actors.git.ports import Git

LONGEST_TEXT: Final = 4 * 1024 * 1024
"""Bytes of the text of values that come; what is read of it takes many times its memory."""

MOST_BITS: Final = 128
"""Bits of a whole number, as the one by which a file is known on some disks of Windows."""

_BROKEN: Final = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
"""Halves of characters that stand for no byte of a file's name."""

_SIZE: Final = 4


class NotData(Exception):
    """Data came that are not what was declared."""


@attrs.frozen
class Data:
    """Write and read values by their declared types.

    data = Data(git)
    assert data.read(data.write(Path("/srv"), Path), Path) == Path("/srv")

    Attributes:
        git: what a checkout that comes works with.
        longest: bytes that the text of the values may have.
    """

    git: Git | None = None
    longest: int = sys.maxsize

    def write(self, value: object, declared: Any) -> bytes:
        """Write a value."""
        pieces: list[bytes] = []
        told = _written(value, declared, pieces)
        text = json.dumps([told, [len(piece) for piece in pieces]]).encode()
        return b"".join((len(text).to_bytes(_SIZE, "big"), text, *pieces))

    def read(self, raw: bytes, declared: Any) -> Any:
        """Read a value; raises `NotData`."""
        size = _SIZE + int.from_bytes(raw[:_SIZE], "big")
        if size > self.longest:
            raise NotData(f"values of more than {self.longest} bytes")
        try:
            told, sizes = json.loads(raw[_SIZE:size])
            pieces, begin = [], size
            for length in sizes:
                pieces.append(raw[begin : begin + length])
                if len(pieces[-1]) != length:
                    raise NotData("bytes are missing")
                begin += length
            return self._read(told, declared, pieces)
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
            raise NotData(str(error) or type(error).__name__) from None

    def _read(self, told: Any, declared: Any, pieces: Sequence[bytes]) -> Any:  # noqa: C901, PLR0911 - a case for each type
        origin = get_origin(declared)
        if origin is not None:
            return self._read_composed(told, origin, get_args(declared), pieces)
        if declared is Any:
            return told
        if declared in (None, types.NoneType):
            return _checked(told, types.NoneType)
        if declared is bytes:
            return pieces[_checked(told, int)]
        if declared is Path:
            return Path(_checked(told, str))
        if declared in (int, float):
            return _number(told, declared)
        if declared in (bool, str):
            return _checked(told, declared)
        if declared is Git:
            return self.git
        if issubclass(declared, enum.Flag):
            return declared(_checked(told, int))
        if issubclass(declared, enum.Enum):
            return declared[_checked(told, str)]
        fields = fields_of(declared)
        if not isinstance(told, list) or len(told) != len(fields):
            raise NotData(f"no {declared.__name__}")
        pairs = zip(fields.items(), told, strict=True)
        return declared(**{name: self._read(one, kind, pieces) for (name, kind), one in pairs})

    def _read_composed(
        self, told: Any, origin: Any, inner: tuple[Any, ...], pieces: Sequence[bytes]
    ) -> Any:
        if origin is Literal:
            if told not in inner:
                raise NotData(f"not one of {inner}")
            return told
        if origin in (Union, types.UnionType):
            number, one = _checked(told, list)
            return self._read(one, inner[_checked(number, int)], pieces)
        if not isinstance(told, list):
            raise NotData("no list")
        if origin in (Mapping, dict):
            return {
                self._read(key, inner[0], pieces): self._read(one, inner[1], pieces)
                for key, one in told
            }
        if origin is tuple and inner[-1:] != (...,):
            return tuple(
                self._read(one, kind, pieces) for one, kind in zip(told, inner, strict=True)
            )
        read = [self._read(one, inner[0], pieces) for one in told]
        return read if origin is list else tuple(read)


def _number(told: Any, declared: type[int | float]) -> int | float:
    if declared is float:
        number = float(_checked(told, int, float))
        if not math.isfinite(number):
            raise NotData(f"{number} in the place of a number")
        return number
    whole: int = _checked(told, int)
    if whole.bit_length() > MOST_BITS:
        raise NotData(f"a number of more than {MOST_BITS} bits")
    return whole


def _checked(told: Any, *kinds: type) -> Any:
    if type(told) not in kinds:
        raise NotData(f"{type(told).__name__} in the place of {kinds[0].__name__}")
    if isinstance(told, str) and _BROKEN.search(told):
        raise NotData("half a character in a text")
    return told


def _written(value: Any, declared: Any, pieces: list[bytes]) -> Any:  # noqa: C901, PLR0911 - as above
    origin, inner = get_origin(declared), get_args(declared)
    if origin in (Union, types.UnionType):
        number = next(n for n, kind in enumerate(inner) if _fits(value, kind))
        return [number, _written(value, inner[number], pieces)]
    if origin in (Mapping, dict):
        return [
            [_written(key, inner[0], pieces), _written(one, inner[1], pieces)]
            for key, one in value.items()
        ]
    if origin is tuple and inner[-1:] != (...,):
        return [_written(one, kind, pieces) for one, kind in zip(value, inner, strict=True)]
    if origin in (tuple, list, Sequence, Collection):
        return [_written(one, inner[0], pieces) for one in value]
    if declared is bytes:
        pieces.append(bytes(value))
        return len(pieces) - 1
    if declared is Git:
        return None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, enum.Flag):
        return value.value
    if isinstance(value, enum.Enum):
        return value.name
    if attrs.has(type(value)):
        kind: type = type(value)
        return [_written(getattr(value, n), k, pieces) for n, k in fields_of(kind).items()]
    return value


def _fits(value: object, declared: Any) -> bool:
    kind = get_origin(declared) or declared
    if kind is None:
        return value is None
    if kind is Literal:
        return value in get_args(declared)
    return isinstance(value, (int, float) if kind is float else kind)


def printable(text: str) -> str:
    r"""Return a text of another machine that can be kept: a half of a character becomes `\udcNN`.

    assert "ok" == printable("ok")
    """
    return text.encode(errors="backslashreplace").decode()


@cache
def fields_of(kind: type) -> Mapping[str, Any]:
    """Name the fields of a class of the port, each with its declared type."""
    declared = typing.get_type_hints(kind)
    return {field.name: declared[field.name] for field in attrs.fields(kind)}


@attrs.frozen
class Method:
    """A method of a port, as it is declared.

    Attributes:
        takes: its parameters by name, without one that takes output as it comes.
        gives: its answer.
        streams: whether it has such a parameter, `sink`.
    """

    takes: Mapping[str, Any]
    gives: Any
    streams: bool

    @property
    def arguments(self) -> Any:
        """Return all parameters as one type."""
        return tuple[tuple(self.takes.values())] if self.takes else tuple[()]  # type: ignore[misc]


@cache
def method_of(port: type, name: str) -> Method:
    """Find a method of a port; raises `NotData` where it declares none."""
    found = None if name.startswith("_") else getattr(port, name, None)
    if not isinstance(found, Callable):  # type: ignore[arg-type]
        raise NotData(f"{port.__name__} has no {name}")
    declared = dict(typing.get_type_hints(found))
    gives = declared.pop("return")
    streams = declared.pop("sink", None) is not None
    return Method(declared, gives, streams)
