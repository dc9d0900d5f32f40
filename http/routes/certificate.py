"""/certificate: the page by which a phone installs the authority of this machine."""

from __future__ import annotations

from pathlib import Path

import trio
from quart import Blueprint, Response, abort
from quart_trio.wrappers import TrioResponse

from command_center.http.config.addresses import AUTHORITY

_PAGE = b"""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Command Center: certificate</title>
<h1>Trust this machine's certificate</h1>
<p><a href="/certificate.crt">Get the certificate authority</a>, and install it:</p>
<h2>iPhone and iPad</h2>
<ol>
<li>Open the link in Safari, and allow the profile.</li>
<li>Settings, General, VPN &amp; Device Management: install it.</li>
<li>Settings, General, About, Certificate Trust Settings: turn it on.</li>
</ol>
<h2>Android</h2>
<ol>
<li>Open the link, and keep the file.</li>
<li>Settings, Security, Encryption and credentials, Install a certificate, CA certificate: choose
it.</li>
</ol>
<h2>Then</h2>
<p>Compare the SHA-256 fingerprint that is shown with the one that <code>command-center
certificate</code> printed. It is good for this machine's names and private addresses alone. Then
<a href="/">open the page</a>.</p>
</html>
"""


def certificate_routes(folder: Path) -> Blueprint:
    """Serve the page and the authority, where the data folder has one."""
    pages = Blueprint("certificate", __name__)
    place = trio.Path(folder / AUTHORITY)

    @pages.get("/certificate")
    async def page() -> Response:
        if not await place.exists():
            abort(404)
        return TrioResponse(_PAGE, content_type="text/html; charset=utf-8")

    @pages.get("/certificate.crt")
    async def authority() -> Response:
        try:
            found = await place.read_bytes()
        except OSError:
            abort(404)
        return TrioResponse(found, content_type="application/x-x509-ca-cert")

    return pages
