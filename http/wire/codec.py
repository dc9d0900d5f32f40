"""From a request's bytes to the message that the actor gets, and from a record to its answer.

Bodies and query strings decode straight into msgspec Structs, which forbid unknown fields; what
does not fit is refused with the field's path as the wire spells it. Answers are encoded once, and
JSON that the store holds as text (`msgspec.Raw`) goes through as it is.

Three things that JSON allows are refused here for everybody, since they would surface later as
failures of our own: whole numbers beyond 64 bits (SQLite holds none), nesting deeper than
`MAX_DEPTH` (Python's recursion ends somewhere, and the store wraps what it is given), and more than
`MAX_VALUES` values in what is nested (looking through them takes its time).

What is long is decoded and encoded in a thread, beside the loop.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import parse_qsl

import msgspec
from quart import Response
from quart.wrappers.base import BaseRequestWebsocket
from quart.wrappers.request import Request
from quart_trio.wrappers import TrioResponse
from werkzeug.routing import BaseConverter, PathConverter

from command_center.actors.rules.lengths import JSON_BYTES
from command_center.http.wire.problems import (
    JSON,
    Detail,
    InvalidFields,
    MalformedBody,
    WrongContentType,
    encodable,
)
from command_center.runtime.threads import PROCESSOR
from command_center.store.lists.cursors import decode_cursor, encode_cursor
from command_center.store.lists.pages import PAGE_BYTES, Page
from command_center.store.lists.where import Scalar
from command_center.store.long_texts.shortening import shorten

T = TypeVar("T", bound=msgspec.Struct)
R = TypeVar("R")

Cursor: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
"""A place in a list or a text, to go on from."""

PageLimit: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=500)]
"""The most items that a page is to have."""

MAX_DEPTH = 64
MAX_VALUES = 20_000
MAX_QUERY_FIELDS = 64

LONGEST_AT_ONCE = 32 * 1024
"""Bytes of JSON, or characters of a text, above which it is decoded or encoded in a thread."""

LARGEST = 2**63 - 1

_JSON_TYPE = re.compile(
    r'application/(json|[\w.!#$&^+-]+\+json)(\s*;\s*charset="?utf-8"?)?\s*', re.IGNORECASE
)
_LONG_NUMBER = re.compile(rb"[0-9]{19}")
_FIELD_FAULT = re.compile(r"(?P<fault>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_TOO_LONG = re.compile(r"Expected `str` of length <= (?P<most>\d+)")
_FORM = re.compile(r"Expected `str` matching regex .*", re.DOTALL)
_ENUM = re.compile(r"Invalid (enum|value) .*", re.DOTALL)


class PageQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of every list; a list's filters are the fields of a subclass.

    Attributes:
        limit: the most items to give.
        cursor: the `nextCursor` of the page before.
    """

    limit: PageLimit = 50
    cursor: Cursor | None = None

    def filters(self) -> dict[str, Scalar | Sequence[Scalar]]:
        """Return the filters that were given, by the names of the record's fields."""
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        return {
            name: value
            for name, value in given.items()
            if value not in {None, ()} and name not in {"limit", "cursor"}
        }


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of an endpoint that takes no parameters."""


class IdConverter(BaseConverter):
    """A record's id in a path (`<id:repository_id>`): a decimal number from 1 to 2^63 - 1."""

    # A converter that refused what its pattern took would have the router answer 405 for 404.
    regex = "|".join(
        [
            "[1-9][0-9]{0,17}",
            *(
                f"{str(LARGEST)[:place]}[{int(place == 0)}-{int(digit) - 1}][0-9]{{{18 - place}}}"
                for place, digit in enumerate(str(LARGEST))
                if digit != "0"
            ),
            str(LARGEST),
        ]
    )

    def to_python(self, value: str) -> int:
        """Return the number."""
        return int(value)


class ThreadConverter(BaseConverter):
    """An agent's own id of a thread in a path (`<thread:thread_id>`): no word of ours."""

    part_isolating = True
    regex = r"(?!(?:loaded|search|import)\Z)[^/]+"


class PromptNameConverter(BaseConverter):
    """A saved prompt's name in a path (`<prompt:name>`): any text, of which the ledger judges.

    A text that is no name is then refused with what a name is, and not as an unknown path.
    """


class ActorPathConverter(PathConverter):
    """An actor's path, without an action at its end."""

    regex = r"[^/].*?(?<!/suspend)(?<!/resume)(?<!/drain)(?<!/restart)(?<!/stop)(?<!/trace)"


