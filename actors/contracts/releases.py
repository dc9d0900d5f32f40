"""The address of what looks for newer releases."""

from __future__ import annotations

from typing import Final, Literal, Never, TypeAlias

from command_center.runtime import Address

RELEASE_WATCH: Final[Address[Never]] = Address("/release-watch")
"""Looks for newer releases, and takes no messages; its description tells what is out."""

ReleaseState: TypeAlias = Literal["unknown", "current", "newer", "failed"]
