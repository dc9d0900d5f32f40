"""Everything that is written of the places of Apprise: what each is told."""

from __future__ import annotations

from collections.abc import Collection

from sqlite_utils import Database

from command_center.actors.contracts.events.notify import NotifyTargetUpdated
from command_center.actors.contracts.webpush import PUSH_KINDS
from command_center.store import NotifyPreference, PushKind, Transaction, notify_preferences


def kinds_of(db: Database, target: str) -> list[PushKind]:
    """Return the kinds of notices that a place is told: all, unless some were switched off."""
    found = notify_preferences.find(db, {"target": target})
    muted: Collection[PushKind] = () if found is None else found.muted
    return [kind for kind in PUSH_KINDS if kind not in muted]


def choose_kinds(
    tx: Transaction,
    target: str,
    kinds: Collection[PushKind],
    *,
    target_id: int,
    service: str,
    actor: str,
) -> NotifyPreference | None:
    """Tell a place of these kinds from now on, and tell of it if that is another choice.

    Args:
        tx: the transaction.
        target: the digest of the place.
        kinds: what it is told.
        target_id: its place among the settings, as it is shown.
        service: what is there.
        actor: who chose.
    """
    before = kinds_of(tx.db, target)
    muted = [kind for kind in PUSH_KINDS if kind not in kinds]
    known = notify_preferences.find(tx.db, {"target": target})
    after = [kind for kind in PUSH_KINDS if kind in kinds]
    if after == before:
        return known
    if known is None:
        kept = notify_preferences.insert(tx, target=target, muted=muted)
    else:
        kept = notify_preferences.update(tx, known.id, muted=muted)
    changes = {"kinds": {"from": before, "to": after}}
    tx.emit(NotifyTargetUpdated(id=target_id, service=service, changes=changes), actor=actor)
    return kept
