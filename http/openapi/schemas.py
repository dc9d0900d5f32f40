"""The structs as JSON Schema, in words for people.

msgspec makes the schemas of the types. It does not know that an answer is whole: a field with a
default is there, too, unless the struct leaves its defaults out. And the words about each field
stand in the struct's docstring, under "Attributes:", where the field has its name in Python.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, get_origin

import attrs
import msgspec

REFERENCE: Final = "#/components/schemas/{name}"

_ATTRIBUTES = re.compile(r"\n*^Attributes:\n", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^    (?P<name>\w+): (?P<text>.*(?:\n {5,}.*)*)", re.MULTILINE)
_QUOTED = re.compile(r"``?([^`]+)``?")


@attrs.frozen
class Schemas:
    """The schemas of some types.

    Attributes:
        of: each type's.
        components: those of the structs that they refer to, by name.
        taken: the names of structs that a client sends.
    """

    of: Mapping[Any, dict[str, Any]]
    components: dict[str, dict[str, Any]]
    taken: frozenset[str]


def schemas_of(told: Iterable[Any], taken: Iterable[Any] = ()) -> Schemas:
    """Make the schemas of what is answered, and of what is taken."""
    given, wanted = [*dict.fromkeys(told)], [*dict.fromkeys(taken)]
    kinds = [*dict.fromkeys([*given, *wanted])]
    made, components = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    sent = frozenset(_structs(wanted))
    for name, kind in _structs(kinds).items():
        _put_words(components[name], kind)
        _put_items(components[name])
        if name not in sent:
            _put_whole(components[name], kind)
    return Schemas(dict(zip(kinds, made, strict=True)), dict(sorted(components.items())), sent)


def without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: a query has no null, but leaves out."""
    told = {name: value for name, value in schema.items() if name != "default"}
    if schema.get("default") not in (None, ()):
        told["default"] = schema["default"]
    if "anyOf" in told:
        told["anyOf"] = [choice for choice in told["anyOf"] if choice != {"type": "null"}]
        if len(told["anyOf"]) == 1:
            told |= told.pop("anyOf")[0]
    if "enum" in told:
        told["enum"] = [value for value in told["enum"] if value is not None]
    return told


def _words_of(kind: type[msgspec.Struct]) -> tuple[str, dict[str, str]]:
    """Return what a struct's docstring says of it, and of its fields by their names on the wire."""
    lead, fields = "", {}
    names = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    for owner in reversed(kind.__mro__):
        lead, *rest = _ATTRIBUTES.split(inspect.cleandoc(owner.__dict__.get("__doc__") or ""))
        for found in _ATTRIBUTE.finditer("\n".join(rest)):
            if found["name"] in names:
                text = _as_on_the_wire(" ".join(found["text"].split()), names)
                fields[names[found["name"]]] = text[:1].upper() + text[1:]
    return _as_on_the_wire(lead, names), fields


def _as_on_the_wire(text: str, names: Mapping[str, str]) -> str:
    """Return the text with JSON's names in the place of Python's."""
    text = _QUOTED.sub(lambda found: f"`{names.get(found[1], found[1])}`", text)
    return re.sub(r"\bNone\b", "null", text)


def _put_words(schema: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    lead, fields = _words_of(kind)
    if lead:
        schema["description"] = lead
    for name, text in fields.items():
        schema["properties"][name]["description"] = text


def _put_items(schema: dict[str, Any]) -> None:
    """Say of what a list holds that it may be anything, where nothing else is said of it."""
    for field in schema["properties"].values():
        for choice in field.get("anyOf", [field]):
            if choice.get("type") == "array" and "prefixItems" not in choice:
                choice.setdefault("items", {})


def _put_whole(schema: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    """Say which fields an answer has: all, but for those that are left out."""
    for field in schema["properties"].values():
        field.pop("default", None)
    if not kind.__struct_config__.omit_defaults:
        schema["required"] = [
            field.encode_name
            for field in msgspec.structs.fields(kind)
            if field.default is not msgspec.UNSET
        ]


def _structs(kinds: Iterable[Any]) -> dict[str, type[msgspec.Struct]]:
    """Return every struct that the types need, by its name among the components."""
    found: dict[str, type[msgspec.Struct]] = {}
    waiting = [*msgspec.inspect.multi_type_info(kinds)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, msgspec.inspect.StructType):
            name = _name_of(part.cls)
            if name in found:
                continue
            found[name] = get_origin(part.cls) or part.cls
        waiting += _parts(part)
    return found


@cache
def _name_of(kind: type[msgspec.Struct]) -> str:
    """Return a struct's name among the components."""
    (made,), _ = msgspec.json.schema_components([kind], ref_template="{name}")
    name: str = made["$ref"]
    return name


def _parts(kind: msgspec.inspect.Type) -> Iterator[msgspec.inspect.Type]:
    """Yield the types that a type is made of."""
    for name in ("type", "item_type", "key_type", "value_type"):
        if (part := getattr(kind, name, None)) is not None:
            yield part
    for name in ("types", "item_types"):
        yield from getattr(kind, name, ())
    if isinstance(kind, msgspec.inspect.StructType):
        yield from (field.type for field in kind.fields)
