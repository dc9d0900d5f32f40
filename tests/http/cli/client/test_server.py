"""The server that a command asks: which it is, what it is sent, and what is none."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, KeyringLocked, NoKeyringError

from command_center.http.cli.client.logins import Login, Logins
from command_center.http.cli.client.server import opened
from tests.checkout import ROOT
from tests.http import certificates
from tests.http.cli.client.fixtures import Person

HERE = "http://127.0.0.1:9"
THERE = "http://elsewhere.example:9"


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """A user whose own server is HERE, with a token; nobody is asked."""
    for name in [name for name in os.environ if name.startswith("CC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CC_PORT", "9")
    monkeypatch.setenv("CC_API_TOKEN", "own")
    return Person(None, tmp_path / "home")


def keeps(person: Person, told: object, *, last: object = THERE) -> None:
    folder = person.home / "command-center" / "logins"
    Logins().keep(THERE, Login(None, None))
    (file,) = folder.glob("*.json")
    file.write_text(json.dumps({"url": THERE, **told} if isinstance(told, dict) else told))
    (folder / "last").write_text(json.dumps(last))


def sent(server: str | None) -> tuple[str, str | None]:
    """Return where a command goes, and what it is let in by."""
    center = opened(server)
    return center.url, center.headers.get("Authorization") or center.headers.get("Cookie")


def test_a_login_goes_first_and_each_token_only_to_the_server_that_it_is_for(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (HERE, "Bearer own") == sent(None)
    assert (HERE, "Bearer own") == sent("http://localhost:9/")
    assert ("http://[::1]:9", None) == sent("http://[::1]:9")  # may be somebody else's
    assert (THERE, None) == sent(THERE)
    monkeypatch.setenv("CC_TOKEN", "given")
    assert (THERE, "Bearer given") == sent(THERE)
    keeps(person, {"token": None, "cookie": "a=b"})
    assert (THERE, "a=b") == sent(None)
    monkeypatch.setenv("CC_SERVER", "http://third.example")
    assert ("http://third.example", "Bearer given") == sent(None)
    assert (THERE, "a=b") == sent(THERE)
    assert ("http://fourth.example", None) == sent("http://fourth.example")
    assert (HERE, "Bearer own") == sent(HERE)
    assert {"Accept"} == opened(HERE, is_signed_in=False).headers.keys()


@pytest.mark.usefixtures("person")
def test_the_own_certificate_is_trusted_wherever_the_own_server_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, _ = certificates.make(tmp_path)
    monkeypatch.setenv("CC_TLS_CERT", str(cert))
    for named in (None, "https://localhost:9", "https://127.0.0.1:9"):
        assert opened(named).context is not None
        assert opened(named, is_signed_in=False).context is not None
    for other in ("https://localhost:10", "https://elsewhere.example:9", "http://localhost:9"):
        assert opened(other).context is None


def become(user: int | None) -> None:
    if user is not None and sys.platform != "win32":
        os.seteuid(user)


@contextmanager
def foreign(
    body: str, *, tls: tuple[Path, Path] | None = None, user: int | None = None
) -> Iterator[tuple[str, list[str]]]:
    """A server that answers everything with this, and what it was asked."""
    asked: list[str] = []

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path}{self.headers.get('Authorization', '')}")
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None: ...

    become(user)
    try:
        made = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    finally:
        become(None if user is None else 0)
    with made as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            host = f"127.0.0.1:{server.server_address[1]}"
            yield f"http{'' if tls is None else 's'}://{host}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("body", ["", "[]", '{"status": "ok"}', '{"items": [1], "nextCursor": 2}'])
def test_what_is_no_command_center_is_told_so_and_does_nothing(person: Person, body: str) -> None:
    with foreign(body) as (url, asked):
        for words in (["approve", "7"], ["stop", "1"], ["login", "CODE"], ["ls"], ["tail"]):
            told = person.is_told(5, *words, "--server", url, CC_TOKEN="given")
            assert "is not a Command Center" in told
        assert "is not a Command Center" in person.is_told(
            5, "login", "--with-token", "--server", url, stdin="secret\n"
        )
    assert [] == [line for line in asked if line.startswith("POST") or "secret" in line]


def test_another_program_on_the_own_port_gets_no_token_of_the_settings(person: Person) -> None:
    with foreign("{}") as (url, asked):
        own = {"CC_PORT": url.rpartition(":")[2], "CC_API_TOKEN": "secret"}
        for words in (["ls"], ["tail"], ["approve", "7"]):
            assert "is not a Command Center" in person.is_told(5, *words, **own)
        doctor = person.types("doctor", **own, CC_CODEX_RUNNER_MODE="stub")
        assert f"Something else answers at {url}." in doctor.stdout
    assert {"GET /health"} == {*asked}


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can be another user"
)
def test_another_users_process_on_the_own_port_gets_no_token_of_the_settings(
    person: Person, tmp_path: Path
) -> None:
    """It may say that it is a Command Center."""
    other = 65534
    with foreign('{"version": "1", "logId": "a", "items": []}', user=other) as (url, asked):
        own = {"CC_PORT": url.rpartition(":")[2], "CC_API_TOKEN": "secret"}
        for words in (["ls"], ["doctor", "--server", url]):
            told = person.is_told(5, *words, **own)
            assert f"What listens at {url} is of another user (" in told
        assert [] == asked
        shutil.chown(tmp_path, other, other)  # whose data folder it is
        person.types("ls", **own, CC_DATA_DIR=str(tmp_path))
        assert "secret" in asked.pop()
        person.types("ls", **own, CC_TOKEN="given")
        assert "given" in asked.pop()


def test_a_certificate_that_is_not_trusted_is_told(person: Person, tmp_path: Path) -> None:
    with foreign("", tls=certificates.make(tmp_path)) as (url, asked):
        told = person.is_told(5, "ls", "--server", url)
    assert f"The certificate of {url} is not trusted: self" in told
    assert [] == asked


def test_over_plain_http_elsewhere_one_is_warned(person: Person) -> None:
    told = person.types("ls", "--server", "http://elsewhere.invalid", CC_TOKEN="given")
    assert (5, 2) == (told.exit_code, told.stderr.count("\n"))
    assert "is not encrypted" in told.stderr


@pytest.mark.parametrize(
    ("kept", "last"),
    [
        ({"token": None, "cookie": "a=b"}, []),
        ([], THERE),
        ("x", THERE),
        ({"token": 1, "cookie": None}, THERE),
        ({"token": "a\nb", "cookie": None}, THERE),
    ],
)
def test_logins_that_are_damaged_are_told_in_one_line(
    person: Person, kept: object, last: object
) -> None:
    keeps(person, kept, last=last)
    assert "cannot be read" in person.is_told(2, "ls")


@pytest.mark.usefixtures("person")
def test_of_two_logins_at_once_both_are_kept() -> None:
    one, other = Logins(), Logins()
    for logins, url in ((one, HERE), (other, THERE)):
        logins.prepare()
        assert logins.of(url) is None
    one.keep(HERE, Login("one", None))
    other.keep(THERE, Login("other", None))
    assert [Login("one", None), Login("other", None)] == [one.of(HERE), one.of(THERE)]
    assert THERE == one.last
    assert one.forget(THERE)
    assert not other.forget(THERE)
    assert [None, None] == [one.last, other.of(THERE)]


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(
    ("signed_in", "asked"),
    [
        ("https://Center.Example", "https://center.example:443/"),
        (f"http://{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.example:9", None),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_one_server_has_one_login_however_its_address_is_written(
    signed_in: str, asked: str | None
) -> None:
    logins = Logins()
    logins.prepare()
    file = Path(logins.keep(signed_in, Login("its own", None)))
    assert "Bearer its own" == sent(signed_in)[1]
    assert Login("its own", None) == logins.of(asked or signed_in)
    if os.name == "posix":
        assert 0o700 == file.parent.stat().st_mode & 0o777
    assert logins.forget(asked or signed_in)
    assert [] == [*file.parent.iterdir()]


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the user's folder is the user's")
def test_a_folder_that_others_could_open_is_closed_to_them(person: Person) -> None:
    folder = person.home / "command-center" / "logins"
    folder.mkdir(parents=True, mode=0o755)
    Logins().prepare()
    assert 0o700 == folder.stat().st_mode & 0o777


@pytest.mark.parametrize("words", [["ls"], ["login", "CODE"], ["logout"]])
def test_an_address_with_a_password_is_refused_and_kept_nowhere(
    person: Person, words: list[str]
) -> None:
    told = person.is_told(2, *words, "--server", "https://user:secret@center.example")
    assert "The address has a name or a password before its @." in told
    assert "secret" not in told
    assert [] == [file for file in person.home.rglob("*") if file.is_file()]


class Keyring(KeyringBackend):
    """A keyring of a system, in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.problem: KeyringError | None = None

    def _open(self) -> None:
        if self.problem is not None:
            raise self.problem

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        del self.kept[service, username]


