"""Word approvals for the bot: the question with its buttons, and the outcome. Pure functions.

As in `wording`, the long parts get the room that the rest leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from command_center.actors.telegram.buttons import (
    AnswerQuestion,
    Details,
    Resolve,
)
from command_center.actors.telegram.markup import (
    LONGEST,
    StyledText,
    Text,
    block,
    bold,
    code,
    fit,
    italic,
    length_of,
    lines,
    shorten,
    shorten_middle,
    spelled_out,
    text,
)
from command_center.actors.telegram.outgoing import Button, Keyboard
from command_center.actors.telegram.wording import (
    BODY,
    SHORT,
    TITLE,
    Where,
    diff_summary,
    labelled,
    place,
)
from command_center.store import Approval
from command_center.store.records import RiskKind

SUBJECTS: Final = 10
"""Commits of a push that are named."""

FOR_SESSION: Final = frozenset({"command", "file_change", "permissions"})
"""The kinds of approvals that can be given for the whole session."""


RISKS: Final[Mapping[RiskKind, str]] = {
    "deletes": "Deletes",
    "network": "Uses the network",
    "pipes_into_shell": "Runs what it is piped",
    "outside_folder": "Outside the folder",
    "secrets": "Secrets",
    "unreadable": "Could not be read",
}
"""A risk in words."""


def approval_text(
    approval: Approval, where: Where, answers: Mapping[str, Any] | None = None
) -> Text:
    """Say what is asked: what, where, why, until when."""
    details = approval.details
    kind = approval.kind.replace("_", " ")
    head = lines(
        text("🔔 ", bold(shorten(approval.title, TITLE))),
        text(italic(f"{kind} · approval {approval.id}"), *place(where)),
        _cwd(details),
    )
    foot = lines(
        labelled("Why: ", details.get("reason")),
        *_beside(approval),
        None
        if approval.expires_at is None
        else text("Decide before ", bold(where.at(approval.expires_at)), "."),
    )
    room = LONGEST - length_of(head) - length_of(foot) - 100
    body = (
        question_text(approval, answers or {}, min(room, BODY))
        if approval.kind == "user_input"
        else _push(details)
        if approval.kind == "push"
        else _body(approval, min(room, BODY))
    )
    return fit(lines(head, body or None, foot or None))


def _beside(approval: Approval) -> list[Text | None]:
    """Say who asks, and what goes beyond the run's leave; a manual one may hold anything."""
    if approval.kind == "manual":
        return []
    said = approval.details.get("beyondRun") or ()
    return [
        _sub_agent(approval.details),
        *(labelled(f"⚠️ {RISKS[risk.kind]}: ", shorten(risk.words, 80)) for risk in approval.risks),
        *(labelled("⚠️ Beyond what its run may do: ", sentence) for sentence in said),
    ]


def _sub_agent(details: Mapping[str, Any]) -> Text | None:
    """Name the sub-agent that asks; older questions say only that one does."""
    if not details.get("subAgent"):
        return None
    name = details.get("agent")
    if name is None:
        return text("A sub-agent of the session asks.")
    return text("The sub-agent ", code(shorten(str(name), 100)), " asks.")


def _cwd(details: Mapping[str, Any]) -> Text | None:
    cwd = details.get("cwd")
    return text("in ", code(shorten(str(cwd), 200))) if cwd else None


def _body(approval: Approval, room: int) -> Text:
    """Return the command, the diff, or whatever else there is to decide about."""
    details = approval.details
    match approval.kind:
        case "command":
            said = str(details.get("script") or details.get("command") or "")
            extra = _rest(details, "network", "additionalPermissions")
            return lines(block(shorten_middle(said, room - 300)) if said else None, extra or None)
        case "file_change" | "trust" | "setup":
            diff = str(details.get("diff") or "")
            files = _paths(f.get("path") for f in details.get("files") or [])
            copied = _paths(details.get("included") or [])
            return lines(
                labelled("", files),
                labelled("Copies ", copied) if copied else None,
                diff_summary(diff) if diff else None,
                block(shorten_middle(diff, room - SHORT - 100)) if diff else None,
            )
        case "run":
            prompt = details.get("prompt")
            return lines(
                text("Sandbox ", code(str(details.get("sandbox"))), _grants(details)),
                text("“", shorten(str(prompt), SHORT), "”") if prompt else None,
            )
        case "elicitation":
            return lines(
                labelled("", details.get("message")),
                labelled("", details.get("url")),
                labelled("", details.get("toolDescription")),
                _arguments(details.get("arguments"), room - SHORT - 400),
            )
        case "permissions":
            return lines(
                "Network access" if details.get("network") else None,
                labelled("Write: ", _paths(details.get("write") or [])),
                labelled("Read: ", _paths(details.get("read") or [])),
            )
        case _:
            rest = _rest(details, *(key for key in details if key not in {"reason", "cwd"}))
            return lines(rest) if rest else ()


