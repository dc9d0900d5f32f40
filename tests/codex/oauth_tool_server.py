"""An MCP server over HTTP on loopback, whose one tool wants a sign-in, and who signs in.

It is the server and its authorization server in one. Whoever opens the page is signed in at once,
and led back to who asked.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.codex.tool_server import answer

TOKEN = "a-token-of-the-tool-server"


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        url = f"http://{self.headers['Host']}"
        if place.path == "/.well-known/oauth-protected-resource/mcp":
            self._answer(200, {"resource": f"{url}/mcp", "authorization_servers": [url]})
        elif place.path == "/.well-known/oauth-authorization-server":
            self._answer(200, metadata(url))
        elif place.path == "/authorize":
            asked = parse_qs(place.query)
            back = urlencode({"code": "a-code", "state": asked["state"][0]})
            self._answer(302, {}, Location=f"{asked['redirect_uri'][0]}?{back}")
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/register":
            self._answer(201, {**json.loads(body), "client_id": "a-client"})
        elif self.path == "/token":
            self._answer(200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {}, **{"WWW-Authenticate": "Bearer"})
        else:
            self._speak(json.loads(body))

    def _speak(self, asked: dict[str, Any]) -> None:
        if "id" not in asked:
            self._answer(202, {})
            return
        result = answer(asked["method"], asked.get("params") or {})
        self._answer(200, {"jsonrpc": "2.0", "id": asked["id"], "result": result})

    def _answer(self, status: int, content: Any, **headers: str) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        pass


def metadata(url: str) -> dict[str, Any]:
    """Return what tells Codex how to sign in."""
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "registration_endpoint": f"{url}/register",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    }


class OAuthToolServer:
    """Answers Codex, and who signs in, until the block ends."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def offer(self, codex_home: Path, name: str) -> None:
        """Have the Codex of that home know this as the MCP server `name`."""
        path = codex_home / "config.toml"
        text = path.read_text(encoding="utf-8")
        kept = 'mcp_oauth_credentials_store = "file"\n'
        path.write_text(
            f'{kept}{text}\n[mcp_servers.{name}]\nurl = "{self.url}/mcp"\n', encoding="utf-8"
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
