"""The site as files: `python -m command_center.http.documentation.build FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from command_center.http.documentation.site import listed, made
from command_center.http.openapi.routes import make
from command_center.http.routes.dashboard import WEB

ENTRANCE = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/">\n'
)

SHARED = (
    "documentation/site.css",
    "documentation/site.js",
    "icons/icon.svg",
    "styles/base.css",
    "styles/tokens.css",
    "theme.js",
)
"""Files of the page that the site shows itself with."""


def build(folder: Path) -> int:
    """Write the site to a folder, for any web server to serve below any path; count the files."""
    written = {"index.html": ENTRANCE.encode()}
    for name in listed():
        written[f"docs/{name}"], _ = made(name, is_served=False)
    for name, (body, _) in make(secured=False).items():
        written[name] = body
    for name in SHARED:
        written[f"web/{name}"] = (WEB / name).read_bytes()
    for name, body in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return len(written)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    click.echo(f"{build(target)} files are in {target}. Serve the folder with any web server.")
