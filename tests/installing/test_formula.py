"""Homebrew's formula: the release's own hash, and every package that it needs, and no other."""

import hashlib
import re
import shutil
from pathlib import Path

from tests.checkout import run
from tests.installing.formula import formula, sources

URL = "https://example.org/center/releases/download/v1/command_center-1.tar.gz"


def test_the_formula_has_the_releases_hash_and_all_that_it_needs(tmp_path: Path) -> None:
    sdist = tmp_path / "command_center-1.tar.gz"
    sdist.write_bytes(b"sources")
    told = formula(sdist, URL)
    digest = hashlib.sha256(b"sources").hexdigest()
    assert f'homepage "https://example.org/center"\n  url "{URL}"\n  sha256 "{digest}"' in told
    named = re.findall(r'resource "(.+)" do\n    url "https://.+"\n    sha256 "\w{64}"', told)
    assert [source.name for source in sources()] == named
    assert {"trio", "msgspec", "tzdata"} <= set(named)  # of all systems, with C, of data alone
    assert not {"pytest", "cryptography", "colorama", "command-center"} & set(named)
    blocks = re.findall(r"^\s*(?:class|def)\b|\bdo$", told, re.MULTILINE)
    assert len(blocks) == len(re.findall(r"^\s*end$", told, re.MULTILINE))
    (tmp_path / "command-center.rb").write_text(told, encoding="utf-8")
    if shutil.which("ruby") is not None:
        assert "Syntax OK" in run("ruby", "-wc", tmp_path / "command-center.rb").stdout
