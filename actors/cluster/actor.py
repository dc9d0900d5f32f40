"""`/cluster`: follows the stream into a copy, claims when the leader is silent, and beats as one.

A centre begins as a *standby*: it takes each piece of the stream into its copy. Whatever the stream
has is a sign of the leader, who says something each second. After three seconds of silence the
standby claims: it publishes the next epoch, expecting the last sequence that it has seen. So of
several one wins, and only one that has everything. Silence counts only while the stream can be
used; after that the leader has a moment to come back. Where nobody has ever led,
nobody is waited for.

The winner *leads*: it beats from then on, and makes its copy the database. Whoever asked for it is
given the `Leadership`, and starts everything else on it. Once another centre has published, a
leader is told so by its next beat or commit, and is deposed: the process ends as it is, and begins
again as a standby. A leader has no way back that is shorter (decision 0045), so a second life of
this actor after it led is deposed, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import structlog
import trio

from command_center.actors.cluster.base_store import BaseStore
from command_center.actors.cluster.errors import UnreadableSign
from command_center.actors.cluster.file_store import FileStore
from command_center.actors.cluster.leadership import Leadership
from command_center.actors.cluster.settings import ClusterSettings
from command_center.actors.cluster.signs import BASE, LEAD, PAGES, BaseSign, LeaderSign, SignCipher
from command_center.actors.cluster.snapshots import COPYING, StreamSnapshots
from command_center.actors.cluster.stream_log import UNKNOWN, StreamLog
from command_center.actors.cluster.view import ClusterView
from command_center.actors.core.leadership import StepDown
from command_center.actors.nats.errors import JetStreamRefused, ObjectDamaged
from command_center.actors.nats.follower import StreamFollower
from command_center.actors.nats.jetstream import MESSAGE_NOT_FOUND, JetStream, StreamMessage
from command_center.runtime import Actor, Address, Deferred, Request, handles
from command_center.store import NotReplicated
from command_center.store.replication.centre_folder import CentreFolder
from command_center.store.replication.database_copy import (
    CopyPlace,
    DatabaseCopy,
    begin_copy,
    open_whole,
    remove_copy,
)
from command_center.store.replication.encryption import PieceCipher
from command_center.store.replication.errors import ChangesMissed, DamagedCopy, DamagedPiece

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_TICK: Final = 0.1
_AGAIN: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
_ENDING: Final = 2.0
_MAX_PAYLOAD: Final = 1024 * 1024
_COPY_FAULTS = (ChangesMissed, DamagedCopy, DamagedPiece, ObjectDamaged)


class AwaitLeadership(Request[Leadership]):
    """Answer once this centre leads."""


MEMBER: Address[AwaitLeadership | StepDown] = Address("/cluster")


class Cluster(Actor):
    """One centre's part in its cluster."""

    def __init__(
        self,
        settings: ClusterSettings,
        jetstream: JetStream,
        view: ClusterView,
        files: FileStore,
        on_deposed: Callable[[str], None],
    ) -> None:
        """Follow, and lead when it has to be; `on_deposed` ends the process, not returning."""
        self._settings = settings
        self._jetstream = jetstream
        self._view = view
        self._files = files
        self._on_deposed = on_deposed
        self._folder = CentreFolder(settings.data_dir, settings.database)
        self._signs = SignCipher(settings.key, settings.name)
        self._pages = PieceCipher(settings.key, settings.name)
        self._bases = BaseStore(jetstream, settings.stream, settings.key)
        self._snapshots = StreamSnapshots(settings, jetstream, self._signs)
        self._cluster = ""
        self._log: StreamLog | None = None
        self._leadership: Leadership | None = None
        self._waiting: list[Deferred[Leadership]] = []
        self._is_ending = False
        self._heard = 0.0
        self._schema = ""
        self._base_epoch = 0
        self._following_files = trio.CancelScope()

    async def on_start(self) -> None:
        """Begin to follow."""
        if self._view.has_led:
            self._on_deposed("the actor that led has failed")
            return
        self._view.role = "joining"
        self.ctx.start_task(self._live)
        self.ctx.start_task(self._follow_files)

    async def on_stop(self) -> None:
        """Tell the others that this centre leads no more: they need not wait for the silence."""
        if self._log is not None:
            await self._end_lead(self._log)

    def describe(self) -> Mapping[str, object]:
        """Show who leads, and how far this centre is."""
        return self._view.described()

    @handles(AwaitLeadership)
    async def await_leadership(self, _message: AwaitLeadership) -> Deferred[Leadership]:
        """Answer at once, or once it is so."""
        reply: Deferred[Leadership] = self.ctx.defer()
        if self._leadership is None:
            self._waiting.append(reply)
        else:
            reply.send(self._leadership)
        return reply

    @handles(StepDown)
    async def step_down(self, _message: StepDown) -> bool:
        """Say so in the stream; this centre is deposed then, and comes back as a standby."""
        if self._log is None:
            return False
        self.ctx.start_task(self._step_down, self._log)
        return True

    # The life of a standby.

    async def _follow_files(self) -> None:
        """Bring uploads to this machine, until this centre leads and has them from people."""
        with self._following_files:
            await self._files.follow()

    async def _live(self) -> None:
        pause = _AGAIN
        while True:
            copy: DatabaseCopy | None = None
            began = self.ctx.now()
            try:
                copy = await self._open_copy()
                self._view.role, self._view.problem = "standby", None
                began = self.ctx.now()
                await self._follow(copy)
            except _COPY_FAULTS as error:
                self._tell_problem("cluster.copy_lost", error)
                await self._drop_copy(copy)
                # One that is lost at once is lost again, such as beside a leader of a newer
                # version: the whole database is not to be brought each second.
                has_lasted = copy is not None and self.ctx.now() - began >= _LONGEST_PAUSE
                pause = _AGAIN if has_lasted else min(2 * pause, _LONGEST_PAUSE)
            except UNKNOWN as error:
                self._tell_problem("cluster.unreachable", error)
                pause = _AGAIN
            except (OSError, JetStreamRefused, UnreadableSign) as error:
                self._tell_problem("cluster.not_followed", error)
                pause = _AGAIN
            finally:
                if copy is not None:
                    copy.close()
            await trio.sleep(pause)
            await self._jetstream.client.wait_connected()

    def _tell_problem(self, event: str, error: Exception) -> None:
        self._view.problem = str(error)
        log.warning(event, reason=str(error))

    async def _open_copy(self) -> DatabaseCopy:
        """Open the copy that is there, if the stream goes on with it; else begin one."""
        settings, path = self._settings, self._folder.copy
        base = await self._snapshots.last()
        self._cluster, self._schema, self._base_epoch = base.cluster, base.schema, base.epoch
        await self._find_last_leader()
        info = await self._jetstream.stream_info(settings.stream)
        with suppress(DamagedCopy, FileNotFoundError):
            copy = await COPYING.run(open_whole, path)
            if info.state.first_seq - 1 <= copy.last_sequence <= info.state.last_seq:
                return copy
            copy.close()
        await COPYING.run(remove_copy, path)
        self._view.rejoins += 1
        if not await self._bases.get(base.object, path):
            raise ObjectDamaged(base.object, "it is not there")
        place = CopyPlace(base.sequence, base.commit, base.page_size)
        await COPYING.run(begin_copy, path, place)
        log.info("cluster.joined", object=base.object, commit=base.commit)
        return await COPYING.run(DatabaseCopy, path)

    async def _find_last_leader(self) -> None:
        """Know the last epoch, though the copy may go on behind the sign that told it."""
        settings = self._settings
        try:
            message = await self._jetstream.last_message(settings.stream, settings.subject(LEAD))
        except JetStreamRefused as error:
            if error.err_code != MESSAGE_NOT_FOUND:
                raise
            return  # nobody has ever led
        self._note_sign(self._signs.unseal(message.payload, LeaderSign))

    def _note_sign(self, sign: LeaderSign) -> bool:
        """Take a leader's sign for the last one; return False for one of an earlier epoch."""
        if sign.epoch < self._view.epoch:
            return False
        self._view.leader, self._schema = sign, sign.schema
        return True

    async def _drop_copy(self, copy: DatabaseCopy | None) -> None:
        if copy is not None:
            copy.close()
        with suppress(OSError):
            await COPYING.run(remove_copy, self._folder.copy)

    async def _follow(self, copy: DatabaseCopy) -> None:
        """Take what comes, and claim when nothing comes; return never."""
        settings = self._settings
        follower = StreamFollower(
            self._jetstream, settings.stream, after=copy.last_sequence, heartbeat=settings.beat
        )
        self._heard = checked = self.ctx.now()
        try:
            while True:
                looked = self.ctx.now()
                message = await follower.receive_within(_TICK)
                now = self.ctx.now()
                if now - looked >= settings.grace:
                    # Nothing could be heard: the leader has a moment to be heard of again.
                    self._heard = max(self._heard, now - settings.silence + settings.grace)
                if message is not None:
                    self._heard = now
                    await self._take(copy, message)
                elif self._is_silent(now) and self._may_lead():
                    await self._claim(copy, follower)
                elif now - checked >= settings.check_seconds:
                    await COPYING.run(copy.check)
                    checked = self.ctx.now()
        finally:
            follower.close()

    async def _take(self, copy: DatabaseCopy, message: StreamMessage) -> None:
        settings, view = self._settings, self._view
        view.lag, view.sequence = message.pending or 0, message.sequence
        if message.subject == settings.subject(PAGES):
            await COPYING.run(self._take_piece, copy, message)
        elif message.subject == settings.subject(LEAD):
            sign = self._signs.unseal(message.payload, LeaderSign)
            if self._note_sign(sign):
                view.beats += 1
                view.heard = time.monotonic()
                if sign.ends:
                    self._heard -= settings.silence
        elif message.subject == settings.subject(BASE):
            base = self._signs.unseal(message.payload, BaseSign)
            if base.cluster != self._cluster:
                raise ChangesMissed("the stream is another cluster's now")

    def _take_piece(self, copy: DatabaseCopy, message: StreamMessage) -> None:
        copy.take(message.sequence, self._pages.unseal(message.payload))

    def _is_silent(self, now: float) -> bool:
        """Tell whether nothing came for so long, or nobody has ever led."""
        is_new = not (self._view.epoch or self._base_epoch)
        return is_new or now - self._heard >= self._settings.silence

    def _may_lead(self) -> bool:
        """Tell whether this program knows the schema of the database, so that it can lead."""
        return self._schema in self._settings.steps

    # The claim.

    async def _claim(self, copy: DatabaseCopy, follower: StreamFollower) -> None:
        """Lead, unless the stream goes on, cannot be used, or another centre is first."""
        settings, view = self._settings, self._view
        try:
            info = await self._jetstream.stream_info(settings.stream)
        except (*UNKNOWN, JetStreamRefused):
            # The leader could say nothing either: it has a moment to come back.
            waited = self.ctx.now() - settings.silence + settings.grace
            self._heard = max(self._heard, waited)
            return
        if info.state.last_seq != follower.last:
            return
        epoch = max(view.epoch, self._base_epoch) + 1
        claim = StreamLog(
            self._jetstream,
            settings.stream,
            settings.subject(PAGES),
            last=follower.last,
            patience=settings.patience,
            lease=settings.lease,
        )
        try:
            await claim.publish(self._sign(epoch), subject=settings.subject(LEAD))
        except NotReplicated as error:
            log.info("cluster.not_claimed", epoch=epoch, reason=error.reason)
            self._heard = self.ctx.now()
            return
        log.warning("cluster.claimed", epoch=epoch, sequence=claim.last)
        await self._lead(copy, claim, epoch)

    async def _lead(self, copy: DatabaseCopy, claim: StreamLog, epoch: int) -> None:
        """Beat, make the copy the database, and lead until the process ends."""
        settings, view = self._settings, self._view
        self._is_ending = False
        self.ctx.start_task(self._beat, claim, epoch)
        try:
            place = await COPYING.run(copy.finish)
            await COPYING.run(self._folder.move_database)
            view.has_led = True
            await COPYING.run(self._folder.promote)
        except (DamagedCopy, OSError):
            await self._end_lead(claim, epoch)
            raise
        self._following_files.cancel()
        self._files.confirm = partial(self._confirm, claim, epoch)
        view.role = "leader"
        view.leader = self._leader_sign(epoch)
        self._log = claim
        self._leadership = Leadership(
            settings.database,
            claim,
            self._pages,
            commit=place.commit,
            max_payload=min(self._jetstream.client.max_payload or _MAX_PAYLOAD, _MAX_PAYLOAD),
            epoch=epoch,
        )
        for reply in self._waiting:
            reply.send(self._leadership)
        self._waiting.clear()
        await self._snapshots.keep(self._leadership, self._files.confirm)

    async def _confirm(self, claim: StreamLog, epoch: int) -> None:
        """Return if this centre leads now; raise NotReplicated if not."""
        if self._is_ending:
            raise NotReplicated("this centre is about to lead no more")
        await claim.publish(self._sign(epoch), subject=self._settings.subject(LEAD))

    async def _beat(self, claim: StreamLog, epoch: int) -> None:
        """Say each second that this centre leads; end the process when it does no more."""
        settings, view = self._settings, self._view
        due = self.ctx.now()
        while True:
            due += settings.beat
            await trio.sleep(max(0.0, due - self.ctx.now()))
            due = max(due, self.ctx.now())  # what was slept through is not made up for
            if self._is_ending:
                return
            try:
                await claim.publish(self._sign(epoch), subject=settings.subject(LEAD))
            except NotReplicated as error:
                self._on_deposed(error.reason)
                return
            view.beats += 1
            view.sequence = claim.last

    async def _step_down(self, claim: StreamLog) -> None:
        await trio.sleep(_TICK)  # whoever asked is answered before
        await self._end_lead(claim)
        self._on_deposed("it was asked to step down")

    async def _end_lead(self, claim: StreamLog, epoch: int | None = None) -> None:
        """Say that this centre leads no more; whoever is not told waits for the silence."""
        self._is_ending = True
        claim.lease.end()
        sign = self._sign(epoch or self._view.epoch, ends=True)
        with suppress(NotReplicated), trio.move_on_after(_ENDING):
            await claim.publish(sign, subject=self._settings.subject(LEAD))

    def _sign(self, epoch: int, *, ends: bool = False) -> bytes:
        return self._signs.seal(self._leader_sign(epoch, ends=ends))

    def _leader_sign(self, epoch: int, *, ends: bool = False) -> LeaderSign:
        settings = self._settings
        return LeaderSign(
            epoch=epoch,
            centre=self._view.centre,
            url=settings.url,
            schema=settings.schema,
            version=settings.version,
            ends=ends,
        )
