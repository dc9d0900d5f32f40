"""Checks of settings that a start takes, and that do not go together, or do nothing.

Those that a start refuses are problems of their own: `config.settings` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs

from command_center.actors.devices.passkeys import is_installed as has_passkeys
from command_center.actors.notify.settings import is_installed as has_notify
from command_center.http.config.addresses import Listening
from command_center.http.config.parsers import is_loopback
from command_center.http.config.settings import Settings
from command_center.http.doctor.check import Subject, Symptom
from command_center.http.doctor.findings import Level
from command_center.store.backups.encryption import is_installed as has_encryption

SHORT: Final = 16
"""Letters below which a token can be guessed."""


@attrs.frozen
class Contradiction:
    """Settings that do not go together.

    Attributes:
        holds: tells whether these settings have it.
        message: what is wrong.
        mend: what to change.
        level: `error` where a start or a feature fails by it.
    """

    holds: Callable[[Settings], bool]
    message: str
    mend: str
    level: Level = "warning"


def settings(subject: Subject) -> Sequence[Symptom]:
    """Look for settings that do not go together, and for folders that are not there."""
    found = [
        Symptom(one.message, one.mend, one.level)
        for one in CONTRADICTIONS
        if one.holds(subject.settings)
    ]
    found += [
        Symptom(
            f"CC_REPO_ROOTS has {root}, and there is no such folder.",
            "Make it, or take it out.",
            "warning",
        )
        for root in subject.settings.repo_roots
        if not root.is_dir()
    ]
    return found or [Symptom("The settings go together.")]


def _listens_here_alone(settings: Settings) -> bool:
    return is_loopback(settings.host) and settings.tailscale == "off"


def _is_plain(settings: Settings) -> bool:
    """Return True if no address of the page has https, or is localhost, as passkeys need."""
    listening = Listening(
        settings.host,
        settings.port,
        settings.allowed_hosts,
        is_proxied=bool(settings.trusted_proxies),
        is_encrypted=settings.tls_cert is not None,
    )
    is_safe = any(url.startswith("https://") or "localhost" in url for url in listening.urls())
    return settings.tailscale == "off" and not is_safe


def _reveals(settings: Settings, least: int) -> bool:
    return settings.api_token is not None and len(settings.api_token.reveal()) < least


CONTRADICTIONS: Final[Sequence[Contradiction]] = (
    Contradiction(
        lambda s: _reveals(s, SHORT) and not _listens_here_alone(s),
        f"CC_API_TOKEN has fewer than {SHORT} letters, and other machines can try.",
        "Set a long one: openssl rand -hex 32",
    ),
    Contradiction(
        lambda s: s.approval_passkeys != "off" and not has_passkeys(),
        "CC_APPROVAL_PASSKEYS needs a library, and a start is refused without it.",
        'Install "command-center[passkeys]", or take it out.',
        "error",
    ),
    Contradiction(
        lambda s: s.approval_passkeys != "off" and has_passkeys() and _is_plain(s),
        "CC_APPROVAL_PASSKEYS is set, and no address has https: browsers make no passkey there.",
        "Set CC_TLS_CERT and CC_TLS_KEY, or CC_TAILSCALE=serve.",
    ),
    Contradiction(
        lambda s: bool(s.notify_urls) and not has_notify(),
        "CC_NOTIFY_URLS needs Apprise, and a start is refused without it.",
        'Install "command-center[notify]", or take it out.',
        "error",
    ),
    Contradiction(
        lambda s: s.backup_passphrase is not None and not has_encryption(),
        "CC_BACKUP_PASSPHRASE needs age, and a start is refused without it.",
        'Install "command-center[backup]", or take it out.',
        "error",
    ),
    Contradiction(
        lambda s: s.codex_url is not None and s.codex_transport != "websocket",
        "CC_CODEX_URL is set, and nothing uses it.",
        "Set CC_CODEX_TRANSPORT=websocket, or take it out.",
    ),
    Contradiction(
        lambda s: s.codex_socket is not None and s.codex_transport in {"spawn", "websocket"},
        "CC_CODEX_SOCKET is set, and this CC_CODEX_TRANSPORT joins no socket.",
        "Set CC_CODEX_TRANSPORT=auto or proxy, or take it out.",
    ),
    Contradiction(
        lambda s: s.telegram_bot_token is not None and s.telegram_mode == "off",
        "CC_TELEGRAM_BOT_TOKEN is set, and Telegram is off.",
        "Set CC_TELEGRAM_MODE=polling or webhook, or take it out.",
    ),
    Contradiction(
        lambda s: s.telegram_webhook_secret is not None and s.telegram_mode == "polling",
        "CC_TELEGRAM_WEBHOOK_SECRET is set, and updates are polled for.",
        "Set CC_TELEGRAM_MODE=webhook, or take it out.",
    ),
    Contradiction(
        lambda s: s.tls_cert is not None and s.tailscale == "off" and bool(s.trusted_proxies),
        "A proxy is trusted (CC_TRUSTED_PROXIES), and the server speaks https itself.",
        "Have the proxy speak https to it, or take CC_TLS_CERT and CC_TLS_KEY out.",
    ),
    Contradiction(
        lambda s: bool(s.trusted_proxies) and s.api_token is None,
        "A proxy is trusted (CC_TRUSTED_PROXIES), and whoever comes by it needs no token.",
        "Set CC_API_TOKEN: openssl rand -hex 32",
        "error",
    ),
)
"""Settings that do not go together, in the order in which they are told."""
