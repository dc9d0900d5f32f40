"""Refs are set and taken away as themselves, never as the ones that they name."""

from __future__ import annotations

from tests.checkout import ROOT


def test_refs_are_written_in_one_place() -> None:
    """There they are not followed; elsewhere that would be forgotten."""
    writing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "actors").rglob("*.py")
        if '"update-ref"' in path.read_text(encoding="utf-8")
    }
    judging = {"actors/hosts/daemon/held_git.py"}  # it runs what it is sent, or refuses it
    assert {"actors/git/refs.py"} == writing - judging
