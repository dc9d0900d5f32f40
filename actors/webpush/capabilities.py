"""Capabilities: what lets a notification decide the one approval that it shows.

A capability names its message and proves it by an HMAC over the message, the subscription and the
approval, with a key that only the data folder has. So nothing is stored that anybody could use, and
one that is stolen decides nothing else. It is good once, since an approval is settled once, and no
longer than the approval waits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from command_center.store import PushMessage

_FORM: Final = re.compile(r"([1-9][0-9]{0,17})\.([0-9a-f]{64})")


def capability_of(key: bytes, message: PushMessage) -> str:
    """Return what decides the approval that a message asks about."""
    return f"{message.id}.{_proof(key, message)}"


def message_named_in(capability: str) -> int | None:
    """Return the message that a capability names, proven or not; None where it is no capability."""
    match = _FORM.fullmatch(capability)
    return None if match is None else int(match[1])


def is_proven(key: bytes, capability: str, message: PushMessage) -> bool:
    """Return True if the capability is the message's, in constant time."""
    return hmac.compare_digest(capability.encode(), capability_of(key, message).encode())


def _proof(key: bytes, message: PushMessage) -> str:
    own = hmac.new(key, b"command-center decisions of notifications", hashlib.sha256).digest()
    said = f"{message.id} {message.subscription_id} {message.approval_id}"
    return hmac.new(own, said.encode(), hashlib.sha256).hexdigest()
