"""Messages of commits, where what Codex or its host says cannot be read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import attrs
import pytest
import trio

from command_center.actors.codex.messages import CodexNotification, ThreadMessage
from command_center.actors.contracts.addresses import COMMIT_MESSAGES
from command_center.actors.contracts.far_answers import HostMisread
from command_center.actors.contracts.landing import AskForMessage, MessageRequest
from command_center.actors.sessions.runners.codex import commit_messages
from command_center.actors.sessions.runners.codex.commit_messages import CommitMessages
from command_center.runtime import ActorCrashed, ChildSpec, SupervisorSpec, open_system


@attrs.frozen
class OneSession:
    """A store with one session, of a host."""

    host: str

    async def read(self, _unit: object) -> Any:
        """Read the session and its task."""
        return SimpleNamespace(runner="app-server", host=self.host), SimpleNamespace()


@pytest.mark.parametrize(("host", "error"), [("box", HostMisread), ("local", ActorCrashed)])
async def test_what_another_host_breaks_fails_who_asked_and_no_message_of_others(
    monkeypatch: pytest.MonkeyPatch, host: str, error: type[Exception]
) -> None:
    async def broken(*_: object) -> str:
        raise KeyError("data")

    monkeypatch.setattr(CommitMessages, "_prompt", broken)
    actor = CommitMessages(cast("Any", OneSession(host)))
    tree = SupervisorSpec(id="", children=(ChildSpec(id="commit-messages", start=lambda: actor),))
    async with open_system(tree) as system:
        with pytest.raises(error):
            await system.lookup(COMMIT_MESSAGES).ask(AskForMessage(1, MessageRequest()))


@pytest.mark.parametrize(
    "odd",
    [
        ("thread/tokenUsage/updated", {"tokenUsage": 7}),
        ("thread/tokenUsage/updated", {"tokenUsage": {"total": {"totalTokens": "7"}}}),
        ("item/completed", {"item": 7}),
        ("turn/completed", {"turn": 7}),
    ],
)
async def test_what_codex_tells_that_its_protocol_has_not_is_passed_over(
    odd: tuple[str, dict[str, Any]],
) -> None:
    send, told = trio.open_memory_channel[ThreadMessage](3)
    for method, params in (
        odd,
        ("item/completed", {"item": {"type": "agentMessage", "text": "Add a list"}}),
        ("turn/completed", {"turn": {"id": "turn-1"}}),
    ):
        send.send_nowait(CodexNotification("thread-1", method, params))
    heard = await commit_messages._listen(cast("Any", None), told)
    assert ("Add a list", None) == heard
