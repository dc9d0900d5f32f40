"""One client for all actors."""

from __future__ import annotations

from command_center.actors.forges.ports import Forge
from command_center.actors.forges.settings import GitHubSettings
from command_center.actors.forges.shared import SharedForge, make_github


async def test_all_speak_by_one_client_which_the_last_one_closes() -> None:
    forge = SharedForge(GitHubSettings())
    forge.hold()
    forge.hold()
    client = forge.client
    assert client is forge.client
    await forge.let_go()
    assert client is forge.client
    await forge.let_go()
    forge.hold()
    assert client is not forge.client
    await forge.let_go()


async def test_a_client_that_nobody_spoke_by_is_never_made() -> None:
    made: list[GitHubSettings] = []

    def make(settings: GitHubSettings) -> Forge:
        made.append(settings)
        return make_github(settings)

    forge = SharedForge(GitHubSettings(), make)
    forge.hold()
    await forge.let_go()
    assert [] == made
    forge.hold()
    assert forge.client is not None
    await forge.let_go()
    assert 1 == len(made)
