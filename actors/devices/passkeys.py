"""Passkeys: a browser's authenticator proves who it is, in place of a token or a code (WebAuthn).

A passkey is one device's. Its public key is stored, and what the authenticator signs is a challenge
of this life of the server, good once and for five minutes: an end and random bytes, with an HMAC,
so that nothing is kept of those that nobody used. The HMAC covers the words of a decision as well,
where it is one that is proved: then it is good for that decision alone, for two minutes. A passkey
is for the one name that the page was opened under; a browser has none for an address in figures,
nor without encryption but on `localhost`. The library is loaded when the first is made or used.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import attrs

from command_center.actors.contracts.passkeys import NewPasskey, PasskeyProof
from command_center.actors.devices.cbor import (
    check_attestation,
    check_authenticator_data,
    read_items,
)
from command_center.actors.rules.errors import Conflict, Invalid, WrongPasskey
from command_center.store import Passkey

CHALLENGE_SECONDS: Final = 300
"""Seconds for which a challenge is good."""

CONFIRM_SECONDS: Final = 120
"""Seconds for which the challenge of a decision is good."""

_END_BYTES: Final = 8
_PROOF_BYTES: Final = 16


def is_installed() -> bool:
    """Return True if the extra `passkeys` is there, without loading it."""
    return find_spec("webauthn") is not None


@attrs.frozen
class MadePasskey:
    """A passkey as its authenticator has told of it."""

    host: str
    credential_id: str
    public_key: str
    sign_count: int


def host_of(origin: str | None) -> str:
    """Return the name that passkeys of a page are for.

    Raises:
        Conflict: a browser has no passkey for that page.
    """
    try:
        parts = urlsplit(origin or "")
    except ValueError:
        parts = urlsplit("")
    name = parts.hostname or ""
    is_local = name == "localhost" or name.endswith(".localhost")
    if not name or _is_figures(name) or not (parts.scheme == "https" or is_local):
        raise Conflict(
            "A browser has passkeys only for a page of https under a name, or of "
            "http://localhost. Open the page so."
        )
    return name


def _is_figures(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


@attrs.define(eq=False)
class Passkeys:
    """The challenges of one life of the server, and what is made of their answers."""

    _key: bytes = attrs.field(factory=lambda: secrets.token_bytes(32), init=False, repr=False)
    _spent: dict[bytes, float] = attrs.field(factory=dict, init=False)

    def challenge(self, words: bytes = b"") -> str:
        """Make a challenge: of the decision with these words, or to sign in."""
        end = (int(time.time()) + seconds_of(words)).to_bytes(_END_BYTES, "big")
        said = end + secrets.token_bytes(16)
        return to_text(said + self._proof(said, words))

    def take(self, client_data: str, words: bytes = b"") -> bytes:
        """Return the challenge that is answered, which is spent from now on.

        It has to be one that was made with the same words. To be called in the loop: between its
        look and its note nothing else may happen.

        Raises:
            Invalid: the browser's words are no base64url.
            WrongPasskey: it is none of ours, has expired, or was answered before.
        """
        said_by_browser = to_bytes("clientData", client_data)
        try:
            told = json.loads(said_by_browser)["challenge"]
            challenge = to_bytes("challenge", told)
        except (ValueError, KeyError, TypeError, RecursionError, Invalid) as error:
            raise WrongPasskey("It answers no challenge.") from error
        said, proof = challenge[:-_PROOF_BYTES], challenge[-_PROOF_BYTES:]
        if not hmac.compare_digest(proof, self._proof(said, words)):
            what = "It answers no challenge of this server's"
            raise WrongPasskey(f"{what} for this decision." if words else f"{what}.")
        now = time.time()
        end = int.from_bytes(said[:_END_BYTES], "big")
        self._spent = {spent: until for spent, until in self._spent.items() if until > now}
        if end <= now or challenge in self._spent:
            raise WrongPasskey("Its challenge has expired, or was answered before.")
        self._spent[challenge] = end
        return challenge

    def read_new(self, wanted: NewPasskey, origin: str | None, challenge: bytes) -> MadePasskey:
        """Return the passkey that a browser has made. To be called in a thread.

        Raises:
            Conflict: a browser has none for that page.
            WrongPasskey: it does not answer the challenge as it has to.
        """
        from webauthn import verify_registration_response  # noqa: PLC0415 - only who makes one needs it
        from webauthn.helpers import (  # noqa: PLC0415 - the same
            decode_credential_public_key,
            decoded_public_key_to_cryptography,
        )
        from webauthn.helpers.structs import (  # noqa: PLC0415 - the same
            AuthenticatorAttestationResponse,
            RegistrationCredential,
        )

        host = host_of(origin)
        client_data = to_bytes("clientData", wanted.client_data)
        attestation = to_bytes("attestation", wanted.attestation)
        # Its name is in the attestation, too, and there it is signed for.
        credential = RegistrationCredential(
            id="",
            raw_id=b"",
            response=AuthenticatorAttestationResponse(client_data, attestation),
        )
        with _refused():
            check_attestation(attestation)
            found = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=host,
                expected_origin=origin or "",
                require_user_verification=True,
            )
            key = decode_credential_public_key(found.credential_public_key)
            decoded_public_key_to_cryptography(key)  # what is none would be found at the sign-in
        return MadePasskey(
            host,
            to_text(found.credential_id),
            to_text(found.credential_public_key),
            found.sign_count,
        )

    def read_proof(
        self, proof: PasskeyProof, origin: str | None, challenge: bytes, known: Passkey
    ) -> int:
        """Return how often a passkey has signed by now. To be called in a thread.

        Raises:
            Conflict: a browser has none for that page.
            WrongPasskey: it is not that passkey's proof, or does not answer the challenge.
        """
        from webauthn import verify_authentication_response  # noqa: PLC0415 - only who uses one needs it
        from webauthn.helpers.structs import (  # noqa: PLC0415 - the same
            AuthenticationCredential,
            AuthenticatorAssertionResponse,
        )

        host_of(origin)
        client_data = to_bytes("clientData", proof.client_data)
        data = to_bytes("authenticatorData", proof.authenticator_data)
        public_key = to_bytes("id", known.public_key)
        credential = AuthenticationCredential(
            id=known.credential_id,
            raw_id=to_bytes("id", known.credential_id),
            response=AuthenticatorAssertionResponse(
                client_data, data, to_bytes("signature", proof.signature)
            ),
        )
        with _refused():
            check_authenticator_data(data)
            read_items(public_key)
            return verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=known.host,
                expected_origin=origin or "",
                credential_public_key=public_key,
                credential_current_sign_count=known.sign_count,
                require_user_verification=True,
            ).new_sign_count

    def _proof(self, said: bytes, words: bytes) -> bytes:
        of_what = hashlib.sha256(words).digest()
        return hmac.new(self._key, of_what + said, hashlib.sha256).digest()[:_PROOF_BYTES]


def seconds_of(words: bytes) -> int:
    """Return for how many seconds a challenge with these words is good."""
    return CONFIRM_SECONDS if words else CHALLENGE_SECONDS


@contextmanager
def _refused() -> Iterator[None]:
    """Refuse what cannot be read; the library raises whatever a step of its own comes upon."""
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 - only who makes or uses one needs it

    try:
        yield
    except (WebAuthnException, ValueError) as error:
        raise WrongPasskey(str(error)) from error
    except Exception as error:  # a malformed key is a KeyError, or another
        raise WrongPasskey("It is malformed.") from error


def to_text(value: bytes) -> str:
    """Write bytes in base64url, without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def to_bytes(field: str, text: str) -> bytes:
    """Read base64url without padding.

    Raises:
        Invalid: it is none.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError as error:
        raise Invalid.field(field, "Expected base64url without padding.") from error
