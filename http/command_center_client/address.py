"""The address of a server, which is spelled in one way wherever it is kept or compared."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

PORTS: Final = {"http": 80, "https": 443}


def address_of(url: str) -> str:
    """Return an address without its path, in small letters and without the usual port.

    Raises:
        ValueError: that is no address, or it has a name or a password in it.
    """
    wrong = ValueError(f"{url!r} is no address. Write it as http://host:port.")
    try:
        split = urlsplit(url)
        port, host = split.port, split.hostname or ""
        host.encode("idna")
    except ValueError as error:  # UnicodeError is one
        raise wrong from error
    if split.username is not None or split.password is not None:
        raise ValueError(
            "The address has a name or a password before its @. "
            "Write it as http://host:port, and sign in with a code or a token."
        )
    if not (host and split.scheme in PORTS and not split.path.strip("/")):
        raise wrong
    name = f"[{host}]" if ":" in host else host
    return f"{split.scheme}://{name}" + ("" if port in {None, PORTS[split.scheme]} else f":{port}")
