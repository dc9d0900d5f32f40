"""A search for a text in a work tree, which keeps nobody else waiting.

The disk may hang, and the texts may be long, so each has threads of its own: files are read in
those of checkouts, and looked through in the processor's, a moment at a time, whatever they are.
The deadline, and that who asked has gone, are noticed between two moments.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing

from command_center.actors.git.ports import Layout, SeenLine, SeenLines, TextSearch
from command_center.actors.hosts.local.git.folders import on_disk
from command_center.actors.hosts.local.git.looking import ReadText, read_texts
from command_center.actors.rules.text_lines import lines_with
from command_center.runtime.threads import PIECE_SECONDS, PROCESSOR


async def search(top: Layout, wanted: TextSearch) -> SeenLines:
    """Find the lines that have a text, in the order of the names.

    Raises:
        UnsafeRepository: the work tree is gone.
    """
    until = time.monotonic() + wanted.deadline
    found: list[SeenLine] = []
    is_cut = False
    with closing(read_texts(top, wanted.names, wanted.size)) as pieces:
        while (piece := await on_disk(top.path, _next, pieces)) is not None:
            if time.monotonic() > until:
                return SeenLines(tuple(found), is_cut=True)
            is_cut = is_cut or any(text.is_part for text in piece)
            steps = _lines_in(piece, wanted)
            while (lines := await PROCESSOR.run(_for_a_moment, steps)) is not None:
                found += lines
                if len(found) > wanted.limit or time.monotonic() > until:
                    return SeenLines(tuple(found[: wanted.limit]), is_cut=True)
    return SeenLines(tuple(found), is_cut)


def _next(pieces: Generator[list[ReadText], None, None]) -> list[ReadText] | None:
    return next(pieces, None)


def _for_a_moment(steps: Iterator[list[SeenLine]]) -> list[SeenLine] | None:
    """Go on with the steps for a moment and return what they found; None if there are no more."""
    pause = time.monotonic() + PIECE_SECONDS
    found: list[SeenLine] | None = None
    for lines in steps:
        found = lines if found is None else found + lines
        if time.monotonic() > pause:
            break
    return found


def _lines_in(piece: list[ReadText], wanted: TextSearch) -> Iterator[list[SeenLine]]:
    for text in piece:
        for lines in lines_with(text.content, wanted.query, wanted.of_a_file):
            yield [SeenLine(text.name, line, shown) for line, shown in lines]
