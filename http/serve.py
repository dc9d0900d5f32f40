"""The server: the tree of actors below, HTTP on top, from the lock on the data folder to the end.

The order of starting is the order of what can refuse it: the address, the data folder's lock, the
database, the tree. The order of stopping is the reverse: first nobody new is let in, then the
actors stop, each within its deadline, then the lock is let go.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote

import attrs
import structlog
import trio

from command_center.actors.backups.actor import BackupSettings
from command_center.actors.center import Center, open_center
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.core.shared_files import SharedFiles
from command_center.actors.devices.passkeys import is_installed as passkeys_are_installed
from command_center.actors.hosts.local.tailscale import TailscaleSettings, name_in_tailnet
from command_center.actors.notify.settings import NotifySettings
from command_center.actors.notify.settings import is_installed as notify_is_installed
from command_center.actors.rules.keeping import parse_keeping, parse_size
from command_center.actors.tree import CenterSettings
from command_center.actors.webhooks.settings import WebhookSettings
from command_center.actors.webpush.settings import NOBODY, PushSettings, is_installed, push_key
from command_center.http.app import create_app
from command_center.http.config.addresses import Listening
from command_center.http.config.logs import secrets_of
from command_center.http.config.parsers import OTLP_HEADERS, revealed, url
from command_center.http.config.runner import choose_runner
from command_center.http.config.settings import ResolvedSettings, Settings, SettingsError
from command_center.http.middleware.gate import Policy
from command_center.http.middleware.signin import sign_in_key
from command_center.http.otlp.exporter import Exporter, traces_url
from command_center.http.routes.github import github_settings
from command_center.http.routes.telegram import telegram_settings
from command_center.http.transport.encryption import Certificate
from command_center.http.transport.listen import BoundAddress, bind, serve_on
from command_center.runtime import ChildSpec
from command_center.store import (
    ClaimLost,
    DatabaseClaim,
    DataFolderLock,
    NotReplicated,
    take_claim,
)
from command_center.store.backups.contents import DATABASE
from command_center.store.backups.encryption import is_installed as encryption_is_installed
from command_center.store.backups.restoring import finish_restore
from command_center.store.database.opening import OpeningStep
from command_center.store.integrity import LONG
from command_center.store.ownership.lock import refuse_centre

if TYPE_CHECKING:
    from command_center.actors.cluster.leadership import Leadership

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

OnReady: TypeAlias = Callable[[str, Sequence[str]], None]
"""Told the server's address, and each address under which the page opens."""

STUCK = 1
"""The exit code where an actor could not be ended."""

CLAIM_LOST = 3
"""The exit code where the database was no longer this server's."""


_LONG_STEPS: Final = {"check": "database.checking", "copy": "database.copying"}


async def serve(resolved: ResolvedSettings, *, on_ready: OnReady | None = None) -> int:
    """Serve until Ctrl-C, SIGTERM or SIGHUP, and stop in order; the exit code is 0.

    `on_ready` is told the address once requests are answered, and all under which the page opens.

    Raises:
        SettingsError: what a setting needs is not installed.
        TailscaleUnusable: it is to lead here, and cannot.
        UnusableCertificate: the one of the settings cannot be used.
        AddressInUse, AddressUnavailable: nobody can listen there.
        DataFolderInUse: another process has the data folder.
        DataFolderUnusable: nobody can have it, or only a cluster.
        DatabaseClaimed: another process has the database.
        ClusterRefused, NatsUnavailable: it cannot be part of its cluster.
        Exception: what `take_claim` raises for a file that cannot be used.
    """
    settings = resolved.settings
    if settings.approval_passkeys != "off" and not passkeys_are_installed():
        raise SettingsError(
            "CC_APPROVAL_PASSKEYS needs a library: "
            'install "command-center[passkeys]", or take it out.'
        )
    certificate = certificate_of(settings)
    tailnet = await name_in_tailnet() if settings.tailscale == "serve" else None
    address = bind(settings.host, settings.port, is_encrypted=certificate is not None)
    listening = Listening(
        settings.host,
        address.port,
        settings.allowed_hosts,
        is_proxied=bool(settings.trusted_proxies),
        is_encrypted=certificate is not None,
        tailnet=tailnet,
    )
    try:
        page = listening.urls()[0]
        notify = await trio.to_thread.run_sync(notify_settings, settings, page)
        with DataFolderLock(settings.data_dir) as lock:
            await trio.to_thread.run_sync(finish_restore, settings.data_dir)
            place = _Place(resolved, lock, address, listening, certificate, notify)
            if settings.cluster is None:
                refuse_centre(settings.data_dir)
                await _serve_database(place, on_ready=on_ready)
            else:
                await _serve_in_cluster(place, on_ready)
    finally:
        address.close()
    return 0


