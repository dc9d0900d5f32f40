"""The calls and shapes of the client are those of the API as it is."""

from __future__ import annotations

from tests.http.python_client import FOLDER, files


def test_the_calls_and_shapes_are_made_from_the_documents_as_they_are() -> None:
    """`uv run python -m tests.http.python_client` makes them anew."""
    for name, made in files():
        assert made == (FOLDER / name).read_text(encoding="utf-8"), name
