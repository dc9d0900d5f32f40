"""Prompts in files: their names, their descriptions, and their texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.rules.prompt_files import name_of, read_prompt


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Fix it.\n", ("", "Fix it.")),
        ("---\ndescription: Fix it\n---\n\nFix $1.\n", ("Fix it", "Fix $1.")),
        ('---\r\nargument-hint: X\r\ndescription: "A: b"\r\n---\r\nDo.', ("A: b", "Do.")),
        ("---\ndescription: never ends\nDo.", ("", "---\ndescription: never ends\nDo.")),
        ("---\n\n---\nDo.\n---\n", ("", "Do.\n---")),
        ("", ("", "")),
    ],
)
def test_a_description_stands_in_the_front_matter(content: str, expected: tuple[str, str]) -> None:
    assert expected == read_prompt(content)


@given(st.text(alphabet="-\n: descriptionD\r'\"", max_size=80))
def test_any_text_is_read(content: str) -> None:
    description, text = read_prompt(content)
    assert "\n" not in description
    assert text == text.strip()


def test_a_name_is_that_of_a_markdown_file() -> None:
    assert "fix-it" == name_of(".codex/prompts/fix-it.md")
    for path in ("a/.md", "a/x.txt", "a/a b.md", "a/x.md\n", "a/" + "x" * 65 + ".md"):
        assert name_of(path) is None
