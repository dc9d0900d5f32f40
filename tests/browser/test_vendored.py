from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.browser.vendored import (
    PACKAGES,
    RECORD,
    TESTS,
    WEB,
    Package,
    archive_of,
    digest,
    files_of,
    record_of,
)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_vendored_file_is_the_one_that_was_recorded(package: Package) -> None:
    record = record_of(package.folder)[package.name]
    assert (package.version, package.licence) == (record["version"], record["licence"])
    kept = {name: digest((package.folder / name).read_bytes()) for name in package.files.values()}
    assert record["files"] == kept
    assert any(name.endswith("LICENSE.txt") for name in kept)


def test_nothing_is_vendored_that_is_not_recorded() -> None:
    for folder in (WEB, TESTS):
        recorded = {name for record in record_of(folder).values() for name in record["files"]}
        assert recorded | {RECORD} == {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_vendored_file_is_the_one_that_its_authors_published(package: Package) -> None:
    if shutil.which("npm") is None:
        pytest.skip("no npm is installed, which brings the packages: apt-get install npm")
    try:
        archive = archive_of(package)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm could not bring {package.name}: {error}")
    assert record_of(package.folder)[package.name]["archiveSha256"] == digest(archive)
    for name, text in files_of(package, archive).items():
        assert (package.folder / name).read_text(encoding="utf-8") == text
