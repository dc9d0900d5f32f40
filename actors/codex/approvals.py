"""Codex's five questions as approvals, and a decision as the answer that Codex expects.

Pure functions. What they read and write are the shapes of `ServerRequest.json` and of the
`…Response.json` files that `codex app-server generate-json-schema` prints.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import msgspec

from command_center.actors.codex import shapes
from command_center.actors.codex.diffs import is_change, unified_diff
from command_center.actors.rules.answers import check_answers, texts_of
from command_center.actors.rules.questions import ApprovalRequest, UnawaitedQuestion

COMMAND: Final = "item/commandExecution/requestApproval"
FILE_CHANGE: Final = "item/fileChange/requestApproval"
PERMISSIONS: Final = "item/permissions/requestApproval"
USER_INPUT: Final = "item/tool/requestUserInput"
ELICITATION: Final = "mcpServer/elicitation/request"

MAX_DIFF = 200_000
"""Characters of a diff that an approval shows; it says so if there are more."""

_TITLE = 120
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "fish", "pwsh", "powershell", "cmd"})

Params: TypeAlias = Mapping[str, Any]
Details: TypeAlias = dict[str, Any]


@attrs.frozen
class Decision:
    """A person's decision. `answers` are those to a question, by its id or field name."""

    approved: bool
    for_session: bool = False
    answers: Mapping[str, Any] = attrs.field(factory=dict)


def describe_request(
    method: str, params: Params, changes: Sequence[Params] = ()
) -> ApprovalRequest:
    """Make a request of Codex readable, with all that is needed to decide on it.

    `changes` are those of the `fileChange` item that a file-change request names by its id.
    """
    question = KNOWN_REQUESTS[method]
    title, details = question.describe(params, changes)
    return ApprovalRequest(
        kind=question.kind,
        title=_short(title),
        details={key: value for key, value in details.items() if value not in (None, [], {})},
        thread_id=params["threadId"],
        turn_id=params.get("turnId"),
        item_id=_item_id(method, params),
    )


def answer_to(method: str, params: Params, decision: Decision) -> dict[str, Any]:
    """Return the result that answers the request; raise `Invalid` for answers that do not fit."""
    question = KNOWN_REQUESTS[method]
    if decision.approved:
        _, details = question.describe(params, ())
        check_answers(question.kind, details, decision.answers)
    return question.answer(params, decision)


