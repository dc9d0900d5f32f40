"""Everything that is written of rules, which answer in a person's place what one always allows.

Each function is one unit of a transaction, as those of `ledger` are, and tells of what it does.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from command_center.actors.contracts.approvals import NewRule, RuleRemoval
from command_center.actors.contracts.events.approvals import RuleAdded, RuleRemoved
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.questions import ApprovalRequest
from command_center.actors.rules.standing_rules import check_wanted, covers, in_words, offer_in
from command_center.store import (
    Approval,
    DamagedRecord,
    Rule,
    Session,
    Transaction,
    approvals,
    rules,
    sessions,
)
from command_center.store.queries import rules as rule_removal
from command_center.store.redaction.redact import REDACTED

MOST_RULES: Final = 200
"""Rules that a repository may have."""


def add_rule(tx: Transaction, approval: Approval, wanted: NewRule, *, actor: str) -> Rule:
    """Allow from now on what an approval offers, and tell of it; one that is there is returned.

    Those that are damaged do not count.

    Raises:
        Conflict: the approval does not offer it, or the repository has too many rules.
    """
    if approval.kind != "command" or approval.codex_request is None or approval.session_id is None:
        raise Conflict(f"Approval {approval.id} asks for nothing that can be allowed always.")
    offer = offer_in(approvals.whole(tx.db, approval, "details"))
    if offer is None:
        raise Conflict("Nothing of this can be allowed always: decide each time.")
    check_wanted(offer, wanted.words, wanted.host, exact=wanted.is_exact)
    words = list(wanted.words)
    if tx.redact(words) != words or any(REDACTED in word for word in words):
        raise Conflict("This command holds a secret, and no rule may keep one: decide each time.")
    session = sessions.get(tx.db, approval.session_id)
    fields: dict[str, Any] = {
        "repository_id": session.repository_id,
        "kind": offer.kind,
        "words": words,
        "is_exact": wanted.is_exact,
        "folder": offer.folder,
        "host": offer.host,
        "protocol": offer.protocol,
        "sandbox": session.sandbox,
        "allow_network": session.allow_network,
        "allow_commit": session.allow_commit,
    }
    known = rules.sound(tx.db, {"repository_id": session.repository_id})[0]
    same = next(
        (one for one in known if all(getattr(one, k) == v for k, v in fields.items())), None
    )
    if same is not None:
        return same
    if len(known) >= MOST_RULES:
        raise Conflict(f"The repository has {MOST_RULES} rules already: remove some of them first.")
    rule = rules.insert(tx, approval_id=approval.id, requested_by=actor, **fields)
    tx.emit(
        RuleAdded(rule=rule),
        actor=actor,
        repository_id=rule.repository_id,
        approval_id=approval.id,
        correlation_id=approval.correlation_id,
    )
    return rule


def remove_rule(tx: Transaction, rule_id: int, actor: str) -> RuleRemoval:
    """Have what the rule allowed asked about again, and tell of it; also one that is damaged.

    Raises:
        RecordNotFound: there is none.
    """
    rule: Rule | None = None
    with suppress(DamagedRecord):
        rule = rules.get(tx.db, rule_id)
    repository_id = rule_removal.remove(tx, rule_id)
    told = RuleRemoved(rule_id=rule_id, rule=rule)
    tx.emit(told, actor=actor, repository_id=repository_id)
    return RuleRemoval(rule_id=rule_id, rule=rule)


def forget_rules(tx: Transaction, repository_id: int, actor: str) -> None:
    """Take all rules of a repository back, since another folder is meant by it now."""
    found, damaged = rules.sound(tx.db, {"repository_id": repository_id})
    for rule_id in (*(rule.id for rule in found), *(unread.id for unread in damaged)):
        remove_rule(tx, rule_id, actor)


def use_rule(tx: Transaction, session: Session, wanted: ApprovalRequest) -> Rule | None:
    """Return the rule that allows what is asked in a session, and count that; None if none does.

    One that is damaged allows nothing.
    """
    if wanted.kind != "command" or offer_in(wanted.details) is None:
        return None
    found = rules.sound(tx.db, {"repository_id": session.repository_id})[0]
    rule = next((one for one in found if covers(one, session, wanted.details)), None)
    if rule is None:
        return None
    return count_uses(tx, rule, 1)


def count_uses(tx: Transaction, rule: Rule, answers: int) -> Rule:
    """Count the answers that a rule has just given."""
    return rules.update(tx, rule.id, uses=rule.uses + answers, last_used_at=tx.now)


def name_of(rule: Rule) -> str:
    """Name a rule as who settled an approval."""
    return f"rule:{rule.id}"


def reason_of(rule: Rule) -> str:
    """Say why a rule has settled an approval."""
    return f"Rule {rule.id} always allows {in_words(rule)} in this repository."
