"""Load what a server imports, and make the schema of new databases, for all that are forked."""

from __future__ import annotations

import gc
from pathlib import Path
from tempfile import TemporaryDirectory

import command_center.actors.webpush.tree
import command_center.http.cli.local
import command_center.http.cli.main
import command_center.http.run  # noqa: F401
from command_center.http.routes.dashboard import own_assets
from command_center.store import open_database

with TemporaryDirectory() as folder:
    open_database(Path(folder) / "new.db").close()

for asset in own_assets().values():
    _ = asset.compressed  # which is made once

# What is loaded is no garbage: a fork that looked for some in it would copy all of its memory.
gc.collect()
gc.freeze()
