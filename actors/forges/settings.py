"""The settings of forges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import attrs

from command_center.actors.rules.forge_links import ForgeKind, kind_of
from command_center.runtime import Backoff


async def no_token(_host: str) -> str | None:
    """Know no token."""
    return None


@attrs.frozen(kw_only=True)
class GitHubSettings:
    """The address of GitHub, who is spoken for, and how patiently.

    Attributes:
        token: whose it is, is who opens pull requests; it is shown by nothing.
        find_token: asks for one where none is given, by the name of the web's host.
        api_base: the address of the REST API; one of GitHub Enterprise ends with `/api/v3`.
        forges: what other hosts run, by their names, where these do not say it.
        webhook_secret: what deliveries are signed with.
        call_seconds: how long an answer may take.
        busy_seconds: between two looks at a pull request whose checks run.
        idle_seconds: between two looks at any other.
        backoff: the waits after failures.
    """

    token: str | None = attrs.field(default=None, repr=False)
    find_token: Callable[[str], Awaitable[str | None]] = no_token
    api_base: str = "https://api.github.com"
    forges: Mapping[str, ForgeKind] = attrs.field(factory=dict)
    webhook_secret: str | None = attrs.field(default=None, repr=False)
    call_seconds: float = 20.0
    busy_seconds: float = 30.0
    idle_seconds: float = 180.0
    backoff: Backoff = attrs.field(default=Backoff(initial=30.0, cap=900.0, jitter=0.0))

    @property
    def host(self) -> str:
        """Return the host whose repositories these are: `github.com`."""
        return (urlsplit(self.api_base).hostname or "").removeprefix("api.")

    def kind_of(self, host_name: str) -> ForgeKind | None:
        """Return what a host runs; None where nobody knows."""
        return "github" if host_name == self.host else kind_of(host_name, self.forges)
