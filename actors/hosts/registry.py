"""The hosts by name, and how each is made. docs/hosts.md shows how to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import attrs

from command_center.actors.codex.ports import CodexHost
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.hosts import Hosts
from command_center.actors.core.storage import Storage
from command_center.actors.hosts.local.host import LocalHost
from command_center.actors.hosts.local.tailscale import TailscaleSettings
from command_center.store import StoredHost
from command_center.store.records import LOCAL


@attrs.frozen(kw_only=True)
class HostSettings:
    """Settings that hosts are made of.

    Attributes:
        data_dir: the data folder of this server.
        roots: where repositories of this machine may be; anywhere if empty.
        codex: how the Codex of this machine is reached.
        tailscale: the way from outside that Tailscale makes, if it is wanted.
    """

    data_dir: Path
    roots: tuple[Path, ...]
    codex: BridgeSettings
    tailscale: TailscaleSettings | None = None

    @property
    def ssh_folder(self) -> Path:
        """Return the folder of what ssh reads."""
        return self.data_dir / "ssh"


def make_hosts(settings: HostSettings) -> Hosts[CodexHost]:
    """Make every host of this server."""
    return Hosts({name: make(settings) for name, make in MAKERS.items()})


def make_added(record: StoredHost, storage: Storage, settings: HostSettings) -> CodexHost:
    """Make a host that somebody has added."""
    if record.kind == "dial":
        from command_center.actors.hosts.dial.host import dialling_host  # noqa: PLC0415 - as below

        return dialling_host(record, storage, disabled=settings.codex.disabled)
    from command_center.actors.hosts.ssh.host import ssh_host  # noqa: PLC0415 - a server without other hosts starts as before

    return ssh_host(record, storage, settings.ssh_folder, disabled=settings.codex.disabled)


def _local(settings: HostSettings) -> CodexHost:
    return LocalHost.of(
        settings.data_dir, settings.codex, roots=settings.roots, tailscale=settings.tailscale
    )


MAKERS: Final[Mapping[str, Callable[[HostSettings], CodexHost]]] = MappingProxyType({LOCAL: _local})
"""The function that makes each host, by its name."""
