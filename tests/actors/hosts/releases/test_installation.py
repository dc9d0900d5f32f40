"""The installer of the program, as its environment tells."""

from __future__ import annotations

import json
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from packaging.version import Version

from command_center.actors.hosts.local.releases.installation import (
    IMAGE,
    Installation,
    InstallationUnclear,
    find_installation,
)

METADATA = """\
Metadata-Version: 2.4
Name: command-center
Version: 0.1.0
Provides-Extra: tui
Provides-Extra: never
Requires-Dist: attrs
Requires-Dist: attrs>=1; extra == 'tui'
Requires-Dist: nobody-has-this-package; extra == 'never'
"""


class Made:
    """An environment as an installer leaves it."""

    def __init__(self, folder: Path) -> None:
        self.prefix = folder / "environment"
        self.package = self.prefix / "lib" / "command_center-0.1.0.dist-info"
        self.package.mkdir(parents=True)
        self.has("METADATA", METADATA)
        self.has("INSTALLER", "pip\n")

    def has(self, name: str, text: str) -> None:
        (self.package / name).write_text(text)

    def found(
        self, environ: dict[str, str] | None = None, *, base: Path = Path("/usr")
    ) -> Installation:
        return find_installation(
            prefix=self.prefix,
            base_prefix=base,
            environ=environ or {},
            package=Distribution.at(self.package),
        )


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_an_environment_of_pips_is_pips(made: Made) -> None:
    found = made.found()
    assert ("pip", None, None) == (found.installer, found.by_hand, found.source)
    assert Version("0.1.0") == found.version
    assert "command-center[tui]==0.2.0" == found.requirement("0.2.0")
    made.has("INSTALLER", "uv")
    assert ("uv pip", True) == (made.found().installer, made.found().is_uv)


def test_uvs_receipt_says_what_else_it_was_told(made: Made) -> None:
    made.has("INSTALLER", "uv")
    (made.prefix / "uv-receipt.toml").write_text(
        """
        [tool]
        requirements = [
            { name = "command-center", extras = ["tui"], specifier = "==0.1.0" },
            { name = "idna", extras = ["all"], specifier = "<4" },
        ]
        [tool.options]
        index = [
            { url = "http://one.test/simple", explicit = false, default = false },
            { url = "http://two.test/simple", default = true },
        ]
        """
    )
    found = made.found()
    assert ("uv tool", ("idna[all]<4",)) == (found.installer, found.further)
    expected = ("--index", "http://one.test/simple", "--default-index", "http://two.test/simple")
    assert expected == found.options


def test_pipx_says_its_arguments(made: Made) -> None:
    told = {"backend": "uv", "main_package": {"pip_args": ["-i", "http://one.test"]}}
    (made.prefix / "pipx_metadata.json").write_text(json.dumps(told))
    found = made.found()
    assert ("pipx", ("-i", "http://one.test"), True) == (
        found.installer,
        found.options,
        found.is_uv,
    )


def test_what_came_from_a_file_says_so(made: Made) -> None:
    wheel = {"url": "file:///w/command_center.whl", "archive_info": {}}
    made.has("direct_url.json", json.dumps(wheel))
    found = made.found()
    assert ("pip", "/w/command_center.whl") == (found.installer, found.source)


@pytest.mark.parametrize(
    ("installer", "direct", "environ", "says"),
    [
        ("uv", {"url": "file:///c", "dir_info": {"editable": True}}, {}, "uv sync"),
        ("pip", {"url": "file:///c", "dir_info": {}}, {}, "of the folder /c"),
        ("uv", None, {IMAGE: "1"}, "pull the newer image"),
        ("apt", None, {}, "apt has installed it"),
        ("", None, {}, "The package manager of this system has"),
    ],
)
def test_what_no_installer_may_replace_says_what_to_do(
    made: Made,
    installer: str,
    direct: dict[str, object] | None,
    environ: dict[str, str],
    says: str,
) -> None:
    made.has("INSTALLER", installer)
    if direct is not None:
        made.has("direct_url.json", json.dumps(direct))
    found = made.found(environ)
    assert found.installer is None
    assert says in (found.by_hand or "")


def test_a_python_that_others_share_is_left_alone(made: Made) -> None:
    assert "no environment of its own" in (made.found(base=made.prefix).by_hand or "")


@pytest.mark.parametrize(
    ("folder", "says"),
    [("uv/archive-v0/x", "uvx command-center@latest"), ("Cellar/x", "brew upgrade")],
)
def test_a_cache_and_homebrew_are_known_by_their_folders(
    tmp_path: Path, folder: str, says: str
) -> None:
    if folder.startswith("uv/"):
        (tmp_path / "uv").mkdir()
        (tmp_path / "uv" / "CACHEDIR.TAG").touch()
    made = Made(tmp_path / folder)
    assert says in (made.found().by_hand or "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uv-receipt.toml", "[tool"),
        ("uv-receipt.toml", "[tool]\nrequirements = [{ extras = [] }]"),
        ("uv-receipt.toml", "\udcff"),
        ("pipx_metadata.json", '{"main_package": {"pip_args": 7}}'),
        ("pipx_metadata.json", ""),
    ],
)
def test_a_broken_file_of_an_installer_is_named(made: Made, name: str, text: str) -> None:
    (made.prefix / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InstallationUnclear, match=f"{name} cannot be read .* Install it again"):
        made.found()


def test_a_broken_note_of_where_it_came_from_is_named(made: Made) -> None:
    made.has("direct_url.json", '{"url": []}')
    with pytest.raises(InstallationUnclear, match=r"direct_url\.json cannot be read"):
        made.found()
