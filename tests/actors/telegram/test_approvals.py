"""Decisions from the phone, on a real store and a fake Bot API over loopback HTTP."""

from __future__ import annotations

from pathlib import Path

from command_center.actors.contracts.addresses import APPROVALS
from command_center.actors.contracts.approvals import Resolution, ResolveApproval
from tests.actors.telegram.rig import ME, rig


async def test_what_is_asked_comes_with_its_buttons_and_is_decided_by_one(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask("Deploy <b>now</b> & here?", details={"reason": "It is due."})
        message = await r.api.message(ME, "Deploy <b>now</b> & here?")
        assert "It is due." in message["text"]
        answer = await r.press(message, "Approve")
        assert f"✅ Approved by telegram:{ME}" in answer["text"]
        settled = await r.approval(approval.id)
        assert ("approved", f"telegram:{ME}") == (settled.status, settled.resolved_by)
        await r.api.message(ME, f"Approved by telegram:{ME}")
        assert "reply_markup" not in r.api.chat(ME).messages[message["message_id"]]


async def test_what_is_settled_elsewhere_says_by_whom_and_loses_its_buttons(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as r:
        approval = await r.ask()
        message = await r.api.message(ME, "May I?")
        wish = Resolution(status="rejected", resolved_by="web", resolution_note="Not today.")
        await r.center.ask(APPROVALS, ResolveApproval(approval.id, wish))
        edited = await r.api.message(ME, "Rejected by web")
        assert message["message_id"] == edited["message_id"]
        assert "Not today." in edited["text"]
        assert "reply_markup" not in edited
