"""A text in pieces, cut anywhere: no part of a secret is shown, and nothing else is lost."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.store.redaction.redact import REDACTED, redact
from command_center.store.redaction.streamed import StreamedText
from tests.store.redaction.test_redact import SECRETS


def shown(pieces: Iterable[str], secrets: tuple[str, ...] = ()) -> str:
    """All that is shown of a text."""
    text = StreamedText(secrets)
    return "".join([*map(text.add, pieces), text.end()])


def cut(text: str, places: Iterable[int]) -> list[str]:
    """The text in pieces."""
    ends = [*sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


places = st.lists(st.integers(0, 10_000), max_size=30)
prose = st.lists(
    st.sampled_from(
        [
            *("The", "server", "answers.", "It", "is", "well:", "so", "they", "say", "(all", "of"),
            *(
                "them).",
                "\n",
                "\n\n",
                "x = f(a, b)",
                "0a1b2c3d",
                "don't",
                "`ls -la`",
                "src/a.py:12",
            ),
            *(
                "https://example.org/a",
                "é",
                "\N{SNOWMAN}",
                "-" * 60,
                "3f1d7c4e9a0b1c2d3e4f5a6b7c8d",
            ),
            "lorem " * 300,
        ]
    ),
    max_size=12,
).map(" ".join)


@given(prose, places)
def test_what_is_no_secret_is_shown_as_it_is(text: str, places: list[int]) -> None:
    assert text == shown(cut(text, places))


NAMED = [
    ("Authorization: Bearer ", "abcdef0123456789xyz"),
    ("password: ", "hunter2hunter"),
    ('{"apiKey": "', "two words1"),
    ("export FOO_TOKEN=", "abcdefgh1"),
    ("postgres://bob:", "hunter2pw", "@host"),
    ("curl -u bob:", "hunter2pw"),
    ("--token ", "abcdefgh1"),
    ("machine h\n  login bob\n  password ", "hunter2pw"),
    ("<password>", "hunter2pw", "</password>"),
    ("-----BEGIN EC PRIVATE KEY-----\n", "b3BlbnNz\nZXktdjEA", "\n-----END EC PRIVATE KEY-----"),
    ('{"auth": "', "Ym9iOnB3MTI=", '"}'),
]


@given(
    before=prose,
    after=prose,
    found=st.sampled_from([*NAMED, *(("", SECRETS[kind]) for kind in SECRETS if kind != "pem")]),
    places=places,
)
def test_a_secret_is_not_shown_however_it_is_cut(
    before: str, after: str, found: tuple[str, ...], places: list[int]
) -> None:
    name, secret, *rest = found
    text = f"{before}\n{name}{secret}{''.join(rest)}\n{after}"
    clean = shown(cut(text, places))
    assert REDACTED in clean
    for start in range(4, len(secret) - 6):
        part = secret[start : start + 6]
        assert part in name or part in before or part in after or part not in clean
    assert clean.endswith(f"\n{after}")


@given(prose, places)
def test_a_named_secret_is_not_shown_however_it_is_cut(text: str, places: list[int]) -> None:
    secret = "of-this-installation"
    clean = shown(cut(f"{text} {secret} {text}", places), (secret,))
    assert clean in {f"{text} {secret[:plain]}{REDACTED} {text}" for plain in (0, 1, 2)}


def test_prose_flows_word_by_word() -> None:
    text = StreamedText()
    for word in ("The", " server", " answers", ".", " So", " be", " it", ".\n"):
        assert word == text.add(word)


def test_what_may_be_half_a_secret_waits_for_its_end() -> None:
    text = StreamedText()
    assert "Use " == text.add("Use ghp_abcdefghijkl")
    assert "" == text.add("mnopqrstuvwxyz01234")
    assert f"{REDACTED} now" == text.add("56789 now")
    assert " " == text.add(" 0a1b")
    assert "0a1b" == text.end()


def test_a_block_of_a_key_stays_closed_however_long_it_is() -> None:
    lines = [f"{number:04}" * 16 for number in range(1000)]
    text = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", "Done."])
    clean = shown(text[start : start + 50] for start in range(0, len(text), 50))
    assert clean.endswith(f"{REDACTED}\nDone.")
    assert len(clean) < 60


@pytest.mark.parametrize("piece", ["a", "a ", "token=", "\n", "-----BEGIN PRIVATE KEY-----\n"])
def test_what_is_kept_does_not_grow(piece: str) -> None:
    text = StreamedText()
    for _ in range(1500):
        text.add(piece * 10)
    assert len(text._text) < 10_000


def test_each_piece_is_redacted_as_a_whole_text_is() -> None:
    text = "git log\nx: token=abc123def\nexport A_KEY=abc123def456ghi x\n"
    assert redact(text) == shown(text.splitlines(keepends=True))
