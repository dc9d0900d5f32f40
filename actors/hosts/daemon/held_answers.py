"""The answers that a server may give to what Codex asks on a host that has a ceiling.

What Codex asks is asked as ever, but nothing that would leave the sandbox is approved: the answer
becomes a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs
import structlog

from command_center.actors.hosts.daemon.ceiling import BeyondCeiling

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

REFUSED: Final = -32600
"""The code of the JSON-RPC error with which a request is refused (invalid request)."""

ASKED: Final = 1000
"""Open questions of Codex that are remembered."""

_DECLINES: Final = frozenset({"decline", "cancel"})


@attrs.define(eq=False)
class AnswerRules:
    """Rules for the answers to one app-server, which are to what it has asked."""

    _asked: dict[str, str] = attrs.field(factory=dict)

    def note(self, question: Mapping[str, Any]) -> None:
        """Remember what Codex asks; of too much, the oldest is forgotten."""
        while len(self._asked) >= ASKED:
            del self._asked[next(iter(self._asked))]
        self._asked[json.dumps(question["id"])] = _name_of(question)

    def held(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return an answer as it may go to Codex: an approval becomes a refusal.

        It is made anew: where an error and a result stand side by side, Codex takes the result.

        Raises:
            BeyondCeiling: it answers what was not asked.
        """
        method = self._asked.pop(json.dumps(said.get("id")), None)
        if method is None:
            raise BeyondCeiling("an answer to what was not asked")
        answer: dict[str, Any] = {"id": said["id"]}
        result = said.get("result")
        if "error" in said or result is None:
            error = said.get("error")
            answer["error"] = error if isinstance(error, dict) else {"code": REFUSED, "message": ""}
        elif method.endswith("/requestApproval") or "Approval" in method:
            decision = result.get("decision") if isinstance(result, dict) else None
            if isinstance(decision, str) and decision in _DECLINES:
                answer["result"] = {"decision": decision}
            else:
                log.warning("host.beyond_ceiling", reason=f"{method} was declined by the ceiling.")
                answer |= _declined(method)
        else:
            answer["result"] = result
        return answer


def _name_of(question: Mapping[str, Any]) -> str:
    """Return the name of what Codex asks; that of an approval says so."""
    method, params = str(question["method"]), question.get("params") or {}
    if "codex_approval_kind" in (params.get("_meta") or {}) or any(
        str(one.get("id")).startswith("mcp_tool_call_approval")
        for one in params.get("questions") or ()
    ):
        return f"{method}#toolApproval"
    return method


def _declined(method: str) -> dict[str, Any]:
    """Return what Codex is answered in the place of an approval."""
    match method.partition("#")[0]:
        case "mcpServer/elicitation/request":
            return {"result": {"action": "decline"}}
        case "item/tool/requestUserInput" | "item/permissions/requestApproval":
            told = str(BeyondCeiling("what a person approves there"))
            return {"error": {"code": REFUSED, "message": told}}
        case _:
            return {"result": {"decision": "decline"}}