def test_what_the_keyring_of_the_system_keeps_stands_in_no_file(person: Person) -> None:
    before, system = keyring.get_keyring(), Keyring()
    keyring.set_keyring(system)
    try:
        logins = Logins()
        for url in (THERE, HERE):
            assert "the system's keyring" == logins.keep(url, Login(f"of {url}", None))
        folder = person.home / "command-center" / "logins"
        assert all("of http" not in file.read_text() for file in folder.iterdir())
        assert Login(f"of {THERE}", None) == logins.of(THERE)
        assert logins.forget(THERE)
        assert [("command-center", HERE)] == [*system.kept]
        # One that does not open is no reason to forget what it has.
        for problem, told in (
            (KeyringLocked("Failed to unlock!"), "not open: Failed to unlock. Unlock it, or sign"),
            (NoKeyringError("Install\nmany."), "none is reached from here: sign in again with"),
        ):
            system.problem = problem
            for command in ("ls", "logout"):
                assert told in person.is_told(2, command, "--server", HERE)
        system.problem = None
        system.kept.clear()
        assert f"the login of {HERE} no more: sign in" in person.is_told(2, "ls", "--server", HERE)
        system.problem = KeyringLocked()
        assert logins.keep(HERE, Login("anew", None)).endswith(".json")
        assert Login("anew", None) == logins.of(HERE)
    finally:
        keyring.set_keyring(before)


