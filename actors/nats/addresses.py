"""Addresses of NATS servers, as settings have them."""

from urllib.parse import unquote, urlsplit

import attrs

_PORT = 4222
_SCHEMES = ("nats", "tls")


@attrs.frozen
class NatsAddress:
    """A server's address, and what it says of who asks.

    Attributes:
        host: its name or address.
        port: its port.
        tls: nothing may be said to it without TLS.
        user: a user's name, or a token where there is no password; empty where there is none.
        password: the user's password.
    """

    host: str
    port: int = _PORT
    tls: bool = False
    user: str = attrs.field(default="", repr=False)
    password: str = attrs.field(default="", repr=False)

    def __str__(self) -> str:
        """Return it without who asks, for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.tls else 'nats'}://{host}:{self.port}"


def parse_addresses(text: str) -> tuple[NatsAddress, ...]:
    """Return the servers of a text: ``nats://`` or ``tls://`` addresses with commas between them.

    Raises:
        ValueError: there is none, or one is no such address. No password is in the text.
    """
    found = tuple(_parse(part.strip()) for part in text.split(",") if part.strip())
    if not found:
        raise ValueError("There is no address of a NATS server.")
    return found


def _parse(text: str) -> NatsAddress:
    wrong = "An address of a NATS server is like nats://host:4222 or tls://host:4222"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"{wrong}.") from None
    if parts.scheme not in _SCHEMES or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"{wrong}.")
    if parts.query or parts.fragment:
        raise ValueError(f"{wrong}, and has nothing behind it.")
    return NatsAddress(
        parts.hostname,
        _PORT if port is None else port,
        tls=parts.scheme == "tls",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
