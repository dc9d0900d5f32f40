"""Winget's manifest: it is of the very program, which has the very wheel."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.checkout import run
from tests.installing import winget
from tests.installing.winget import SCRIPT, write

URL = "https://example.org/center/releases/download/v0.2.0/command-center-0.2.0-setup.exe"


@pytest.mark.skipif(shutil.which("makensis") is None, reason="apt-get install nsis")
def test_the_manifest_is_of_the_program_that_has_the_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "command_center-0.2.0-py3-none-any.whl"
    wheel.write_bytes(b"first")
    write(wheel, URL, tmp_path)
    program = tmp_path / "command-center-0.2.0-setup.exe"
    told = {path.name: yaml.safe_load(path.read_text()) for path in tmp_path.glob("*.yaml")}
    assert {"version", "installer", "defaultLocale"} == {
        one["ManifestType"] for one in told.values()
    }
    assert {("CommandCenter.CommandCenter", "0.2.0", "1.10.0")} == {
        (one["PackageIdentifier"], one["PackageVersion"], one["ManifestVersion"])
        for one in told.values()
    }
    (listed,) = told["CommandCenter.CommandCenter.installer.yaml"]["Installers"]
    before = hashlib.sha256(program.read_bytes()).hexdigest().upper()
    assert (URL, before) == (listed["InstallerUrl"], listed["InstallerSha256"])
    check_by_schemas(told.values())
    wheel.write_bytes(b"second")
    write(wheel, URL, tmp_path)
    assert before != hashlib.sha256(program.read_bytes()).hexdigest().upper()


def check_by_schemas(manifests: Iterable[dict[str, Any]]) -> None:
    """Compare with winget's schemas, if `CC_TEST_WINGET` is a checkout of its sources."""
    if (checkout := os.environ.get("CC_TEST_WINGET")) is None:
        return
    version = winget.SCHEMA
    schemas = Path(checkout, "schemas", "JSON", "manifests", f"v{version}")
    for manifest in manifests:
        file = schemas / f"manifest.{manifest['ManifestType']}.{version}.json"
        schema = json.loads(file.read_text(encoding="utf-8-sig"))
        jsonschema.Draft7Validator(schema).validate(manifest)
        assert manifest.keys() <= schema["properties"].keys()  # what it does not know, it passes


STAND_IN = r"""
Target amd64-unicode
Name uv
OutFile {out}
SilentInstall silent
!include FileFunc.nsh
Section
  ${{GetParameters}} $0
  FileOpen $1 "C:\told.txt" w
  FileWrite $1 "$0"
  FileClose $1
  IfFileExists "C:\fails" 0 +2
    SetErrorLevel 1
SectionEnd
"""
"""A uv that notes what it is told, and may fail."""


@pytest.mark.pythons
@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("wine") is None, reason="apt-get install nsis wine64 wine")
def test_the_program_has_uv_install_the_wheel_and_remove_it_again(tmp_path: Path) -> None:
    """By Wine, which runs the very program."""
    quiet = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="}
    wine = partial(run, "wine", variables={"WINEPREFIX": str(tmp_path / "wine"), **quiet})
    wheel = tmp_path / "command_center-0.2.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    program = winget.installer(wheel, tmp_path)
    (tmp_path / "uv.nsi").write_text(STAND_IN.format(out=tmp_path / "uv.exe"))
    assert 0 == run("makensis", "-V2", tmp_path / "uv.nsi").returncode
    assert winget.NO_UV == wine(program, "/S").returncode  # one beside it is a stranger's
    (home,) = (tmp_path / "wine" / "drive_c" / "users").glob("*/AppData/Local")
    links, place = home / "Microsoft" / "WinGet" / "Links", home / "Programs" / "Command Center"
    links.mkdir(parents=True)
    shutil.copy(tmp_path / "uv.exe", links)
    drive = tmp_path / "wine" / "drive_c"
    (drive / "fails").touch()
    assert winget.UV_FAILED == wine(program, "/S").returncode
    assert not place.exists()
    (drive / "fails").unlink()
    # Without the right to make a link, winget leaves it in the folder of the package.
    package = links.parent / "Packages" / "astral-sh.uv_Microsoft.Winget.Source_8wekyb3d8bbwe"
    package.mkdir(parents=True)
    (links / "uv.exe").rename(package / "uv.exe")
    assert 0 == wine(program, "/S").returncode
    told = (drive / "told.txt").read_text()
    assert told.startswith("tool install --force ")
    assert told.endswith('\\Programs\\Command Center\\command_center-0.2.0-py3-none-any.whl"')
    assert b"a wheel" == (place / wheel.name).read_bytes()
    # Extras are kept by the next installation, until others are named.
    for words, extras in (
        (["/EXTRAS=tui,push"], "[tui,push]"),
        ([], "[tui,push]"),
        (["/EXTRAS="], ""),
    ):
        assert 0 == wine(program, "/S", *words).returncode
        assert (drive / "told.txt").read_text().endswith(f'{wheel.name}{extras}"')
    listed = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\CommandCenter"
    assert "0.2.0" in wine("reg", "query", listed, "/v", "DisplayVersion").stdout
    assert 0 == wine(place / "uninstall.exe", "/S").returncode
    run("wineserver", "--wait", variables={"WINEPREFIX": str(tmp_path / "wine")})
    assert "tool uninstall command-center" == (drive / "told.txt").read_text()
    assert not place.exists()
    assert 0 != wine("reg", "query", listed).returncode


def test_what_the_program_ends_with_is_what_winget_is_told() -> None:
    script = SCRIPT.read_text()
    told = dict(re.findall(r"^!define (\w+) (\d+)$", script, re.MULTILINE))
    assert {name: str(getattr(winget, name)) for name in ("NO_UV", "UV_FAILED")} == told
    assert f'Uninstall\\{winget.PRODUCT}"' in script
