"""`command-center certificate`: an encrypted address for phones, without anybody's help."""

from __future__ import annotations

from collections.abc import Sequence

from command_center.http.config.addresses import own_addresses, own_names
from command_center.http.config.local_authority import LocalCertificate, make_certificate
from command_center.http.config.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def certificate(settings: Settings, names: Sequence[str]) -> str:
    """Make the certificate for this machine and further names; return what to show.

    Raises:
        OtherNames: the authority that is there may not vouch for one of them.
        OSError: the files cannot be written.
        ValueError: the authority's files are damaged.
    """
    allowed = [host.rpartition(":")[0] or host for host in settings.allowed_hosts]
    addresses = [address.partition("%")[0] for address in own_addresses()]
    wanted = [*names, *allowed, *own_names(), *LOOPBACK, *addresses]
    made = make_certificate(settings.data_dir, [*dict.fromkeys(wanted)])
    return told_of(made)


def told_of(made: LocalCertificate) -> str:
    """Return what to do with a certificate."""
    return "\n".join(
        [
            f"The certificate is good for {', '.join(made.names)}.",
            "Set these where you start the server, and start it again if it was not encrypted:",
            f"  CC_TLS_CERT={made.certificate}",
            f"  CC_TLS_KEY={made.key}",
            "On each phone open https://ADDRESS:PORT/certificate, go on in spite of the warning,",
            "and install the authority as that page says. Its SHA-256 fingerprint has to be",
            f"  {made.fingerprint}",
        ]
    )
