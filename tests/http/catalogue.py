"""The catalogue of who may do what, made of the declarations.

`uv run python -m tests.http.catalogue` writes it into docs/devices.md.
"""

from __future__ import annotations

import re
from pathlib import Path

from command_center.http.routes.table import APIS, OPERATIONS
from command_center.http.wire.operation import camel
from tests.checkout import ROOT

_PARAMETER = re.compile(r"<(?:[a-z]+:)?(?P<name>\w+)>")


def rows() -> list[str]:
    """Return the rows of the table."""
    told = [
        (
            f"{operation.method} {path_of(operation.rule)}",
            (operation.scope or ("open" if operation.is_open else "any"))
            + (f"; {operation.needs.where}: {operation.needs.scope}" if operation.needs else ""),
        )
        for operation in OPERATIONS
    ]
    told += [
        (f"WebSocket {path_of(socket.rule)}", ", ".join(socket.scopes) or "open")
        for api in APIS
        for socket in api.sockets
    ]
    return [f"| `{name}` | {needed} |" for name, needed in told]


def path_of(rule: str) -> str:
    """Return a route's path as the documentation writes it."""
    return _PARAMETER.sub(lambda found: f":{camel(found['name'])}", rule)


def write(page: Path) -> None:
    """Put the rows into the page's last table."""
    text = page.read_text(encoding="utf-8")
    head = "| Operation | Scope |\n|---|---|\n"
    before, _, _ = text.partition(head)
    page.write_text(before + head + "\n".join(rows()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(ROOT / "docs" / "devices.md")