DESKTOP = shutil.which("dbus-run-session")
IN_A_KEYRING = """
set -e
printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null
"$0" -c '
from command_center.http.cli.client.logins import Login, Logins
kept = Logins()
print(kept.keep("http://a.example", Login("in the keyring", None)))
print(kept.of("http://a.example"))
print(kept.forget("http://a.example"), kept.of("http://a.example"))
import keyring
print(keyring.get_password("command-center", "http://a.example"))
'
"""


@pytest.mark.skipif(
    not (DESKTOP and shutil.which("gnome-keyring-daemon")),
    reason="this machine has no keyring of GNOME",
)
def test_a_login_is_in_the_keyring_of_a_real_desktop(tmp_path: Path) -> None:
    folders = {"HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data"}
    for name in (*folders.values(), "run"):
        (tmp_path / name).mkdir(mode=0o700)
    environment = {**os.environ, **{name: str(tmp_path / at) for name, at in folders.items()}}
    environment |= {"XDG_RUNTIME_DIR": str(tmp_path / "run")}
    environment.pop("PYTHON_KEYRING_BACKEND")
    done = subprocess.run(
        [str(DESKTOP), "--", "bash", "-c", IN_A_KEYRING, sys.executable],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    where, known, forgotten, left = done.stdout.splitlines()
    assert "the system's keyring" == where
    assert str(Login("in the keyring", None)) == known
    assert ("True None", "None") == (forgotten, left)
    assert not any(b"in the keyring" in file.read_bytes() for file in tmp_path.rglob("*.*"))


def test_a_code_is_not_spent_where_its_login_cannot_be_kept(person: Person) -> None:
    (person.home).mkdir()
    (person.home / "command-center").write_text("It is a file.")
    with foreign("{}") as (url, asked):
        told = person.is_told(2, "login", "CODE", "--server", url)
    assert "cannot be written" in told
    assert [] == asked


@pytest.mark.parametrize(
    ("words", "variables", "line"),
    [
        (["ls"], {"CC_TOKEN": "tök€n"}, "CC_TOKEN has characters that no token has."),
        (["ls", "--server", "http://a..b"], {}, "is no address. Write it as http://host:port."),
        (["ls", "--config", "/nope.toml"], {}, "--config: there is no file /nope.toml."),
        (["login", "--with-token"], {}, "What came on stdin is no token."),
    ],
)
def test_what_leads_to_no_server_is_told_in_one_line(
    person: Person, words: list[str], variables: dict[str, str], line: str
) -> None:
    assert line in person.is_told(2, *words, stdin="tök€n\n", **variables)


def test_a_path_is_spelled_as_the_wire_has_it(person: Person) -> None:
    with foreign("{}") as (url, asked):
        person.sees("api", "GET", "/api/tö/a b?x=%20&y=1", "--server", url)
    assert ["GET /api/t%C3%B6/a%20b?x=%20&y=1"] == asked


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [(">/dev/full", 1, "No space left on device"), (">&-", 0, "")],
)
def test_where_nothing_can_be_printed_it_is_one_line(words: str, code: int, told: str) -> None:
    command = f"{sys.executable} -m command_center.http completion bash {words}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (code, bool(told)) == (done.returncode, 1 == done.stderr.count("\n")), done.stderr
    assert told in done.stderr