def script_of(command: str) -> str:
    """Return the script inside `/bin/bash -lc '…'`, or the command as it is."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    match words:
        case [shell, flag, script] if flag.startswith(("-", "/")):
            pass
        case _:
            return command
    shell = shell.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")
    return script if shell in _SHELLS else command


def _item_id(method: str, params: Params) -> str:
    if method == ELICITATION:
        asked = {key: value for key, value in params.items() if key not in ("threadId", "turnId")}
        digest = hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
        return f"elicitation:{digest[:16]}"
    callback = params.get("approvalId")
    return f"{params['itemId']}#{callback}" if callback else str(params["itemId"])


def _short(text: str) -> str:
    # A character that can't be seen, such as one that turns the writing round, is spelled out.
    seen = (c if c.isprintable() else f"\\u{ord(c):04x}" for c in " ".join(text.split()))
    line = "".join(seen)
    return line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"


# Commands


def _describe_command(params: Params, changes: Sequence[Params]) -> tuple[str, Details]:
    del changes
    command = params.get("command") or ""
    network = params.get("networkApprovalContext")
    if network is not None:
        title = f"Allow network access to {network['host']} ({network['protocol']})"
    elif params.get("kind") == "writeStdin":
        title = f"Type into a running command: {script_of(command)}"
    else:
        title = f"Run: {script_of(command)}"
    return title, {
        "command": command,
        "script": script_of(command),
        "cwd": params.get("cwd"),
        "reason": params.get("reason"),
        "commandKind": params.get("kind", "command"),
        "network": network,
        "additionalPermissions": params.get("additionalPermissions"),
        "proposedRule": params.get("proposedExecpolicyAmendment"),
        "proposedNetworkRules": params.get("proposedNetworkPolicyAmendments"),
        "environmentId": params.get("environmentId"),
    }


def _answer_review(params: Params, decision: Decision) -> dict[str, Any]:
    del params
    if not decision.approved:
        return {"decision": "decline"}
    return {"decision": "acceptForSession" if decision.for_session else "accept"}


# File changes


def _describe_file_change(params: Params, changes: Sequence[Params]) -> tuple[str, Details]:
    changes = [change for change in changes if is_change(change)]
    paths = [str(change["path"]) for change in changes]
    match paths:
        case []:
            title = "Change files"
        case [path]:
            title = f"Change {path}"
        case _:
            title = f"Change {len(paths)} files: {', '.join(paths)}"
    diff = unified_diff(changes)
    return title, {
        "files": [{"path": c["path"], "change": c["kind"]["type"]} for c in changes],
        "diff": diff[:MAX_DIFF],
        "diffCut": len(diff) > MAX_DIFF or None,
        "reason": params.get("reason"),
        "grantRoot": params.get("grantRoot"),
    }


# Permissions


def _describe_permissions(params: Params, changes: Sequence[Params]) -> tuple[str, Details]:
    del changes
    asked = params["permissions"]
    files = asked.get("fileSystem") or {}
    network = bool((asked.get("network") or {}).get("enabled"))
    wanted = []
    if network:
        wanted.append("network access")
    if files.get("write") or _paths(files, "write"):
        wanted.append("writing")
    if files.get("read") or _paths(files, "read"):
        wanted.append("reading")
    return f"Grant {' and '.join(wanted) or 'more permissions'}", {
        "cwd": params.get("cwd"),
        "reason": params.get("reason"),
        "network": network,
        "read": [*(files.get("read") or []), *_paths(files, "read")],
        "write": [*(files.get("write") or []), *_paths(files, "write")],
        "permissions": asked,
        "environmentId": params.get("environmentId"),
    }


def _paths(files: Params, access: str) -> list[str]:
    shown = []
    for entry in files.get("entries") or []:
        path = entry["path"]
        if entry["access"] != access:
            continue
        match path["type"]:
            case "path":
                shown.append(str(path["path"]))
            case "glob_pattern":
                shown.append(str(path["pattern"]))
            case _:
                shown.append(f"<{path.get('value', {}).get('kind', path['type'])}>")
    return shown


def _answer_permissions(params: Params, decision: Decision) -> dict[str, Any]:
    if not decision.approved:
        return {"permissions": {}, "scope": "turn"}
    granted = {key: value for key, value in params["permissions"].items() if value is not None}
    return {"permissions": granted, "scope": "session" if decision.for_session else "turn"}


# Questions


def _describe_user_input(params: Params, changes: Sequence[Params]) -> tuple[str, Details]:
    del changes
    questions = params["questions"]
    title = questions[0]["question"] if questions else "A question without words"
    more = f" (and {len(questions) - 1} more)" if len(questions) > 1 else ""
    return f"{title}{more}", {
        "questions": [
            {
                "id": question["id"],
                "header": question["header"],
                "question": question["question"],
                "options": question.get("options") or [],
                "freeText": bool(question.get("isOther")) or not question.get("options"),
                "secret": bool(question.get("isSecret")),
            }
            for question in questions
        ],
    }


def _answer_user_input(params: Params, decision: Decision) -> dict[str, Any]:
    if not decision.approved:
        return {"answers": {}}
    return {
        "answers": {
            question["id"]: {"answers": texts_of(decision.answers[question["id"]])}
            for question in params["questions"]
        }
    }


def unawaited_question(item: Params, thread_id: str, turn_id: str) -> UnawaitedQuestion | None:
    """Return what a message of Codex asks without waiting; None if it asks nothing."""
    asked = item.get("questions")
    if item.get("delivery") != "async" or not isinstance(asked, list):
        return None
    questions = [
        {
            "id": f"question-{number}",
            "header": "",
            "question": str(question.get("title")),
            "options": [
                {"label": str(option), "description": ""}
                for option in question.get("options") or ()
            ],
            "isOther": True,
        }
        for number, question in enumerate(asked, 1)
        if isinstance(question, dict)
    ]
    if not questions:
        return None
    where = {"threadId": thread_id, "turnId": turn_id, "itemId": str(item.get("id"))}
    params = {**where, "questions": questions}
    shown = describe_request(USER_INPUT, params)
    return UnawaitedQuestion(shown=shown, asked={"method": USER_INPUT, "params": params})


# Elicitations


def _describe_elicitation(params: Params, changes: Sequence[Params]) -> tuple[str, Details]:
    del changes
    meta = _meta_of(params)
    return f"{params['serverName']} asks: {params['message']}", {
        "server": params["serverName"],
        "message": params["message"],
        "mode": params["mode"],
        "url": params.get("url"),
        "schema": params.get("requestedSchema"),
        "approvalOf": meta.get("codex_approval_kind"),
        "tool": meta.get("tool_title") or meta.get("tool_name"),
        "toolDescription": meta.get("tool_description"),
        "connector": meta.get("connector_name"),
        "arguments": meta.get("tool_params") or _named_arguments(meta),
        "forSession": _offers_session(params) or None,
    }


def _meta_of(params: Params) -> Mapping[str, Any]:
    """Return what Codex says beside the question: whose tool's call it is, and for how long."""
    meta = params.get("_meta")
    return meta if isinstance(meta, dict) else {}


