"""What an agent writes: its lists keep their numbers, and stand as deep as they were written."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.watching import settle
from tests.end_to_end.server import Server

READ = """
async (text) => {
  const { html, render } = await import("/web/html.js");
  const { Prose } = await import("/web/components/prose.js");
  const place = document.createElement("div");
  render(html`<${Prose} text=${text} />`, place);
  return place.firstElementChild.innerHTML;
}
"""


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
def test_a_list_keeps_its_numbers_and_its_depth(
    filled_server: Server, open_page: OpenPage, text: str, shown: str
) -> None:
    page = open_page(filled_server.url).page
    settle(page)
    assert shown == page.evaluate(READ, text)


def test_what_is_written_without_end_or_bottom_is_shown(
    filled_server: Server, open_page: OpenPage
) -> None:
    page = open_page(filled_server.url).page
    settle(page)
    deep = "\n".join(f"{' ' * depth}- {depth}" for depth in range(1500))
    assert 1500 == page.evaluate(READ, deep).count("<li>")
    assert 1 == page.evaluate(READ, "- a" + "\n  " * 100_000 + "b").count("<li>")
    assert 20_000 == page.evaluate(READ, "# a\n" * 20_000).count("heading")
