"""Approvals beyond a run's leave, which a passkey alone approves where the server is set so."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from command_center.actors.contracts.addresses import APPROVALS
from command_center.actors.contracts.approvals import Resolution, ResolveApproval
from command_center.actors.rules.errors import NeedsPasskey
from command_center.actors.rules.questions import ApprovalRequest
from command_center.actors.rules.run_leave import goes_beyond_run
from command_center.actors.rules.standing_rules import with_offer
from command_center.store import Approval, Transaction, approvals, repositories
from command_center.store.records import ApprovalKind
from tests.actors.rows import insert_session, insert_task
from tests.http.devices import bearer
from tests.http.routes.test_passkeys import SIGN_IN, Page, opened

BEYOND = {"script": "git commit", "beyondRun": ["This session may not commit."]}
APPROVED = {"status": "approved", "resolvedBy": "ada"}


@attrs.frozen
class Phone:
    """A device that asks, on a page with an authenticator."""

    page: Page
    headers: Mapping[str, str]

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self.page.http.post(path, json=body, headers=dict(self.headers))

    async def ask(self, kind: ApprovalKind, details: Mapping[str, Any]) -> str:
        """Return the path of a new approval."""
        asked = await self.page.at.center.storage.write(
            lambda tx: approvals.insert(
                tx,
                kind=kind,
                title="Run it?",
                details=dict(details),
                repository_id=1,
                requested_by="codex",
            )
        )
        return f"/api/approvals/{asked.id}"

    async def ask_within(self, script: str) -> tuple[str, dict[str, Any]]:
        """Return the path of an approval of a command within its run, and a rule with its yes."""
        command = shlex.join(["/bin/bash", "-lc", script])
        details = {"command": command, "commandKind": "command", "cwd": "/srv/r"}

        def write(tx: Transaction) -> Approval:
            session = insert_session(tx, insert_task(tx, repositories.get(tx.db, 1)), cwd="/srv/r")
            asked = ApprovalRequest("command", "Run it?", details, "t", "u", "i")
            return approvals.insert(
                tx,
                kind="command",
                title="Run it?",
                details=with_offer(session, asked).details,
                repository_id=1,
                session_id=session.id,
                codex_request={"method": "m", "params": {}},
                requested_by="codex",
            )

        asked = await self.page.at.center.storage.write(write)
        return f"/api/approvals/{asked.id}", {**APPROVED, "rule": {"words": shlex.split(script)}}

    async def rules(self) -> list[Any]:
        """Return the words of the rules that there are."""
        answer = await self.page.at.root.get("/api/repos/1/rules")
        return [rule["words"] for rule in answer.json()["items"]]

    async def prove(self, path: str, decision: Mapping[str, Any]) -> dict[str, Any]:
        """Return a passkey's proof of a decision."""
        answer = await self.post(f"{path}/challenge", decision)
        assert 200 == answer.status_code, answer.text
        return self.page.authenticator.prove(answer.json()["challenge"])

    async def resolve(self, path: str, decision: Mapping[str, Any], proof: Any) -> httpx.Response:
        return await self.post(f"{path}/resolve", {**decision, "proof": proof})


@asynccontextmanager
async def phone(folder: Path) -> AsyncIterator[Phone]:
    async with opened(folder, wants_passkeys=True) as page:
        device = await page.at.device("read", "approve", "admin")
        made = await page.make(bearer(device))
        assert 201 == made.status_code, made.text
        yield Phone(page, bearer(device))


def assert_wants_a_passkey(answer: httpx.Response) -> None:
    assert 403 == answer.status_code, answer.text
    error = answer.json()["error"]
    assert {"needs": "passkey"} == error["facts"]
    assert "Approve it with a passkey, in the page at /#/approvals/" in error["message"]


async def test_what_goes_beyond_a_run_is_approved_by_a_passkey_alone_whoever_asks(
    tmp_path: Path,
) -> None:
    async with phone(tmp_path) as it:
        path = await it.ask("command", BEYOND)
        root = it.page.at.root
        for answer in (
            await it.post(f"{path}/resolve", APPROVED),
            await root.post(f"{path}/resolve", json=APPROVED),
            await it.resolve(path, APPROVED, it.page.authenticator.prove("AAAA")),
        ):
            assert_wants_a_passkey(answer)
        with pytest.raises(NeedsPasskey):  # as Telegram and a notification do
            await it.page.at.center.ask(
                APPROVALS, ResolveApproval(1, Resolution(status="approved"))
            )
        assert "pending" == (await root.get(path)).json()["status"]
        done = await it.resolve(path, APPROVED, await it.prove(path, APPROVED))
        assert (200, "approved", "ada") == (
            done.status_code,
            done.json()["status"],
            done.json()["resolvedBy"],
        )
        (told,) = await it.page.at.events("approval.resolved")
        assert 1 == told["data"]["passkeyId"]
        late = await it.resolve(path, APPROVED, None)
        assert 409 == late.status_code

        rejected = await it.ask("command", BEYOND)
        assert 200 == (await it.post(f"{rejected}/resolve", {"status": "rejected"})).status_code
        for within in (
            await it.ask("command", {"script": "make"}),
            await it.ask("manual", BEYOND),
        ):
            assert 200 == (await it.post(f"{within}/resolve", APPROVED)).status_code
        assert "passkeyId" not in (await it.page.at.events("approval.resolved"))[-1]["data"]


