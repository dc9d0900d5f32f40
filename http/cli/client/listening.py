"""The process at the other end: the token of this machine's server goes to that server alone.

A port is free for whoever comes first. While the server is stopped, another user's program can
listen in its place. So the token is kept back until the process there is seen to be of this user,
of root, or of the owner of the data folder. Windows shows it to nobody.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Final, TypeAlias

from command_center_client.errors import ClientError

End: TypeAlias = tuple[str, int]
"""One end of a connection: its address, and its port."""

ROOT: Final = 0


class ListenedByAnother(ClientError):
    """A process of another user has the port of this machine's server; no token was sent."""

    def __init__(self, url: str, user: int) -> None:
        super().__init__(
            f"What listens at {url} is of another user ({name_of(user)}), so it is not sent "
            "CC_API_TOKEN. Stop it, or choose another CC_PORT; if you trust it, give its token as "
            "CC_TOKEN."
        )
        self.url = url
        self.user = user


def refuse_another(
    url: str, server: End, client: End | None = None, *, data_dir: str | None = None
) -> None:
    """Refuse an address where another user's process listens, or has a connection's other end.

    The listener is looked at before the connection. Whoever listens no more has taken the
    connection by then, and is seen as its owner. What nobody on this machine has is root's doing,
    who alone can redirect it.

    Args:
        url: the server's, for the message.
        server: its address and port.
        client: our end of a connection with it.
        data_dir: the folder whose owner is trusted, too: the server may run as a user of its own.

    Raises:
        ListenedByAnother: it is another user's.
    """
    if sys.platform != "win32":
        from command_center.http.sockets.socket_owner import NOBODY, listener_of, owner_of  # noqa: PLC0415 - most commands send no such token

        trusted = {None, NOBODY, ROOT, os.geteuid()}
        for owner in (listener_of(server), None if client is None else owner_of(server, client)):
            if owner is not None and owner not in trusted and owner != _owner_of(data_dir):
                raise ListenedByAnother(url, owner)


def name_of(user: int) -> str:
    """Return a user's name, or its number where it has none."""
    if sys.platform != "win32":
        import pwd  # noqa: PLC0415 - only a refusal names it

        with contextlib.suppress(KeyError):
            return pwd.getpwuid(user).pw_name
    return str(user)


def _owner_of(folder: str | None) -> int | None:
    try:
        return None if folder is None else Path(folder).expanduser().stat().st_uid
    except (OSError, RuntimeError, ValueError):
        return None