def _named_arguments(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool's arguments as Codex would show them, where it gives no others."""
    shown = meta.get("tool_params_display")
    return {
        str(one.get("display_name") or one.get("name")): one.get("value")
        for one in (shown if isinstance(shown, list) else ())
        if isinstance(one, dict)
    }


def _offers_session(params: Params) -> bool:
    """Return whether an answer may hold for the session."""
    offered = _meta_of(params).get("persist")
    return offered == "session" or (isinstance(offered, list) and "session" in offered)


def _answer_elicitation(params: Params, decision: Decision) -> dict[str, Any]:
    if not decision.approved:
        return {"action": "decline"}
    answer: dict[str, Any] = {"action": "accept"}
    if params["mode"] != "url":
        answer["content"] = dict(decision.answers)
    if decision.for_session and _offers_session(params):
        answer["_meta"] = {"persist": "session"}
    return answer


@attrs.frozen
class KnownRequest:
    """One kind of request: how it is read, shown and answered."""

    kind: str
    shape: type[msgspec.Struct]
    describe: Callable[[Params, Sequence[Params]], tuple[str, Details]]
    answer: Callable[[Params, Decision], dict[str, Any]]


KNOWN_REQUESTS: Final[Mapping[str, KnownRequest]] = {
    COMMAND: KnownRequest("command", shapes.Command, _describe_command, _answer_review),
    FILE_CHANGE: KnownRequest(
        "file_change", shapes.FileChange, _describe_file_change, _answer_review
    ),
    PERMISSIONS: KnownRequest(
        "permissions", shapes.Permissions, _describe_permissions, _answer_permissions
    ),
    USER_INPUT: KnownRequest(
        "user_input", shapes.UserInput, _describe_user_input, _answer_user_input
    ),
    ELICITATION: KnownRequest(
        "elicitation", shapes.Elicitation, _describe_elicitation, _answer_elicitation
    ),
}
"""The requests that become approvals; every other is refused."""


def why_not(method: str, params: Params) -> str | None:
    """Return why the request can't become an approval; None if it can."""
    question = KNOWN_REQUESTS.get(method)
    if question is None:
        return "Command Center does not know this request."
    return shapes.problem_of(question.shape, params)
