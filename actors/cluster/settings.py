"""The settings of a centre that is one of a cluster."""

from pathlib import Path
from typing import Final

import attrs

from command_center.actors.nats.connection import NatsOptions
from command_center.store.uploaded_files import FOLDER

REPLICAS: Final = 3
"""Servers that each have all of the stream."""


@attrs.frozen(kw_only=True)
class ClusterSettings:
    """Settings of one centre; times are seconds.

    Attributes:
        nats: the servers, and who we are.
        name: the cluster's name, which its stream has, too.
        key: the 32 bytes that close what is in the stream.
        data_dir: this centre's folder.
        database: where the database is while this centre leads.
        url: where clients reach this centre.
        version: of this program.
        steps: the schema's steps that this program knows.
        monitors: the servers' monitoring addresses.
        allows_single: one server will do, for trying it out.
        silence: of the leader, after which another centre claims.
        grace: that the leader has after the stream could not be used.
        beat: between two signs of the leader.
        patience: for which a commit is tried.
        snapshot_bytes: by which the stream grows until the leader keeps another snapshot.
        look_seconds: between two looks of the leader at that.
        check_seconds: after which a standby reads all of its copy again.
    """

    nats: NatsOptions
    name: str
    key: bytes = attrs.field(repr=False)
    data_dir: Path
    database: Path
    url: str
    version: str
    steps: frozenset[str]
    monitors: tuple[str, ...] = ()
    allows_single: bool = False
    silence: float = 3.0
    grace: float = 2.0
    beat: float = 1.0
    patience: float = 10.0
    snapshot_bytes: int = 256 * 1024 * 1024
    look_seconds: float = 30.0
    check_seconds: float = 3600.0

    @property
    def stream(self) -> str:
        """Return the stream's name."""
        return f"cc-{self.name}"

    @property
    def uploads(self) -> Path:
        """Return the folder of what people have uploaded."""
        return self.data_dir / FOLDER

    @property
    def lease(self) -> float:
        """Return the seconds after a sign of the leader in which surely no other centre leads.

        It is a tenth less than the silence, as clocks do not run alike.
        """
        return 0.9 * self.silence

    @property
    def schema(self) -> str:
        """Return the newest step of the schema that this program knows."""
        return max(self.steps)

    def subject(self, what: str) -> str:
        """Return the subject of pieces, signs of a leader, or signs of a base."""
        return f"{self.stream}.{what}"
