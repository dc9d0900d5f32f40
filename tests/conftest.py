"""Fixtures that every test may use."""

import gc
import os
import sys

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.checkout import ROOT

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # not this machine's

pytest_plugins = [
    "tests.codex.fixtures",
    "tests.end_to_end.fixtures",
    "tests.http.cli.client.fixtures",
    "tests.missing_parts",
]

# Tests start hundreds of interpreters, and without bytecode each compiles all that it imports. Who
# wants none beside the sources gets it in pytest's own folder.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(ROOT / ".pytest_cache" / "bytecode")
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

# How long an example takes is the machine's affair; pytest's own timeout ends what hangs.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

# Plain lines, as the server writes them where no one looks; a traceback in colours takes seconds.
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["event"]),
    ]
)


def pytest_collection_finish() -> None:
    """Let no collection of garbage look at thousands of tests again, which takes half a second."""
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """Have each process of a whole run read another part of the tests first.

    In a fresh checkout each part is then compiled by one process, and the others find its bytecode.
    """
    tests = ROOT / "tests"
    if hasattr(config, "workerinput") and [tests] == [ROOT / name for name in config.args]:
        files = sorted(path.relative_to(tests) for path in tests.rglob("test_*.py"))
        number = int(config.workerinput["workerid"].removeprefix("gw"))
        begun = files[len(files) * number // config.workerinput["workercount"]].parts[0]
        parts = sorted({file.parts[0] for file in files})
        first = parts.index(begun)
        config.args[:] = [str(tests / part) for part in parts[first:] + parts[:first]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, the check of all types: at the end one process did it alone.

    All else is in the order of its files in each process, in which tests that share a server or a
    browser follow each other.
    """
    items.sort(key=lambda item: (item.path.name != "test_lint.py", item.path.parts))
