"""The parts of Command Center are told, and those with known weaknesses found."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser.vendored import PACKAGES
from tests.checkout import run
from tests.supply_chain import (
    PAGE,
    UV,
    audit,
    bill_of_materials,
    javascript_parts,
    licences_page,
    locked,
)

OLDEST_UV = (0, 13)


@pytest.fixture(autouse=True)
def new_uv() -> None:
    """Skip the test where uv cannot audit, or tell the parts."""
    version = run(UV, "--version").stdout.split()[1]
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_UV:
        pytest.skip(f"uv is {version}, and this needs 0.13 or newer: uv self update")


def test_the_page_of_licences_names_all_that_an_installation_brings() -> None:
    assert PAGE.read_text(encoding="utf-8") == licences_page()


def test_the_bill_of_materials_has_each_part_with_its_version_and_licence() -> None:
    bill = bill_of_materials()
    assert "CycloneDX" == bill["bomFormat"]
    found = {part["purl"]: part["licenses"][0]["expression"] for part in bill["components"]}
    assert all(found.values())
    assert {part["purl"] for part in locked()["components"]} < found.keys()
    brought = {part.name for part in javascript_parts()}
    assert {
        "preact",
        "htm",
        "uplot",
        "@highlightjs/cdn-assets",
        "@xterm/xterm",
        "markdown-it",
        "@xterm/addon-fit",
    } == brought
    for package in PACKAGES:
        is_there = f"pkg:npm/{package.name}@{package.version}" in found
        assert is_there == (package.name in brought)


@contextmanager
def advisory_list(weak: str) -> Iterator[str]:
    """A list of advisories on loopback that knows one of a package by that name."""
    advisory = {
        "id": "GHSA-test-0001",
        "modified": "2026-11-01T00:00:00Z",
        "summary": "Lets anybody in.",
        "affected": [{"package": {"ecosystem": "PyPI", "name": weak}, "versions": []}],
    }

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = [{"id": advisory["id"], "modified": advisory["modified"]}]
            found = [
                {"vulns": known} if query["package"]["name"] == weak else {}
                for query in asked["queries"]
            ]
            self.answer({"results": found})

        def do_GET(self) -> None:
            self.answer(advisory)

        def answer(self, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("weak", "code"), [("hypercorn", 1), ("pytest", 1), ("none-of-ours", 0)])
def test_an_audit_finds_what_is_known_as_weak(
    weak: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisory_list(weak) as url:
        assert code == audit("--service-url", url)
    assert (code == 1) == ("GHSA-test-0001" in capsys.readouterr().out)


def test_an_audit_that_reaches_no_list_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")  # nobody comes to listen there
    assert 0 == audit("--service-url", "http://127.0.0.1:9")
    assert "was NOT audited" in capsys.readouterr().out


def test_an_audit_that_fails_otherwise_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == audit("--no-such-option")
    assert "was NOT audited" not in capsys.readouterr().out
