"""All that Codex may tell and ask, by name, as far as somebody here has looked at it.

What stands here is acted on, or left out for a reason. What does not is new: a later Codex brings
it. It is kept as it came, shown plainly, counted, and told of once, so that nothing that is new
goes by unseen. `tests/codex/test_vocabulary.py` compares this with what the binary says of itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs
import msgspec

from command_center.store.redaction.redact import redact

Kind: TypeAlias = Literal["notification", "item", "request"]

MOST_NAMES: Final = 100
"""New names that are told apart; further ones are counted together."""

LONGEST_NAME: Final = 100
"""Characters of a name that are kept."""

LONGEST_BODY: Final = 10_000
"""Bytes of what is new that are told, as JSON."""

FURTHER: Final = "further"
"""Stands for the names beyond those."""

NOTIFICATIONS: Final = frozenset(
    {
        *("account/gatewayOAuth/changed", "account/login/completed"),
        *("account/rateLimits/updated", "account/updated", "app/list/updated"),
        *("autoApprovalReview/strictReviewRequired", "command/exec/outputDelta", "configWarning"),
        *("deprecationNotice", "error", "externalAgentConfig/import/completed"),
        *("externalAgentConfig/import/progress", "fs/changed"),
        *("fuzzyFileSearch/sessionCompleted", "fuzzyFileSearch/sessionUpdated"),
        *("guardianWarning", "hook/completed", "hook/started", "item/agentMessage/delta"),
        *("item/autoApprovalReview/completed", "item/autoApprovalReview/started"),
        *("item/commandExecution/outputDelta", "item/commandExecution/terminalInteraction"),
        *("item/completed", "item/fileChange/outputDelta", "item/fileChange/patchUpdated"),
        *("item/mcpToolCall/progress", "item/plan/delta", "item/reasoning/summaryPartAdded"),
        *("item/reasoning/summaryTextDelta", "item/reasoning/textDelta", "item/started"),
        *("mcpServer/event/stream/notification", "mcpServer/oauthLogin/completed"),
        *("mcpServer/startupStatus/updated", "model/rerouted", "model/safetyBuffering/updated"),
        *("model/verification", "modelProvider/authRecoveryCompleted"),
        *("modelProvider/authRecoveryStarted", "process/exited", "process/outputDelta"),
        *("project/changed", "remoteControl/status/changed", "serverRequest/resolved"),
        *("skills/changed", "thread/archived", "thread/attachment/updated", "thread/closed"),
        *("thread/compacted", "thread/deleted", "thread/environment/connected"),
        *("thread/environment/disconnected", "thread/goal/cleared", "thread/goal/updated"),
        *("thread/name/updated", "thread/prediction/updated", "thread/project/updated"),
        *("thread/queue/changed", "thread/readState/changed", "thread/realtime/closed"),
        *("thread/realtime/error", "thread/realtime/item/completed"),
        *("thread/realtime/item/started", "thread/realtime/item/transcript/delta"),
        *("thread/realtime/itemAdded", "thread/realtime/outputAudio/delta"),
        *("thread/realtime/sdp", "thread/realtime/started", "thread/realtime/transcript/delta"),
        *("thread/realtime/transcript/done", "thread/reverted", "thread/section/changed"),
        *("thread/settings/updated", "thread/started", "thread/status/changed"),
        *("thread/tokenUsage/updated", "thread/unarchived", "turn/completed"),
        *("turn/diff/updated", "turn/moderationMetadata", "turn/plan/updated", "turn/started"),
        *("warning", "windows/worldWritableWarning", "windowsSandbox/setupCompleted"),
    }
)

ITEMS: Final = frozenset(
    {
        *("agentMessage", "collabAgentToolCall", "commandExecution", "contextCompaction"),
        *("dynamicToolCall", "enteredReviewMode", "exitedReviewMode", "fileChange"),
        *("functionCallOutput", "hookPrompt", "imageGeneration", "imageView", "mcpToolCall"),
        *("plan", "reasoning", "sleep", "subAgentActivity", "userMessage", "webSearch"),
    }
)

REQUESTS: Final = frozenset(
    {
        *("account/chatgptAuthTokens/refresh", "applyPatchApproval", "attestation/generate"),
        *("currentTime/read", "execCommandApproval", "item/commandExecution/requestApproval"),
        *("item/fileChange/requestApproval", "item/permissions/requestApproval"),
        *("item/tool/call", "item/tool/requestUserInput", "mcpServer/elicitation/request"),
    }
)

KNOWN: Final[Mapping[Kind, frozenset[str]]] = {
    "notification": NOTIFICATIONS,
    "item": ITEMS,
    "request": REQUESTS,
}


@attrs.frozen
class Unknown:
    """Something new of Codex's: its kind, its name, and its members as they came.

    Of what is longer than `LONGEST_BODY`, `body` has the beginning of its JSON, as `cut`.
    """

    kind: Kind
    name: str
    body: Mapping[str, Any]


@attrs.define
class Unknowns:
    """Counts what is new, by kind and name."""

    counts: Counter[tuple[Kind, str]] = attrs.field(factory=Counter)

    def in_notification(self, method: str, params: Mapping[str, Any]) -> Unknown | None:
        """Count what is new in a notification; return it where it is the first of its name."""
        if method not in NOTIFICATIONS:
            return self.note("notification", method, params)
        item = params.get("item") if method in {"item/started", "item/completed"} else None
        if isinstance(item, dict) and method != "item/started":
            name = str(item.get("type"))
            return None if name in ITEMS else self.note("item", name, item)
        return None

    def in_request(self, method: str, params: Mapping[str, Any]) -> Unknown | None:
        """Count a request that is new; return it where it is the first of its name."""
        return None if method in REQUESTS else self.note("request", method, params)

    def note(self, kind: Kind, name: str, body: Mapping[str, Any]) -> Unknown | None:
        """Count something new."""
        name = name[:LONGEST_NAME]
        is_first = (kind, name) not in self.counts
        if is_first and len(self.counts) >= MOST_NAMES:
            name, is_first = FURTHER, False
        self.counts[kind, name] += 1
        return Unknown(kind, name, _cut(body)) if is_first else None


def _cut(body: Mapping[str, Any]) -> Mapping[str, Any]:
    clean = msgspec.json.encode(redact(dict(body)))
    if len(clean) <= LONGEST_BODY:
        return body
    return {"cut": clean[:LONGEST_BODY].decode(errors="ignore")}
