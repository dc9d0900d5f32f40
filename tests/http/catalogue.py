"""The catalogue of who may do what, as docs/devices.md shows it; prints it when it is run."""

from __future__ import annotations

import re
import sys

from command_center.http.routes.table import APIS, OPERATIONS
from command_center.http.wire.operation import camel

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
        (f"WebSocket {path_of(socket.rule)}", socket.scope)
        for api in APIS
        for socket in api.sockets
    ]
    return [f"| `{name}` | {needed} |" for name, needed in told]


def path_of(rule: str) -> str:
    """Return a route's path as the documentation writes it."""
    return _PARAMETER.sub(lambda found: f":{camel(found['name'])}", rule)


if __name__ == "__main__":
    sys.stdout.write("\n".join(rows()) + "\n")