async def decode_body(request: Request, kind: type[T]) -> T:
    """Decode the request's JSON body as a `kind`.

    An empty body stands for `{}`. Raises WrongContentType for a body that is not named JSON,
    MalformedBody for one that is no JSON, and InvalidFields for a missing, unknown or wrong field,
    or for a parameter in the query: what takes a body takes none.
    """
    refuse_query(request)
    data = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    if data:
        content_type = request.headers.get("Content-Type")
        if not is_json(content_type):
            raise WrongContentType(content_type)
    if len(data) > LONGEST_AT_ONCE:
        return await aside(decode_json, data, kind)
    return decode_json(data or b"{}", kind)


def is_json(content_type: str | None) -> bool:
    """Return True if a Content-Type names JSON in UTF-8."""
    return content_type is not None and _JSON_TYPE.fullmatch(content_type) is not None


def decode_json(data: bytes, kind: type[T]) -> T:
    """Decode JSON text as a `kind`; raise MalformedBody and InvalidFields as `decode_body` does."""
    try:
        if len(data) > JSON_BYTES:
            _refuse_long_objects(data, kind)
        value: T = _decoder(kind).decode(data)
        if data.count(b"[") + data.count(b"{") > MAX_DEPTH or _LONG_NUMBER.search(data):
            _refuse_extremes(value)
    except msgspec.ValidationError as error:
        whole = _with_whole_numbers(data, kind) if "got `float`" in str(error) else None
        if whole is None:
            raise _invalid_field(str(error), kind) from None
        return whole
    except msgspec.DecodeError as error:
        reason = str(error).removeprefix("JSON is malformed: ")
        raise MalformedBody(f"The body is not valid JSON: {reason}.") from None
    except UnicodeDecodeError:
        raise MalformedBody("The body is not valid JSON: it is not UTF-8.") from None
    except RecursionError:
        raise _too_deep("") from None
    return value


