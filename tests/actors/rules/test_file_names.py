"""Files by a part of their names, the best first, and quickly whatever they are called."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.rules.file_names import BestNames, rank_of


def best_names(paths: list[str], query: str, limit: int) -> tuple[list[str], bool]:
    """Look at the paths one by one, as they come from the disk in pieces."""
    best = BestNames(query, limit)
    for path in paths:
        best.add([path])
    return best.names(), best.is_cut


TEXTS = st.text("abC/._-é ", max_size=30)


def test_the_best_name_comes_first() -> None:
    paths = ["m/a/i/n.txt", "lib/remain.py", "main/readme.md", "src/main.py", "other.py", "mxaxixn"]
    best, is_cut = best_names(paths, "MAIN", 10)
    assert ["src/main.py", "lib/remain.py", "main/readme.md", "mxaxixn", "m/a/i/n.txt"] == best
    assert not is_cut
    assert (["src/main.py"], True) == best_names(paths, "main", 1)
    assert (["src/main.py"], False) == best_names(paths, "py src", 10)


@given(st.lists(TEXTS), TEXTS, st.integers(1, 5))
def test_what_is_found_is_there_and_fits(paths: list[str], query: str, limit: int) -> None:
    best, is_cut = best_names(paths, query, limit)
    assert set(best) <= set(paths)
    fitting = [
        path
        for path in paths
        if all(rank_of(path.lower(), word) is not None for word in query.lower().split())
    ]
    assert min(limit, len(fitting)) == len(best)
    assert (len(fitting) > limit) is is_cut


@given(TEXTS, TEXTS)
def test_a_path_with_letters_put_in_fits_still(text: str, more: str) -> None:
    path = "".join(letter + more for letter in text)
    assert rank_of(path, text) is not None


def test_no_name_holds_a_search_up() -> None:
    began = time.thread_time()
    best_names(["a" * 4000] * 200, "a" * 199 + "b", 10)
    assert time.thread_time() - began < 2