def _push(details: Mapping[str, Any]) -> Text:
    """Word where commits go, and which they are."""
    commits = details.get("commits") or []
    more = int(details.get("commitCount") or 0) - len(commits[:SUBJECTS])
    return lines(
        text("to ", code(shorten(str(details.get("branchName")), 200))),
        text("at ", code(shorten(str(details.get("address")), 300))),
        "⚠️ It replaces what the branch has there." if details.get("force") else None,
        *(text("• ", shorten(str(one.get("subject")), 120)) for one in commits[:SUBJECTS]),
        f"and {more} more" if more > 0 else None,
    )


def _arguments(arguments: object, room: int) -> StyledText | None:
    """Word the arguments of the tool that is to be called."""
    if not arguments:
        return None
    return block(shorten_middle(_indented(arguments), room))


def _paths(paths: Iterable[object]) -> str:
    return spelled_out(", ".join(map(str, paths)))


def _grants(details: Mapping[str, Any]) -> str:
    granted = [
        words
        for key, words in (("allowNetwork", "network"), ("allowCommit", "commits"))
        if details.get(key)
    ]
    return f", with {' and '.join(granted)}" if granted else ""


def _rest(details: Mapping[str, Any], *keys: str) -> Text:
    shown = {key: details[key] for key in keys if details.get(key) not in (None, "", [], {})}
    return lines(
        *(
            text(f"{key}: ", value if isinstance(value, str) else _json(value))
            for key, value in (
                (key, shorten(value, SHORT) if isinstance(value, str) else value)
                for key, value in shown.items()
            )
        )
    )


def _json(value: object) -> StyledText:
    return code(shorten(msgspec.json.encode(value).decode(), SHORT))


