"""Rules of the Bot API: texts, markup, and calls with a file (core.telegram.org/bots/api)."""

from __future__ import annotations

import html
import json
import re
from typing import Any


def shown(text: str) -> str:
    """Return what a person sees of a message in Telegram's HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", text))


def text_fault(params: dict[str, Any]) -> str | None:
    """The rules of the real one: known tags, closed, and no more than 4096 characters."""
    text = params["text"]
    wrong: str | None = None
    if params.get("parse_mode") == "HTML":
        wrong = markup_fault(text)
        text = shown(text)
    if not text.strip():
        wrong = "message text is empty"
    elif len(text.encode("utf-16-le")) // 2 > 4096:
        wrong = "message is too long"
    rows = params.get("reply_markup", {}).get("inline_keyboard", [])
    if any(not 1 <= len(b["callback_data"].encode()) <= 64 for row in rows for b in row):
        wrong = "BUTTON_DATA_INVALID"
    return wrong


def markup_fault(text: str) -> str | None:
    opened = []
    for closing, tag in re.findall(r"<(/?)([^>]*)>", text):
        if tag not in {"b", "i", "code", "pre"}:
            return f"can't parse entities: Unsupported start tag {tag}"
        if not closing:
            opened.append(tag)
        elif not opened or opened.pop() != tag:
            return "can't parse entities: unmatched end tag"
    if opened or re.search(r"&(?!(?:lt|gt|amp|quot|#\d+);)", text):
        return "can't parse entities"
    return None


def document_fault(params: dict[str, Any]) -> str | None:
    """The rules of the real one: a file with something in it, and a short caption."""
    wrong: str | None = None
    if not params.get("document", {}).get("data"):
        wrong = "file must be non-empty"
    elif len(shown(params.get("caption", "")).encode("utf-16-le")) // 2 > 1024:
        wrong = "message caption is too long"
    return wrong


def read_form(body: bytes) -> dict[str, Any]:
    """The parameters of a call with a file: what is no text is JSON."""
    boundary = body.partition(b"\r\n")[0]
    params: dict[str, Any] = {}
    for part in body.split(boundary)[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        data = data.removesuffix(b"\r\n")
        name = re.search(rb'name="(\w+)"', head)
        file = re.search(rb'filename="([^"]+)"', head)
        assert name is not None
        if file is not None:
            params[name[1].decode()] = {"file_name": file[1].decode(), "data": data.decode()}
        elif name[1] in {b"caption", b"parse_mode", b"text"}:
            params[name[1].decode()] = data.decode()
        else:
            params[name[1].decode()] = json.loads(data)
    return params
