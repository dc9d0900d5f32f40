"""OpenSSH's client as a child: the link to a machine, and why there is none.

The user's own keys, agent and configuration count, and nobody is asked for anything. What would
lead elsewhere than to that machine is off: forwarding of ports, of the agent and of the screen.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import trio

from command_center.actors.hosts.link.channels import Channels
from command_center.actors.hosts.local.codex.environment import agent_environment
from command_center.actors.hosts.local.codex.processes import ChildProcess, start_child
from command_center.actors.hosts.ssh import boot
from command_center.actors.hosts.ssh.address import SshAddress
from command_center.actors.hosts.ssh.bundle import make_bundle
from command_center.actors.rules.errors import Conflict, Unavailable

CONNECT_SECONDS: Final = 10
"""Seconds until a machine that does not answer is given up."""

START_SECONDS: Final = 60.0
"""Seconds for all until the program runs over there, which may have to be brought first."""

_END_SECONDS: Final = 2.0
_NOISE: Final = 64 * 1024
"""Bytes that a shell over there may say before our program does, such as a greeting."""

_OPTIONS: Final = (
    "BatchMode=yes",
    "ClearAllForwardings=yes",
    f"ConnectTimeout={CONNECT_SECONDS}",
    "ControlMaster=no",
    "ControlPath=none",
    "ForwardAgent=no",
    "ForwardX11=no",
    "GSSAPIDelegateCredentials=no",
    "HashKnownHosts=no",
    "LogLevel=INFO",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "ServerAliveCountMax=3",
    "ServerAliveInterval=5",
    "Tunnel=no",
    "UpdateHostKeys=no",
)

_UNKNOWN_KEY: Final = "Host key verification failed"
_CHANGED_KEY: Final = "IDENTIFICATION HAS CHANGED"

_COMPLAINTS: Final = (
    (
        _CHANGED_KEY,
        (
            "It shows another key than the one that was accepted. If it was set up anew, remove it "
            "here, take its old key out of ~/.ssh/known_hosts, and add it again. If not, somebody "
            "may stand between you and it."
        ),
    ),
    (_UNKNOWN_KEY, "Nobody has accepted its key yet."),
    (
        "Permission denied",
        (
            "It does not let this server's user in. Have `ssh` to it work without a password "
            "first: with a key that an agent has, or one without a passphrase."
        ),
    ),
    (
        r"python3.*not found|not found.*python3|Unknown command.*python3",
        "It has no python3. Install Python 3.11 or newer there.",
    ),
)
"""Patterns of what OpenSSH and the shell over there say, with what to tell and to do."""


class SshFailed(Exception):
    """There is no link; `reason` says why, `is_unknown` that nobody has accepted its key yet."""

    def __init__(self, reason: str, *, is_unknown: bool = False, is_lasting: bool = False) -> None:
        """Say why, and whether that stays so until somebody does something."""
        super().__init__(reason)
        self.reason = reason
        self.is_unknown = is_unknown
        self.is_lasting = is_lasting


@attrs.frozen
class HostKey:
    """The key by which a machine shows itself."""

    line: str

    @property
    def fingerprint(self) -> str:
        """Return what a person compares, as OpenSSH writes it."""
        key = base64.b64decode(self.line.split()[-1])
        return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


@attrs.frozen
class SshClient:
    """Reaches one machine.

    Attributes:
        address: of it.
        folder: a folder of this server's, for files that ssh reads.
        data_dir: the folder that our program has over there.
        accepted: the line of known_hosts with the key that somebody has accepted here; empty if
            the user's own files have it.
    """

    address: SshAddress
    folder: Path
    data_dir: str
    accepted: str = ""

    async def open(self, nursery: trio.Nursery) -> tuple[Channels, ChildProcess]:
        """Have our program run over there, and return the link to it, which nobody runs yet.

        Raises:
            SshFailed: it cannot be; says why.
        """
        bundle = await trio.to_thread.run_sync(make_bundle)
        remote = boot.boot_command(bundle.digest, self.data_dir)
        with tempfile.TemporaryDirectory(dir=self._folder()) as made:
            known = [*await self._known_hosts(), self._accepted_in(Path(made))]
            options = ["StrictHostKeyChecking=yes", f"UserKnownHostsFile={_listed(known)}"]
            child = await self._start(nursery, options, remote)
            try:
                with trio.fail_after(START_SECONDS):
                    begun = await self._greet(child, bundle.content)
            except trio.TooSlowError:
                await child.end(0)
                raise SshFailed("It did not start our program in time.") from None
            except BaseException:
                await child.end(0)
                raise
        return Channels(child.stdout, child.stdin, begun=begun), child

    async def find_key(self) -> HostKey:
        """Return the key by which the machine shows itself; nobody signs in for that.

        Raises:
            Unavailable: it cannot be reached.
        """
        with tempfile.TemporaryDirectory(dir=self._folder()) as made:
            found = Path(made) / "found"
            options = [
                "StrictHostKeyChecking=accept-new",
                f"UserKnownHostsFile={_listed([found])}",
                "GlobalKnownHostsFile=none",
                "PreferredAuthentications=none",
            ]
            async with trio.open_nursery() as nursery:
                child = await self._start(nursery, options, "true")
                try:
                    ended = await child.wait_for_end(START_SECONDS)
                finally:
                    await child.end(0)
                said = child.tail.text()
                nursery.cancel_scope.cancel()
            lines = found.read_text(encoding="utf-8").splitlines() if found.exists() else []
        if not lines:
            raise Unavailable(f"{self.address.place} cannot be reached: {_explain(said, ended)}")
        return HostKey(lines[-1])

    async def _start(
        self, nursery: trio.Nursery, options: Sequence[str], remote: str
    ) -> ChildProcess:
        command = ["ssh", "-T"]
        for option in (*_OPTIONS, *options):
            command += ["-o", option]
        return await start_child(
            [*command, *self.address.arguments, remote],
            nursery,
            environment=agent_environment(os.environ),
        )

    async def _greet(self, child: ChildProcess, program: bytes) -> bytes:
        """Bring the program if it is not there; return what of the link came with the answer."""
        said = b""
        is_sent = False
        while True:
            piece = b""
            with contextlib.suppress(trio.BrokenResourceError):
                piece = bytes(await child.stdout.receive_some(4096))
            said += piece
            if boot.HAVE in said:
                return said.partition(boot.HAVE)[2]
            old = re.search(re.escape(boot.OLD) + rb"([\d.]{1,10})\n", said)
            if old is not None:
                raise SshFailed(
                    f"It has Python {old[1].decode()}. Install Python 3.11 or newer there, as "
                    "python3.",
                    is_lasting=True,
                )
            if boot.BROKEN in said:
                raise SshFailed("Our program came there damaged.")
            if not piece or len(said) > _NOISE:
                ended = await child.wait_for_end(1.0)
                text = child.tail.text()
                raise SshFailed(
                    _explain(text, ended),
                    is_unknown=_UNKNOWN_KEY in text and _CHANGED_KEY not in text,
                    is_lasting=any(re.search(one, text) for one, _ in _COMPLAINTS),
                )
            if boot.NEED in said and not is_sent:
                is_sent = True
                try:
                    await child.stdin.send_all(len(program).to_bytes(8, "big") + program)
                except trio.BrokenResourceError:
                    continue

    async def _known_hosts(self) -> list[Path]:
        """Name the user's own files of known hosts, as ssh would read them for that address."""
        done = await trio.run_process(
            ["ssh", "-G", *self.address.arguments],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
        home = await trio.Path.home()
        for line in done.stdout.decode(errors="replace").splitlines():
            name, _, value = line.partition(" ")
            if name == "userknownhostsfile":
                return [Path(one.replace("~", str(home), 1)) for one in value.split()]
        return []

    def _accepted_in(self, folder: Path) -> Path:
        path = folder / "accepted"
        path.write_text(self.accepted and f"{self.accepted}\n", encoding="utf-8")
        return path

    def _folder(self) -> Path:
        """Return a folder of this server's; no ssh is started where it is not asked for."""
        if shutil.which("ssh") is None:
            raise SshFailed("There is no ssh here. Install OpenSSH's client.", is_lasting=True)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder


def new_data_dir() -> str:
    """Return the name of a folder over there that no other server has."""
    return f"~/.local/share/command-center/hosts/{secrets.token_hex(8)}"


def _listed(paths: Sequence[Path]) -> str:
    return " ".join(f'"{path}"' for path in paths)


def _explain(said: str, ended: int | None) -> str:
    for pattern, told in _COMPLAINTS:
        if re.search(pattern, said):
            return told
    lines = [line for line in said.splitlines() if not line.startswith(("Warning:", "debug"))]
    return lines[-1] if lines else f"ssh ended with exit code {ended}."


def refused(failed: SshFailed) -> Exception:
    """Return the refusal that somebody sees who asked for the host."""
    return Conflict(failed.reason) if failed.is_lasting else Unavailable(failed.reason)
