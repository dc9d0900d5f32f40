"""The refusals of the product's actors. Their texts reach the caller as they are.

Every class here is a `Refusal`: raised by a handler it is the answer to whoever asked, and the
actor lives on. The HTTP layer maps each class to one status code and knows nothing more of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from command_center.runtime import Refusal


class NotFound(Refusal):
    """Nothing of that kind has that id."""

    def __init__(self, kind: str, key: object) -> None:
        """Name the kind as a reader would ("Repository") and the key that was asked for."""
        super().__init__(f"{kind} {key} not found.")
        self.kind = kind
        self.key = key


class Invalid(Refusal):
    """The request contradicts what the API accepts; `details` name the fields in wire case."""

    def __init__(self, message: str, *, details: Sequence[Mapping[str, str]] = ()) -> None:
        """Say it in one sentence; each detail is `{"path": field, "message": sentence}`."""
        super().__init__(message)
        self.details = tuple(dict(detail) for detail in details)

    @classmethod
    def field(cls, path: str, message: str) -> Invalid:
        """Refuse one field, named as on the wire (`repositoryId`)."""
        return cls(f"{path}: {message}", details=[{"path": path, "message": message}])

    def below(self, path: str) -> Invalid:
        """Name the refused field by where it stands, which is below `path`."""
        fault = self.details[0]
        return Invalid.field(f"{path}.{fault['path']}", fault["message"])


class Conflict(Refusal):
    """The request is well formed but the state it meets does not allow it."""

    def __init__(self, message: str, **facts: object) -> None:
        """Say it in one sentence; `facts` are shown beside it (the winner, both states, …)."""
        super().__init__(message)
        self.facts = facts


class HeadMoved(Conflict):
    """A branch is not at the commit that the caller has seen."""

    def __init__(self, branch: str | None, head: str | None) -> None:
        """Name the branch, and in `headSha` where it is now."""
        super().__init__(
            f"{branch or 'The branch'} has moved meanwhile: look at it again.", headSha=head
        )


class PreconditionFailed(Refusal):
    """The resource is not as the request's conditions have it."""

    def __init__(self, path: str, **facts: object) -> None:
        """Name the resource, and what to do; `facts` are shown beside it."""
        super().__init__(
            f"{path} does not meet the conditions of the request: get it again, and decide again."
        )
        self.path = path
        self.facts = facts


class Unavailable(Refusal):
    """A part that the request needs is not there now; `retry_after` is in seconds, if known."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        """Say which part, and what the user can do."""
        super().__init__(message)
        self.retry_after = retry_after


class HostUnreachable(Unavailable):
    """A machine cannot be reached now, or went away with the request in hand."""


class Unconfirmed(Unavailable):
    """A part went away with the request in hand: whether it was done is not known."""


class Damaged(Refusal):
    """A stored record is not as it was written, so nothing is done by it."""

    def __init__(self, message: str, kind: str, id: int) -> None:  # noqa: A002 - as NotFound
        """Say which record it is."""
        super().__init__(message)
        self.kind = kind
        self.id = id


class TooBusy(Refusal):
    """A part is overloaded; trying again after `retry_after` seconds may succeed."""

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        """Say which part."""
        super().__init__(message)
        self.retry_after = retry_after


class WrongCode(Refusal):
    """The code is none that lets a device in."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("The code is wrong. Type it as it is shown, or ask for a new one.")


class WrongHostKey(Refusal):
    """The key is none of a host."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "No host has this key: it was removed, or enrolled anew. Ask for a new code, and enrol "
            "the machine with it."
        )


class WrongPasskey(Refusal):
    """A passkey does not prove what it should."""

    def __init__(self, reason: str) -> None:
        """Say why, and what to do."""
        self.reason = f"The passkey was not accepted: {reason.rstrip('.')}."
        super().__init__(f"{self.reason} Try again, or sign in otherwise.")


class NeedsPasskey(Refusal):
    """Only a passkey's proof approves that."""

    def __init__(self, approval_id: int, reason: str = "") -> None:
        """Say what to do, and why a proof that came does not do."""
        super().__init__(
            f"Approval {approval_id} goes beyond what its run may do. {reason}"
            f"Approve it with a passkey, in the page at /#/approvals/{approval_id}."
        )
        self.approval_id = approval_id


class MissingScope(Refusal):
    """The caller may not do this; `scope` is what it would take."""

    def __init__(self, scope: str, why: str) -> None:
        """Name the scope, and say why it is needed, or who has not got it."""
        super().__init__(f'This needs the scope "{scope}". {why}')
        self.scope = scope