def _indented(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode()


def details_text(approval: Approval) -> Text:
    """Return all of an approval that fits into one message."""
    details = dict(approval.details)
    long = {
        key: str(details.pop(key))
        for key in ("diff", "command", "prompt", "message")
        if isinstance(details.get(key), str)
    }
    details.pop("script", None)
    rest = _indented(details) if details else ""
    head = text(bold(f"Approval {approval.id}"), f" · {shorten(approval.title, TITLE)}")
    room = LONGEST - length_of(head) - 100
    parts: list[Text | StyledText] = [head]
    for key, said in long.items():
        share = room * 2 // 3 if rest or len(long) > 1 else room
        cut = shorten_middle(said, share)
        parts += [text(italic(key)), block(cut)]
        room -= length_of(text(cut)) + len(key) + 3
    if rest and room > SHORT:
        parts += [text(italic("details")), block(shorten_middle(rest, room - 20))]
    return fit(lines(*parts))


def approval_keyboard(approval: Approval, answers: Mapping[str, Any] | None = None) -> Keyboard:
    """Return the buttons of an approval that is pending."""
    if approval.kind == "user_input":
        return _question_keyboard(approval, answers or {})
    if approval.kind in {"trust", "setup"}:
        yes = "✅ Trust them" if approval.kind == "trust" else "✅ Set up so"
        return (
            (
                Button(yes, Resolve(approval.id, "approved")),
                Button("❌ Leave them out", Resolve(approval.id, "rejected")),
            ),
            (Button("🔍 Details", Details(approval.id)),),
        )
    reject = Button("❌ Reject", Resolve(approval.id, "rejected"))
    if approval.kind == "elicitation" and needs_form(approval):
        return ((reject, Button("🔍 Details", Details(approval.id))),)
    first = (Button("✅ Approve", Resolve(approval.id, "approved")), reject)
    details = Button("🔍 Details", Details(approval.id))
    tool_call = approval.kind == "elicitation" and approval.details.get("forSession") is True
    if approval.kind in FOR_SESSION or tool_call:
        session = Button("✅ For this session", Resolve(approval.id, "approved", "session"))
        return (first, (session, details))
    return (first, (details,))


def needs_form(approval: Approval) -> bool:
    """Tell whether an elicitation wants fields filled in, which a chat has no form for."""
    schema = approval.details.get("schema")
    if not isinstance(schema, dict):
        return False
    fields = schema.get("properties") or {}
    return any("default" not in (fields.get(name) or {}) for name in schema.get("required") or [])


# Questions


def open_question(approval: Approval, answers: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the first question that has no answer yet."""
    for question in approval.details.get("questions") or []:
        if isinstance(question, dict) and question.get("id") not in answers:
            return question
    return None


def is_secret(approval: Approval) -> bool:
    """Tell whether a question wants a secret, which does not belong in a chat."""
    return any(question.get("secret") for question in approval.details.get("questions") or [])


def question_text(approval: Approval, answers: Mapping[str, Any], room: int) -> Text:
    """Say what was answered so far, and what is asked now."""
    questions = approval.details.get("questions") or []
    answered = [
        text(shorten(str(q.get("question")), 120), " ", bold(shorten(str(answers[q["id"]]), 120)))
        for q in questions
        if q.get("id") in answers
    ]
    question = open_question(approval, answers)
    if question is None:
        return fit(lines(*answered), room)
    options = [
        text("• ", bold(str(o.get("label"))), f" {o.get('description') or ''}")
        for o in question.get("options") or []
        if o.get("description")
    ]
    how = None
    if is_secret(approval):
        how = italic("It wants a secret: answer it in the browser, not in a chat.")
    elif question.get("freeText"):
        how = italic("Reply to this message to answer in your own words.")
    asked = text(shorten(str(question.get("question")), room // 2))
    return fit(lines(*answered, asked, *options, how), room)


def _question_keyboard(approval: Approval, answers: Mapping[str, Any]) -> Keyboard:
    reject = (Button("❌ Do not answer", Resolve(approval.id, "rejected")),)
    question = open_question(approval, answers)
    if question is None or is_secret(approval):
        return (reject,)
    return (
        *(
            (Button(label, AnswerQuestion(approval.id, str(question["id"]), label)),)
            for label in (str(o.get("label")) for o in (question.get("options") or [])[:20])
        ),
        reject,
    )


# What became of approvals


def outcome_text(approval: Approval, where: Where) -> Text:
    """Say how an approval was settled, by whom and when."""
    at = "" if approval.resolved_at is None else f" at {where.at(approval.resolved_at)}"
    by = f" by {approval.resolved_by}" if approval.resolved_by else ""
    note = f": {shorten(approval.resolution_note, SHORT)}" if approval.resolution_note else ""
    match approval.status:
        case "approved":
            scope = " for this session" if approval.scope == "session" else ""
            said = f"✅ Approved{scope}{by}{at}{note}"
        case "rejected":
            said = f"❌ Rejected{by}{at}{note}"
        case "expired":
            said = f"⌛ Expired{at}; nobody decided in time"
        case "answered_elsewhere":
            said = f"↪️ Answered by another client of Codex{at}"
        case "cancelled":
            said = f"🚫 No longer needed{at}{note}"
        case _:
            said = "Pending"
    return text(bold(said))


def with_outcome(shown: Text, outcome: Text) -> Text:
    """Return a message as it was, with its outcome below."""
    return lines(fit(shown, LONGEST - length_of(outcome) - 2), "", outcome)


def warning_text(approval: Approval, where: Where) -> Text:
    """Word the warning that an approval will expire soon."""
    until = "" if approval.expires_at is None else where.at(approval.expires_at)
    return lines(
        text("⏰ Approval ", bold(str(approval.id)), " expires at ", bold(until), "."),
        text(shorten(approval.title, TITLE), *place(where)),
    )
