"""A host that is reached over ssh."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from command_center.actors.core.storage import Storage
from command_center.actors.hosts.link.host import LinkedHost
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.hosts.ssh.address import SshAddress
from command_center.actors.hosts.ssh.client import SshClient
from command_center.actors.hosts.ssh.keeper import SshLink
from command_center.runtime import ChildSpec
from command_center.store import StoredHost


def ssh_host(
    record: StoredHost, storage: Storage, folder: Path, *, disabled: str | None
) -> LinkedHost:
    """Make it; `folder` is for what ssh reads here, `disabled` why its Codex is not reached."""
    standing = Standing(record.name)
    client = SshClient(SshAddress.read(record.address), folder, record.data_dir, record.host_key)
    link = ChildSpec(id="link", start=partial(SshLink, storage, client, standing))
    return LinkedHost.over(standing, link, disabled=disabled)
