"""The configuration that Codex takes from a project, and how a person is shown it.

Codex obeys the `.codex` folders between a thread's folder and the top of its checkout, if it trusts
them; of a linked worktree, the hooks are those of the main checkout. It looks trust up by each of
those folders, then by the top of the project, then by the main checkout, first by their real paths.

Whoever writes to the repository writes these files, too: the host reads them as hostile input
(`ports.Codex.read_configuration`).

Source: the configuration loader of Codex (`codex-rs/config/src/loader`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff as hunks_of

import attrs

from command_center.actors.codex.diffs import unified_diff


class NotShowable(Exception):
    """A project's configuration cannot be shown to a person, and so cannot be trusted."""


@attrs.frozen
class ProjectConfiguration:
    """The files that Codex obeys where it trusts them.

    Attributes:
        files: their contents, by their paths in the checkout.
        stamp: another one whenever one of them, or of their folders, was touched in between.
    """

    files: Mapping[str, bytes]
    stamp: str

    @property
    def digest(self) -> str:
        """Return what names these files with these contents, wherever the checkout is."""
        found = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            for part in (path.encode(errors="surrogateescape"), content):
                found.update(len(part).to_bytes(8, "big"))
                found.update(part)
        return found.hexdigest()

    @property
    def texts(self) -> dict[str, str]:
        """Return the files as a person reads them; of one that is no text, its size and digest."""
        return {path: _text_of(content) for path, content in sorted(self.files.items())}


def diff_of(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Make one unified diff of the texts of two configurations."""
    return unified_diff(
        [
            change
            for path in sorted(before.keys() | now.keys())
            for change in _change(path, before.get(path), now.get(path))
        ]
    )


def _change(path: str, before: str | None, now: str | None) -> Iterator[Mapping[str, object]]:
    if before == now:
        return
    if now is None:
        yield {"path": path, "kind": {"type": "delete"}, "diff": before}
    elif before is None:
        yield {"path": path, "kind": {"type": "add"}, "diff": now}
    else:
        yield {"path": path, "kind": {"type": "update"}, "diff": _hunks(before, now)}


def _hunks(before: str, now: str) -> str:
    old, new = before.splitlines(), now.splitlines()
    if old == new:
        return "@@ -1 +1 @@\n The lines are the same, and end in another way.\n"
    hunks: Sequence[str] = [*hunks_of(old, new, lineterm="")][2:]
    return "\n".join(hunks) + "\n"


def _text_of(content: bytes) -> str:
    text = content.decode(errors="replace")
    if "\0" not in text and "\N{REPLACEMENT CHARACTER}" not in text:
        return text
    return f"No text: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}\n"
