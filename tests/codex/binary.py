"""The Codex under test: `CC_TEST_CODEX`, or the one that the dev dependencies bring."""

import os
import shutil
from pathlib import Path

VARIABLE = "CC_TEST_CODEX"
"""Names another `codex` to test against: a path, or a command on `PATH`."""


class CodexNotFound(Exception):
    """There is no Codex to test against."""


def find_codex() -> Path:
    """The binary under test, as an absolute path; raises `CodexNotFound` with the reason."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise CodexNotFound(f"{VARIABLE} names {named!r}, which is no program here.")
        return Path(found).absolute()
    try:
        from codex_cli_bin import (  # type: ignore[import-untyped]  # noqa: PLC0415 - optional
            bundled_codex_path,
        )
    except ImportError:
        raise CodexNotFound("The package openai-codex-cli-bin is not installed.") from None
    try:
        return Path(bundled_codex_path())
    except FileNotFoundError as error:
        raise CodexNotFound(str(error)) from None
