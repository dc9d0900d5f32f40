"""Markdown, made HTML: what a page says, its headings, and its parts for the search.

Pages hold no HTML of their own. An anchor is the heading in small letters, as where the source is
read. Links to pages lead to their addresses; what lies outside the folder is in the source alone,
so that such a link is shown as words.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

import attrs
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from command_center.http.documentation.contents import address_of, names

_NOT_IN_ANCHORS: Final = re.compile(r"[^\w\- ]")


@attrs.frozen
class Heading:
    """A heading of a page, by the anchor that leads to it."""

    level: int
    text: str
    anchor: str


@attrs.frozen
class Part:
    """A heading and the words below it, up to the next one."""

    heading: Heading
    words: str


@attrs.frozen
class RenderedPage:
    """A page as it is shown."""

    name: str
    html: str
    parts: tuple[Part, ...]

    @property
    def title(self) -> str:
        """Return its first heading."""
        return self.parts[0].heading.text

    @property
    def headings(self) -> tuple[Heading, ...]:
        """Return those that a list of its contents has."""
        return tuple(part.heading for part in self.parts if part.heading.level == 2)  # noqa: PLR2004 - the parts of a page


def page_of(name: str, text: str) -> RenderedPage:
    """Render a page; its name is its path in the folder."""
    parser, tokens = _parser(), _parsed(text)
    for token in tokens:
        for child in token.children or ():
            if child.type in {"link_open", "image"}:
                _lead(child, name)
    shown = parser.renderer.render(tokens, parser.options, {})
    return RenderedPage(name, shown, tuple(_parts(tokens)))


def parts_of(text: str) -> tuple[Part, ...]:
    """Return the parts of a page, without rendering it."""
    return tuple(_parts(_parsed(text)))


def _parsed(text: str) -> Sequence[Token]:
    tokens = _parser().parse(text)
    taken: dict[str, int] = {}
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor_of(plain(tokens[at + 1]), taken))
    return tokens


def plain(inline: Token) -> str:
    """Return the words of a line."""
    return "".join(
        " " if child.type == "softbreak" else child.content for child in inline.children or ()
    )


def _anchor_of(text: str, taken: dict[str, int]) -> str:
    anchor = _NOT_IN_ANCHORS.sub("", text.lower()).replace(" ", "-")
    before = taken.get(anchor, 0)
    taken[anchor] = before + 1
    return f"{anchor}-{before}" if before else anchor


def _lead(token: Token, name: str) -> None:
    """Have a link lead to where the site has its target."""
    attribute = "src" if token.type == "image" else "href"
    target, hash_sign, anchor = str(token.attrGet(attribute) or "").partition("#")
    if "://" in target:
        token.attrSet("rel", "noreferrer")
        return
    within = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    if target and within.startswith("../"):
        token.meta["outside"] = True
    elif within in names():
        here = posixpath.dirname(name) or "."
        address = posixpath.relpath(address_of(within), here) if target else ""
        token.attrSet(attribute, f"{address}{hash_sign}{anchor}")


def _parts(tokens: Sequence[Token]) -> Iterator[Part]:
    heading: Heading | None = None
    words: list[str] = []
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            if heading is not None:
                yield Part(heading, " ".join(words))
            text, anchor = plain(tokens[at + 1]), str(token.attrGet("id"))
            heading, words = Heading(int(token.tag[1]), text, anchor), []
        elif token.type in {"code_block", "fence"}:
            words.append(token.content)
        elif token.type == "inline" and tokens[at - 1].type != "heading_open":
            words.append(plain(token))
    if heading is not None:
        yield Part(heading, " ".join(words))


class _Renderer(RendererHTML):
    """HTML that a keyboard can scroll, with a link at each heading."""

    def heading_close(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        """End a heading with a link to itself."""
        anchor, tag = tokens[at - 2].attrGet("id"), tokens[at].tag
        return (
            f'<a class="anchor" href="#{anchor}" aria-hidden="true" tabindex="-1">#</a></{tag}>\n'
        )

    def table_open(self, *_: Any) -> str:
        """Let a table be wider than the screen."""
        return '<div class="scroll" tabindex="0" role="group" aria-label="Table">\n<table>\n'

    def table_close(self, *_: Any) -> str:
        """End what scrolls."""
        return "</table>\n</div>\n"

    def code_block(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        """Let lines be longer than the screen."""
        text = super().code_block(tokens, at, options, env)
        return text.replace("<pre>", '<pre tabindex="0">', 1)

    def fence(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        """Let lines be longer than the screen."""
        text = super().fence(tokens, at, options, env)
        return text.replace("<pre>", '<pre tabindex="0">', 1)

    def link_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        """Begin a link, or words where its target is in the source alone."""
        if tokens[at].meta.get("outside"):
            return '<span class="outside">'
        return self.renderToken(tokens, at, options, env)

    def link_close(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        """End what was begun."""
        begun = next(token for token in reversed(tokens[:at]) if token.type == "link_open")
        return "</span>" if begun.meta.get("outside") else "</a>"

    def image(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        """Load a picture when it comes into view."""
        tokens[at].attrSet("loading", "lazy")
        return super().image(tokens, at, options, env)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")
