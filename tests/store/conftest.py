"""A database file with its writer and readers, for each test its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from command_center.store import Readers, Writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the test's database is, or will be."""
    return tmp_path / "data" / "command-center.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    """A writer on a new database."""
    writer = Writer(path, busy_timeout=0)
    yield writer
    writer.close()


@pytest.fixture
def readers(path: Path, writer: Writer) -> Iterator[Readers]:
    """Readers of the same database."""
    assert writer is not None
    readers = Readers(path)
    yield readers
    readers.close()
