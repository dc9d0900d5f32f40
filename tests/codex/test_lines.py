"""Lines are found whatever pieces they come in, and memory is bounded."""

import itertools
from collections.abc import Sequence

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import memory_stream_one_way_pair

from command_center.actors.codex.errors import MessageTooLong
from command_center.actors.codex.lines import LineReader


async def read_all(pieces: Sequence[bytes], limit: int = 1000) -> tuple[list[bytes | None], int]:
    """The lines of a stream that comes in pieces (None for one that was skipped), and its rest."""
    send, receive = memory_stream_one_way_pair()
    reader = LineReader(receive, limit)
    lines: list[bytes | None] = []

    async def write() -> None:
        for piece in pieces:
            await send.send_all(piece)
        await send.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        while True:
            try:
                line = await reader.next()
            except MessageTooLong:
                lines.append(None)
                continue
            if line is None:
                break
            lines.append(line)
    return lines, reader.half_line


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=10), st.data())
def test_lines_are_the_same_however_the_stream_is_cut(
    words: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(word + b"\n" for word in words)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=8)) | {0, len(stream)})
    pieces = [stream[a:b] for a, b in itertools.pairwise(cuts)]
    expected = [part.strip() for part in stream.split(b"\n") if part.strip()]
    lines, rest = trio.run(read_all, [piece for piece in pieces if piece])
    assert lines == expected
    assert rest == 0


async def test_half_a_line_at_the_end_is_dropped_and_counted() -> None:
    assert await read_all([b"one\r\n", b"\n\n", b"two\nthr"]) == ([b"one", b"two"], 3)


async def test_a_line_over_the_limit_is_skipped_and_the_next_is_read() -> None:
    pieces = [b"one\n", *[b"x" * 600] * 5, b"\ntwo\n"]
    assert await read_all(pieces) == ([b"one", None, b"two"], 0)


@pytest.mark.timeout(20)
async def test_a_line_of_twenty_megabytes_takes_time_in_proportion() -> None:
    pieces = [*[b"x" * 65536] * 320, b"\n"]
    lines, _ = await read_all(pieces, limit=64 * 1024 * 1024)
    assert [len(line or b"") for line in lines] == [65536 * 320]


async def test_a_line_that_is_skipped_is_told_with_how_it_began() -> None:
    send, receive = memory_stream_one_way_pair()
    reader = LineReader(receive, 1000)
    await send.send_all(b'{"id":7,"result":' + b"x" * 100_000 + b"\n")
    with pytest.raises(MessageTooLong) as caught:
        await reader.next()
    assert b'{"id":7,"result":' == caught.value.head[:17]
    assert 200 >= len(caught.value.head)
