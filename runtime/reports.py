"""The log of the runtime: what foreign code did wrong, and what stalls.

It is written by structlog where the program has that, and by `logging` where it has not. Neither is
loaded before there is something to write.
"""

from __future__ import annotations

import importlib.util
import sys

_NAME = "command_center.runtime"


def report(event: str, **facts: object) -> None:
    """Log an error with its facts, and with the exception that is being handled, if one is."""
    fails = sys.exc_info()[0] is not None
    if importlib.util.find_spec("structlog") is None:
        import logging  # noqa: PLC0415 - most programs never log here

        told = "".join(f" {name}={value}" for name, value in facts.items())
        logging.getLogger(_NAME).error("%s%s", event, told, exc_info=fails)
    else:
        import structlog  # noqa: PLC0415 - it takes as long to load as the runtime does

        structlog.get_logger(_NAME).error(event, exc_info=fails, **facts)
