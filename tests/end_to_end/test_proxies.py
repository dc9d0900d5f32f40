"""A server behind a reverse proxy, as its settings make it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.end_to_end.server import Server


def wrong_guess(client: httpx.Client, address: str) -> int:
    """Return what a wrong token is answered with that the proxy passes on for that client."""
    headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": address}
    return client.get("/api/tasks", headers=headers).status_code


@pytest.mark.parametrize(("trusted", "other"), [("127.0.0.1", 401), ("", 429)])
def test_who_guesses_is_known_through_a_trusted_proxy_alone(
    tmp_path: Path, trusted: str, other: int
) -> None:
    settings = {
        "CC_CODEX_RUNNER_MODE": "stub",
        "CC_API_TOKEN": "a-token-of-32-characters-or-more",
        "CC_TRUSTED_PROXIES": trusted,
    }
    server = Server(tmp_path / "data", settings).start()
    try:
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            answers = [wrong_guess(client, "192.0.2.7") for _ in range(21)]
            assert [401] * 20 + [429] == answers
            assert other == wrong_guess(client, "192.0.2.8")
    finally:
        server.stop()
