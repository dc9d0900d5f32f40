"""The prose of an agent: its lists keep their numbers, and stand as deep as they were written."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.watching import module_of, settle

READ = """
async ([modules, text]) => {
  const imported = await Promise.all(modules.map((module) => import(module)));
  const { html, render, Prose } = Object.assign({}, ...imported);
  const place = document.createElement("div");
  render(html`<${Prose} text=${text} />`, place);
  return place.firstElementChild.innerHTML;
}
"""


def read(page: Page, text: str) -> str:
    """Return what the page makes of it."""
    settle(page)
    modules = [module_of(page, name) for name in ("html.js", "components/prose.js")]
    return str(page.evaluate(READ, [modules, text]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("1. a\n2. b", '<ol start="1"><li>a</li><li>b</li></ol>'),
        (
            "1. a\n\n2. b\n\nSo.",
            '<ol start="1"><li>a</li></ol><ol start="2"><li>b</li></ol><p>So.</p>',
        ),
        (
            "1. a\n   goes on\n   - `b`\n2) c",
            '<ol start="1"><li>a\n   goes on<ul><li><code>b</code></li></ul></li><li>c</li></ol>',
        ),
        (
            "- a\n  1. b\n     * c\n- d",
            '<ul><li>a<ol start="1"><li>b<ul><li>c</li></ul></li></ol></li><li>d</li></ul>',
        ),
        ("  - a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("# a\n## b\n- c", '<p class="heading">a</p><p class="heading">b</p><ul><li>c</li></ul>'),
    ],
)
def test_a_list_keeps_its_numbers_and_its_depth(page: Page, text: str, shown: str) -> None:
    assert shown == read(page, text)


def test_what_is_written_without_end_or_bottom_is_shown(page: Page) -> None:
    deep = "\n".join(f"{' ' * depth}- {depth}" for depth in range(1500))
    assert 1500 == read(page, deep).count("<li>")
    assert 1 == read(page, "- a" + "\n  " * 100_000 + "b").count("<li>")
    assert 20_000 == read(page, "# a\n" * 20_000).count("heading")