@attrs.frozen
class _Place:
    """The place of a server: what it has before it opens its database."""

    resolved: ResolvedSettings
    lock: DataFolderLock
    address: BoundAddress
    listening: Listening
    certificate: Certificate | None
    notify: NotifySettings | None

    @property
    def settings(self) -> Settings:
        """Return the settings alone."""
        return self.resolved.settings

    def policy(self) -> Policy:
        """Return whom the gate lets through."""
        settings, tailnet = self.settings, self.listening.tailnet
        # Tailscale leads here from this machine, by the address that it is told.
        named = () if tailnet is None else (tailnet,)
        return Policy.of(
            listen_on=settings.host,
            allowed_hosts=(*settings.allowed_hosts, *named),
            trusted_proxies=(
                *settings.trusted_proxies,
                *(self.address.own_clients() if named else ()),
            ),
            token=revealed(settings.api_token),
            sign_in_key=sign_in_key(settings.data_dir),
        )


async def _serve_in_cluster(place: _Place, on_ready: OnReady | None) -> None:
    """Serve as a standby, and what the cluster has once this centre leads, until told to stop."""
    from command_center.actors.cluster.membership import open_membership  # noqa: PLC0415 - a server in no cluster starts without it
    from command_center.actors.cluster.station import ClusterStation  # noqa: PLC0415 - the same
    from command_center.actors.cluster.view import ClusterView  # noqa: PLC0415 - the same
    from command_center.http.cluster import (  # noqa: PLC0415 - the same
        cluster_settings,
        come_back,
        standing_by,
    )

    urls = place.listening.urls()
    wanted = await trio.to_thread.run_sync(cluster_settings, place.settings, place.listening)
    view = ClusterView()
    async with (
        standing_by(
            view,
            place.address,
            place.policy(),
            certificate=place.certificate,
            stop_on_signal=_stop_on_signal,
            on_ready=lambda url: None if on_ready is None else on_ready(url, urls),
        ) as standby,
        open_membership(wanted, view, on_deposed=come_back, on_stuck=_give_up) as membership,
    ):
        leadership = await standby.until_leading(membership)
        if leadership is None:
            return
        log.info("server.leads", epoch=leadership.epoch)
        try:
            await _serve_database(
                place,
                leadership=leadership,
                shared_files=membership.files,
                on_not_replicated=come_back,
                cluster=ChildSpec(
                    id="cluster",
                    start=partial(ClusterStation, membership),
                    contract="Who leads is not shown until it is back; the centre still leads.",
                ),
                described=view.described,
            )
        except NotReplicated as error:
            come_back(error.reason)


