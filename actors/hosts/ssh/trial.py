"""A first visit to a machine: by which key it shows itself, and whether it can be a host."""

from __future__ import annotations

from pathlib import Path

import attrs
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.fleet import NewHost
from command_center.actors.hosts.link.calling import parts_of
from command_center.actors.hosts.link.channels import LinkEnded
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.ssh.address import SshAddress
from command_center.actors.hosts.ssh.client import SshClient, SshFailed, new_data_dir, refused
from command_center.actors.rules.errors import Conflict

_ANSWER_SECONDS = 20.0
_END_SECONDS = 2.0


@attrs.frozen
class Accepted:
    """Keeps the key of a machine, where ssh does not know it, and our folder there."""

    line: str
    data_dir: str


async def try_out(wanted: NewHost, folder: Path) -> Accepted:
    """Visit a machine; files for ssh are made in the folder.

    Raises:
        Conflict: nobody has accepted its key yet, or it cannot be a host; says what to do.
        Unavailable: it cannot be reached.
    """
    client = SshClient(SshAddress.read(wanted.address or ""), folder, new_data_dir())
    try:
        try:
            await _visit(client, wanted.name)
        except SshFailed as failed:
            if not failed.is_unknown:
                raise
            client = await _accept(client, wanted)
            await _visit(client, wanted.name)
    except SshFailed as failed:
        raise refused(failed) from None
    except WireClosed as closed:
        raise Conflict(closed.reason) from None
    return Accepted(client.accepted, client.data_dir)


async def _accept(client: SshClient, wanted: NewHost) -> SshClient:
    """Return the client for the key that the machine shows, if that is the one that was named."""
    key = await client.find_key()
    if wanted.host_key is None:
        raise Conflict(
            f"Nobody has accepted the key of {wanted.address} yet. Its fingerprint is "
            f"{key.fingerprint}. Compare it with that of the machine, and send the same with "
            f"hostKey {key.fingerprint}.",
            host_key=key.fingerprint,
        )
    if wanted.host_key != key.fingerprint:
        raise Conflict(
            f"{wanted.address} shows the key {key.fingerprint}, and not {wanted.host_key}. Nothing "
            "was sent to it.",
            host_key=key.fingerprint,
        )
    return attrs.evolve(client, accepted=key.line)


async def _visit(client: SshClient, name: str) -> None:
    """Have the program run there, and ask it what it runs on."""
    async with trio.open_nursery() as nursery:
        standing = Standing(name)
        try:
            link, child = await client.open(nursery)
        except (SshFailed, WireClosed) as failed:
            nursery.cancel_scope.cancel()
            problem: Exception | None = failed
        else:
            problem = None

            async def run() -> None:
                try:
                    await link.run()
                except LinkEnded as ended:
                    standing.lost(ended.reason)

            nursery.start_soon(run)
            standing.connected(link)
            try:
                with trio.fail_after(_ANSWER_SECONDS):
                    _, _, codex = parts_of(standing, BridgeSettings())
                    system = await codex.platform()
                if system != "linux":
                    problem = SshFailed(
                        f"It runs {system}. Hosts over ssh run Linux.", is_lasting=True
                    )
            except trio.TooSlowError:
                problem = SshFailed("It does not answer.")
            except Exception as error:  # noqa: BLE001 - whatever it is, it is no host
                problem = SshFailed(f"{error} {child.last_words()}".strip())
            finally:
                await child.end(_END_SECONDS)
            nursery.cancel_scope.cancel()
    if problem is not None:
        raise problem
