"""A remote as a forge has one: a bare repository behind git's own server, over https."""

from __future__ import annotations

import base64
import os
import shlex
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import attrs

from tests.actors.git.repository import plain_git
from tests.http import certificates

TOKEN = "let-me-in"


@attrs.define
class Remote:
    """A running server, and what it was asked.

    Attributes:
        folder: the bare repository.
        url: where it is.
        cert: the file of the certificate that has to be trusted.
        token: the password without which nobody gets in; None where everybody does.
        status: what is answered to all, where it is not None.
        held: while it is not set, nothing is answered.
        asked: the method and the path of each request.
    """

    folder: Path
    url: str
    cert: Path
    token: str | None = None
    status: int | None = None
    held: Event = attrs.field(factory=Event)
    asked: list[str] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.held.set()

    def head(self, branch: str) -> str:
        """Return the commit of a branch; empty where there is none."""
        name = f"refs/heads/{branch}"
        return plain_git(self.folder, "rev-parse", "--verify", "--quiet", name, check=False)

    @property
    def pushes(self) -> int:
        """Return how many times something was sent."""
        return sum(line.startswith("POST") and "receive-pack" in line for line in self.asked)

    def hook(self, name: str, *lines: str) -> None:
        """Have the other side run a hook."""
        hook = self.folder / "hooks" / name
        hook.write_text("\n".join(("#!/bin/sh", *lines)) + "\n")
        hook.chmod(0o755)


def trust(remote: Remote, home: Path, *, token: str | None = None) -> None:
    """Have a user of that home trust the remote, and know the password by a helper of their own."""
    config = home / ".gitconfig"
    trusted = home / "trusted.pem"
    with trusted.open("a") as file:
        file.write(remote.cert.read_text())
    settings = {"http.sslCAInfo": str(trusted)}
    if token is not None:
        helper = home / "helper"
        helper.write_text(f"#!/bin/sh\necho username=ada\necho password={token}\n")
        helper.chmod(0o755)
        settings["credential.helper"] = shlex.quote(str(helper))
    for key, value in settings.items():
        plain_git(home, "config", "--file", str(config), key, value)


@contextmanager
def serve_remote(folder: Path, **fields: object) -> Iterator[Remote]:
    """Serve a bare repository `work.git` that is made below a folder."""
    bare = folder / "work.git"
    bare.mkdir(parents=True)
    plain_git(bare, "init", "--quiet", "--bare", "--initial-branch=main")
    plain_git(bare, "config", "http.receivepack", "true")
    cert, key = certificates.make(folder)
    found: list[Remote] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            _answer(found[0], self)

        def do_POST(self) -> None:
            _answer(found[0], self)

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of a client that went away."""

    with Server(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        url = f"https://127.0.0.1:{server.server_port}/{folder.name}/work.git"
        found.append(Remote(bare, url, cert, **fields))  # type: ignore[arg-type]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield found[0]
        finally:
            found[0].held.set()
            server.shutdown()
            thread.join()


def _answer(remote: Remote, request: BaseHTTPRequestHandler) -> None:
    target = urlsplit(request.path)
    body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
    remote.asked.append(f"{request.command} {request.path}")
    remote.held.wait(120)
    if remote.status is not None:
        request.send_error(remote.status)
        return
    given = base64.b64encode(f"ada:{remote.token}".encode()).decode()
    if remote.token is not None and request.headers.get("Authorization") != f"Basic {given}":
        request.send_response(401)
        request.send_header("WWW-Authenticate", 'Basic realm="work"')
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    done = subprocess.run(
        ["git", "http-backend"],  # noqa: S607 - the developer's git
        input=body,
        capture_output=True,
        check=False,
        timeout=60,
        env={
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(remote.folder.parent.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "ada",
            "REQUEST_METHOD": request.command,
            "PATH_INFO": target.path,
            "QUERY_STRING": target.query,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        },
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode().split("\r\n")]
    fields = {name: value for name, _, value in lines}
    request.send_response(int(fields.pop("Status", "200").split()[0]))
    for name, value in fields.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


def local_ssh(folder: Path) -> Path:
    """Make a program that stands for ssh: it runs the command here, and notes what it was given.

    There need not be an ssh server on the machine; git speaks over pipes with either. A path that
    is not absolute is one below the folder.
    """
    program, notes = folder / "ssh", folder / "ssh-calls"
    program.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        f"open({str(notes)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))\n"
        f"os.chdir({str(folder)!r})\n"
        "os.execvp('sh', ['sh', '-c', sys.argv[-1]])\n"
    )
    program.chmod(0o755)
    return program
