"""Errors of exports and imports; each message says what to do."""

from __future__ import annotations


class BadExport(Exception):
    """The file is no export, is not whole, or cannot be taken in here. Nothing was changed."""
