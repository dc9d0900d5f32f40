"""Certificates of a test's own, by the system's openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


def make(folder: Path, name: str = "a") -> tuple[Path, Path]:
    """Return the files of a new certificate for the loopback, and of its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl: apt-get install openssl")
    cert, key = folder / f"{name}-cert.pem", folder / f"{name}-key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-keyout", key, "-out", cert, "-subj", f"/CN={name}"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o600)
    return cert, key


def replace(old: tuple[Path, Path], new: tuple[Path, Path]) -> None:
    """Put other files in the place of these, each at once."""
    for place, file in zip(old, new, strict=True):
        file.replace(place)


def trusting(*certs: Path) -> ssl.SSLContext:
    """Return the client's side, which trusts these."""
    context = ssl.create_default_context()
    for cert in certs:
        context.load_verify_locations(cert)
    return context
