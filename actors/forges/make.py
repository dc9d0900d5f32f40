"""The adapter of a forge, made when it is first needed."""

from __future__ import annotations

from command_center.actors.forges.ports import Forge
from command_center.actors.forges.settings import GitHubSettings


def make_github(settings: GitHubSettings) -> Forge:
    """Make the client, which brings an HTTP client that nothing else needs."""
    from command_center.actors.forges.github import GitHub  # noqa: PLC0415 - as said

    return GitHub(settings)
