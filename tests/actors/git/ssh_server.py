"""A remote over ssh as a forge has one: OpenSSH's own server on the loopback, and an agent."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import attrs
import pytest

from tests.actors.git.repository import plain_git

PRIVILEGE_SEPARATION = Path("/run/sshd")
"""A folder that a server which root starts wants to have; its service makes it otherwise."""


def program(name: str) -> str:
    """Return where a program of OpenSSH is; skip the test where it is missing."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"no {name} is installed: apt-get install openssh-server openssh-client")
    return found


@attrs.define(eq=False)
class SshServer:
    """A server that runs, and the user who may come in.

    Attributes:
        folder: has its keys, and the bare repository `ada/work.git`. A path that is not absolute
            is one below it, as it is one below a project's host at a forge.
        port: where it listens on the loopback.
        is_silent: whether it takes connections and says nothing.
        taken: the connections that it has taken.
    """

    folder: Path
    port: int
    is_silent: bool = False
    taken: int = 0

    @property
    def bare(self) -> Path:
        """Return the bare repository."""
        return self.folder / "ada" / "work.git"

    @property
    def url(self) -> str:
        """Return the address of the repository."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{self.bare}"

    @property
    def known_host(self) -> str:
        """Return the line of a known_hosts that has its key."""
        kind, key = (self.folder / "host.pub").read_text().split()[:2]
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"

    def let_in(self, public_key: str) -> None:
        """Let the user in who has the other half of a key."""
        with (self.folder / "authorized_keys").open("a") as file:
            file.write(public_key)

    def head(self, branch: str) -> str:
        """Return the commit of a branch; empty where there is none."""
        name = f"refs/heads/{branch}"
        return plain_git(self.bare, "rev-parse", "--verify", "--quiet", name, check=False)


def make_key(path: Path, *, phrase: str = "") -> str:
    """Make a key, and return its public half."""
    subprocess.run(
        [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", phrase, "-C", "ada", "-f", str(path)],
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    return path.with_name(f"{path.name}.pub").read_text()


@contextmanager
def serve_ssh(folder: Path, **variables: str) -> Iterator[SshServer]:
    """Serve a bare repository that is made below a folder. Nobody is let in yet.

    What is run there has the variables, such as a home of its own.
    """
    sshd = program("sshd")
    folder.mkdir(parents=True)
    if getpass.getuser() == "root":
        PRIVILEGE_SEPARATION.mkdir(exist_ok=True)
    plain_git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "ada/work.git")
    make_key(folder / "host")
    (folder / "authorized_keys").touch(0o600)
    config = folder / "sshd_config"
    config.write_text(
        f"HostKey {folder / 'host'}\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\n"
        "PasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\n"
        "PermitRootLogin yes\n"
        "UsePAM no\n"
        f"ForceCommand cd {shlex.quote(str(folder))} && "
        f"exec env {' '.join(f'{name}={value}' for name, value in variables.items())} "
        '/bin/sh -c "$SSH_ORIGINAL_COMMAND"\n'
        "StrictModes no\n"
        "LogLevel ERROR\n"
    )
    started: list[subprocess.Popen[bytes]] = []
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = SshServer(folder, listener.getsockname()[1])

        def take() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # it was closed
                    return
                server.taken += 1
                if server.is_silent:
                    held.append(connection)
                    continue
                with connection, (folder / "log").open("ab") as log:
                    command = [sshd, "-i", "-e", "-f", str(config)]
                    started.append(
                        subprocess.Popen(
                            command,
                            stdin=connection.fileno(),
                            stdout=connection.fileno(),
                            stderr=log,
                        )
                    )

        thread = Thread(target=take)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()
            for process in started:
                process.kill()
                process.wait()


@attrs.frozen
class Agent:
    """A user's ssh agent. Its `socket` is what `SSH_AUTH_SOCK` names."""

    socket: Path

    def add(self, key: Path, *options: str) -> None:
        """Give it a key."""
        subprocess.run(
            [program("ssh-add"), "-q", *options, str(key)],
            env={**os.environ, "SSH_AUTH_SOCK": str(self.socket)},
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )


@contextmanager
def run_agent(folder: Path, **variables: str) -> Iterator[Agent]:
    """Run an agent, with variables such as the program by which it asks."""
    place = folder / "agent"
    process = subprocess.Popen(
        [program("ssh-agent"), "-D", "-a", str(place)],
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while not place.exists():
            assert time.monotonic() < deadline, "the agent does not start"
            time.sleep(0.01)
        yield Agent(place)
    finally:
        process.kill()
        process.wait()


def ssh_command(home: Path, *, known_hosts: str, **options: str) -> str:
    """Return OpenSSH's client with a known_hosts, and what else a file of the user's says.

    OpenSSH looks for the user's files in the home that the system has of them, whatever `HOME` is.
    """
    (home / "known_hosts").write_text(known_hosts)
    config = home / "ssh_config"
    settings = {
        "UserKnownHostsFile": str(home / "known_hosts"),
        "GlobalKnownHostsFile": "none",
        "IdentityFile": "none",
        **options,
    }
    config.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    return f"{program('ssh')} -F {shlex.quote(str(config))}"


def use_ssh(home: Path, *, known_hosts: str, **options: str) -> None:
    """Have a user's own configuration of git name that client."""
    command = ssh_command(home, known_hosts=known_hosts, **options)
    where = str(home / ".gitconfig")
    plain_git(home, "config", "--file", where, "core.sshCommand", command)
