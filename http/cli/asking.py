"""Commands that ask a server which runs, over its API, as a script would: their common part."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Final

import httpx

from command_center.http.config.settings import Settings
from command_center.http.config.urls import url_of

TIMEOUT_SECONDS: Final = 10.0


class NotAnswered(Exception):
    """The server did not answer with what was asked; its text is one line for the operator."""


def client_of(settings: Settings, url: str | None) -> httpx.Client:
    """Return a client of the server at `url`, or of the one that the settings make.

    Raises:
        NotAnswered: that is no address.
    """
    certificate = settings.tls_cert
    address = url or url_of(settings.host, settings.port, is_encrypted=certificate is not None)
    if not address.startswith(("http://", "https://")):
        raise NotAnswered(f"--url must begin with http:// or https://, not {address!r}.")
    token = settings.api_token
    headers = {} if token is None else {"Authorization": f"Bearer {token.reveal()}"}
    try:
        known = _own(certificate) if url is None and certificate is not None else True
        return httpx.Client(
            base_url=address, headers=headers, timeout=TIMEOUT_SECONDS, verify=known
        )
    except OSError as error:
        raise NotAnswered(f"CC_TLS_CERT {certificate} cannot be read: {error}.") from error
    except httpx.InvalidURL as error:
        raise NotAnswered(f"{address} is not an address: {error}.") from error


def ask(
    client: httpx.Client, method: str, path: str, body: object = None, *, holds: str
) -> dict[str, Any]:
    """Return what the server answers, which has a field `holds`.

    Raises:
        NotAnswered: no server answers there, or it refuses, or it is something else.
    """
    try:
        answer = client.request(method, path, json=body)
    except httpx.HTTPError as error:
        raise NotAnswered(f"No server answers at {client.base_url}: {error}.") from error
    try:
        said: dict[str, Any] = answer.json()
        if answer.is_success and holds in said:
            return said
        message = said["error"]["message"]
    except (ValueError, LookupError, TypeError) as error:
        raise NotAnswered(f"What answers at {client.base_url} is not a Command Center.") from error
    raise NotAnswered(f"{client.base_url} refused: {message}")


def _own(certificate: Path) -> ssl.SSLContext:
    """Trust the server's own certificate and no other, whatever names it is for."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
