"""`command-center certificate`: who installs its authority trusts the server, and nothing else."""

from __future__ import annotations

import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from command_center.http.config import local_authority
from command_center.http.config.local_authority import OtherNames, make_certificate
from tests.checkout import ROOT
from tests.end_to_end.server import Server

NAMES = ["box.local", "localhost", "127.0.0.1"]


def certificate(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "command_center.http", "certificate", *names],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", "CC_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def settings_in(told: str) -> dict[str, str]:
    lines = (line.strip() for line in told.splitlines())
    return dict(line.split("=", 1) for line in lines if line.startswith("CC_TLS"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def told(folder: Path) -> str:
    done = certificate(folder, "cc.example.com")
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.fixture
def server(folder: Path, told: str) -> Iterator[Server]:
    settings = {
        "CC_CODEX_RUNNER_MODE": "stub",
        "CC_ALLOWED_HOSTS": "cc.example.com",
        **settings_in(told),
    }
    server = Server(folder, settings).start()
    yield server
    server.end()


def trusting(file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(file))


def test_a_phone_that_installed_what_the_page_gives_trusts_the_server(
    server: Server, told: str, folder: Path
) -> None:
    assert server.url.startswith("https://")
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as unknowing:  # noqa: S501 - as a phone before
        page = unknowing.get("/certificate")
        assert "/certificate.crt" in page.text
        given = unknowing.get("/certificate.crt")
    assert "application/x-x509-ca-cert" == given.headers["content-type"]
    installed = folder.parent / "phone.pem"
    installed.write_bytes(given.content)
    with httpx.Client(base_url=server.url, trust_env=False, verify=trusting(installed)) as phone:
        assert 200 == phone.get("/health").status_code
    fingerprint = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", installed],  # noqa: S607 - the system's
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert fingerprint.partition("=")[2].strip() in told


def test_keys_are_for_their_owner_alone(told: str, folder: Path) -> None:
    assert "cc.example.com" in told
    for key in ("authority.key", "server.key"):
        assert 0o600 == stat.S_IMODE((folder / key).stat().st_mode)


def test_made_again_it_is_by_the_same_authority(told: str, folder: Path) -> None:
    before = [(folder / name).read_bytes() for name in ("authority.pem", "server.pem")]
    again = certificate(folder, "cc.example.com")
    after = [(folder / name).read_bytes() for name in ("authority.pem", "server.pem")]
    assert [True, False] == [old == new for old, new in zip(before, after, strict=True)]
    assert told == again.stdout


def test_a_name_that_the_authority_may_not_vouch_for_is_refused(told: str, folder: Path) -> None:
    assert told
    refused = certificate(folder, "bank.example")
    assert refused.returncode
    assert "was not made for bank.example" in refused.stderr
    with pytest.raises(OtherNames):
        make_certificate(folder, ["8.8.8.8"])
    make_certificate(folder, ["192.168.7.7"])  # any private address is


def test_clients_refuse_what_the_authority_was_not_made_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authority's own constraints hold, whatever a thief signs with its key."""
    made = make_certificate(tmp_path, NAMES)
    verify: list[str | Path] = ["openssl", "verify", "-CAfile", made.authority, made.certificate]
    good = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert 0 == good.returncode, good.stderr
    monkeypatch.setattr(local_authority, "_check_constraints", lambda *_given: None)
    make_certificate(tmp_path, ["bank.example"])
    bad = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert "permitted subtree violation" in bad.stdout + bad.stderr


def test_without_an_authority_there_is_no_page(stub_server: Server) -> None:
    with httpx.Client(base_url=stub_server.url, trust_env=False) as http:
        for path in ("/certificate", "/certificate.crt"):
            assert 404 == http.get(path).status_code
