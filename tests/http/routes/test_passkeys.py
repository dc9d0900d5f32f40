"""Passkeys over real sockets: made by an authenticator, and used in place of the token."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from command_center.actors.contracts.addresses import DEVICES
from command_center.actors.contracts.passkeys import PasskeyProof
from command_center.actors.devices import passkeys
from command_center.actors.devices.passkeys import (
    CHALLENGE_SECONDS,
    CONFIRM_SECONDS,
    Passkeys,
    host_of,
)
from command_center.actors.rules.errors import Conflict, Invalid, WrongPasskey
from command_center.http.middleware.signin import COOKIE
from command_center.store import Passkey
from command_center.store import passkeys as stored
from tests.http.authenticator import PRESENT, Authenticator, to_text
from tests.http.devices import Server, bearer, server

CHALLENGE = "/api/passkeys/challenge"
SIGN_IN = "/api/passkeys/signin"


@attrs.frozen
class Page:
    """A page of `http://localhost`, and its authenticator."""

    at: Server
    http: httpx.AsyncClient
    authenticator: Authenticator

    async def challenge(self) -> str:
        answer = await self.http.get(CHALLENGE)
        assert 200 == answer.status_code, answer.text
        return str(answer.json()["challenge"])

    async def make(self, headers: dict[str, str], **more: Any) -> httpx.Response:
        body = self.authenticator.make(await self.challenge(), **more)
        return await self.http.post("/api/passkeys", json=body, headers=headers)

    async def sign_in(self, proof: dict[str, Any] | None = None) -> httpx.Response:
        if proof is None:
            proof = self.authenticator.prove(await self.challenge())
        return await self.http.post(SIGN_IN, json=proof)

    async def whose(self, answer: httpx.Response) -> dict[str, Any] | None:
        """Return the device whose cookie an answer has given."""
        morsel = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
        headers = {"Cookie": f"{COOKIE}={morsel.value}"}
        found = await self.http.get("/api/devices/current", headers=headers)
        device: dict[str, Any] | None = found.json().get("device")
        return device


@asynccontextmanager
async def opened(folder: Path, **more: Any) -> AsyncIterator[Page]:
    async with server(folder, **more) as at:
        host = f"localhost:{at.address.port}"
        headers = {"Host": host, "Origin": f"http://{host}"}
        async with httpx.AsyncClient(base_url=at.address.url, headers=headers, timeout=30) as http:
            yield Page(at, http, Authenticator("localhost", f"http://{host}"))


async def test_a_device_signs_in_by_its_passkey_until_that_is_removed(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        device = await page.at.device("read", "work")
        assert not (await page.http.get(CHALLENGE)).json()["isKnown"]
        made = await page.make(bearer(device))
        assert 201 == made.status_code, made.text
        shown = made.json()
        assert (1, "localhost", None) == tuple(
            shown[name] for name in ("deviceId", "host", "lastUsedAt")
        )
        assert (await page.http.get(CHALLENGE)).json()["isKnown"]
        again = page.authenticator.make(await page.challenge())
        known = await page.http.post("/api/passkeys", json=again, headers=bearer(device))
        assert 409 == known.status_code

        proof = page.authenticator.prove(await page.challenge())
        answer = await page.sign_in(proof)
        assert (200, 1) == (answer.status_code, answer.json()["id"])
        found = await page.whose(answer)
        assert found is not None
        assert (1, ["read", "work"]) == (found["id"], found["scopes"])
        assert 401 == (await page.sign_in(proof)).status_code
        (listed,) = (await page.http.get("/api/passkeys", headers=bearer(device))).json()["items"]
        assert listed["lastUsedAt"] is not None

        other = await page.at.device("read")
        assert [] == (await page.http.get("/api/passkeys", headers=bearer(other))).json()["items"]
        path = "/api/passkeys/1?requestedBy=ada"
        assert 404 == (await page.http.delete(path, headers=bearer(other))).status_code
        assert 200 == (await page.http.delete(path, headers=bearer(device))).status_code
        refused = await page.sign_in()
        assert 401 == refused.status_code
        assert "not known here" in refused.json()["error"]["message"]
        told = await page.at.events("device.passkey.added", "device.passkey.removed")
        assert [("api", 1), ("ada", 1)] == [(one["actor"], one["data"]["id"]) for one in told]


async def test_who_has_the_token_gets_a_device_for_a_passkey_which_ends_with_it(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as page:
        root = {"Authorization": page.at.root.headers["Authorization"]}
        made = await page.make(root, name="Ada's laptop")
        assert 201 == made.status_code, made.text
        found = await page.whose(await page.sign_in())
        assert found is not None
        assert "Ada's laptop" == found["name"]
        assert "admin" in found["scopes"]
        await page.at.root.delete("/api/devices/1")
        assert 401 == (await page.sign_in()).status_code
        assert [] == (await page.at.root.get("/api/passkeys")).json()["items"]
    async with opened(tmp_path) as page:  # what was signed for another life counts no more
        assert not (await page.http.get(CHALLENGE)).json()["isKnown"]


async def test_a_challenge_is_answered_once_however_many_answer_it_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    takers: list[threading.Thread] = []
    take = Passkeys.take

    def taken(rules: Passkeys, client_data: str, words: bytes = b"") -> bytes:
        takers.append(threading.current_thread())
        return take(rules, client_data, words)

    monkeypatch.setattr(Passkeys, "take", taken)
    async with opened(tmp_path) as page:
        assert 201 == (await page.make(bearer(await page.at.device("read")))).status_code
        proof = page.authenticator.prove(await page.challenge())
        statuses: list[int] = []

        async def sign_in() -> None:
            statuses.append((await page.sign_in(proof)).status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(sign_in)
    assert [200, 401, 401] == sorted(statuses)
    # Nothing comes between the look at what is spent and the note that this is.
    assert [threading.main_thread()] * 4 == takers


async def test_a_copy_of_a_passkey_is_noticed_by_its_count(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        device = await page.at.device("read")
        page.authenticator.count = 1
        await page.make(bearer(device))
        assert 200 == (await page.sign_in()).status_code
        page.authenticator.count = 1
        assert 401 == (await page.sign_in()).status_code


MALFORMED = ["a0", "01", "a50102032620012105226161", "a501020326200121052205", "a401010327200621f6"]
"""Keys of CBOR that are no keys."""


async def test_what_is_malformed_is_refused_and_kept_from_no_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as page:
        device = await page.at.device("read")
        system = page.at.center.system
        for key in MALFORMED:
            page.authenticator.public_key = bytes.fromhex(key)
            refused = await page.make(bearer(device))
            assert (401, key) == (refused.status_code, key), refused.text
            assert "was not accepted" in refused.json()["error"]["message"]
        page.authenticator.public_key = None
        assert 201 == (await page.make(bearer(device))).status_code
        # A key that an older server has kept.
        await page.at.center.storage.write(
            lambda tx: stored.update(tx, 1, public_key=to_text(bytes.fromhex(MALFORMED[3])))
        )
        assert 401 == (await page.sign_in()).status_code
        assert 0 == system.snapshot_of(DEVICES).restarts


async def test_whoever_guesses_has_to_wait_and_without_a_token_nobody_signs_in(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "a") as page:
        statuses = [(await page.sign_in()).status_code for _ in range(22)]
        assert {401, 429} == {*statuses}
        assert 200 == (await page.http.get(CHALLENGE)).status_code
    async with opened(tmp_path / "b", token=None) as page:
        assert 409 == (await page.http.get(CHALLENGE)).status_code


ORIGIN = "https://box.example"


def known(authenticator: Authenticator, rules: Passkeys) -> Passkey:
    """Return the passkey that the server would keep."""
    from command_center.actors.contracts.passkeys import NewPasskey  # noqa: PLC0415 - only here

    body = authenticator.make(rules.challenge())
    new = NewPasskey(client_data=body["clientData"], attestation=body["attestation"])
    made = rules.read_new(new, ORIGIN, rules.take(new.client_data))
    moment = "2030-01-31T09:00:00.000Z"
    return Passkey(id=1, created_at=moment, updated_at=moment, device_id=1, **attrs.asdict(made))


def proof_of(body: dict[str, Any]) -> PasskeyProof:
    return PasskeyProof(
        id=body["id"],
        client_data=body["clientData"],
        authenticator_data=body["authenticatorData"],
        signature=body["signature"],
    )


def test_a_proof_has_to_be_of_this_page_this_passkey_this_challenge_and_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = Passkeys()
    authenticator = Authenticator("box.example", ORIGIN)
    passkey = known(authenticator, rules)

    def prove(challenge: str | None = None, **changes: Any) -> int:
        signs = attrs.evolve(authenticator, **changes)
        body = signs.prove(rules.challenge() if challenge is None else challenge)
        proof = proof_of(body)
        return rules.read_proof(proof, ORIGIN, rules.take(proof.client_data), passkey)

    assert 0 == prove()
    spent = rules.challenge()
    prove(spent)
    for challenge in (spent, Passkeys().challenge(), to_text(b"short")):
        with pytest.raises(WrongPasskey, match="not accepted"):
            prove(challenge)
    for changes in (
        {"origin": "https://other.example"},
        {"host": "other.example"},
        {"flags": PRESENT},
        {"key": Authenticator("", "")._key},
    ):
        with pytest.raises(WrongPasskey, match="not accepted"):
            prove(**changes)
    late, of_a_decision = rules.challenge(), rules.challenge(b"decision")
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + CHALLENGE_SECONDS + 1)
    with pytest.raises(WrongPasskey, match="has expired"):
        prove(late)
    client_data = authenticator.prove(of_a_decision)["clientData"]
    monkeypatch.setattr("time.time", lambda: now + CONFIRM_SECONDS - 1)
    with pytest.raises(WrongPasskey, match="no challenge of this server's"):
        rules.take(client_data)
    with pytest.raises(WrongPasskey, match="for this decision"):
        rules.take(client_data, b"another")
    rules.take(client_data, b"decision")
    late = rules.challenge(b"decision")
    monkeypatch.setattr("time.time", lambda: now + 2 * CONFIRM_SECONDS)
    with pytest.raises(WrongPasskey, match="has expired"):
        rules.take(authenticator.prove(late)["clientData"], b"decision")


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "http://box.example",
        "https://192.168.1.2:8787",
        "https://[::1]",
        "https://[",
    ],
)
def test_a_page_for_which_no_browser_has_passkeys_is_told_so(origin: str | None) -> None:
    assert ["box.example", "localhost"] == [
        host_of("https://box.example:8443"),
        host_of("http://localhost:8787"),
    ]
    with pytest.raises(Conflict, match="only for a page of https"):
        host_of(origin)


def test_what_is_no_base64url_is_refused() -> None:
    with pytest.raises(Invalid, match="signature: Expected base64url"):
        passkeys.to_bytes("signature", "a")
