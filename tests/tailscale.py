"""A `tailscale` that speaks the command line of the real one, 1.52 and newer, and leads nowhere."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import trio

NAME: Final = "box.tail1234.ts.net"

STATUS: Final[dict[str, Any]] = {
    "Version": "1.80.2",
    "BackendState": "Running",
    "Self": {"DNSName": f"{NAME}.", "HostName": "box"},
    "CertDomains": [NAME],
}

_PROGRAM = """\
#!{python}
import json, os, pathlib, signal, sys

folder = pathlib.Path({folder!r})
given = sys.argv[1:]
settings = [name for name in os.environ if name.startswith("CC_")]
with (folder / "calls").open("w") as calls:
    calls.write(json.dumps([given, os.getpid(), settings]) + "\\n")
if given == ["status", "--json"]:
    if (folder / "hangs").exists():
        signal.pause()
    sys.stdout.write((folder / "status.json").read_text())
elif given[:3] == ["serve", "--yes", "--https=443"] and len(given) == 4:
    if (folder / "refusal").exists():
        sys.exit((folder / "refusal").read_text())
    print("Available within your tailnet:\\n\\nhttps://{name}/\\n|-- proxy", given[3], flush=True)
    signal.pause()
else:
    sys.exit("error: invalid argument")
"""


@attrs.frozen
class Call:
    """A call that serves: its arguments, its process, and the server's settings it was given."""

    given: list[str]
    pid: int
    settings: list[str]


@attrs.define
class FakeTailscale:
    """The stand-in, and what was asked of it."""

    folder: Path
    _calls: trio.abc.ReceiveStream
    _rest: bytes = b""

    @property
    def path(self) -> str:
        """Return `PATH` with it."""
        return f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"

    @property
    def status(self) -> Path:
        """Return the file with what it says of this machine."""
        return self.folder / "status.json"

    def refuse(self, said: str) -> None:
        """Serve no more, and say that."""
        (self.folder / "refusal").write_text(said, encoding="utf-8")

    def hang(self) -> None:
        """Tell its status no more."""
        (self.folder / "hangs").touch()

    async def served(self) -> Call:
        """Wait for the next call that serves."""
        with trio.fail_after(60):
            while True:
                while b"\n" not in self._rest:
                    self._rest += await self._calls.receive_some(4096)
                line, _, self._rest = self._rest.partition(b"\n")
                call = Call(*json.loads(line))
                if call.given[0] == "serve":
                    return call


@asynccontextmanager
async def fake_tailscale(folder: Path) -> AsyncIterator[FakeTailscale]:
    """Put it into a folder, for `PATH`."""
    home = folder / "tailscale"
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "tailscale"
    script = _PROGRAM.format(python=sys.executable, folder=str(home), name=NAME)
    program.write_text(script, encoding="utf-8")
    program.chmod(0o755)
    async with _pipe(home / "calls") as calls:
        made = FakeTailscale(home, calls)
        made.status.write_text(json.dumps(STATUS), encoding="utf-8")
        yield made


def _pipe(place: Path) -> trio.abc.ReceiveStream:
    """Make a pipe with a name, and read it."""
    if sys.platform == "win32":
        pytest.fail("There are no such pipes.")
    else:
        os.mkfifo(place)
        return trio.lowlevel.FdStream(os.open(place, os.O_RDWR | os.O_NONBLOCK))
