"""Blocks as Markdown (CommonMark, as GitHub shows it).

What people and agents said is Markdown of their own, in a quotation. In there no markup of HTML, no
link that runs a script and no picture is left: a picture would tell its server who reads. Nobody is
mentioned (`@name`) and no issue is named (`#12`): pasted on a forge, these would call people, and
close what they name. A character without width stands behind the sign; no escape of Markdown is
enough, since forges look at the text that comes of it. Code may
have such letters, but only where every program agrees on what is code; where that is in doubt, they
are spelled out there, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from command_center.http.sharing.blocks import Block, Caption, Facts, Listing, OwnRemark, Words

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>#!|~&])")
_FENCE: Final = re.compile(r"(`{3,}|~{3,})([^`~]*)")
_SPAN: Final = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_ENTITY: Final = re.compile(r"&(?=#?\w+;)")
_RUNS: Final = re.compile(r"(javascript|vbscript|data(?=\\?:[\w.+-]*[/,;]))(?=\\?:)", re.IGNORECASE)
_CALL: Final = re.compile(
    r"(?P<address>(?<![^\s(])https?://[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+[\w./?&=%+:,;@#!-]*)"
    r"|(?<!\w)(?P<sign>\\?[@#!])(?=\w)|\b(?P<old>gh-)(?=\d)",
    re.IGNORECASE,
)
"""Signs of which forges make a call: `@name`, `#12`, `!12`, `GH-12`; but not within an address."""
_BREAK: Final = "&#8203;"
_TICKS: Final = re.compile(r"`+")


def head() -> str:
    """Return what stands before all blocks: nothing."""
    return ""


def tail() -> str:
    """Return what stands after all blocks: nothing."""
    return ""


def written(block: Block) -> str:
    """Return a block as Markdown, an empty line after it."""
    match block:
        case Caption(level, text):
            return f"{'#' * level} {_spelled(text)}\n\n"
        case Facts(facts):
            return "".join(f"- **{name}:** {_spelled(value)}\n" for name, value in facts) + "\n"
        case Words(who, text):
            lines = _harmless(text.strip("\n")).split("\n")
            quoted = "".join(f"> {line}\n" if line.strip() else ">\n" for line in lines)
            return f"**{_spelled(who)}**\n\n{quoted}\n"
        case Listing():
            return _listing(block)
        case OwnRemark(text):
            return f"*{_spelled(text)}*\n\n"


def _listing(block: Listing) -> str:
    is_command = block.language == "console"
    text = f"{block.title}\n{block.text}" if is_command else block.text
    longest = max(map(len, _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    title = "" if is_command else f"**{_spelled(block.title)}**\n\n"
    end = "" if text.endswith("\n") or not text else "\n"
    note = f"*{_spelled(block.note)}*\n\n" if block.note else ""
    return f"{title}{fence}{block.language}\n{text}{end}{fence}\n\n{note}"


def _spelled(text: str) -> str:
    """Return a line that says to the letter what it says."""
    return _uncalled(_SPECIAL.sub(r"\\\1", text))


def _uncalled(text: str) -> str:
    """Return Markdown that calls nobody, and names no issue, where a forge shows it."""
    return _CALL.sub(lambda it: it["address"] or f"{it['sign'] or it['old']}{_BREAK}", text)


def _harmless(text: str) -> str:
    """Return foreign Markdown without HTML and pictures."""
    if any(
        not _FENCE.fullmatch(line) for line in text.split("\n") if "```" in line or "~~~" in line
    ):
        return _disarmed(text)
    return "\n".join(_parts(text))


def _parts(text: str) -> Iterator[str]:
    """Yield what stands between fences at the beginning of lines, and what they close in."""
    fence, lines = "", list[str]()
    for line in text.split("\n"):
        found = _FENCE.fullmatch(line)
        ends = bool(fence and found and not found[2].strip() and found[1].startswith(fence))
        if found and not fence:
            yield from _prose(lines)
            fence, lines = found[1], [line]
        elif ends:
            yield "\n".join([*lines, line])
            fence, lines = "", []
        else:
            lines.append(line)
    yield from ["\n".join([*lines, fence])] if fence else _prose(lines)


def _prose(lines: list[str]) -> Iterator[str]:
    if not lines:
        return
    text = "\n".join(lines)
    # A line in which a backtick is left over may begin a span that ends in another one.
    if "\\`" in text or any("`" in _SPAN.sub("", line) for line in lines):
        yield _disarmed(text)
        return
    yield "\n".join(_line(line) for line in lines)


def _line(line: str) -> str:
    if "|" in line:  # it may be of a table, whose cells end within a span, too
        return _disarmed(line)
    end, parts = 0, list[str]()
    for span in _SPAN.finditer(line):
        parts += [_disarmed(line[end : span.start()]), span[0]]
        end = span.end()
    return "".join([*parts, _disarmed(line[end:])])


def _disarmed(text: str) -> str:
    """Return prose in which nothing is HTML, a picture, or an address that runs.

    An address is one also where its letters are spelled as entities, but not with a space in it.
    """
    text = _RUNS.sub(r"\1 ", _ENTITY.sub("&amp;", text))
    return _uncalled(text).replace("<", "&lt;").replace("![", "&#33;[")
