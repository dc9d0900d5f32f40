"""`command-center mcp`: the endpoint for agents over standard input and output.

Each line is a message, and goes to the `/mcp` of a server that runs; what that answers comes back
as lines. So an agent that starts its servers as programs needs no address and no token of its own.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, Final

import attrs
import click

from command_center.http.cli.client.server import asks_server
from command_center_client.connection import CommandCenter

if TYPE_CHECKING:
    import httpx

SESSION: Final = "Mcp-Session-Id"
VERSION: Final = "MCP-Protocol-Version"
UNREACHABLE: Final = -32000


@attrs.define(eq=False)
class StdioBridge:
    """Hands messages on, and answers back, as they come.

    Requests wait side by side, since one may take long and be cancelled by another.
    """

    _client: httpx.Client
    _out: IO[str]
    _headers: dict[str, str] = attrs.field(factory=dict, init=False)
    _writing: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def run(self, lines: Iterable[str]) -> None:
        """Serve until there are no more lines, and every answer has come."""
        waiting: list[threading.Thread] = []
        for line in lines:
            if not line.strip():
                continue
            message = _read(line)
            if message.get("method") == "initialize" or "id" not in message:
                self.hand_on(line, message)  # what follows needs its answer, or its effect
                continue
            thread = threading.Thread(target=self.hand_on, args=(line, message), daemon=True)
            thread.start()
            waiting = [one for one in waiting if one.is_alive()] + [thread]
        for thread in waiting:
            thread.join()
        if self._headers:
            self._client.delete("/mcp", headers=self._headers)

    def hand_on(self, line: str, message: Mapping[str, Any]) -> None:
        """Send a message, and write what it is answered."""
        headers = {
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            **self._headers,
        }
        if message.get("method") == "initialize":
            headers.pop(SESSION, None)
        import httpx  # noqa: PLC0415 - `--help` needs none

        body = line.strip().encode()
        try:
            with self._client.stream(
                "POST", "/mcp", content=body, headers=headers, timeout=None
            ) as answer:
                if answer.is_error:
                    answer.read()
                    self._fail(message, _why(answer))
                    return
                if SESSION in answer.headers:
                    self._headers = {SESSION: answer.headers[SESSION]}
                for told in _messages(answer):
                    self._note_version(told)
                    self._write(told)
        except httpx.HTTPError as error:
            self._fail(message, f"No server answers at {self._client.base_url}: {error}")

    def _note_version(self, told: str) -> None:
        if SESSION in self._headers and VERSION not in self._headers:
            result = _read(told).get("result", {})
            if "protocolVersion" in result:
                self._headers[VERSION] = result["protocolVersion"]

    def _fail(self, message: Mapping[str, Any], why: str) -> None:
        if message.get("id") is not None:
            error = {"code": UNREACHABLE, "message": why}
            self._write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}))

    def _write(self, line: str) -> None:
        with self._writing:
            self._out.write(line + "\n")
            self._out.flush()


@click.command()
@asks_server
def mcp(center: CommandCenter) -> None:
    """Serve an agent over standard input and output, by the MCP endpoint of a running server."""
    import httpx  # noqa: PLC0415 - `--help` needs none

    known = True if center.context is None else center.context
    with httpx.Client(
        base_url=center.url, headers=center.headers, verify=known, trust_env=False
    ) as client:
        StdioBridge(client, sys.stdout).run(sys.stdin)


def _read(line: str) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except ValueError:
        return {"id": None}  # the server says what is wrong with it, to nobody in particular
    return read if isinstance(read, dict) else {"id": None}


def _messages(answer: httpx.Response) -> Iterator[str]:
    if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield line.removeprefix("data: ")
    elif body := answer.read():
        yield body.decode()


def _why(answer: httpx.Response) -> str:
    try:
        message: str = answer.json()["error"]["message"]
    except (ValueError, LookupError, TypeError):
        return f"The server answered {answer.status_code}."
    return message
