"""The prose of an agent: Markdown is formatted, and nothing in it does anything but be read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.watching import module_of, settle

READ = """
async ([modules, text, place]) => {
  const imported = await Promise.all(modules.map((module) => import(module)));
  const { html, render, elements } = Object.assign({}, ...imported);
  const shown = document.createElement("div");
  const begun = performance.now();
  const made = elements(text, place, false);
  const seconds = (performance.now() - begun) / 1000;
  render(made ? html`<div>${made}</div>` : null, shown);
  await new Promise((resolve) => setTimeout(resolve));
  return [shown.innerHTML, made !== null, seconds];
}
"""
PLACE = {"of": "sessions", "id": 7, "cwd": "/w/project"}
FILES = "#/sessions/7/files"


def told(page: Page, text: str) -> tuple[str, bool, float]:
    """Return what the page makes of it, whether it formats it at all, and the seconds it took."""
    settle(page)
    modules = [module_of(page, name) for name in ("html.js", "components/markdown.js")]
    shown, is_formatted, seconds = page.evaluate(READ, [modules, text, PLACE])
    return str(shown), bool(is_formatted), float(seconds)


def read(page: Page, text: str) -> str:
    """Return what the page makes of it, but for the element around it."""
    return told(page, text)[0].removeprefix("<div>").removesuffix("</div>")


def leads(to: str, text: str) -> str:
    return f'<p><a href="{FILES}?{to}">{text}</a></p>'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        (
            "1. a\n   goes on\n   - `b`\n2. c",
            '<ol start="1"><li>a\ngoes on<ul><li><code>b</code></li></ul></li><li>c</li></ol>',
        ),
        (
            "- a\n  1. b\n     * c\n- d",
            '<ul><li>a<ol start="1"><li>b<ul><li>c</li></ul></li></ol></li><li>d</li></ul>',
        ),
        (
            "- [x] a\n- [ ] b",
            (
                '<ul><li><span role="img" aria-label="Done">☑ </span>a</li>'
                '<li><span role="img" aria-label="Not done">☐ </span>b</li></ul>'
            ),
        ),
        ("~~gone~~ **b** *e*", "<p><s>gone</s> <strong>b</strong> <em>e</em></p>"),
        ("> a\n\nb", "<blockquote><p>a</p></blockquote><p>b</p>"),
        ("[x](src/a.py:12)", leads("path=src%2Fa.py&amp;line=12", "x")),
        ("[x](/w/project/a.py#L9-L12)", leads("path=a.py&amp;line=9", "x")),
        ("[x](<my file.py>)", leads("path=my+file.py", "x")),
        ("[x](my%20file.py)", leads("path=my+file.py", "x")),
        ("`src/a.py:3`", leads("path=src%2Fa.py&amp;line=3", "<code>src/a.py:3</code>")),
        ("at `12:30`, `std::x`", "<p>at <code>12:30</code>, <code>std::x</code></p>"),
        ("[x](/etc/passwd:1)", "<p>x</p>"),
        ("[x](javascript:alert(1))", "<p>x</p>"),
        ("[x](data:text/html,a)", "<p>x</p>"),
        ("[x](//evil.example/a)", "<p>x</p>"),
        ("[x](#/runtime)", "<p>x</p>"),
        (
            "![a](https://a.example/b)",
            (
                '<p><a href="https://a.example/b" target="_blank" rel="noreferrer noopener" '
                'title="https://a.example/b">a</a></p>'
            ),
        ),
        ("app.py and a@b.c", "<p>app.py and a@b.c</p>"),
        ("<b onclick=x>&amp;</b>", "<p>&lt;b onclick=x&gt;&amp;&lt;/b&gt;</p>"),
    ],
)
def test_markdown_is_shown_as_agents_mean_it(page: Page, text: str, shown: str) -> None:
    assert shown == read(page, text)


def test_a_table_a_bare_link_and_a_picture_of_it(page: Page) -> None:
    shown = read(page, "| a | b |\n|:-|-:|\n| 1 | https://a.example/x |\n")
    assert '<th scope="col" data-align="left">a</th>' in shown
    assert '<td data-align="right"><a href="https://a.example/x" target="_blank"' in shown


def test_code_has_colours_and_can_be_copied(page: Page) -> None:
    settle(page)
    modules = [module_of(page, name) for name in ("html.js", "components/markdown.js")]
    place = "document.querySelector('main').appendChild(document.createElement('div'))"
    draw = READ.replace('document.createElement("div")', place)
    page.evaluate(draw, [modules, "```python\ndef f(): pass\n```", PLACE])
    code = page.locator("main > div .code").last
    code.locator(".hl-keyword").first.wait_for()
    assert "def f(): pass" == code.locator("pre").inner_text()
    assert 1 == code.get_by_role("button", name="Copy").count()


HOSTILE = ("*a", "[", "![[]()", "a|", "> a\n", "- a\n1. b\n", "http://a.b ", "`a", "<a ", "~~a")
"""Beginnings without an end, on which parsers of Markdown are known to take the square of time."""


def test_hostile_text_takes_no_more_than_its_length(page: Page) -> None:
    for part in HOSTILE:
        text = (part * 12_000)[:12_000]
        _, is_formatted, seconds = told(page, text)
        assert is_formatted, part
        assert seconds < 8, part


def test_what_is_too_long_or_too_deep_is_left_as_it_is_written(page: Page) -> None:
    assert not told(page, "a\n" * 2_000_000)[1]
    deep = "\n".join(f"{'  ' * depth}- {depth}" for depth in range(80))
    assert not told(page, deep)[1]
    assert not told(page, ">" * 5_000)[1]