async def test_a_rule_is_made_by_a_passkey_alone_though_its_command_is_within_the_run(
    tmp_path: Path,
) -> None:
    async with phone(tmp_path) as it:
        path, always = await it.ask_within("make test")
        assert_wants_a_passkey(await it.post(f"{path}/resolve", always))
        for_this_once = await it.prove(path, APPROVED)
        assert_wants_a_passkey(await it.resolve(path, always, for_this_once))
        for_another = await it.prove(path, {**always, "rule": {"words": ["make"]}})
        assert_wants_a_passkey(await it.resolve(path, always, for_another))
        assert [] == await it.rules()
        decides = Phone(it.page, bearer(await it.page.at.device("read", "approve")))
        proof = await it.prove(path, always)
        refused = await decides.resolve(path, always, proof)
        assert (403, "admin") == (refused.status_code, refused.json()["error"]["facts"]["scope"])
        assert [] == await it.rules()
        done = await it.resolve(path, always, await it.prove(path, always))
        assert 200 == done.status_code, done.text
        assert [["make", "test"]] == await it.rules()


async def test_a_proof_is_of_one_decision_once_and_signs_nobody_in(tmp_path: Path) -> None:
    async with phone(tmp_path) as it:
        path, other = await it.ask("command", BEYOND), await it.ask("push", {})
        proof = await it.prove(path, APPROVED)
        assert_wants_a_passkey(await it.resolve(other, APPROVED, proof))
        for changed in ({"scope": "session"}, {"resolutionNote": "a"}, {"answers": {"a": "b"}}):
            assert_wants_a_passkey(await it.resolve(path, {**APPROVED, **changed}, proof))
        assert 401 == (await it.page.http.post(SIGN_IN, json=proof)).status_code
        to_sign_in = it.page.authenticator.prove(await it.page.challenge())
        assert_wants_a_passkey(await it.resolve(path, APPROVED, to_sign_in))
        forged = {**proof, "signature": proof["signature"][:-4] + "AAAA"}
        assert_wants_a_passkey(await it.resolve(path, APPROVED, forged))
        assert_wants_a_passkey(await it.resolve(path, APPROVED, proof))  # that has spent it

        proof = await it.prove(other, APPROVED)
        await it.page.at.root.patch("/api/devices/1", json={"scopes": ["read"]})
        root = {"Authorization": it.page.at.root.headers["Authorization"]}
        refused = await Phone(it.page, root).resolve(other, APPROVED, proof)
        assert_wants_a_passkey(refused)
        assert "may not approve" in refused.json()["error"]["message"]


async def test_who_has_no_admin_cannot_make_the_proof_that_they_lack(tmp_path: Path) -> None:
    async with phone(tmp_path) as it:
        agent = await it.page.at.device("read", "work", "approve")
        refused = await it.page.make(bearer(agent))
        assert (403, "admin") == (refused.status_code, refused.json()["error"]["facts"]["scope"])
    async with opened(tmp_path) as page:  # where none is wanted, each makes its own
        answer = await page.at.root.post("/api/approvals/1/challenge", json=APPROVED)
        assert (409, True) == (answer.status_code, "need no passkey" in answer.text)
        assert 201 == (await page.make(bearer(agent))).status_code


@pytest.mark.parametrize(
    ("kind", "details", "goes_beyond"),
    [
        ("command", {"script": "make"}, False),
        ("command", BEYOND, True),
        ("command", {"script": "make", "additionalPermissions": {"network": True}}, True),
        ("file_change", {"files": [], "grantRoot": None}, False),
        ("file_change", {"files": [], "grantRoot": "/srv"}, True),
        ("permissions", {}, True),
        ("push", {}, True),
        ("run", {"sandbox": "workspace-write", "allowNetwork": True}, False),
        ("run", {"sandbox": "danger-full-access"}, True),
        ("elicitation", {}, False),
        ("manual", {"beyondRun": ["A lie."], "sandbox": "danger-full-access"}, False),
    ],
)
def test_what_goes_beyond_a_run_is_told_by_its_kind_and_details(
    kind: ApprovalKind,
    details: dict[str, Any],
    goes_beyond: bool,  # noqa: FBT001 - it is a column of the table
) -> None:
    assert goes_beyond is goes_beyond_run(kind, details)
