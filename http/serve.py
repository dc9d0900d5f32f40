"""The server: the tree of actors below, HTTP on top, from the lock on the data folder to the end.

The order of starting is the order of what can refuse it: the address, the data folder's lock, the
database, the tree. The order of stopping is the reverse: first nobody new is let in, then the
actors stop, each within its deadline, then the lock is let go.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import unquote

import structlog
import trio

from command_center.actors.backups.actor import BackupSettings
from command_center.actors.center import Center, open_center
from command_center.actors.codex.settings import BridgeSettings
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
from command_center.http.config.settings import Settings, SettingsError
from command_center.http.middleware.gate import Policy
from command_center.http.middleware.signin import sign_in_key
from command_center.http.otlp.exporter import Exporter, traces_url
from command_center.http.routes.github import github_settings
from command_center.http.routes.telegram import telegram_settings
from command_center.http.transport.encryption import Certificate
from command_center.http.transport.listen import BoundAddress, bind, serve_on
from command_center.store import ClaimLost, DatabaseClaim, DataFolderLock, take_claim
from command_center.store.backups.contents import DATABASE
from command_center.store.backups.encryption import is_installed as encryption_is_installed
from command_center.store.backups.restoring import finish_restore

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

STUCK = 1
"""The exit code where an actor could not be ended."""

CLAIM_LOST = 3
"""The exit code where the database was no longer this server's."""


async def serve(
    settings: Settings, *, on_ready: Callable[[str, Sequence[str]], None] | None = None
) -> int:
    """Serve until Ctrl-C, SIGTERM or SIGHUP, and stop in order; the exit code is 0.

    `on_ready` is told the address once requests are answered, and all under which the page opens.

    Raises:
        SettingsError: what a setting needs is not installed.
        TailscaleUnusable: it is to lead here, and cannot.
        UnusableCertificate: the one of the settings cannot be used.
        AddressInUse, AddressUnavailable: nobody can listen there.
        DataFolderInUse, DataFolderUnusable: another process has the data folder, or nobody can.
        DatabaseClaimed: another process has the database.
        Exception: what `take_claim` raises for a file that cannot be used.
    """
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
            claim = await trio.to_thread.run_sync(take_claim, settings.data_dir / DATABASE, lock)
            wanted = _center_settings(settings, claim, notify, listening)
            async with open_center(wanted, on_stuck=_give_up) as center:
                await _serve_center(
                    settings,
                    center,
                    address,
                    listening,
                    certificate=certificate,
                    on_ready=on_ready,
                )
    finally:
        address.close()
    return 0


async def _serve_center(
    settings: Settings,
    center: Center,
    address: BoundAddress,
    listening: Listening,
    *,
    certificate: Certificate | None,
    on_ready: Callable[[str, Sequence[str]], None] | None,
) -> None:
    # Tailscale leads here from this machine, by the address that it is told.
    tailnet = () if listening.tailnet is None else (listening.tailnet,)
    policy = Policy.of(
        listen_on=settings.host,
        allowed_hosts=(*settings.allowed_hosts, *tailnet),
        trusted_proxies=(*settings.trusted_proxies, *(address.own_clients() if tailnet else ())),
        token=revealed(settings.api_token),
        sign_in_key=sign_in_key(settings.data_dir),
    )
    shutdown = trio.Event()
    exporter = exporter_of(settings)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_stop_on_signal, shutdown, center)
        if exporter is not None:
            nursery.start_soon(exporter.run, center.fanout)
        bound = await nursery.start(
            partial(
                serve_on,
                create_app(center, policy, listening.urls, settings, exporter),
                address,
                shutdown=shutdown,
                certificate=certificate,
            )
        )
        if on_ready is not None:
            on_ready(bound.url, listening.urls())
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


async def _stop_on_signal(shutdown: trio.Event, center: Center) -> None:
    """Wait for the first signal to stop; a second one is the platform's own."""
    wanted = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        wanted.append(signal.SIGBREAK)
    elif signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # else `nohup` had it ignored
        wanted.append(signal.SIGHUP)
    with trio.open_signal_receiver(*wanted) as signals:
        async for number in signals:
            log.info("server.stopping", signal=signal.Signals(number).name)
            center.fanout.close()
            shutdown.set()
            return


def _give_up(paths: Sequence[str]) -> None:
    """End the process: what cannot be ended would keep it alive for ever. All is durable."""
    log.critical("server.stuck", actors=list(paths))
    sys.stderr.flush()
    os._exit(STUCK)


def _claim_lost(error: ClaimLost) -> None:
    """End the process at once: what is not written where it will be found must not be answered."""
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
        on_claim_lost=_claim_lost,
        secrets=secrets,
    )
