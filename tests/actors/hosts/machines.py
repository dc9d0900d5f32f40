"""Hosts to test with."""

from pathlib import Path

from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.hosts import Hosts
from command_center.actors.hosts.local.host import LocalHost


def this_machine(data_dir: Path) -> Hosts[LocalHost]:
    """The host `local` alone, as a server has it that keeps its data there."""
    host = LocalHost.of(data_dir, BridgeSettings())
    return Hosts({host.name: host})
