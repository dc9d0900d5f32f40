"""Fields of prompts: what a delivery says is quoted, and the prompt's own braces can be kept."""

from __future__ import annotations

from command_center.actors.rules.prompt_fields import LONGEST, LONGEST_OF_ALL, filled


def test_a_field_after_a_backslash_is_left_as_it_is_written() -> None:
    assert r"Set {{ name }}." == filled(r"Set \{{ name }}.", {"name": "x"})
    asked, _, quoted = filled(r"Set \{{ a }} to {{a}}.", {"a": "x"}).partition("\n\n")
    assert "Set {{ a }} to [a]." == asked
    assert quoted.endswith("[a]:\n> x")


def test_what_names_no_field_is_left_as_it_is_written() -> None:
    for prompt in ("{{ .Values.name }}", "{{#if a}}", "{{ a | upper }}", r"\{{ .b }}"):
        assert prompt == filled(prompt, {"a": "x"})


def test_what_is_cut_off_is_told() -> None:
    whole, cut = "y" * LONGEST, "z" * (LONGEST + 1)
    told = filled("{{whole}} {{cut}}", {"whole": whole, "cut": cut})
    assert f"[whole]:\n> {whole}\n\n" in told
    assert told.endswith(f"[cut], the first {LONGEST} of {LONGEST + 1} characters:\n> {cut[1:]}")
    many = LONGEST_OF_ALL // LONGEST
    fields = {f"f{n}": whole for n in range(many + 1)}
    told = filled(" ".join(f"{{{{{name}}}}}" for name in fields), fields)
    assert told.endswith(f"[f{many}], the first 0 of {LONGEST} characters:\n>")
