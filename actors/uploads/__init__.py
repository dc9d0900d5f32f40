"""Uploads: the pictures and texts that people send for Codex, in a folder of this user's alone.

`actor` is `/uploads`, which keeps them; `rules.uploads` says what is taken.
"""

from command_center.actors.uploads.actor import Uploads

__all__ = ["Uploads"]
