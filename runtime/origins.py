"""The origin of work: a word that goes along from message to message.

Whoever begins something, such as the answer to a request, sets `origin` in its own task. A message
carries the origin of the task that sent it, and its handler runs under that; so do the tasks that
the handler starts and what they send in turn. A message without one is handled for what the actor
itself was started for. So a line of a log can be put down to the request that led to it, however
many actors lie between. The runtime hands the word on, and reads nothing from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

origin: ContextVar[str | None] = ContextVar("origin", default=None)
"""The origin of what the task does now; None where nobody has named one.

Set it where something begins, in a task's first lines or in `on_start`; a handler that does a part
of its work for something else says so by `working_for`.
"""


@contextmanager
def working_for(name: str | None) -> Iterator[None]:
    """Let what is done and sent in the context have this origin, or none."""
    before = origin.set(name)
    try:
        yield
    finally:
        origin.reset(before)
