"""The indexes that an installer is configured for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from command_center.actors.hosts.local.releases.index_settings import (
    DEFAULT,
    PackageIndexes,
    indexes_of,
    without_secrets,
)
from command_center.actors.hosts.local.releases.installation import Installation

posix = pytest.mark.skipif(sys.platform == "win32", reason="uv's folders are others there")


def installed(prefix: Path, **told: Any) -> Installation:
    return Installation(version=Version("1"), prefix=prefix, base_python=Path(), **told)


@posix
def test_uv_is_asked_by_what_was_typed_then_variables_then_files(tmp_path: Path) -> None:
    config = tmp_path / "uv" / "uv.toml"
    config.parent.mkdir()
    config.write_text(
        """
        extra-index-url = ["http://extra.test"]
        [[index]]
        url = "http://explicit.test"
        explicit = true
        [[index]]
        url = "http://default.test"
        default = true
        """
    )
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    own = installed(tmp_path, is_uv=True)
    assert PackageIndexes(("http://extra.test", "http://default.test"), are_equal=False) == (
        indexes_of(own, environ)
    )
    environ |= {"UV_INDEX": "mine=http://i.test", "UV_DEFAULT_INDEX": "http://d.test"}
    assert ("http://i.test", "http://extra.test", "http://d.test") == indexes_of(own, environ).urls
    typed = installed(tmp_path, is_uv=True, options=("--default-index", "http://typed.test"))
    assert "http://typed.test" == indexes_of(typed, environ).urls[-1]
    assert (DEFAULT,) == indexes_of(own, {"UV_NO_CONFIG": "1"}).urls
    assert () == indexes_of(own, {"UV_NO_INDEX": "1"}).urls
    named = tmp_path / "named.toml"
    named.write_text('index-url = "http://named.test"')
    assert ("http://named.test",) == indexes_of(own, {"UV_CONFIG_FILE": str(named)}).urls


@posix
def test_pip_itself_tells_its_settings(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(
        "#!/bin/sh\n"
        "echo \"global.index-url='http://global.test'\"\n"
        "echo \"install.index-url='http://install.test'\"\n"
        "echo \":env:.extra-index-url='http://a.test http://b.test'\"\n"
    )
    python.chmod(0o755)
    found = indexes_of(installed(tmp_path), {})
    expected = ("http://a.test", "http://b.test", "http://install.test")
    assert PackageIndexes(expected, are_equal=True) == found
    typed = installed(tmp_path, options=("--index-url=http://typed.test",))
    assert "http://typed.test" == indexes_of(typed, {}).urls[-1]
    assert (DEFAULT,) == indexes_of(installed(tmp_path / "without"), {}).urls


def test_a_url_is_shown_without_its_secret() -> None:
    assert "https://i.test/simple" == without_secrets("https://me:secret@i.test/simple")
