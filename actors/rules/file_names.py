"""Names of files by which somebody means one: a part of it, or letters of it in their order.

The best name comes first: one that begins with the words, then one that has them, then a path that
has them, then one that has only their letters, the closest together; and of these the shortest.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

Rank = tuple[int, int]
"""The way in which a word fits, and how far apart its letters are: less is better."""


class BestNames:
    """The paths that all words of a query fit, the best first; holds no more than its limit.

    >>> best = BestNames("main", limit=2)
    >>> best.add(["src/main.py", "lib/domain.py"])
    >>> best.add(["main.c", "a.py"])
    >>> best.names(), best.is_cut
    (['main.c', 'src/main.py'], True)
    """

    def __init__(self, query: str, limit: int) -> None:
        self._words = list(dict.fromkeys(query.lower().split()))
        self._limit = limit
        self._best: list[tuple[Rank, int, str]] = []
        self._fitting = 0

    @property
    def is_cut(self) -> bool:
        """Return True if more paths fit."""
        return self._fitting > self._limit

    def names(self) -> list[str]:
        """Return those that fit best so far."""
        return [path for _, _, path in self._best]

    def add(self, paths: Iterable[str]) -> None:
        """Look at more paths."""
        self._best = heapq.nsmallest(self._limit, [*self._best, *self._ranked(paths)])

    def _ranked(self, paths: Iterable[str]) -> Iterator[tuple[Rank, int, str]]:
        for path in paths:
            rank = _rank_all(path.lower(), self._words)
            if rank is not None:
                self._fitting += 1
                yield rank, len(path), path


def rank_of(path: str, word: str) -> Rank | None:
    """Say how well a word fits a path, both in lower case; None where it does not.

    >>> [rank_of("src/main.py", word) for word in ("main", "ain", "src", "smp", "mx")]
    [(0, 0), (1, 0), (2, 0), (4, 10), None]
    """
    name = path[path.rfind("/") + 1 :]
    if name.startswith(word):
        return 0, 0
    if word in name:
        return 1, 0
    if word in path:
        return 2, 0
    for kind, text in ((3, name), (4, path)):
        span = _span(text, word)
        if span is not None:
            return kind, span
    return None


def _rank_all(path: str, words: list[str]) -> Rank | None:
    kind = span = 0
    for word in words:
        rank = rank_of(path, word)
        if rank is None:
            return None
        kind, span = kind + rank[0], span + rank[1]
    return kind, span


def _span(text: str, letters: str) -> int | None:
    """Return the characters from the first to the last of some letters that are there in order.

    The way back from where they end brings them together. Each letter is looked for once on each
    way, so that no text, however hostile, takes long.
    """
    end = 0
    for letter in letters:
        end = text.find(letter, end) + 1
        if not end:
            return None
    begin = end
    for letter in reversed(letters):
        begin = text.rfind(letter, 0, begin)
    return end - begin
