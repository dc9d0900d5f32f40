"""The first words to another machine, by which its Python takes our program."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from command_center.actors.hosts.ssh.boot import _keep


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name in names:
            made.writestr(name, "pass\n")
    return buffer.getvalue()


def test_a_program_that_cannot_be_kept_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="inner"):  # a disk that takes only a part of it
        _keep(archive("inner", "inner/part.py"), tmp_path / "digest")
    assert [] == list(tmp_path.iterdir())
    for _ in range(2):  # the second one comes late
        _keep(archive("part.py"), tmp_path / "digest")
    assert [tmp_path / "digest"] == list(tmp_path.iterdir())
