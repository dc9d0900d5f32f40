"""RFC 8291's own example, and what a browser reads of what we encrypt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.webpush.encryption import (
    LONGEST,
    RECORD_SIZE,
    application_server_key,
    encrypt,
    from_base64url,
    private_key_from,
    public_key_from,
    signature,
    to_base64url,
)
from command_center.actors.webpush.settings import make_key
from tests.push_service import G, Keys, b64, encoded, is_signed, times, unb64

EXAMPLE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6T"
    "lzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4"
    "a-fN"
)
"""RFC 8291, section 5."""

WATERMELON = b"When I grow up, I want to be a watermelon"


def test_the_example_of_the_rfc_is_encrypted_to_the_byte() -> None:
    body = encrypt(
        WATERMELON,
        p256dh="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth="BTBZMqHH6r4Tts7J_aSIgg",
        private=private_key_from(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")),
        salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert EXAMPLE == b64(body)


def test_the_browser_of_the_example_reads_it_by_means_of_its_own() -> None:
    keys = Keys(
        int.from_bytes(unb64("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")),
        unb64("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    assert WATERMELON == keys.read(unb64(EXAMPLE))


@given(message=st.binary(max_size=LONGEST))
def test_a_browser_reads_whatever_is_encrypted_for_it(message: bytes) -> None:
    body = encrypt(message, **SHOWN)
    assert len(body) <= RECORD_SIZE
    assert message == KEYS.read(body)


KEYS = Keys()
SHOWN: Any = KEYS.shown


def test_no_two_messages_have_the_same_salt_or_key() -> None:
    assert 2 == len({encrypt(b"a", **SHOWN)[:86] for _ in range(2)})


def test_what_no_push_service_has_to_take_is_not_made() -> None:
    with pytest.raises(ValueError, match="3994 bytes"):
        encrypt(b"a" * (LONGEST + 1), **SHOWN)


def test_what_is_no_point_of_the_curve_is_no_key() -> None:
    with pytest.raises(ValueError, match=r".*"):
        public_key_from("B" + "A" * 86)


def test_a_signature_is_verified_by_the_key_that_browsers_subscribe_with() -> None:
    key = make_key()
    said = signature(key, audience="https://push.example", contact="mailto:a@b.c", now=1000.5)
    scheme, _, rest = said.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    shown = application_server_key(key)
    assert ("vapid", shown) == (scheme, parts["k"])
    assert b64(encoded(times(int.from_bytes(key), G))) == shown
    assert is_signed(parts["t"], shown)
    assert not is_signed(parts["t"], application_server_key(make_key()))
    head, claims, _ = (part + "==" for part in parts["t"].split("."))
    assert {"typ": "JWT", "alg": "ES256"} == json.loads(unb64(head.rstrip("=")))
    wanted = {"aud": "https://push.example", "exp": 1000 + 12 * 3600, "sub": "mailto:a@b.c"}
    assert wanted == json.loads(unb64(claims.rstrip("=")))


@given(data=st.binary())
def test_base64url_is_read_with_and_without_padding(data: bytes) -> None:
    text = to_base64url(data)
    assert data == from_base64url(text) == from_base64url(text + "=" * (-len(text) % 4))
