"""Checks of the ways in: the port, the certificate, and the addresses for a phone."""

from __future__ import annotations

import contextlib
import ipaddress
import shlex
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil

from command_center.http.config.urls import is_loopback_url
from command_center.http.doctor.check import Subject, Symptom, error, warning
from command_center.http.transport.encryption import Certificate, UnusableCertificate
from command_center.http.transport.listen import bind
from command_center.http.wire.problems import AddressInUse, AddressUnavailable

CONNECT_SECONDS: Final = 2.0
SOON_DAYS: Final = 14
"""Days before the end of a certificate from which on it is told of."""

FOR_A_PHONE: Final = (
    "For a phone: command-center serve --tailscale, or CC_HOST=0.0.0.0 with CC_API_TOKEN and a "
    "certificate (command-center certificate); then command-center pair."
)
RENEW: Final = (
    "Renew it (command-center certificate makes one); a server that runs takes the new one."
)

_EXPIRED: Final = 10
_NOT_YET: Final = 9
"""OpenSSL's numbers of what is wrong with a certificate's time (X509_V_ERR_…)."""


def port(subject: Subject) -> Sequence[Symptom]:
    """Look whether the address can be listened on, or is by the server that looks."""
    settings = subject.settings
    place = f"{settings.host} port {settings.port}"
    if subject.center is not None:
        return [Symptom(f"The server listens on {place}.")]
    try:
        bind(settings.host, settings.port).close()
    except AddressInUse:
        holder = _holder_of(settings.port)
        mend = f"Stop it, or choose another port: CC_PORT={min(settings.port + 1, 65535)}."
        return [error(f"{place} is taken{holder}.", mend)]
    except AddressUnavailable as unavailable:
        return [error(str(unavailable), "Set CC_HOST to an address of this machine.")]
    return [Symptom(f"{place} is free.")]


def _holder_of(number: int) -> str:
    """Name who listens on a port, where the system tells."""
    with contextlib.suppress(psutil.Error, OSError):
        for one in psutil.net_connections(kind="tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr[1:] == (number,) and one.pid:
                return f" by {psutil.Process(one.pid).name()} (process {one.pid})"
    return " by another program"


def certificate(subject: Subject) -> Sequence[Symptom]:
    """Look whether the certificate can be used, for how long, and by which names."""
    settings = subject.settings
    if settings.tls_cert is None or settings.tls_key is None:
        return [Symptom("The server speaks http: no certificate is set.")]
    try:
        context = Certificate(settings.tls_cert, settings.tls_key).context
        told = _told_by(context, settings.tls_cert)
    except UnusableCertificate as unusable:
        mend = "Mend CC_TLS_CERT or CC_TLS_KEY. Then ask again: no more of it was looked at."
        return [error(str(unusable), mend)]
    except ssl.SSLCertVerificationError as refused:
        if refused.verify_code in {_EXPIRED, _NOT_YET}:
            state = "has expired" if refused.verify_code == _EXPIRED else "is not valid yet"
            return [error(f"The certificate {settings.tls_cert} {state}.", RENEW)]
        return [warning(f"{settings.tls_cert}: {refused.verify_message}.", RENEW)]
    ends = ssl.cert_time_to_seconds(told["notAfter"])
    until = f"{datetime.fromtimestamp(ends, UTC):%Y-%m-%d}"
    seen = [Symptom(f"The certificate is good until {until}.")]
    if ends - time.time() < SOON_DAYS * 86400:
        seen = [warning(f"The certificate ends on {until}.", RENEW)]
    names = [name for _, name in told.get("subjectAltName", ())]
    for url in subject.pages():
        host = urlsplit(url).hostname or ""
        if not _is_named(host, names) and not url.endswith(".ts.net"):
            mend = f"command-center certificate {shlex.quote(host)} makes one for it."
            seen.append(warning(f"The certificate does not name {host}.", mend))
    return seen


def _told_by(context: ssl.SSLContext, file: Path) -> Mapping[str, Any]:
    """Return what a client is told of the certificate, by a handshake in memory that trusts it.

    Raises:
        ssl.SSLCertVerificationError: a client would refuse it, whatever it trusts.
    """
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(file)
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(there, here)
    server = context.wrap_bio(here, there, server_side=True)
    for _ in range(4):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return client.getpeercert() or {}


def _is_named(host: str, names: Sequence[str]) -> bool:
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        return any(_is_address(name, address) for name in names)
    wild = f"*.{host.partition('.')[2]}"
    return any(name.lower() in {host, wild} for name in names)


def _is_address(name: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name) == address
    return False


def addresses(subject: Subject) -> Sequence[Symptom]:
    """Look by which addresses others open the page, and whether each leads here."""
    others = [url for url in subject.pages() if not is_loopback_url(url)]
    if not others:
        return [Symptom("The page opens on this machine alone.", FOR_A_PHONE)]
    told = subject.settings.allowed_hosts
    serves = subject.center is not None
    return [_address(url, told, is_serving=serves) for url in others]


def _address(url: str, told: Sequence[str], *, is_serving: bool) -> Symptom:
    split = urlsplit(url)
    host = split.hostname or ""
    number = split.port or (443 if split.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)
    except OSError:
        mend = f"Have your DNS or tunnel know {host}, or take it out of CC_ALLOWED_HOSTS."
        if not any(host == one.partition(":")[0].lower() for one in told):
            mend = (
                "Open the page by another address. This is this machine's own name, which no DNS "
                "here knows; a name in .local needs Avahi or Bonjour."
            )
        return warning(f"{url}: this machine finds no address for the name.", mend)
    if is_serving and not any(_answers(place) for place in found):
        mend = "See what stands between: a firewall, a tunnel that is down, another address."
        return warning(f"{url}: nobody answers there.", mend)
    if split.scheme == "http":
        mend = f"Who is on the way can read along. {FOR_A_PHONE}"
        return warning(f"{url} is not encrypted, and a browser notifies nobody there.", mend)
    return Symptom(f"{url} leads here." if is_serving else f"{url} is where the page will open.")


def _answers(place: tuple[Any, ...]) -> bool:
    family, kind, protocol, _, address = place
    with socket.socket(family, kind, protocol) as sock:
        sock.settimeout(CONNECT_SECONDS)
        try:
            sock.connect(address)
        except OSError:
            return False
    return True
