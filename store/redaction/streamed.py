"""Secrets out of a text that comes in pieces, and is shown as it comes.

A secret may be cut anywhere, so a piece cannot be judged by itself: `redact` knows neither half of
a token. So some of what came before is kept and read again with each piece; and what may be the
beginning of a secret waits until its end has come: the last word, unless it is a plain one and
nothing on its line tells of a secret. Prose therefore flows word by word, and of a key at most the
plain letters are shown that it may begin with.

What is kept is short, for it is read again each time: the line before and the line that is being
written, and of those the end. A block of a private key is remembered for as long as it is open.
"""

import re
from collections import deque
from collections.abc import Sequence

from command_center.store.redaction.redact import redact

_KEPT = 1024
"""Characters that are read again with the next piece."""

_LONGEST_WAIT = 4096
"""Characters that wait at most; no secret of a known form is as long."""

_BETWEEN_WORDS = frozenset(" \t\r\n\v\f\"'`,;(){}[]|&")
_PLAIN_WORD = re.compile(r"[A-Z]?[a-z]{0,24}[.:!?]{0,3}")
_TELLING = (
    *("passw", "phrase", "pwd", "_pass", "secret", "token", "credential", "key", "auth", "bearer"),
    *("cookie", "login", "mysql", "mariadb", "docker", "-lines", "://", "-u ", "-p", "--user"),
    *("x-", "sig=", "code="),
)
"""In lower case."""
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


class StreamedText:
    """One text, given piece by piece; what `redact` would find in the whole of it is not shown."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        """Begin empty; `secrets` are removed wherever they are."""
        self._secrets = tuple(secrets)
        self._text = ""
        self._done = 0
        self._shown = ""

    def add(self, piece: str) -> str:
        """Take the next piece; what can be shown now, which may be nothing."""
        self._text += piece
        return self._show(max(self._done, len(self._text) - self._waiting()))

    def end(self) -> str:
        """Return what waited, now that nothing more will come."""
        return self._show(len(self._text))

    def _waiting(self) -> int:
        """Count the characters at the end that may be half a secret."""
        text = self._text
        start = len(text)
        first = max(0, start - _LONGEST_WAIT)
        while start > first and text[start - 1] not in _BETWEEN_WORDS:
            start -= 1
        if start == len(text) or not _PLAIN_WORD.fullmatch(text, start):
            return len(text) - start
        line = text[_two_lines(text, start) :].lower()
        return len(text) - start if any(word in line for word in _TELLING) else 0

    def _show(self, end: int) -> str:
        """Show the text up to there, as far as that was not done."""
        clean: str = redact(self._text[:end], self._secrets)
        same = _common(clean, self._shown)
        shown, self._shown, self._done = clean[same:], clean, end
        self._forget()
        return shown

    def _forget(self) -> None:
        """Keep of what was shown as much as tells whether the next piece is a secret."""
        text, end = self._text, self._done
        cut = max(_two_lines(text, end), end - _KEPT)
        if cut <= end // 4:  # to forget takes as long as to show
            return
        header = ""
        begins = deque(_KEY_BEGINS.finditer(text, 0, end), maxlen=1)
        if begins and not _KEY_ENDS.search(text, begins[0].end(), end):
            header = begins[0].group() + "\n"
            cut = max(cut, begins[0].end())
        self._text = header + text[cut:]
        self._done = len(header) + end - cut
        self._shown = redact(self._text[: self._done], self._secrets)


def _two_lines(text: str, end: int) -> int:
    """Return where the line before the one that is being written begins."""
    line = text.rfind("\n", 0, end)
    return text.rfind("\n", 0, line) + 1 if line > 0 else 0


def _common(one: str, other: str) -> int:
    """Count the characters that two texts have in common at their beginning."""
    if one.startswith(other):
        return len(other)
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return length
