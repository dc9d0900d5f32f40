"""Signing the real Codex in and out over HTTP, and the limits of its plan."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner

from command_center.actors.hosts.local.codex import detached
from command_center.http.cli.main import main
from tests.codex.sign_in_provider import CODE, EMAIL, SignInProvider
from tests.end_to_end.server import Client, Server, client_of

KEY = "sk-a-key-that-nobody-may-see-0123456789"
ACCOUNT = "/api/codex/account"
SIGN_INS = f"{ACCOUNT}/sign-ins"


@pytest.fixture
def provider() -> Iterator[SignInProvider]:
    with SignInProvider() as one:
        yield one


@pytest.fixture
async def client(
    tmp_path: Path, codex_binary: Path, codex_home: Path, provider: SignInProvider
) -> AsyncIterator[Client]:
    """A client of a server whose Codex needs an account, and has none."""
    settings = {
        "CC_CODEX_COMMAND": str(codex_binary),
        "CODEX_HOME": str(codex_home),
        **provider.write_home(codex_home),
    }
    server = Server(tmp_path / "data", settings).start()
    try:
        async with client_of(server) as client:
            yield client
    finally:
        await trio.to_thread.run_sync(server.end)


async def events_of(client: Client) -> list[str]:
    """Return the events of the account, in order."""
    found = await client.get("/api/events", limit=500)
    told = (event["type"].partition(".") for event in found["items"])
    return [what for thing, _, what in told if thing == "account"]


async def doctors_word(client: Client) -> tuple[str, dict[str, str]]:
    """Return who examined for `command-center doctor`, and the level of each finding."""
    port = str(client.http.base_url.port)
    asked = ["doctor", "--json", "--port", port]
    told = await trio.to_thread.run_sync(lambda: CliRunner().invoke(main, asked))
    found = json.loads(told.output)
    assert int(found["status"] == "error") == told.exit_code
    return found["examinedBy"], {one["check"]: one["level"] for one in found["findings"]}


async def test_a_code_signs_in_once_it_is_entered_and_the_doctor_is_content(
    client: Client, provider: SignInProvider
) -> None:
    assert "signed_out" == (await client.get(ACCOUNT))["status"]
    by, levels = await doctors_word(client)
    assert ("server", "error", "ok") == (by, levels["codex-sign-in"], levels["codex"])
    async with client.watch(after=0) as stream:
        begun = await client.post(f"{SIGN_INS}", {"type": "device_code"}, status=201)
        assert ("waiting", CODE) == (begun["status"], begun["userCode"])
        assert f"{provider.url}/codex/device" == begun["verificationUrl"]
        known = (await client.get(ACCOUNT))["signIn"]
        assert (begun["id"], "waiting") == (known["id"], known["status"])
        provider.entered.set()
        told = await stream.until("account.signed_in")
    assert {"host": "local", "kind": "chatgpt", "plan": "pro"} == told["data"]
    account = await client.get(ACCOUNT)
    assert ("signed_in", "chatgpt", EMAIL, "pro") == tuple(
        account[name] for name in ("status", "kind", "email", "plan")
    )
    assert ("completed", None) == (account["signIn"]["status"], account["signIn"]["userCode"])
    assert {"codex-sign-in": "ok", "codex-sandbox": "ok"}.items() <= (await doctors_word(client))[
        1
    ].items()
    limits = await client.get("/api/codex/limits")
    (limit,) = limits["limits"]
    assert "codex" == limit["id"]
    assert [(42, 300), (7, 10080)] == [
        (window["usedPercent"], window["minutes"]) for window in limit["windows"]
    ]
    assert "2030-03-17T17:46:40.000Z" == limit["windows"][0]["resetsAt"]
    signed_out = await client.post(f"{ACCOUNT}/sign-out")
    assert "signed_out" == signed_out["status"]
    assert ["sign_in_begun", "signed_in", "signed_out"] == await events_of(client)


async def test_a_key_signs_in_and_is_kept_by_codex_alone(client: Client, tmp_path: Path) -> None:
    await client.post(SIGN_INS, {"type": "api_key", "apiKey": KEY}, status=201)
    account = await client.get(ACCOUNT)
    assert ("signed_in", "apiKey", "completed") == (
        account["status"],
        account["kind"],
        account["signIn"]["status"],
    )
    refused = await client.http.get("/api/codex/limits")
    assert 409 == refused.status_code, refused.text
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    holding = [path for path in kept if KEY.encode() in path.read_bytes()]
    assert ["auth.json"] == [path.name for path in holding]


async def test_what_changes_while_codex_is_away_is_told_when_it_is_back(
    client: Client, codex_home: Path
) -> None:
    await client.post(SIGN_INS, {"type": "api_key", "apiKey": KEY}, status=201)
    (codex_home / "auth.json").unlink()
    async with client.watch(after=0) as stream:
        await stream.until("account.signed_in")
        folder = detached.folder_of(client.server.data_dir)
        await trio.to_thread.run_sync(detached.end, folder)
        await stream.until("account.signed_out")
    assert ["sign_in_begun", "signed_in", "signed_out"] == await events_of(client)
    assert "signed_out" == (await client.get(ACCOUNT))["status"]


async def test_a_new_code_takes_the_place_of_one_that_waits_and_is_given_up(
    client: Client, provider: SignInProvider
) -> None:
    first = await client.post(SIGN_INS, {"type": "device_code"}, status=201)
    second = await client.post(SIGN_INS, {"type": "device_code"}, status=201)
    assert first["id"] != second["id"]
    gone = await client.http.post(f"{SIGN_INS}/{first['id']}/cancel")
    assert 404 == gone.status_code, gone.text
    given_up = await client.post(f"{SIGN_INS}/{second['id']}/cancel")
    assert ("cancelled", None) == (given_up["status"], given_up["userCode"])
    again = await client.http.post(f"{SIGN_INS}/{second['id']}/cancel")
    assert 409 == again.status_code, again.text
    provider.entered.set()
    assert "signed_out" == (await client.get(ACCOUNT))["status"]


async def test_a_provider_that_is_down_is_said_so(client: Client, provider: SignInProvider) -> None:
    provider.is_down = True
    refused = await client.http.post(SIGN_INS, json={"type": "device_code"})
    assert 409 == refused.status_code, refused.text
    assert ["sign_in_begun", "sign_in_failed"] == await events_of(client)
    assert (await client.get(ACCOUNT))["signIn"] is None


async def test_a_sign_in_that_is_none_is_refused(codex_client: Client) -> None:
    for body in (
        {},
        {"type": "password"},
        {"type": "api_key"},
        {"type": "device_code", "apiKey": KEY},
        {"type": "api_key", "apiKey": "short"},
        {"type": "api_key", "apiKey": "with spaces in it"},
    ):
        refused = await codex_client.http.post(SIGN_INS, json=body)
        assert 400 == refused.status_code, refused.text
        assert KEY not in refused.text
    refused = await codex_client.http.post(
        SIGN_INS, json={"type": "device_code", "host": "elsewhere"}
    )
    assert 404 == refused.status_code, refused.text


async def test_without_an_app_server_nobody_is_signed_in(stub_client: Client) -> None:
    refused = await stub_client.http.get(ACCOUNT)
    assert 409 == refused.status_code
    assert "CC_CODEX_RUNNER_MODE" in refused.text


async def test_a_provider_of_ones_own_needs_no_account(codex_client: Client) -> None:
    assert "not_needed" == (await codex_client.get(ACCOUNT))["status"]
