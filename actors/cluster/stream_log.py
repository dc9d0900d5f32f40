"""The stream that is fence and replica at once: each piece is published after the one before.

A piece is stored only if the stream still ends with the piece before it. So once another centre has
published anything, this one publishes nothing more, and acknowledges nothing.
"""

import secrets
from collections.abc import Callable
from typing import Final

import trio

from command_center.actors.core.boot_clock import boot_seconds
from command_center.actors.nats.errors import (
    JetStreamRefused,
    NatsClosed,
    NatsDisconnected,
    NatsProtocolError,
    NatsRefused,
    NatsTimeout,
    NoResponders,
    PayloadTooLarge,
    WrongLastSequence,
)
from command_center.actors.nats.jetstream import MESSAGE_NOT_FOUND, JetStream, is_unavailable
from command_center.store.errors import NotReplicated
from command_center.store.replication.read_lease import ReadLease

PATIENCE: Final = 10.0
"""Seconds for which a piece is tried: a cluster without a server has another leader by then."""

PIECE: Final = "CC-Piece"
"""The header with a piece's name, by which it is known when its acknowledgement was lost."""

_ONCE: Final = 2.0
_PAUSE: Final = 0.05
UNKNOWN = (NatsDisconnected, NatsTimeout, NoResponders, NatsProtocolError)
_FINAL = (NatsRefused, PayloadTooLarge)


class StreamLog:
    """Publishes pieces, one after the other, whoever of this process asks for it.

    Once one was not published it publishes nothing more: nobody knows how the stream ends.

    Args:
        jetstream: where the stream is.
        stream: its name.
        subject: the subject of pieces, unless another one is named.
        last: the sequence with which the stream ends, and from which on it is ours.
        patience: seconds for which a piece is tried.
        lease: seconds after a piece was sent in which no other centre publishes.

    Attributes:
        last: the sequence of the last piece that is stored.
        lease: renewed by each piece that is stored, and ended by one that is not.
    """

    def __init__(
        self,
        jetstream: JetStream,
        stream: str,
        subject: str,
        *,
        last: int,
        patience: float = PATIENCE,
        lease: float = 0.0,
    ) -> None:
        self.last = last
        self.lease = ReadLease(lease, patience=patience, clock=boot_seconds)
        self._life = secrets.token_hex(12)
        self._jetstream = jetstream
        self._stream = stream
        self._subject = subject
        self._patience = patience
        self._failed: str | None = None
        self._publishing = trio.Lock()

    @property
    def is_publishing(self) -> bool:
        """Tell whether a piece is under way."""
        return self._publishing.locked()

    @property
    def next_name(self) -> str:
        """Return the name of the next piece, which no piece of another life has."""
        return f"{self._life}.{self.last + 1}"

    async def publish(self, piece: bytes, *, subject: str | None = None) -> None:
        """Return once the piece is stored on as many servers as the stream wants.

        One whose acknowledgement was lost is not stored twice.

        Args:
            piece: its bytes.
            subject: another one than that of pieces.

        Raises:
            NotReplicated: another centre published, the stream refused, or nobody answered for so
                long. It may be stored all the same, or be stored yet.
        """
        async with self._publishing:
            if self._failed is not None:
                raise NotReplicated(self._failed)
            sent = boot_seconds()
            try:
                await self._publish(piece, subject or self._subject)
            except NatsClosed as error:
                self._failed = "the client of NATS was closed"
                raise NotReplicated(self._failed) from error
            except NotReplicated as error:
                self._failed = error.reason
                raise
            except BaseException as error:
                self._failed = f"a piece was cut short ({type(error).__name__})"
                raise
            finally:
                if self._failed is not None:
                    self.lease.end()
            self.lease.renew(sent)

    async def _publish(self, piece: bytes, subject: str) -> None:
        reason = "nobody answered"
        with trio.move_on_after(self._patience):
            while True:
                try:
                    ack = await self._jetstream.publish(
                        subject,
                        piece,
                        expect_stream=self._stream,
                        expect_last=self.last,
                        headers={PIECE: self.next_name},
                        timeout=_ONCE,
                    )
                except WrongLastSequence as error:
                    if await self._is_next():
                        self.last += 1
                        return
                    raise NotReplicated("another centre has taken over") from error
                except JetStreamRefused as error:
                    if not is_unavailable(error):
                        raise NotReplicated(str(error)) from error
                    reason = str(error)
                except _FINAL as error:
                    raise NotReplicated(str(error)) from error
                except UNKNOWN as error:
                    reason = str(error)
                else:
                    self.last = ack.sequence
                    return
                await self._pause()
        raise NotReplicated(f"for {self._patience:g} seconds. {reason}")

    async def _is_next(self) -> bool:
        """Tell whether our piece is stored, right after the one before."""
        while True:
            try:
                found = await self._jetstream.get_message(self._stream, self.last + 1)
            except JetStreamRefused as error:
                if error.err_code == MESSAGE_NOT_FOUND:
                    return False
            except UNKNOWN:
                pass
            else:
                return found.headers.get(PIECE) == self.next_name
            await self._pause()

    async def _pause(self) -> None:
        await trio.sleep(_PAUSE)
        await self._jetstream.client.wait_connected()


def from_thread(log: StreamLog, token: trio.lowlevel.TrioToken) -> Callable[[bytes], None]:
    """Return what publishes from a thread that is none of trio's, such as the writer's.

    It raises as ``StreamLog.publish``, and NotReplicated where trio has ended.
    """

    def send(piece: bytes) -> None:
        try:
            trio.from_thread.run(log.publish, piece, trio_token=token)
        except (trio.RunFinishedError, trio.Cancelled, NatsClosed) as error:
            raise NotReplicated("the server ends") from error

    return send
