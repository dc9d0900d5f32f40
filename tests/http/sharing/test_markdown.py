"""Blocks as Markdown: what others said keeps its place, and can load or command nothing."""

from __future__ import annotations

import re
from html import unescape

import pytest
from markdown_it import MarkdownIt

from command_center.http.sharing.blocks import Caption, Facts, Listing, OwnRemark, Words
from command_center.http.sharing.markdown import written

IMAGE = "![seen](http://127.0.0.1/pixel)"
TAG = "<img src=http://127.0.0.1/pixel>"


def test_our_own_words_say_to_the_letter_what_they_say() -> None:
    assert "# A \\<b\\> \\*c\\*\n\n" == written(Caption(1, "A <b> *c*"))
    assert "- **Branch:** a\\_b\n\n" == written(Facts((("Branch", "a_b"),)))
    assert "*It ends \\<here\\>*\n\n" == written(OwnRemark("It ends <here>"))


def test_a_fence_is_longer_than_any_in_the_text() -> None:
    told = written(Listing("$ cat x", "```\n<b>\n````", "console", "Exit code 1."))
    assert "`````console\n$ cat x\n```\n<b>\n````\n`````\n\n*Exit code 1.*\n\n" == told


def test_what_was_said_is_quoted_and_stays_markdown() -> None:
    said = "# Done\n\nUse `List<int>`:\n\n```rust\nlet a: Vec<u8>;\n```"
    quoted = "> # Done\n>\n> Use `List<int>`:\n>\n> ```rust\n> let a: Vec<u8>;\n> ```\n"
    assert f"**Codex**\n\n{quoted}\n" == written(Words("Codex", said))


@pytest.mark.parametrize(
    "said",
    [
        f"{TAG} {IMAGE}",
        f"`a` {TAG} {IMAGE}",
        f"a ` b\n{TAG} ` {IMAGE}",
        f"``a` {TAG} {IMAGE}",
        f"\\`{TAG}{IMAGE}`",
        f"| `a | {TAG}` | {IMAGE}`",
        f"- ```\n  ```\n{TAG} {IMAGE}",
        f" ```\nx\n```\n{TAG} {IMAGE}",
        f"```x``` y\n{TAG} {IMAGE}",
        f"~~~\n```\n~~~\n{TAG} {IMAGE}\n~~~",
        f"```\na\n````\n{TAG} {IMAGE}",
    ],
)
def test_no_markup_and_no_picture_is_left_however_it_is_hidden(said: str) -> None:
    told = written(Words("Codex", said))
    assert "<img" not in told
    assert "![" not in told
    assert "&lt;img src=" in told


def test_a_fence_that_is_left_open_ends_with_its_message() -> None:
    assert written(Words("Codex", "```\nx")).endswith("> ```\n> x\n> ```\n\n")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "javascript\\:alert(1)",
        "javascript&colon;alert(1)",
        "&#106;avascript:alert(1)",
        "java&Tab;script:alert(1)",
        "vbscript:a",
        "data:text/html,x",
        "data:,x",
        "data:;base64,eA==",
    ],
)
def test_no_link_is_left_that_runs_a_script(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = f"[a]({address}) [b]\n\n[c](\n{address})\n\n[b]: {address}\n[b]:\n{address}"
    shown = MarkdownIt("commonmark")
    monkeypatch.setattr(shown, "validateLink", lambda _url: True)
    led = re.findall('href="([^"]*)"', shown.render(written(Words("Codex", said))))
    assert [] == [one for one in led if re.match(r"(?i)\s*(java|vb)?script:|data:", unescape(one))]
    assert re.findall("href", shown.render(said))  # else the renderer makes no link of it anyway


CALLS = re.compile(r"(?<!\w)([@!#]\w|gh-\d)", re.IGNORECASE)
"""Calls that a forge finds in the text that is shown, outside code and links."""


@pytest.mark.parametrize(
    "said",
    [
        "@octo/team and @octocat: Fixes #12, fixes octo/cat#12, !7, GH-5",
        "\\@octocat &#64;octocat &commat;octocat \\#12",
        "(@octocat) **@octocat** [x](https://a.example/)@octocat",
        "https://_/@octocat http://a/@octocat x:https://a.example/@octocat",
        "| @octocat | #12 |",
        "`a` @octocat `b",
    ],
)
def test_nobody_is_called_and_no_issue_is_named_where_it_is_pasted(said: str) -> None:
    shown = MarkdownIt("commonmark")
    for block in (Words("Codex", said), Caption(1, said), Facts((("Title", said),))):
        text = unescape(re.sub("<[^>]*>", "", shown.render(written(block))))
        assert [] == [*CALLS.finditer(text)], text
    assert [*CALLS.finditer(unescape(said))]


def test_addresses_and_code_keep_their_signs() -> None:
    said = "https://a.example/@b/c#d `@octocat #12` a@b.example x#y"
    assert f"> {said}\n" in written(Words("Codex", said))


def test_what_is_no_such_link_stays_as_it_was() -> None:
    said = "The data: 1 & 2. [a](https://b/?c=1&d=2) `javascript:x`"
    assert f"> {said}\n" in written(Words("Codex", said))