async def _serve_database(
    place: _Place,
    *,
    on_ready: OnReady | None = None,
    leadership: Leadership | None = None,
    shared_files: SharedFiles | None = None,
    on_not_replicated: Callable[[str], None] | None = None,
    cluster: ChildSpec | None = None,
    described: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Open the database and serve what it has, until told to stop."""
    replica = None if leadership is None else leadership.replica
    open_it = partial(
        take_claim,
        place.settings.data_dir / DATABASE,
        place.lock,
        replica=None if replica is None else replica(),
        on_step=_tell_step,
    )
    claim = await trio.to_thread.run_sync(open_it)
    wanted = attrs.evolve(
        _center_settings(place.settings, claim, place.notify, place.listening),
        cluster=cluster,
        replica=replica,
        shared_files=shared_files,
        settle_reads=None if leadership is None else leadership.log.lease.settle,
        on_lost=partial(_lost, on_not_replicated),
    )
    async with open_center(wanted, on_stuck=_give_up) as center:
        await _serve_center(place, center, on_ready=on_ready, cluster=described)


def _tell_step(step: OpeningStep) -> None:
    """Write to the log why a start takes long, before it does."""
    if step.migration is not None:
        log.info(
            "database.migrating", migration=step.migration, number=step.number, count=step.count
        )
    elif step.size >= LONG:
        log.info(_LONG_STEPS[step.act], mib=step.size >> 20)


async def _serve_center(
    place: _Place,
    center: Center,
    *,
    on_ready: OnReady | None,
    cluster: Callable[[], Mapping[str, Any]],
) -> None:
    settings, urls = place.settings, place.listening.urls
    shutdown = trio.Event()
    exporter = exporter_of(settings)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_stop_on_signal, shutdown, center.fanout.close)
        if exporter is not None:
            nursery.start_soon(exporter.run, center.fanout)
        bound = await nursery.start(
            partial(
                serve_on,
                create_app(center, place.policy(), urls, place.resolved, exporter, cluster=cluster),
                place.address,
                shutdown=shutdown,
                certificate=place.certificate,
            )
        )
        if on_ready is not None:
            on_ready(bound.url, urls())
        await shutdown.wait()
        if exporter is not None:
            exporter.stop()
        nursery.cancel_scope.deadline = trio.current_time() + 10.0


def exporter_of(settings: Settings) -> Exporter | None:
    """Return what sends traces; None where no receiver is set.

    The variables of OpenTelemetry may be meant for others: what cannot be used of them is told,
    and nothing is sent.
    """
    named, base = revealed(settings.otlp_headers), settings.otlp_url
    try:
        if base is None and (text := os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")):
            base = url("https", "http").parse(text)
        if base is None:
            return None
        if named is None and (text := os.environ.get("OTEL_EXPORTER_OTLP_HEADERS")):
            named = OTLP_HEADERS.parse(text).reveal()
    except ValueError as error:
        log.warning("otlp.unusable", problem=f"A variable of OpenTelemetry {error}.")
        return None
    pairs = (pair.partition("=") for pair in (named or "").split(","))
    headers = {name.strip(): unquote(value.strip()) for name, _, value in pairs if name}
    return Exporter(traces_url(base), headers)


def certificate_of(settings: Settings) -> Certificate | None:
    """Return the certificate of the settings, if they have one.

    Raises:
        UnusableCertificate: it cannot be used.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Certificate(settings.tls_cert, settings.tls_key)


def push_settings(settings: Settings) -> PushSettings | None:
    """Return the settings of Web Push; None where the extra is not installed.

    Raises:
        DataFolderUnusable: its key can be neither read nor made.
    """
    if not is_installed():
        return None
    return PushSettings(
        key=push_key(settings.data_dir),
        contact=settings.push_contact or NOBODY,
        allows_private=settings.push_private_addresses == "allow",
        timezone=settings.timezone,
    )


def notify_settings(settings: Settings, page: str) -> NotifySettings | None:
    """Return the settings of Apprise's places; None where there are none. To be called in a thread.

    Raises:
        SettingsError: the extra is not installed, or Apprise does not know a URL.
    """
    if not settings.notify_urls:
        return None
    if not notify_is_installed():
        raise SettingsError(
            'CC_NOTIFY_URLS needs Apprise: install "command-center[notify]", or take it out.'
        )
    from command_center.actors.notify.places import UnknownPlace, places_of  # noqa: PLC0415 - a server without places starts without Apprise

    try:
        targets = places_of([url.reveal() for url in settings.notify_urls])
    except UnknownPlace as error:
        raise SettingsError(f"CC_NOTIFY_URLS: {error}") from error
    return NotifySettings(targets=targets, page=page)


def backup_settings(settings: Settings) -> BackupSettings:
    """Return when backups are made, and how.

    Raises:
        SettingsError: the extra that closes them is not installed.
    """
    if settings.backup_passphrase is not None and not encryption_is_installed():
        raise SettingsError(
            'CC_BACKUP_PASSPHRASE needs age: install "command-center[backup]", or take it out.'
        )
    return BackupSettings(
        every=settings.backup_every,
        keep=settings.backup_keep,
        passphrase=revealed(settings.backup_passphrase),
    )


async def _stop_on_signal(shutdown: trio.Event, leave: Callable[[], object] | None = None) -> None:
    """Wait for the first signal to stop; a second one is the platform's own."""
    wanted = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        wanted.append(signal.SIGBREAK)
    elif signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # else `nohup` had it ignored
        wanted.append(signal.SIGHUP)
    with trio.open_signal_receiver(*wanted) as signals:
        async for number in signals:
            log.info("server.stopping", signal=signal.Signals(number).name)
            if leave is not None:
                leave()
            shutdown.set()
            return


def _give_up(paths: Sequence[str]) -> None:
    """End the process: what cannot be ended would keep it alive for ever. All is durable."""
    log.critical("server.stuck", actors=list(paths))
    sys.stderr.flush()
    os._exit(STUCK)


def _lost(
    on_not_replicated: Callable[[str], None] | None, error: ClaimLost | NotReplicated
) -> None:
    """End the process at once: what is not written where it will be found must not be answered."""
    if isinstance(error, NotReplicated) and on_not_replicated is not None:
        on_not_replicated(error.reason)
    log.critical("server.claim_lost", reason=str(error))
    sys.stderr.flush()
    os._exit(CLAIM_LOST)


def tailscale_settings(settings: Settings, listening: Listening) -> TailscaleSettings | None:
    """Return the settings of the way that Tailscale makes; None where it is not wanted."""
    if listening.tailnet is None:
        return None
    # The certificate of the server need not name this address: it never leaves the machine.
    target = listening.on_this_machine().replace("https://", "https+insecure://")
    return TailscaleSettings(
        name=listening.tailnet, target=target, folder=settings.data_dir / "tailscale"
    )


def _center_settings(
    settings: Settings,
    claim: DatabaseClaim,
    notify: NotifySettings | None,
    listening: Listening,
) -> CenterSettings:
    secrets = secrets_of(settings)
    return CenterSettings(
        database=settings.data_dir / DATABASE,
        data_dir=settings.data_dir,
        runner=choose_runner(settings).mode,
        bridge=BridgeSettings(
            command=settings.codex_command,
            transport=settings.codex_transport,
            socket=settings.codex_socket,
            url=settings.codex_url,
            token_file=settings.codex_ws_token_file,
            state_folder=settings.data_dir,
            secrets=secrets,
            own_urls=(*listening.urls(), listening.on_this_machine()),
        ),
        max_sessions=settings.max_sessions,
        approval_seconds=settings.approval_ttl_seconds,
        wants_passkeys=settings.approval_passkeys == "beyond-run",
        stall_seconds=settings.stall_seconds,
        imports_threads=settings.import_threads == "on",
        setup_seconds=settings.setup_seconds,
        repo_roots=settings.repo_roots,
        timezone=settings.timezone,
        telegram=telegram_settings(settings),
        github=github_settings(settings),
        webpush=push_settings(settings),
        notify=notify,
        tailscale=tailscale_settings(settings, listening),
        backups=backup_settings(settings),
        compress_days=settings.compress_days,
        keep_events=parse_keeping(settings.keep_events),
        keep_transcripts=parse_keeping(settings.keep_transcripts),
        tells_of_releases=settings.update_notice == "on",
        alarm_bytes=parse_size(settings.alarm_size),
        webhooks=WebhookSettings(allows_private=settings.webhook_private_addresses == "allow"),
        claim=claim,
        secrets=secrets,
    )