def decode_plain(data: bytes) -> dict[str, Any]:
    """Decode JSON text as a plain object; an empty text is one. Raise MalformedBody for another."""
    try:
        value: dict[str, Any] = _plain_decoder.decode(data or b"{}")
        _refuse_extremes(value)
    except msgspec.ValidationError as error:
        raise MalformedBody(f"The body is no JSON object: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody(f"The body is not valid JSON: {error}.") from None
    return value


_plain_decoder = msgspec.json.Decoder(dict[str, Any])


def _refuse_long_objects(data: bytes, kind: type[msgspec.Struct]) -> None:
    """Refuse a field that takes any JSON and is given too much of it, before it is made of that."""
    sizes = _sizes_of(kind)
    if sizes is None:
        return
    found = sizes.decode(data)
    for field, name in zip(found.__struct_fields__, found.__struct_encode_fields__, strict=True):
        if len(getattr(found, field)) > JSON_BYTES:
            message = f"expected at most {JSON_BYTES} bytes of JSON"
            raise _fault(name, message, f"{name}: {message}.")


def _with_whole_numbers(data: bytes, kind: type[T]) -> T | None:
    """Decode the JSON with `1.0` taken for 1, as JSON means it; return None if it does not fit."""
    plain = _whole_decoder.decode(data)
    try:
        value = msgspec.convert(plain, kind)
        _refuse_extremes(value)
    except msgspec.ValidationError:
        return None
    return value


def _whole(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() and abs(number) <= LARGEST else number


_whole_decoder = msgspec.json.Decoder(float_hook=_whole)


def decode_query(request: BaseRequestWebsocket, kind: type[T]) -> T:
    """Decode the query string as a `kind`; numbers and true/false are read from their text.

    A field of a list type may be repeated, others may not. Raises InvalidFields, which names
    unknown parameters too.
    """
    try:
        pairs = parse_qsl(
            request.query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_QUERY_FIELDS,
        )
    except ValueError:
        message = "The query string is not percent-encoded UTF-8, or has too many parameters."
        raise InvalidFields(message, [Detail(path="", message=message)]) from None
    repeatable = _repeatable(kind)
    values: dict[str, str | list[str]] = {}
    for name, text in pairs:
        if name in repeatable:
            several = values.setdefault(name, [])
            assert isinstance(several, list)  # noqa: S101 - for the type checker: set just above
            several.append(text)
        elif name in values:
            raise _fault(name, "given more than once", f"{name} is given more than once.")
        else:
            values[name] = text
    try:
        query = msgspec.convert(values, kind, strict=False)
        _refuse_extremes(query)
    except msgspec.ValidationError as error:
        raise _invalid_field(str(error), kind, noun="parameter") from None
    for field, name in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True):
        # The library reads the text "null" as no value, as if the parameter had been left out.
        if name in values and getattr(query, field) is None:
            raise _fault(name, "null is not a value", f"{name}: null is not a value.")
    return query


def refuse_query(request: BaseRequestWebsocket) -> None:
    """Raise InvalidFields where there is a parameter, for what takes none."""
    if request.query_string:
        decode_query(request, NoQuery)


def encode(value: object) -> bytes:
    """Encode records, plain containers of them, and raw JSON text among them, as JSON.

    What stands in a text for bytes that are no text becomes `?`.
    """
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(value, builtin_types=(msgspec.Raw,))
        return _encoder.encode(encodable(plain))


async def encode_aside(value: object) -> bytes:
    """Encode as `encode` does, in a thread if it may be long."""
    return await aside(encode, value) if is_long(value) else encode(value)


async def aside(work: Callable[..., R], *arguments: object) -> R:
    """Do long work in a thread, beside the loop; one at once, the rest waits."""
    return await PROCESSOR.run(work, *arguments)


def is_long(value: object) -> bool:
    """Return True for a page, and for a record or several with a long text."""
    match value:
        case Page():
            return True
        case msgspec.Struct():
            return any(is_long(getattr(value, field)) for field in value.__struct_fields__)
        case str():
            return len(value) > LONGEST_AT_ONCE
        case list() | tuple():
            return len(value) > _MANY or any(map(is_long, value))
        case _:
            return False


def json_response(
    value: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Answer with `value` as the JSON body."""
    return json_answer(encode(value), status, headers)


def json_answer(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with a body that is JSON already."""
    return TrioResponse(body, status=status, headers=headers, content_type=JSON)


def cut_page(items: Sequence[R], query: PageQuery, listing: str) -> Page[R]:
    """Return a page of a list that is made whole each time; its cursor is the place in it.

    Raises InvalidCursor for one that is not of the list of this name.
    """
    begin = 0
    if query.cursor is not None:
        begin = max(0, decode_cursor(query.cursor, listing, newest_first=False))
    end = begin + query.limit
    following = None
    if end < len(items):
        following = encode_cursor(listing, newest_first=False, last_id=end)
    return Page(items=[*items[begin:end]], next_cursor=following)


def within_page(items: Sequence[R]) -> list[R]:
    """Return plain JSON items of somebody else's page, each with its part of a page's bytes."""
    room = PAGE_BYTES // max(1, len(items))
    return [shorten(item, room) for item in items]


_encoder = msgspec.json.Encoder()
_MANY = 100


@cache
def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    if not kind.__struct_config__.forbid_unknown_fields:
        raise TypeError(f"{kind.__name__} crosses the wire, so it must forbid unknown fields.")
    return msgspec.json.Decoder(kind)


@cache
def _sizes_of(kind: type[msgspec.Struct]) -> msgspec.json.Decoder[msgspec.Struct] | None:
    """Return what decodes the texts of the fields that take any JSON; None where there are none."""
    fields = [
        (field.name, msgspec.Raw, msgspec.Raw(b""))
        for field in _fields(msgspec.inspect.type_info(kind))
        if any(isinstance(choice, msgspec.inspect.DictType) for choice in _choices(field.type))
    ]
    if not fields:
        return None
    return msgspec.json.Decoder(msgspec.defstruct("Sizes", fields, kw_only=True, rename="camel"))


@cache
def _repeatable(kind: type[msgspec.Struct]) -> frozenset[str]:
    lists = (msgspec.inspect.ListType, msgspec.inspect.SetType, msgspec.inspect.VarTupleType)
    return frozenset(
        field.encode_name
        for field in _fields(msgspec.inspect.type_info(kind))
        if any(isinstance(choice, lists) for choice in _choices(field.type))
    )


def _refuse_extremes(value: object) -> None:
    """Refuse numbers beyond 64 bits, deep nesting, and masses, without recursion of our own."""
    waiting: list[tuple[str, int, object]] = [("", 0, value)]
    for count in itertools.count():
        if not waiting:
            return
        if count + len(waiting) > MAX_VALUES:
            message = f"The body has more than {MAX_VALUES} values."
            raise InvalidFields(message, [Detail(path="", message=message)])
        path, depth, item = waiting.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(path)
        if isinstance(item, int) and not -LARGEST - 1 <= item <= LARGEST:
            raise _fault(
                path, "beyond 64 bits", f"{path or 'The body'} is a number beyond 64 bits."
            )
        inner = itertools.islice(_members(path, item), MAX_VALUES)
        waiting.extend((name, depth + 1, member) for name, member in inner)


def _members(path: str, item: object) -> Iterator[tuple[str, object]]:
    if isinstance(item, msgspec.Struct):
        names = zip(item.__struct_fields__, item.__struct_encode_fields__, strict=True)
        for attribute, name in names:
            yield _join(path, name), getattr(item, attribute)
    elif isinstance(item, Mapping):
        for name, member in item.items():
            yield _join(path, str(name)), member
    elif isinstance(item, Sequence) and not isinstance(item, str | bytes):
        for index, member in enumerate(item):
            yield f"{path}[{index}]", member


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _too_deep(path: str) -> InvalidFields:
    message = f"The body is nested deeper than {MAX_DEPTH} levels."
    return InvalidFields(message, [Detail(path=path, message=message)])


def _fault(path: str, message: str, sentence: str) -> InvalidFields:
    return InvalidFields(sentence, [Detail(path=path, message=message)])


def _invalid_field(text: str, kind: type[msgspec.Struct], noun: str = "field") -> InvalidFields:
    """Make a path and a sentence of the library's words about the first fault."""
    match = _FIELD_FAULT.fullmatch(text)
    assert match is not None  # noqa: S101 - the pattern matches every text
    fault, path = match["fault"], (match["path"] or "").removeprefix(".")
    if missing := _MISSING.fullmatch(fault):
        path = _join(path, missing["field"])
        return _fault(path, "required", f"The {noun} {path} is required.")
    if unknown := _UNKNOWN.fullmatch(fault):
        known = [field.encode_name for field in _fields_at(kind, path)]
        path = _join(path, unknown["field"])
        return _fault(
            path, f"unknown {noun}", f"Unknown {noun} {path}.{_hint(unknown['field'], known)}"
        )
    if _ENUM.fullmatch(fault) and (allowed := _allowed_at(kind, path)):
        fault = f"must be one of {', '.join(allowed)}"
    elif _FORM.fullmatch(fault) and (form := _form_at(kind, path)):
        fault = f"expected {form}"
    elif too_long := _TOO_LONG.fullmatch(fault):
        fault = f"expected at most {too_long['most']} characters"
    else:
        fault = fault.replace("`", "")
        fault = fault[:1].lower() + fault[1:]
    return _fault(path, fault, f"{path or 'The body'}: {fault}.")


def _hint(name: str, known: Sequence[str]) -> str:
    folded = {field.replace("_", "").lower(): field for field in known}
    near = folded.get(name.replace("_", "").lower())
    if near is None:
        close = difflib.get_close_matches(name[:100], known, n=1, cutoff=0.75)
        near = close[0] if close else None
    return f" Did you mean {near}?" if near is not None else ""


def _choices(kind: msgspec.inspect.Type) -> Iterator[msgspec.inspect.Type]:
    if isinstance(kind, msgspec.inspect.Metadata):
        yield from _choices(kind.type)
    elif isinstance(kind, msgspec.inspect.UnionType):
        for choice in kind.types:
            yield from _choices(choice)
    else:
        yield kind


def _fields(kind: msgspec.inspect.Type) -> Iterator[msgspec.inspect.Field]:
    for choice in _choices(kind):
        if isinstance(choice, msgspec.inspect.StructType):
            yield from choice.fields


def _at(kind: type[msgspec.Struct], path: str) -> Iterator[msgspec.inspect.Type]:
    """Yield the types that may stand at a path of the wire."""
    return (choice for found in _reached(kind, path) for choice in _choices(found))


def _reached(kind: type[msgspec.Struct], path: str) -> list[msgspec.inspect.Type]:
    here = [msgspec.inspect.type_info(kind)]
    for step in re.findall(r"\[[^\]]*\]|[^.\[]+", path):
        if step.startswith("["):
            inner = [
                getattr(c, "item_type", None) or getattr(c, "value_type", None)
                for t in here
                for c in _choices(t)
            ]
            here = [found for found in inner if found is not None]
        else:
            here = [field.type for t in here for field in _fields(t) if field.encode_name == step]
    return here


def _form_at(kind: type[msgspec.Struct], path: str) -> str | None:
    """Return the words of a declaration on the form that a text has to have there."""
    here = _reached(kind, path)
    while here:
        found = here.pop(0)
        if isinstance(found, msgspec.inspect.UnionType):
            here += found.types
        elif isinstance(found, msgspec.inspect.Metadata):
            if isinstance(found.type, msgspec.inspect.StrType) and found.extra_json_schema:
                return found.extra_json_schema.get("description")
            here.append(found.type)
    return None


def _fields_at(kind: type[msgspec.Struct], path: str) -> Iterator[msgspec.inspect.Field]:
    return (field for found in _at(kind, path) for field in _fields(found))


def _allowed_at(kind: type[msgspec.Struct], path: str) -> list[str]:
    allowed: list[str] = []
    for found in _at(kind, path):
        if isinstance(found, msgspec.inspect.LiteralType):
            allowed += [str(value) for value in found.values]
        elif isinstance(found, msgspec.inspect.EnumType):
            allowed += [str(member.value) for member in found.cls]
    return allowed
