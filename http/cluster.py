"""A server that is one of a cluster: its settings, its time as a standby, and the way back."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import attrs
import structlog
import trio

from command_center.actors.cluster.leadership import Leadership
from command_center.actors.cluster.membership import Membership
from command_center.actors.cluster.settings import ClusterSettings
from command_center.actors.cluster.view import ClusterView
from command_center.actors.nats.addresses import parse_addresses
from command_center.actors.nats.connection import NatsOptions
from command_center.actors.nats.credentials import NatsCredentials, parse_credentials
from command_center.actors.nats.errors import InvalidCredentials
from command_center.http.config.addresses import Listening
from command_center.http.config.settings import Settings, SettingsError
from command_center.http.middleware.gate import Policy
from command_center.http.standby import create_standby_app
from command_center.http.transport.encryption import Certificate
from command_center.http.transport.listen import BoundAddress, serve_on
from command_center.store.backups.contents import DATABASE
from command_center.store.database.opening import registered_names
from command_center.store.replication.encryption import read_key
from command_center.store.replication.errors import UnusableKey

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

DEPOSED = 4
"""The exit code of a leader that was deposed, where a program cannot begin again by itself."""

_STDERR = 2

_GRACE = 0.5
"""Seconds that a standby's last answers may take, when it is to lead."""

StopOnSignal: TypeAlias = Callable[[trio.Event], Awaitable[None]]


def cluster_settings(settings: Settings, listening: Listening) -> ClusterSettings:
    """Return the settings of this centre. To be called in a thread.

    Raises:
        SettingsError: the key, the credentials or the certificates cannot be used.
    """
    if settings.cluster is None or settings.cluster_key is None:
        raise SettingsError("CC_CLUSTER is not set.")
    try:
        nats = NatsOptions(
            addresses=parse_addresses(settings.cluster.reveal()),
            name=f"command-center {settings.cluster_name}",
            credentials=_credentials(settings),
            tls=_tls(settings),
        )
        key = read_key(settings.cluster_key)
    except ImportError as error:
        raise SettingsError(
            'CC_CLUSTER needs a library: install "command-center[cluster]", or take it out.'
        ) from error
    except (OSError, UnusableKey, InvalidCredentials) as error:
        raise SettingsError(f"The cluster's settings cannot be used: {error}") from error
    return ClusterSettings(
        nats=nats,
        name=settings.cluster_name,
        key=key,
        data_dir=settings.data_dir,
        database=settings.data_dir / DATABASE,
        url=settings.cluster_url or listening.urls()[0].rstrip("/"),
        version=version("command-center"),
        steps=frozenset(registered_names()),
        monitors=settings.cluster_monitors,
        allows_single=settings.cluster_allow_single == "on",
    )


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.cluster_ca is None and settings.cluster_cert is None:
        return None
    context = ssl.create_default_context(cafile=settings.cluster_ca)
    if settings.cluster_cert is not None:
        # A passphrase would be asked for at the terminal.
        context.load_cert_chain(settings.cluster_cert, settings.cluster_cert_key, password="")
    return context


def _credentials(settings: Settings) -> NatsCredentials | None:
    if settings.cluster_credentials is None:
        return None
    return parse_credentials(settings.cluster_credentials.read_text("utf-8", errors="replace"))


@attrs.define
class StandingBy:
    """The time in which a centre answers as a standby, from before it knows its cluster."""

    _scope: trio.CancelScope
    _stop_on_signal: StopOnSignal
    _told_to_stop: trio.Event = attrs.field(factory=trio.Event)
    _ends: trio.Event = attrs.field(factory=trio.Event)
    _has_ended: trio.Event = attrs.field(factory=trio.Event)
    _has_joined: bool = False

    async def until_leading(self, membership: Membership) -> Leadership | None:
        """Wait until this centre leads, and answer no more then.

        Return None if it is told to stop before.
        """
        self._has_joined = True
        found: list[Leadership] = []

        async with trio.open_nursery() as nursery:

            async def lead() -> None:
                found.append(await membership.leadership())
                nursery.cancel_scope.cancel()

            nursery.start_soon(lead)
            await self._told_to_stop.wait()
            nursery.cancel_scope.cancel()
        self._ends.set()
        await self._has_ended.wait()
        return found[0] if found else None

    async def answer(
        self,
        serve: Callable[..., Awaitable[None]],
        *,
        task_status: trio.TaskStatus[BoundAddress],
    ) -> None:
        """Answer, and tell the address once it is so."""
        async with trio.open_nursery() as nursery:

            async def answer(*, task_status: trio.TaskStatus[BoundAddress]) -> None:
                await serve(shutdown=self._ends, task_status=task_status)
                nursery.cancel_scope.cancel()

            nursery.start_soon(self._heed_signals)
            task_status.started(await nursery.start(answer))
            await self._ends.wait()
            nursery.cancel_scope.deadline = trio.current_time() + 2 * _GRACE
        self._has_ended.set()

    async def _heed_signals(self) -> None:
        await self._stop_on_signal(self._told_to_stop)
        if not self._has_joined:
            self._scope.cancel()


@asynccontextmanager
async def standing_by(
    view: ClusterView,
    address: BoundAddress,
    policy: Policy,
    *,
    certificate: Certificate | None,
    stop_on_signal: StopOnSignal,
    on_ready: Callable[[str], None],
) -> AsyncIterator[StandingBy]:
    """Answer as a standby. A centre that is told to stop before it has joined is cancelled here."""
    serve = partial(
        serve_on,
        create_standby_app(view, policy, version("command-center")),
        address.again(),
        grace=_GRACE,
        certificate=certificate,
    )
    async with trio.open_nursery() as nursery:
        standby = StandingBy(nursery.cancel_scope, stop_on_signal)
        bound: BoundAddress = await nursery.start(standby.answer, serve)
        on_ready(bound.url)
        yield standby
        nursery.cancel_scope.cancel()


def come_back(reason: str, *, begin: Callable[[str, list[str]], object] = os.execv) -> None:
    """End this process as it is, and begin again as a standby under the same process id.

    Nothing that is under way is acknowledged: no thread of the process goes on. Where a system
    knows no such thing, the process ends, and whoever watches it starts it again.
    """
    try:
        log.critical("server.deposed", reason=reason)
        if sys.platform != "win32":
            _close_on_exec()
            begin(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    finally:
        os._exit(DEPOSED)


def _close_on_exec() -> None:
    """Have no connection and no listening socket outlive this program in the next one.

    Hypercorn lets its sockets be inherited.
    """
    for descriptor in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
        if descriptor > _STDERR:
            with suppress(OSError):  # the one that this was listed by is closed
                os.set_inheritable(descriptor, False)  # noqa: FBT003 - it takes no name
