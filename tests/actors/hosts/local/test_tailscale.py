"""Tailscale leads to the server: the program's own words, and what is done where it ends."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from command_center.actors.hosts.local import tailscale
from command_center.actors.hosts.local.tailscale import (
    Tailscale,
    TailscaleSettings,
    TailscaleUnusable,
    name_in_tailnet,
    read_name,
)
from command_center.runtime import Backoff, ChildSpec, SupervisorSpec, open_system
from tests.tailscale import NAME, STATUS, fake_tailscale

posix = pytest.mark.skipif(sys.platform == "win32", reason="The stand-in is a script.")


def status(**changes: Any) -> bytes:
    return json.dumps(STATUS | changes).encode()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (status(BackendState="NeedsLogin"), r"not connected \(NeedsLogin\). Run `tailscale up`"),
        (status(BackendState="Stopped", Self={}), r"not connected \(Stopped\)"),
        (status(Self={"DNSName": ""}), "no name there. Switch MagicDNS on"),
        (status(Self={"DNSName": "-x a;b."}), "no name there"),
        (status(CertDomains=None), f"no certificate for {NAME}. Switch HTTPS certificates on"),
        (b"{}", r"not connected \(no state\)"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(said: bytes, reason: str) -> None:
    assert NAME == read_name(status())
    with pytest.raises(TailscaleUnusable, match=reason):
        read_name(said)


@posix
async def test_the_program_itself_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_tailscale(tmp_path) as fake:
        with monkeypatch.context() as without:
            without.setenv("PATH", str(tmp_path / "empty"))
            with pytest.raises(TailscaleUnusable, match=r"was not found\. Install Tailscale, or"):
                await name_in_tailnet()
        monkeypatch.setenv("PATH", fake.path)
        assert NAME == await name_in_tailnet()
        fake.status.write_text("no JSON", encoding="utf-8")
        with pytest.raises(TailscaleUnusable, match="does not say how this machine is called"):
            await name_in_tailnet()
        fake.hang()
        monkeypatch.setattr(tailscale, "STATUS_SECONDS", 0.5)
        with pytest.raises(TailscaleUnusable, match=r"did not answer within 0\.5 s"):
            await name_in_tailnet()


@posix
async def test_one_that_refuses_is_tried_again_and_what_it_said_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_tailscale(tmp_path) as fake:
        monkeypatch.setenv("PATH", fake.path)
        fake.refuse("Access denied: serve config denied")
        settings = TailscaleSettings(
            name=NAME,
            target="http://127.0.0.1:9",
            folder=tmp_path / "children",
            backoff=Backoff(initial=0.01, cap=0.05, jitter=0.0),
        )
        child = ChildSpec(id="tailscale", start=partial(Tailscale, settings))
        with capture_logs() as logs:
            async with open_system(SupervisorSpec(id="", children=[child])):
                for _ in range(2):
                    await fake.served()
    ended = [line["reason"] for line in logs if line["event"] == "tailscale.ended"]
    assert ["Access denied: serve config denied"] == ended[:1]
