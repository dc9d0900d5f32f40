"""OTLP's JSON (opentelemetry-proto, `ExportTraceServiceRequest`).

Ids are hexadecimal there, and numbers of 64 bits are texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Final

import msgspec

from command_center.http.otlp.spans import Kind, Span, Value

_KINDS: Final[Mapping[Kind, int]] = MappingProxyType({"internal": 1, "server": 2, "client": 3})
_OK: Final = 0
_ERROR: Final = 2


def encoded(spans: Iterable[Span]) -> bytes:
    """Return the body of a request that exports spans."""
    number = version("command-center")
    resource = {"service.name": "command-center", "service.version": number}
    scope = {"name": "command_center", "version": number}
    return msgspec.json.encode(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": _attributes(resource)},
                    "scopeSpans": [{"scope": scope, "spans": [_span(span) for span in spans]}],
                }
            ]
        }
    )


def _span(span: Span) -> dict[str, Any]:
    parent = {} if span.parent_id is None else {"parentSpanId": span.parent_id}
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        **parent,
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start),
        "endTimeUnixNano": str(span.end),
        "attributes": _attributes(span.attributes),
        "events": [{"timeUnixNano": str(at), "name": name} for at, name in span.events],
        "status": {"code": _ERROR if span.is_error else _OK},
    }


def _attributes(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)},
        }
        for key, value in values.items()
    ]
