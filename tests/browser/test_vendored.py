from __future__ import annotations

import pytest

from tests.browser.vendored import PACKAGES, RECORD, TESTS, WEB, Package, digest, record_of


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
