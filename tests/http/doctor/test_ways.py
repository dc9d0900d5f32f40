"""The ways in: a port that is taken, certificates that no browser takes, addresses for a phone."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from command_center.http.config.parsers import Secret
from command_center.http.doctor import ways
from tests.http import certificates
from tests.http.doctor.looks import look, look_for_one, subject


async def test_a_port_that_is_taken_is_told_of_with_who_has_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        level, message, mend = await look_for_one("port", subject(tmp_path, port=number))
    assert "error" == level
    assert f"127.0.0.1 port {number} is taken by " in message
    assert f"CC_PORT={number + 1}" in mend
    assert "ok" == (await look_for_one("port", subject(tmp_path, port=number)))[0]


async def test_an_address_of_another_machine_is_told_of(tmp_path: Path) -> None:
    here = subject(tmp_path, host="192.0.2.1", api_token=Secret("hush"))
    level, *_ = await look_for_one("port", here)
    assert "error" == level


def with_dates(pair: tuple[Path, Path], begins: str, ends: str) -> tuple[Path, Path]:
    """The certificate again, signed by its own key for another time."""
    cert, key = pair
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-key", key, "-out", cert, "-subj", "/CN=a"),
            *("-not_before", begins, "-not_after", ends),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


async def test_a_certificate_that_no_browser_takes_is_told_of(tmp_path: Path) -> None:
    cert, key = certificates.make(tmp_path)
    here = subject(tmp_path, tls_cert=cert, tls_key=key)
    ends_soon = await look_for_one("certificate", here)
    assert "warning" == ends_soon[0]
    assert "ends on" in ends_soon[1]
    with_dates((cert, key), "20250101000000Z", "20991231000000Z")
    level, message, _ = await look_for_one("certificate", here)
    assert ("ok", "The certificate is good until 2099-12-31.") == (level, message)
    named = subject(tmp_path, tls_cert=cert, tls_key=key, allowed_hosts=("box.example",))
    assert [None, "command-center certificate box.example makes one for it."] == [
        seen.mend for seen in await look("certificate", named)
    ]
    with_dates((cert, key), "20250101000000Z", "20250201000000Z")
    level, message, mend = await look_for_one("certificate", here)
    assert ("error", f"The certificate {cert} has expired.") == (level, message)
    assert "Renew it" in mend
    key.chmod(0o644)
    level, message, _ = await look_for_one("certificate", here)
    assert "error" == level
    assert "can be read by every user of this machine" in message
    assert "no more of it was looked at" in (await look_for_one("certificate", here))[2]


async def test_a_page_of_this_machine_alone_says_how_a_phone_gets_there(tmp_path: Path) -> None:
    level, _, mend = await look_for_one("addresses", subject(tmp_path))
    assert "ok" == level
    assert "command-center pair" in mend


async def test_addresses_that_are_not_encrypted_or_unknown_are_told_of(tmp_path: Path) -> None:
    here = subject(
        tmp_path, host="127.0.0.1", allowed_hosts=("nowhere.invalid",), api_token=Secret("hush")
    )
    level, message, mend = await look_for_one("addresses", here)
    assert "warning" == level
    assert "this machine finds no address for the name" in message
    assert "CC_ALLOWED_HOSTS" in mend
    own = ways._address("http://box.invalid:8787", ("nowhere.invalid",), is_serving=False)
    assert "this machine's own name" in (own.mend or "")
    assert "CC_ALLOWED_HOSTS" not in (own.mend or "")
    plain = subject(tmp_path, host="192.0.2.1", api_token=Secret("hush"))
    level, message, _ = await look_for_one("addresses", plain)
    assert "warning" == level
    assert "is not encrypted" in message


async def test_a_name_with_several_addresses_leads_here_by_any_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as here:
        number = here.getsockname()[1]
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, number))
            for address in ("127.0.0.2", "127.0.0.1")
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        told = ways._address(f"https://box.example:{number}", (), is_serving=True)
        assert "leads here" in told.message
