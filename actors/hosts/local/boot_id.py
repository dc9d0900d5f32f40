"""The name of a start of this machine, by which what was before it is told apart."""

from __future__ import annotations

from pathlib import Path


def boot_id() -> str:
    """Return the name of this start of the machine; empty where the system has none.

    There, a start is known by its clock, which begins anew.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
