"""Every error that the runtime raises.

Each is a leaf: callers catch the one that they can act on. `Refusal` alone is meant to be
derived from, by the errors with which an actor answers.
"""

from __future__ import annotations


def text_of(error: BaseException) -> str:
    """Return an exception's type and text; the type alone, where its text cannot be made."""
    name = type(error).__name__
    try:
        return f"{name}: {error}"
    except Exception:  # noqa: BLE001 - foreign code must not harm whoever tells of it
        return name


class Refusal(Exception):
    """An answer that says no.

    A handler that raises a `Refusal` has handled its message: the asker receives the exception,
    and the actor lives on. Every other exception that leaves a handler is a crash.
    """


def refusal_in(error: BaseException) -> Refusal | None:
    """Return the refusal that an exception is, or that is all that went wrong in a nursery."""
    if isinstance(error, Refusal):
        return error
    if not isinstance(error, ExceptionGroup):
        return None
    inner = [refusal_in(one) for one in error.exceptions]
    return None if None in inner else inner[0]


class Ignore(Exception):
    """Raised in `on_start` by an actor that is not to run: no failure, and its place stays."""


class UnhandledMessage(Refusal):
    """The target has no handler for a message of this type."""

    def __init__(self, target: str, message: str) -> None:
        self.target = target
        self.message = message
        super().__init__(f"{target or '/'} has no handler for {message}.")


class ActorStopped(Exception):
    """The target is stopped, stopping or quarantined, and will not answer.

    `was_taken` is True where a handler had the message: what it did of it is not known.
    """

    def __init__(
        self, target: str, message: str, waited: float, reason: str, *, was_taken: bool = False
    ) -> None:
        self.target = target
        self.message = message
        self.waited = waited
        self.reason = reason
        self.was_taken = was_taken
        super().__init__(f"{target} will not answer {message} ({reason}; waited {waited:.3f} s).")


class ActorCrashed(Exception):
    """The target crashed while it had this message, which is lost."""

    def __init__(self, target: str, message: str, waited: float, error: BaseException) -> None:
        self.target = target
        self.message = message
        self.waited = waited
        self.error = error
        super().__init__(
            f"{target} crashed with {type(error).__name__} while it had {message} "
            f"(waited {waited:.3f} s)."
        )


class AskTimeout(Exception):
    """No answer came within the time that the asker gave."""

    def __init__(self, target: str, message: str, waited: float) -> None:
        self.target = target
        self.message = message
        self.waited = waited
        super().__init__(f"{target} did not answer {message} within {waited:.3f} s.")


class SelfAsk(Exception):
    """An actor asked itself from its own handler, which could never be answered."""

    def __init__(self, target: str, message: str) -> None:
        self.target = target
        self.message = message
        super().__init__(f"{target} asked itself {message}; it would wait for itself for ever.")


class MailboxFull(Exception):
    """The target's mailbox has no room, and the sender would not wait."""

    def __init__(self, target: str, message: str, capacity: int) -> None:
        self.target = target
        self.message = message
        self.capacity = capacity
        super().__init__(f"{target} has no room for {message}: {capacity} messages wait.")


class ActorNotFound(Exception):
    """No actor stands at this path."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"No actor at {path}.")


class SupervisorNotFound(Exception):
    """No supervisor stands at this path."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"No supervisor at {path}.")


class ChildExists(Exception):
    """The path is taken by a child that is still in the tree."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is taken.")


class ChildRunning(Exception):
    """A child that is to be deleted is not stopped."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is not stopped; stop it first.")


class StartFailed(Exception):
    """A child's start raised, or the child was stopped before it had started."""

    def __init__(self, path: str, error: BaseException | None) -> None:
        self.path = path
        self.error = error
        what = "was stopped" if error is None else f"raised {text_of(error)}"
        super().__init__(f"{path} did not start: it {what}.")


class InvalidSpec(Exception):
    """A child spec or a supervisor spec that contradicts itself."""

    def __init__(self, child: str, problem: str) -> None:
        self.child = child
        self.problem = problem
        super().__init__(f"Spec {child!r}: {problem}.")


class RestartLimitReached(Exception):
    """A supervisor's children failed more often than its restart intensity allows."""

    def __init__(self, supervisor: str, child: str, error: BaseException | None) -> None:
        self.supervisor = supervisor
        self.child = child
        self.error = error
        cause = "" if error is None else f", last with {text_of(error)}"
        super().__init__(f"{supervisor} gave up: {child} failed too often{cause}.")


class LinkBroken(Exception):
    """An actor that this one is linked to crashed."""

    def __init__(self, path: str, linked: str, error: BaseException | None) -> None:
        self.path = path
        self.linked = linked
        self.error = error
        super().__init__(f"{linked}, linked to {path}, crashed.")


class SystemFailed(Exception):
    """The root supervisor gave up; every actor is stopped."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
        super().__init__(f"The actor system failed: {error and text_of(error)}")
