"""The first steps of a centre: find its cluster or begin it, and refuse what cannot go well.

A cluster begins with the first message of its stream, which names a whole database in the object
store. So it has all that it needs from its first moment on, and of several centres that begin at
once one wins. Its own database is the first one, if it has one.
"""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog
import trio

from command_center.actors.cluster.base_store import BaseStore
from command_center.actors.cluster.file_store import FileStore
from command_center.actors.cluster.monitors import refuse_unflushed
from command_center.actors.cluster.settings import REPLICAS, ClusterSettings
from command_center.actors.cluster.signs import BASE, BaseSign, SignCipher
from command_center.actors.nats.errors import JetStreamRefused, WrongLastSequence
from command_center.actors.nats.jetstream import (
    STREAM_NOT_FOUND,
    JetStream,
    StreamConfig,
    StreamInfo,
    is_unavailable,
)
from command_center.actors.rules.cluster import ClusterRefused
from command_center.store.replication.centre_folder import CentreFolder
from command_center.store.replication.database_copy import CopyPlace, begin_copy

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

CLOCK_SECONDS: Final = 5.0
"""Seconds by which this machine's clock may differ from that of the NATS servers."""

_PATIENCE: Final = 30.0
_PAUSE: Final = 0.2
_NOT_CLUSTERED: Final = 10074


class _ServersClock(msgspec.Struct, frozen=True):
    """The moment of an answer, by the clock of the server that gave it."""

    ts: datetime


async def prepare(settings: ClusterSettings, jetstream: JetStream) -> None:
    """Have this centre be one of its cluster, which is begun if there is none.

    Raises:
        ClusterRefused: it cannot be; the text says why.
        UnreadableSign: another key closed what the cluster has.
        JetStreamRefused, NatsTimeout, NatsDisconnected: the servers cannot be used.
        OSError, sqlite3.Error: the disk cannot be used.
        Exception: what ``open_database`` raises for the database with which it is to begin.
    """
    folder = CentreFolder(settings.data_dir, settings.database)
    info = await _stream(settings, jetstream, folder)
    await refuse_unflushed(settings.monitors)
    _refuse_few_servers(settings, info)
    await _refuse_other_clock(settings, jetstream)
    bases = BaseStore(jetstream, settings.stream, settings.key)
    await FileStore(jetstream, settings).create(replicas=info.config.num_replicas)
    if info.state.last_seq == 0:
        _refuse_lost_stream(settings, folder.cluster())
        await bases.create(replicas=info.config.num_replicas)
        await _begin(settings, jetstream, folder, bases)
    message = await jetstream.last_message(settings.stream, settings.subject(BASE))
    base = SignCipher(settings.key, settings.name).unseal(message.payload, BaseSign)
    await trio.to_thread.run_sync(_join, settings, folder, base)


async def _stream(
    settings: ClusterSettings, jetstream: JetStream, folder: CentreFolder
) -> StreamInfo:
    """Return the stream, made if there is none."""
    try:
        return await jetstream.stream_info(settings.stream)
    except JetStreamRefused as error:
        if error.err_code != STREAM_NOT_FOUND:
            raise
    _refuse_lost_stream(settings, folder.cluster())
    return await _make_stream(settings, jetstream)


async def _make_stream(settings: ClusterSettings, jetstream: JetStream) -> StreamInfo:
    counts: Iterable[int] = (REPLICAS, 1) if settings.allows_single else (REPLICAS,)
    refused: JetStreamRefused | None = None
    for count in counts:
        config = StreamConfig(
            name=settings.stream,
            subjects=(settings.subject(">"),),
            num_replicas=count,
            discard="new",
            deny_delete=True,
        )
        with trio.move_on_after(_PATIENCE):
            while True:
                try:
                    return await jetstream.create_stream(config)
                except JetStreamRefused as error:
                    refused = error
                    if error.err_code == _NOT_CLUSTERED:
                        break
                await trio.sleep(_PAUSE)  # a server may not know all others yet
    if refused is not None and is_unavailable(refused):
        raise refused
    reason = "nobody answered" if refused is None else refused.description
    raise ClusterRefused(
        f"The stream {settings.stream} cannot be kept by {REPLICAS} NATS servers: {reason}. Start "
        f"{REPLICAS} servers that are one cluster with JetStream, or set CC_CLUSTER_ALLOW_SINGLE "
        "to on to try it out with one."
    )


