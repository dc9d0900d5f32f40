"""A certificate authority of this machine alone, and the server's certificate from it.

Whoever installs the authority on a phone trusts it for the names that it is made for and for
addresses of private nets, and for nothing else: the certificate says so itself (RFC 5280,
4.2.1.10), so a key that is stolen can play no other site. This needs `cryptography`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from command_center.http.config.addresses import AUTHORITY

AUTHORITY_KEY: Final = "authority.key"
CERTIFICATE: Final = "server.pem"
CERTIFICATE_KEY: Final = "server.key"

AUTHORITY_DAYS: Final = 3650
CERTIFICATE_DAYS: Final = 397
"""Days of a certificate; phones refuse what is good for much longer."""

PRIVATE_NETS: Final = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
    *("169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"),
)
_AN_HOUR: Final = timedelta(hours=1)


@attrs.frozen
class LocalCertificate:
    """The files, and what a person compares."""

    authority: Path
    certificate: Path
    key: Path
    fingerprint: str
    names: tuple[str, ...]


class OtherNames(Exception):
    """The authority that is there may not vouch for a name."""

    def __init__(self, name: str, file: Path) -> None:
        """Name it, and say what to do."""
        super().__init__(
            f"The authority in {file} was not made for {name}. "
            "Remove that file, make the certificate again, and install the new one on each phone."
        )


def make_certificate(folder: Path, names: Sequence[str]) -> LocalCertificate:
    """Make a certificate for these names and addresses, and an authority where there is none.

    Raises:
        OtherNames: the authority that is there may not vouch for one of them.
        OSError: the files cannot be written.
        ValueError: the authority's files are damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    authority, authority_key = _authority(folder, names, now)
    _check_constraints(authority, names, folder / AUTHORITY)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _begun(names[0], key, now, CERTIFICATE_DAYS)
        .issuer_name(authority.subject)
        .add_extension(x509.SubjectAlternativeName(_general_names(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, SHA256())
    )
    _write(folder / CERTIFICATE_KEY, _pem_of(key), mode=0o600)
    chain = certificate.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM)
    _write(folder / CERTIFICATE, chain, mode=0o644)
    return LocalCertificate(
        authority=folder / AUTHORITY,
        certificate=folder / CERTIFICATE,
        key=folder / CERTIFICATE_KEY,
        fingerprint=authority.fingerprint(SHA256()).hex(":").upper(),
        names=tuple(names),
    )


def _authority(
    folder: Path, names: Sequence[str], now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return the authority that is there, or a new one."""
    place, key_place = folder / AUTHORITY, folder / AUTHORITY_KEY
    if place.exists() and key_place.exists():
        known = load_pem_private_key(key_place.read_bytes(), None)
        if not isinstance(known, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key_place} has another kind of key.")
        return x509.load_pem_x509_certificate(place.read_bytes()), known
    key = ec.generate_private_key(ec.SECP256R1())
    begun = _begun(f"Command Center on {names[0]}", key, now, AUTHORITY_DAYS)
    made = (
        begun.issuer_name(_name(f"Command Center on {names[0]}"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(
            x509.NameConstraints(permitted_subtrees=_permitted(names), excluded_subtrees=None),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    _write(key_place, _pem_of(key), mode=0o600)
    _write(place, made.public_bytes(Encoding.PEM), mode=0o644)
    return made, key


def _begun(
    name: str, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _AN_HOUR)
        .not_valid_after(now + timedelta(days=days))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _general_names(names: Iterable[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _permitted(names: Iterable[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = [x509.IPAddress(ip_network(net)) for net in PRIVATE_NETS]
    for name in _general_names(names):
        if isinstance(name, x509.IPAddress):
            found.append(x509.IPAddress(ip_network(str(name.value))))
        else:
            found.append(name)
    return found


def _check_constraints(authority: x509.Certificate, names: Iterable[str], file: Path) -> None:
    told = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = told.permitted_subtrees or []
    hosts = {one.value for one in permitted if isinstance(one, x509.DNSName)}
    nets = [one.value for one in permitted if isinstance(one, x509.IPAddress)]
    for name in names:
        try:
            address = ip_address(name)
        except ValueError:
            is_permitted = any(name == host or name.endswith(f".{host}") for host in hosts)
        else:
            is_permitted = any(
                isinstance(net, IPv4Network | IPv6Network) and address in net for net in nets
            )
        if not is_permitted:
            raise OtherNames(name, file)


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(place: Path, content: bytes, *, mode: int) -> None:
    """Put a file in its place at once, so that no half of one is read."""
    fresh = place.with_name(f"{place.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(place)
