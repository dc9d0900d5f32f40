"""A way from outside by Tailscale: `tailscale serve`, as a child that is kept running.

It stands before the server with https and a name that every browser trusts, for the devices of the
same tailnet alone. In the foreground, as it is started here, what it serves ends with it. One that
a killed server left behind is ended first: it would lead to whatever listens on that port next.

`/hosts/local/tailscale` is the actor. Where the program ends, the log says what it said, and it is
started again, with growing pauses.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import msgspec
import structlog
import trio

from command_center.actors.codex.errors import WireClosed
from command_center.actors.hosts.local.codex.orphans import end_orphans
from command_center.actors.hosts.local.codex.processes import find_program, start_child
from command_center.runtime import Actor, Backoff

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PROGRAM: Final = "tailscale"

STATUS_SECONDS: Final = 10.0
"""Seconds that Tailscale may take to say how this machine is called."""

STEADY_SECONDS: Final = 60.0
"""Seconds of serving after which a new end is the first one again."""

_NAME: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_DNS: Final = "https://login.tailscale.com/admin/dns"


class TailscaleUnusable(Exception):
    """Tailscale cannot lead here; the text says why, and what to do."""


class _Self(msgspec.Struct):
    dns_name: str = msgspec.field(name="DNSName", default="")


class _Status(msgspec.Struct):
    state: str = msgspec.field(name="BackendState", default="")
    cert_domains: list[str] | None = msgspec.field(name="CertDomains", default=None)
    own: _Self = msgspec.field(name="Self", default_factory=_Self)


@attrs.frozen(kw_only=True)
class TailscaleSettings:
    """Settings of the way.

    Attributes:
        name: this machine's in the tailnet.
        target: the server's address, on this machine.
        folder: a folder of the server's alone, which remembers the child.
        backoff: the waits before it is started again.
    """

    name: str
    target: str
    folder: Path
    backoff: Backoff = attrs.field(default=Backoff(initial=1.0, cap=60.0, jitter=0.1))


class Tailscale(Actor):
    """Keeps `tailscale serve` running."""

    def __init__(self, settings: TailscaleSettings) -> None:
        """Serve as `settings` have it."""
        self._settings = settings
        self._pid: int | None = None
        self._problem: str | None = None

    async def on_start(self) -> None:
        """Begin to serve; nobody waits for it."""
        self.ctx.start_task(self._keep)

    def describe(self) -> Mapping[str, object]:
        """Show where it leads from, and why it ended last."""
        return {
            "url": f"https://{self._settings.name}",
            "pid": self._pid,
            "problem": self._problem,
        }

    async def _keep(self) -> None:
        """Start the program again whenever it ends."""
        await trio.to_thread.run_sync(end_orphans, self._settings.folder)
        failures = 0
        while True:
            began = trio.current_time()
            self._problem = await self._serve()
            failures = 1 if trio.current_time() - began > STEADY_SECONDS else failures + 1
            wait = self._settings.backoff.delay(failures)
            log.warning("tailscale.ended", reason=self._problem, again_in=round(wait, 1))
            await trio.sleep(wait)

    async def _serve(self) -> str:
        """Serve until the program ends; return what it said last."""
        async with trio.open_nursery() as nursery:
            try:
                child = await start_child(
                    [PROGRAM, "serve", "--yes", "--https=443", self._settings.target],
                    nursery,
                    environment=_environment(),
                    state_folder=self._settings.folder,
                )
            except WireClosed:
                return f"`{PROGRAM}` could not be started."
            self._pid = child.pid
            said = ""
            try:
                while data := await child.stdout.receive_some(16 * 1024):
                    said = bytes(data).decode("utf-8", "replace")
                    log.info("tailscale.said", text=said.strip())
                await child.wait_for_end(STATUS_SECONDS)
            finally:
                self._pid = None
                await child.end(0.1)
            return child.last_words() or said.strip() or "It ended without a word."


async def name_in_tailnet() -> str:
    """Ask Tailscale for the name of this machine.

    Raises:
        TailscaleUnusable: it is not there, is not connected, or gives no certificate.
    """
    environment = _environment()
    try:
        program = find_program(PROGRAM, environment)
    except WireClosed:
        raise TailscaleUnusable(
            "`tailscale` was not found. Install Tailscale, or start without --tailscale."
        ) from None
    run = partial(
        trio.run_process,
        [program, "status", "--json"],
        stdin=subprocess.DEVNULL,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        env=environment,
    )
    with trio.move_on_after(STATUS_SECONDS) as limit:
        try:
            done = await run()
        except OSError as error:
            raise TailscaleUnusable(f"`{program}` could not be started: {error}.") from None
    if limit.cancelled_caught:
        raise TailscaleUnusable(
            f"Tailscale did not answer within {STATUS_SECONDS:g} s. Start its service, and try "
            "again."
        )
    try:
        return read_name(done.stdout)
    except msgspec.MsgspecError:
        said = done.stderr.decode("utf-8", "replace").strip()[:300]
        raise TailscaleUnusable(
            f"Tailscale does not say how this machine is called: {said or 'it said nothing'}. "
            "Start its service, and try again."
        ) from None


def read_name(status: bytes) -> str:
    """Return the name of this machine in what `tailscale status --json` has said.

    Raises:
        TailscaleUnusable: it is not connected, or gives no certificate.
        msgspec.MsgspecError: that is no status.
    """
    found = msgspec.json.decode(status, type=_Status)
    name = found.own.dns_name.rstrip(".").lower()
    if found.state != "Running":
        raise TailscaleUnusable(
            f"Tailscale is not connected ({found.state or 'no state'}). Run `tailscale up`."
        )
    if not _NAME.fullmatch(name):
        raise TailscaleUnusable(f"This machine has no name there. Switch MagicDNS on at {_DNS} .")
    if name not in (found.cert_domains or ()):
        raise TailscaleUnusable(
            f"There is no certificate for {name}. Switch HTTPS certificates on at {_DNS} ."
        )
    return name


def _environment() -> dict[str, str]:
    """Return the variables of this process without the server's settings, some of them secret."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CC_")}
