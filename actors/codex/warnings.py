"""The warnings of Codex, in one shape: of a thread, or of all that it does.

None of it is work, so a turn of which nothing else is heard is silent all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

WARNINGS: Final = frozenset(
    {"warning", "guardianWarning", "configWarning", "deprecationNotice", "model/rerouted"}
)
"""The notifications that warn."""


@attrs.frozen
class CodexWarning:
    """Something that Codex warns of; `kind` is its notification's name."""

    kind: str
    message: str
    details: str | None = None


def warning_of(method: str, params: Mapping[str, Any]) -> CodexWarning | None:
    """Read a notification as a warning; None, if it is none."""
    if method not in WARNINGS:
        return None
    if method == "model/rerouted":
        said = f"Codex uses the model {params.get('toModel')} instead of {params.get('fromModel')}."
        return CodexWarning(method, said, _text(params.get("reason")))
    message = params.get("message") or params.get("summary") or "Codex gave no reason."
    path = params.get("path")
    told = [_text(params.get("details")), None if path is None else f"In {path}."]
    return CodexWarning(method, str(message), " ".join(filter(None, told)) or None)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
