"""The one client of a forge that all actors speak by: one rate limit, one memory of its answers."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from command_center.actors.forges.ports import Forge
from command_center.actors.forges.settings import GitHubSettings


def make_github(settings: GitHubSettings) -> Forge:
    """Make the client, which brings an HTTP client that nothing else needs."""
    from command_center.actors.forges.github import GitHub  # noqa: PLC0415 - as said

    return GitHub(settings)


@attrs.define(eq=False)
class SharedForge:
    """Make the client when it is first spoken by, and close it when the last actor lets go.

    An actor holds it from its start to its stop. What the forge has said (that it has had enough,
    that it does not take the token) holds for all of them.
    """

    settings: GitHubSettings
    make: Callable[[GitHubSettings], Forge] = make_github
    _client: Forge | None = attrs.field(default=None, init=False)
    _holders: int = attrs.field(default=0, init=False)

    @property
    def client(self) -> Forge:
        """Return the client."""
        if self._client is None:
            self._client = self.make(self.settings)
        return self._client

    def hold(self) -> None:
        """Begin to use it."""
        self._holders += 1

    async def let_go(self) -> None:
        """Use it no more; the last one closes its connections."""
        self._holders -= 1
        if self._holders == 0 and self._client is not None:
            client, self._client = self._client, None
            await client.close()
