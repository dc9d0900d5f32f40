"""Waiting until a server of a certain version answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import httpx

LOOK_SECONDS: Final = 0.2
ASK_SECONDS: Final = 10.0


def await_version(
    url: str, version: str, seconds: float, *, has_ended: Callable[[], bool] = lambda: False
) -> str | None:
    """Wait until the server at the URL is of that version and can read and write its store.

    Nothing secret is sent, so its certificate is not looked at: it may be of an own authority.

    Returns:
        Why it is not so within these seconds; None where it is.
    """
    deadline = time.monotonic() + seconds
    reason = "it does not answer"
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=ASK_SECONDS) as client:  # noqa: S501 - see above
        while time.monotonic() < deadline:
            if has_ended():
                return "it has ended"
            reason = _look(client, version)
            if not reason:
                return None
            time.sleep(LOOK_SECONDS)
    return f"{reason} within {seconds:.0f} s"


def _look(client: httpx.Client, version: str) -> str:
    """Return what is not as it should be; nothing where all is."""
    try:
        told = client.get("/health").json()
        found, store = str(told["version"]), str(told["checks"]["store"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return "it does not answer"
    if found != version:
        return f"version {found} answers"
    return "" if store == "ok" else f"its store is {store}"
