"""Errors of the client of NATS: a leaf class for each, its facts as attributes."""


class NatsUnavailable(Exception):
    """No server let us in: each was asked once. ``reasons`` has what happened, by the server."""

    def __init__(self, reasons: dict[str, str]) -> None:
        told = "; ".join(f"{server}: {reason}" for server, reason in reasons.items())
        super().__init__(f"No NATS server can be used. {told}")
        self.reasons = reasons


class NatsDisconnected(Exception):
    """There is no connection now, or it was lost before the answer: nobody knows what became of it.

    What was sent is not sent again.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The connection to NATS is lost: {reason}")
        self.reason = reason


class NatsClosed(Exception):
    """The client was closed, or is draining and takes nothing new."""

    def __init__(self) -> None:
        super().__init__("The client of NATS is closed.")


class NatsRefused(Exception):
    """The server refused: us, what we do, or the connection. ``reason`` has its words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The NATS server refused: {reason}")
        self.reason = reason


class NatsProtocolError(Exception):
    """The other end does not speak NATS as we know it; the connection is of no more use."""


class NatsTimeout(Exception):
    """No answer came in time. What was asked may have been done."""

    def __init__(self, subject: str, seconds: float) -> None:
        super().__init__(f"NATS gave no answer on {subject} within {seconds:g} seconds.")
        self.subject = subject


class NoResponders(Exception):
    """Nobody hears the subject that was asked."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"Nobody answers on {subject}.")
        self.subject = subject


class PayloadTooLarge(ValueError):
    """The message is longer than the server takes. Nothing was sent; lengths are bytes."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"A message of {size} bytes is more than the {limit} that NATS takes.")
        self.size = size
        self.limit = limit


class InvalidSubject(ValueError):
    """The text cannot be a subject, or the header cannot be one."""


class InvalidCredentials(ValueError):
    """The seed or the credentials file is none. The text names no secret."""


class MessagesDropped(Exception):
    """Messages came faster than they were received. ``count`` were dropped, the newest ones."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} messages were dropped: they came faster than they were taken.")
        self.count = count


class JetStreamRefused(Exception):
    """JetStream answered with an error. The codes are those of NATS: ``code`` is like HTTP's."""

    def __init__(self, code: int, err_code: int, description: str) -> None:
        super().__init__(f"JetStream refused: {description} ({err_code})")
        self.code = code
        self.err_code = err_code
        self.description = description


class WrongLastSequence(Exception):
    """The stream did not end where the publisher expected. Nothing was stored."""

    def __init__(self, description: str) -> None:
        super().__init__(f"Somebody else published before: {description}")
        self.description = description


class ObjectDamaged(Exception):
    """The pieces of an object are not what was put: one is missing, or the digest differs."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The object {name} is damaged: {reason}")
        self.name = name
