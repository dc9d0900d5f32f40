"""Blocks as a page of HTML that stands alone: no script, nothing that is loaded, in light and dark.

All words are escaped. The page's own policy lets its style sheet in, by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from html import escape
from typing import Final

from command_center.http.sharing.blocks import Block, Caption, Facts, Listing, OwnRemark, Words

STYLE: Final = """
:root { color-scheme: light dark; --ground: #f6f7f9; --paper: #fff; --line: #dfe2e8;
  --text: #181b21; --soft: #565d6b; --add: #e3f6ea; --del: #fdeaea; --bad: #c4282d; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #12151b; --paper: #191d25; --line: #323846; --text: #e8eaf0;
    --soft: #a3abba; --add: #143524; --del: #421d20; --bad: #ff8a8a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .75rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt, .who, .note { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: .75rem 1rem; margin: .75rem 0; }
.asked { border-left: 4px solid var(--soft); }
.who { font-size: .85rem; margin: 0 0 .25rem; }
.words { white-space: pre-wrap; overflow-wrap: anywhere; }
.note { font-size: .9rem; margin: .5rem 0; overflow-wrap: anywhere; }
pre { margin: .5rem 0 0; overflow-x: auto; max-height: 70vh; font-size: .8125rem; line-height: 1.45;
  font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; tab-size: 4; }
summary { cursor: pointer; }
summary, .command { overflow-wrap: anywhere; white-space: pre-wrap; padding: .35rem 0; margin: 0;
  font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace;
  font-size: .875rem; }
.bad { color: var(--bad); }
ins { background: var(--add); text-decoration: none; }
del { background: var(--del); text-decoration: none; }
@media print { pre { max-height: none; white-space: pre-wrap; } }
"""

_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
)
"""The page may have its own style, and do nothing else."""

_FENCED: Final = re.compile(
    r"^(```+|~~~+)[^\n`]*\n(.*?)(?:^\1[`~]*[ \t]*$\n?|\Z)", re.MULTILINE | re.DOTALL
)


def head() -> str:
    """Return what stands before all blocks."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>A session of Codex</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
    )


def tail() -> str:
    """Return what stands after all blocks."""
    return "</main>\n</body>\n</html>\n"


def written(block: Block) -> str:
    """Return a block as HTML."""
    match block:
        case Caption(level, text):
            return f"<h{level}>{escape(text)}</h{level}>\n"
        case Facts(facts):
            rows = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in facts)
            return f"<dl>\n{''.join(rows)}</dl>\n"
        case Words(who, text):
            kind = ' class="asked"' if who == "Asked" else ""
            words = "".join(_words(text.strip("\n")))
            return f'<section{kind}>\n<p class="who">{escape(who)}</p>\n{words}</section>\n'
        case Listing():
            return _listing(block)
        case OwnRemark(text):
            return f'<p class="note">{escape(text)}</p>\n'


def _words(text: str) -> Iterator[str]:
    """Yield the words as they are, and what stands between fences as code."""
    end = 0
    for code in _FENCED.finditer(text):
        yield _paragraph(text[end : code.start()])
        yield f"<pre>{_lines(code[2])}</pre>\n"
        end = code.end()
    yield _paragraph(text[end:])


def _paragraph(text: str) -> str:
    text = text.strip("\n")
    return f'<div class="words">{escape(text)}</div>\n' if text.strip() else ""


def _listing(block: Listing) -> str:
    text = _diff(block.text) if block.language == "diff" else _lines(block.text)
    body = f"<pre>{text}</pre>\n" if text else ""
    kind = " bad" if block.language == "console" else ""
    note = f'<p class="note{kind}">{escape(block.note)}</p>\n' if block.note else ""
    if not body:
        return f'<section>\n<p class="command">{escape(block.title)}</p>\n{note}</section>\n'
    details = "<details open>" if block.is_open else "<details>"
    head = f"<section>{details}\n<summary>{escape(block.title)}</summary>\n"
    return f"{head}{body}{note}</details></section>\n"


def _lines(text: str) -> str:
    """Return lines to the letter; a parser takes the first end of line away."""
    return "\n" + escape(text) if text else ""


def _diff(text: str) -> str:
    return "\n" + "".join(map(_changed, text.splitlines(keepends=True)))


def _changed(line: str) -> str:
    name = {"+": "ins", "-": "del"}.get(line[:1])
    if name is None or line.startswith(("+++", "---")):
        return escape(line)
    return f"<{name}>{escape(line)}</{name}>"
