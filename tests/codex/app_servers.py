"""A real app-server of its own, for the transports that reach one which runs already."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from command_center.actors.codex.settings import BridgeSettings, Transport
from tests.codex.bridging import SOON


def _accepts(path: Path) -> bool:
    if sys.platform == "win32":
        return path.exists()
    else:  # noqa: RET505 - mypy knows the platform only so
        with socket.socket(socket.AF_UNIX) as tried:
            return tried.connect_ex(str(path)) == 0


class SharedAppServer:
    """`codex app-server --listen …`, until the block ends; `settings` reach it."""

    def __init__(
        self, binary: Path, home: Path, transport: Transport, path: Path | None = None
    ) -> None:
        self.binary = binary
        self.home = home
        self.transport = transport
        # The path of a Unix socket may not be long, and pytest's folders are.
        self._folder = tempfile.TemporaryDirectory(prefix="cc-")
        self.socket = path or Path(self._folder.name) / "codex.sock"
        self.token_file = Path(self._folder.name) / "token"
        self.url: str | None = None

    def __enter__(self) -> Self:
        listen = [f"unix://{self.socket}"]
        if self.transport is Transport.WEBSOCKET:
            self.token_file.write_text("a-capability-token-of-the-test\n", encoding="utf-8")
            token = ["--ws-auth", "capability-token", "--ws-token-file", str(self.token_file)]
            listen = ["ws://127.0.0.1:0", *token]
        self._process = subprocess.Popen(
            [self.binary, "app-server", "--listen", *listen],
            env={**os.environ, "CODEX_HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=sys.platform != "win32",
        )
        if self.transport is Transport.WEBSOCKET:
            self.url = self._printed_url()
        else:
            self._wait_for_socket()
        return self

    def _printed_url(self) -> str:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"ws://127\.0\.0\.1:\d+", line):
                return found[0]
        raise AssertionError("The app-server ended without printing its URL.")

    def _wait_for_socket(self) -> None:
        # It prints nothing when it listens on a Unix socket, so the socket is tried.
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            if _accepts(self.socket):
                return
        raise AssertionError("The app-server does not listen on its socket.")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        self._folder.cleanup()

    def kill(self) -> None:
        """End it at once, with all that it started."""
        if self._process.returncode is not None:
            return
        # A wrapper that is killed alone would leave its child alive.
        with self._process:
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def settings(self) -> BridgeSettings:
        websocket = self.transport is Transport.WEBSOCKET
        return BridgeSettings(
            command=str(self.binary),
            transport=self.transport,
            socket=None if websocket else self.socket,
            url=self.url,
            token_file=self.token_file if websocket else None,
            environment={**os.environ, "CODEX_HOME": str(self.home)},
            deadlines=SOON,
        )