def _refuse_few_servers(settings: ClusterSettings, info: StreamInfo) -> None:
    if info.config.num_replicas < REPLICAS and not settings.allows_single:
        raise ClusterRefused(
            f"The stream {settings.stream} is kept by {info.config.num_replicas} NATS server: the "
            f"loss of one disk loses all. Run `nats stream edit {settings.stream} --replicas "
            f"{REPLICAS}`, or set CC_CLUSTER_ALLOW_SINGLE to on."
        )


async def _refuse_other_clock(settings: ClusterSettings, jetstream: JetStream) -> None:
    """Refuse a clock that is far from the servers': deadlines would come early or late."""
    asked = datetime.now(UTC)
    told = await jetstream.ask(f"STREAM.INFO.{settings.stream}", {}, _ServersClock)
    answered = datetime.now(UTC)
    apart = max((asked - told.ts).total_seconds(), (told.ts - answered).total_seconds())
    if apart > CLOCK_SECONDS:
        raise ClusterRefused(
            f"This machine's clock and that of a NATS server are {apart:.0f} seconds apart, and "
            f"{CLOCK_SECONDS:.0f} are allowed. Have all machines follow a time server."
        )


def _refuse_lost_stream(settings: ClusterSettings, cluster: str | None) -> None:
    if cluster is not None:
        raise ClusterRefused(
            f"The NATS servers have no stream {settings.stream}, of which {settings.data_dir} is a "
            "centre's folder. See that CC_CLUSTER names the right servers, and that they have "
            "their disks. If the stream is lost, see docs/cluster.md, A lost stream."
        )


async def _begin(
    settings: ClusterSettings, jetstream: JetStream, folder: CentreFolder, bases: BaseStore
) -> None:
    """Publish the first message of the stream, unless another centre has by then."""
    cluster = secrets.token_hex(12)
    folder.join(cluster, is_certain=False)
    page_size = await trio.to_thread.run_sync(folder.begin_base)
    name = f"base-{cluster}"
    await bases.put(name, folder.copy)
    base = BaseSign(
        cluster=cluster,
        object=name,
        sequence=1,
        commit=0,
        page_size=page_size,
        schema=settings.schema,
    )
    try:
        await jetstream.publish(
            settings.subject(BASE),
            SignCipher(settings.key, settings.name).seal(base),
            expect_stream=settings.stream,
            expect_last=0,
        )
    except WrongLastSequence:
        log.info("cluster.begun_elsewhere", cluster=settings.name)
        await trio.to_thread.run_sync(folder.remove_copy)
        await bases.delete(name)
        return
    log.warning("cluster.begun", cluster=settings.name)
    await trio.to_thread.run_sync(begin_copy, folder.copy, CopyPlace(1, 0, page_size))


def _join(settings: ClusterSettings, folder: CentreFolder, base: BaseSign) -> None:
    """Have the folder be one of the cluster, or refuse it."""
    known = folder.cluster()
    if known is not None:
        if known != base.cluster:
            raise ClusterRefused(
                f"{settings.data_dir} is the folder of a centre of another cluster than the one "
                f"that CC_CLUSTER and CC_CLUSTER_NAME lead to. Use another CC_DATA_DIR."
            )
        folder.set_aside()
        return
    if folder.may_have_begun() == base.cluster:
        folder.move_database()
    elif folder.has_database():
        raise ClusterRefused(
            f"{settings.data_dir} has a database of its own, and the cluster {settings.name} goes "
            "on with another one. Use another CC_DATA_DIR, or move that one away."
        )
    else:
        folder.remove_copy()
    folder.join(base.cluster)
