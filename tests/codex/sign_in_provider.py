"""Gives Codex the codes and tokens of a sign-in, and tells it what of its plan is used.

It is OpenAI's issuer and the backend of ChatGPT in one, on loopback, in threads of its own, as far
as Codex asks them when somebody signs in by a code and when limits are read.
"""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

EMAIL = "ada@example.org"
CODE = "ABCD-12345"
FAR_AWAY = 4_102_444_800
RESETS_AT = 1_900_000_000


def _token() -> str:
    """A JWT that nobody has signed: Codex reads it, and leaves the check to who gets it."""
    account = {
        "chatgpt_plan_type": "pro",
        "chatgpt_account_id": "account-1",
        "chatgpt_user_id": "user-1",
    }
    claims = {"email": EMAIL, "exp": FAR_AWAY, "https://api.openai.com/auth": account}
    parts = (json.dumps({"alg": "none"}).encode(), json.dumps(claims).encode(), b"signature")
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class SignInProvider:
    """Answers Codex until the block ends; a code is waited for until `entered` is set."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        """Somebody has entered the code."""
        self.is_down = False
        self.used_percent = 42
        self.asked: list[str] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._answer(*provider.answer(self.path))

            def do_GET(self) -> None:
                self._answer(*provider.answer(self.path))

            def _answer(self, status: int, content: Any) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def write_home(self, home: Path) -> dict[str, str]:
        """Let the Codex of `home` need an account of ours; answers what its environment needs."""
        config = home / "config.toml"
        text = config.read_text(encoding="utf-8")
        text = text.replace("requires_openai_auth = false", "requires_openai_auth = true")
        base = f'chatgpt_base_url = "{self.url}/backend-api"\n'
        config.write_text(base + text, encoding="utf-8")
        return {"CODEX_APP_SERVER_LOGIN_ISSUER": self.url}

    def answer(self, path: str) -> tuple[int, Any]:
        """The status and the body of an answer."""
        self.asked.append(path)
        if self.is_down:
            return 503, {}
        if path.endswith("/deviceauth/token") and not self.entered.is_set():
            return 403, {}
        known = next((what for end, what in self._answers().items() if path.endswith(end)), None)
        return (404, {}) if known is None else (200, known)

    def _answers(self) -> dict[str, Any]:
        """Return the answers, by how a path ends."""
        token = _token()
        account = {
            "id": "account-1",
            "name": "Ada's",
            "structure": "personal",
            "plan_type": "pro",
            "account_routing_override": "NO_CONSTRAINT",
            "workspace_backend_origin": "https://chatgpt.com",
        }
        granted = {"authorization_code": "c", "code_challenge": "c", "code_verifier": "v"}
        return {
            "/deviceauth/usercode": {
                "device_auth_id": "attempt-1",
                "user_code": CODE,
                "interval": "1",
            },
            "/deviceauth/token": granted,
            "/oauth/token": {"id_token": token, "access_token": token, "refresh_token": "r"},
            "/accounts/check": {"accounts": [account], "default_account_id": "account-1"},
            "/wham/usage": {"plan_type": "pro", "rate_limit": self._limits()},
        }

    def _limits(self) -> dict[str, Any]:
        def window(used: int, seconds: int) -> dict[str, int]:
            return {
                "used_percent": used,
                "limit_window_seconds": seconds,
                "reset_after_seconds": 60,
                "reset_at": RESETS_AT,
            }

        return {
            "allowed": self.used_percent < 100,
            "limit_reached": self.used_percent >= 100,
            "primary_window": window(self.used_percent, 5 * 3600),
            "secondary_window": window(7, 7 * 86400),
        }
