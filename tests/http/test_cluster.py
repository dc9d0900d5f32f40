"""A leader that was deposed begins again as the same process, and leaves nothing of itself open."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from command_center.actors.nats.connection import NatsConnection, NatsOptions, open_connection
from command_center.http.cluster import cluster_settings
from command_center.http.config.addresses import Listening
from command_center.http.config.parsers import Secret
from command_center.http.config.settings import Settings, SettingsError
from tests.checkout import run
from tests.http.certificates import make
from tests.nats_servers import ON_LINUX, one_server

BEFORE = """
import os, socket
from command_center.http.cluster import come_back

listening = socket.create_server(("127.0.0.1", 0))
listening.set_inheritable(True)  # as hypercorn does
after = f"import os; print('process', os.getpid(), flush=True); os.fstat({listening.fileno()})"
print("process", os.getpid(), flush=True)
come_back("another leads", begin=lambda program, _: os.execv(program, [program, "-c", after]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process there cannot begin again by itself")
def test_a_deposed_leader_begins_again_with_its_process_id_and_no_socket() -> None:
    told = run(sys.executable, "-c", BEFORE).stdout
    before, after = re.findall(r"process (\d+)", told)
    assert before == after
    assert "another leads" in told
    assert "Bad file descriptor" in told


def options_of(settings: Settings) -> NatsOptions:
    return cluster_settings(settings, Listening("127.0.0.1", 8787)).nats


async def heard(options: NatsOptions) -> NatsConnection:
    """Connect, and wait for the first word of the server after that."""
    connection = await open_connection(options.addresses[0], options)
    connection.end("it was heard")
    await connection.run(1, lambda _: None)
    return connection


@ON_LINUX
async def test_a_nats_server_that_wants_a_certificate_gets_that_of_the_centre(
    tmp_path: Path,
) -> None:
    (cert, key), (own, own_key) = make(tmp_path, "server"), make(tmp_path, "centre")
    files = {"cert_file": cert, "key_file": key, "ca_file": own}
    told = ", ".join(f"{name}: {json.dumps(str(file))}" for name, file in files.items())
    key_of_centres = tmp_path / "cluster.key"
    key_of_centres.touch(mode=0o600)
    key_of_centres.write_text("0f" * 32)
    with one_server(tmp_path / "nats", f"tls {{ {told}, verify: true }}\n") as server:
        known: dict[str, Any] = {"cluster_cert": own, "cluster_cert_key": own_key}
        given: dict[str, Any] = {
            "data_dir": tmp_path,
            "cluster": Secret(f"tls://127.0.0.1:{server.port}"),
            "cluster_key": key_of_centres,
            "cluster_ca": cert,
            "cluster_allow_single": "on",
        }
        options = options_of(Settings(**given, **known))
        await server.ready(tls=options.tls)
        await heard(options)
        unknown = options_of(Settings(**given))
        with pytest.raises(OSError):  # noqa: PT011 - each version of TLS ends in its own way
            await heard(unknown)
    with pytest.raises(SettingsError, match="settings cannot be used"):
        options_of(Settings(**given, **{**known, "cluster_cert_key": key}))
