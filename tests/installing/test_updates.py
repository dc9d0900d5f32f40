"""Updates for real: wheels of several versions, an index on loopback, the real installers."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from tests.checkout import run
from tests.installing.releases import FAILS, MIGRATES, VERSION, PackageIndex, release, serving_index
from tests.installing.ways import install
from tests.installing.wheel import BIN, build, clean_environment, done, uv_program

pytestmark = [pytest.mark.pythons, pytest.mark.timeout(1200)]

NEXT = "0.2.0"
BROKEN = {"command_center/http/serve.py": "raise RuntimeError('never to start')\n"}
BROKEN_ON_DATA = {
    "command_center/http/run.py": """
import os, sys
from pathlib import Path

class StartRefused(Exception):
    pass

def run(settings, greet=None):
    if (settings.data_dir / 'command-center.sqlite3').exists():
        sys.exit(1)
    import http.server, json
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"version": "0.2.0", "checks": {"store": "ok"}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
    http.server.HTTPServer(("127.0.0.1", settings.port), Handler).serve_forever()
"""
}


@attrs.frozen
class Home:
    """A home in which the program of before is installed from the index, with a data folder."""

    folder: Path
    index: PackageIndex
    wheel: Path
    command: tuple[str | Path, ...]
    variables: dict[str, str]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def offers(self, version: str, files: dict[str, str] | None = None, **told: Any) -> Path:
        made = release(self.wheel, version, self.folder / "released", files)
        self.index.offers(made, **told)
        return made

    def types(self, *words: str) -> tuple[int, str]:
        done = run(*self.command, *words, cwd=self.folder, variables=self.environment())
        return done.returncode, done.stdout

    def environment(self) -> dict[str, str]:
        return {**clean_environment(), **self.variables}

    def version(self) -> str:
        return self.types("--version")[1].split()[-1]

    def serve(self, port: int) -> subprocess.Popen[str]:
        server = subprocess.Popen(
            [*map(str, self.command), "serve", "--no-open"],
            env=self.environment() | {"CC_PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert server.stdout is not None
        assert "listens on" in server.stdout.readline()
        return server

    def touch(self) -> None:
        """Have a server of the version that is installed write something, and end."""
        server = self.serve(port := free_port())
        asked = httpx.post(
            f"http://127.0.0.1:{port}/api/approvals", json={"title": "Kept?"}, trust_env=False
        )
        assert 201 == asked.status_code
        server.terminate()
        server.communicate(timeout=30)

    def titles(self) -> list[str]:
        with closing(sqlite3.connect(self.data / "command-center.sqlite3")) as db:
            return [title for (title,) in db.execute("SELECT title FROM approvals ORDER BY id")]

    def record(self) -> dict[str, Any]:
        return dict(json.loads((self.data / "updates" / "update.json").read_text()))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (wheel,) = build(tmp_path_factory).glob("*.whl")
    return wheel


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with serving_index() as index:
        yield index


def home_of(way: str, wheel: Path, index: PackageIndex, folder: Path) -> Home:
    """Install the version of before as its users do: from an index, by its name."""
    (folder / "released").mkdir()
    index.offers(wheel)
    extra = {"PIP_EXTRA_INDEX_URL": index.url, "UV_INDEX": index.url, "UV": uv_program()}
    extra |= {"PIP_TRUSTED_HOST": "127.0.0.1"}
    extra |= {"CC_DATA_DIR": str(folder / "data"), "CC_CODEX_RUNNER_MODE": "stub"}
    extra |= {"CC_CONFIG": str(folder / "config.toml"), "CC_LOG_FILE": "off"}
    (folder / "config.toml").touch()
    installed = install(
        way, wheel, sys.executable, folder, requirement="command-center", more=extra
    )
    return Home(folder, index, wheel, installed.command, {**installed.variables})


@pytest.mark.parametrize("way", ["uv", "pipx", "pip"])
def test_an_update_switches_through_the_installer_and_a_rollback_goes_back(
    way: str, wheel: Path, index: PackageIndex, tmp_path: Path
) -> None:
    home = home_of(way, wheel, index, tmp_path)
    assert (0, f"{VERSION} is installed, and nothing newer is out.\n") == home.types(
        "update", "--check"
    )
    home.touch()
    home.offers(NEXT, MIGRATES)
    home.offers("0.3.0rc1")
    home.offers("0.4.0", yanked=True)
    home.offers("0.5.0", python=">=3.99")
    code, told = home.types("update", "--check")
    assert 0 == code, told
    assert f"{NEXT} is out; {VERSION} is installed." in told
    assert "0.5.0 is out, and needs Python >=3.99." in told
    assert (1, True) == ((refused := home.types("update"))[0], "Add --yes" in refused[1])
    code, told = home.types("update", "--yes", "--json")
    assert 0 == code, told
    assert (NEXT, "done") == (home.version(), home.record()["state"]), told
    assert Path(home.record()["backup"]).is_file()
    assert not (home.data / "updates" / "trial").exists()
    home.touch()
    assert ["Kept?", "Kept?"] == home.titles()
    code, told = home.types("rollback", "--yes")
    assert 0 == code, told
    assert "approval.requested" in told
    assert VERSION == home.version()
    assert ["Kept?"] == home.titles()
    home.touch()
    assert ["Kept?", "Kept?"] == home.titles()
    assert "no update to go back from" in home.types("rollback", "--yes")[1]


def test_nothing_is_touched_where_the_new_version_fails_aside(
    wheel: Path, index: PackageIndex, tmp_path: Path
) -> None:
    home = home_of("uv", wheel, index, tmp_path)
    home.touch()
    server = home.serve(free_port())
    try:
        for version, files, why in (
            ("0.2.0", FAILS, "cannot migrate the database"),
            ("0.2.1", BROKEN, "does not start"),
        ):
            home.offers(version, files)
            code, told = home.types("update", "--yes")
            assert (1, True) == (code, why in told), told
            assert "Nothing was changed." in told
            assert VERSION == home.version()
            assert server.poll() is None
    finally:
        server.terminate()
        server.communicate(timeout=30)
    assert not (home.data / "updates" / "update.json").exists()
    assert not (home.data / "updates" / "trial").exists()
    assert [] == [*(home.data / "backups").glob("*-before-*")]


def test_an_update_waits_for_a_server_that_no_service_starts(
    wheel: Path, index: PackageIndex, tmp_path: Path
) -> None:
    home = home_of("uv", wheel, index, tmp_path)
    home.offers(NEXT, MIGRATES)
    server = home.serve(free_port())
    updating = subprocess.Popen(
        [*map(str, home.command), "update", "--yes"],
        env=home.environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert updating.stderr is not None
    told = ""
    while "Stop it now" not in told:
        line = updating.stderr.readline()
        assert line, told
        told += line
    assert "command-center serve" in told
    assert VERSION == home.version()
    assert "at work here" in home.types("update", "--yes")[1]
    if sys.platform != "win32":
        updating.send_signal(signal.SIGHUP)  # the terminal closes
    updating.send_signal(signal.SIGINT)
    server.terminate()
    server.communicate(timeout=30)
    updating.communicate(timeout=120)
    assert (0, NEXT) == (updating.returncode, home.version())


SYSTEMCTL = """#!/bin/sh
case "$2" in
stop) kill "$(cat {pid})"; while kill -0 "$(cat {pid})" 2>/dev/null; do :; done;;
start) {command} serve --no-open >/dev/null 2>&1 & echo $! > {pid};;
esac
"""


def with_service(home: Home, port: int) -> None:
    """Give the home a service, and a stand-in for its manager, which starts a real server."""
    programs = home.folder / "programs"
    programs.mkdir(exist_ok=True)
    words = " ".join(map(str, home.command))
    (programs / "systemctl").write_text(
        SYSTEMCTL.format(pid=home.folder / "server.pid", command=words)
    )
    (programs / "systemctl").chmod(0o755)
    (home.folder / "config.toml").write_text(f"port = {port}\n")
    done(*home.command, "service", "install", cwd=home.folder, variables=home.environment())
    done("systemctl", "--user", "start", cwd=home.folder, variables=home.environment())
    answers(port, VERSION)


def answers(port: int, version: str) -> None:
    deadline = time.monotonic() + 60
    found = None
    while found != version:
        assert time.monotonic() < deadline, f"not {version} but {found}"
        try:
            url = f"http://127.0.0.1:{port}/health"
            found = httpx.get(url, trust_env=False).json()["version"]
        except (httpx.HTTPError, ValueError):
            time.sleep(0.05)


def end_service(home: Home) -> None:
    run("systemctl", "--user", "stop", cwd=home.folder, variables=home.environment())


@pytest.mark.skipif(sys.platform != "linux", reason="The stand-in is systemd's.")
def test_a_service_is_stopped_and_serves_the_new_version(
    wheel: Path, index: PackageIndex, tmp_path: Path
) -> None:
    home = home_of("uv", wheel, index, tmp_path)
    with_service(home, port := free_port())
    try:
        home.offers(NEXT, MIGRATES)
        code, told = home.types("update", "--yes")
        assert (0, True) == (code, f"{NEXT} is installed and serves." in told), told
        answers(port, NEXT)
        code, told = home.types("rollback", "--yes")
        assert 0 == code, told
        answers(port, VERSION)
    finally:
        end_service(home)


@pytest.mark.skipif(sys.platform != "linux", reason="The stand-in is systemd's.")
def test_a_new_version_that_does_not_serve_is_taken_back(
    wheel: Path, index: PackageIndex, tmp_path: Path
) -> None:
    home = home_of("uv", wheel, index, tmp_path)
    home.touch()
    with_service(home, port := free_port())
    try:
        home.offers(NEXT, {**MIGRATES, **BROKEN_ON_DATA})
        code, told = home.types("update", "--yes")
        assert (1, True) == (code, f"{VERSION} is as it was." in told), told
        answers(port, VERSION)
        assert ("failed", VERSION) == (home.record()["state"], home.version())
        assert ["Kept?"] == home.titles()
    finally:
        end_service(home)


def test_a_switch_that_fails_half_way_is_taken_back(
    wheel: Path, index: PackageIndex, tmp_path: Path
) -> None:
    home = home_of("pip", wheel, index, tmp_path)
    home.touch()
    made = home.offers(NEXT, MIGRATES)
    packages = tmp_path / "venv" / "lib"
    pip = next(packages.glob("python*/site-packages/pip/__main__.py"))
    # The second install, which is the switch, removes what is there and ends.
    before, python = str(tmp_path / "venv"), str(tmp_path / "venv" / BIN / "python")
    pip.write_text(
        "import sys, shutil, pathlib\n"
        f"if sys.prefix == {before!r} and {python!r} in sys.argv:\n"
        "    shutil.rmtree(pathlib.Path(__file__).parent.parent / 'command_center')\n"
        "    sys.exit('No space left on device')\n" + pip.read_text()
    )
    code, told = home.types("update", "--yes")
    assert (1, True) == (code, "No space left on device" in told), told
    assert f"{VERSION} is as it was." in told
    assert VERSION == home.version()
    home.touch()
    assert ["Kept?", "Kept?"] == home.titles()
    assert made.exists()


def test_without_a_network_nothing_is_done(wheel: Path, tmp_path: Path) -> None:
    with serving_index() as index:
        home = home_of("uv", wheel, index, tmp_path)
    code, told = home.types("update", "--yes")
    assert (1, True) == (code, "The package index could not be asked." in told), told
    assert VERSION == home.version()


def test_a_wheel_is_taken_where_no_index_is_asked(
    wheel: Path, index: PackageIndex, tmp_path: Path
) -> None:
    installed = install("uv", wheel, sys.executable, tmp_path)
    (tmp_path / "released").mkdir()
    (tmp_path / "config.toml").touch()
    variables = {**installed.variables, "CC_DATA_DIR": str(tmp_path / "data")}
    variables |= {"CC_CONFIG": str(tmp_path / "config.toml"), "UV": uv_program()}
    home = Home(tmp_path, index, wheel, installed.command, variables)
    code, told = home.types("update", "--yes")
    assert (1, True) == (code, "command-center update --wheel FILE" in told), told
    assert [] == index.asked
    made = release(wheel, NEXT, tmp_path / "released", MIGRATES)
    code, told = home.types("update", "--yes", "--wheel", str(made))
    assert (0, NEXT) == (code, home.version()), told
    assert 0 == home.types("rollback", "--yes")[0]
    assert VERSION == home.version()
