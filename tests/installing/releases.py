"""Releases to update to: wheels made of the built one, and a package index on loopback."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs

from tests.checkout import pyproject

VERSION = pyproject()["project"]["version"]
PROJECT = "command-center"
MIGRATIONS = "command_center/store/database/migrations"
STEP = '''"""A step of a later version."""


def migrate(db):
    """Do it."""
    {does}
'''
MIGRATES = {
    f"{MIGRATIONS}/m9000_later.py": STEP.format(does="db.execute('CREATE TABLE later (id)')")
}
FAILS = {
    f"{MIGRATIONS}/m9000_later.py": STEP.format(
        does="db.execute('INSERT INTO approvals SELECT * FROM approvals')"
    )
}
"""Files of a release: a migration that runs, and one that fails where there are approvals."""


def release(
    wheel: Path, version: str, folder: Path, files: Mapping[str, str] | None = None
) -> Path:
    """Return a wheel as the given one, of another version, with some files more or changed."""
    old, new = f"command_center-{VERSION}", f"command_center-{version}"
    made = folder / wheel.name.replace(old, new)
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as target:
        texts = {name: source.read(name) for name in source.namelist()}
        texts |= {name: text.encode() for name, text in (files or {}).items()}
        texts = {name.replace(old, new): text for name, text in texts.items()}
        metadata = f"{new}.dist-info/METADATA"
        texts[metadata] = texts[metadata].replace(
            f"\nVersion: {VERSION}\n".encode(), f"\nVersion: {version}\n".encode(), 1
        )
        record = f"{new}.dist-info/RECORD"
        texts[record] = (
            "".join(
                f"{name},sha256={_digest(text)},{len(text)}\n"
                for name, text in texts.items()
                if name != record
            ).encode()
            + f"{record},,\n".encode()
        )
        for name, text in texts.items():
            target.writestr(name, text)
    return made


def _digest(text: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip("=")


@attrs.define
class Offered:
    """A file of the index, with what its page tells of it."""

    path: Path
    python: str | None = None
    yanked: bool = False


@attrs.define
class PackageIndex:
    """An index with one project. `answer` is what its page is instead, where it is set."""

    url: str
    files: list[Offered] = attrs.field(factory=list)
    form: str = "json"
    answer: tuple[int, dict[str, str], bytes] | None = None
    asked: list[tuple[str, dict[str, str]]] = attrs.field(factory=list)

    def offers(self, *paths: Path, python: str | None = None, yanked: bool = False) -> None:
        """Offer files more."""
        self.files += [Offered(path, python, yanked) for path in paths]

    def page(self) -> tuple[str, bytes]:
        """Return the project's page, and what kind of page it is."""
        if self.form == "json":
            told: dict[str, Any] = {"meta": {"api-version": "1.1"}, "name": PROJECT}
            told["files"] = [
                {
                    "filename": file.path.name,
                    "url": f"{self.url}/files/{file.path.name}",
                    "hashes": {},
                    "requires-python": file.python,
                    "yanked": file.yanked,
                }
                for file in self.files
            ]
            return "application/vnd.pypi.simple.v1+json", json.dumps(told).encode()
        links = "".join(
            f'<a href="../files/{file.path.name}"'
            + (f' data-requires-python="{html.escape(file.python)}"' if file.python else "")
            + (' data-yanked="broken"' if file.yanked else "")
            + f">{file.path.name}</a>\n"
            for file in self.files
        )
        return "text/html; charset=utf-8", f"<!DOCTYPE html><body>{links}".encode()


@contextmanager
def serving_index() -> Iterator[PackageIndex]:
    """Serve an index, and lend it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append((self.path, {**self.headers}))
            name = self.path.rpartition("/")[2]
            found = next((f.path for f in index.files if f.path.name == name), None)
            if self.path.rstrip("/").endswith(f"/{PROJECT}"):
                if index.answer is None:
                    kind, body = index.page()
                    status, headers = 200, {"Content-Type": kind}
                else:
                    status, headers, body = index.answer
            elif found is not None:
                status, headers, body = 200, {}, found.read_bytes()
            else:
                status, headers, body = 404, {}, b""
            self.send_response(status)
            for key, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 - the base class's word

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # Installers cache by address, and a port comes again: an older wheel would be installed.
    index = PackageIndex(f"http://127.0.0.1:{server.server_address[1]}/{secrets.token_hex(8)}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
