"""A NATS server for a test of centres."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.nats_servers import NatsServer, one_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A NATS server alone."""
    with one_server(tmp_path / "nats") as started:
        await started.ready()
        yield started
