"""The rule that CI skips nothing for a missing part."""

import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT, run


def outcomes(tmp_path: Path, test_module: str, *, ci: str) -> str:
    """Run pytest with the plugin on one module, and return its last line."""
    (tmp_path / "test_it.py").write_text("import pytest\n" + test_module, encoding="utf-8")
    plugins = ("-p", "tests.missing_parts", "-p", "no:cacheprovider")
    done = run(
        *(sys.executable, "-m", "pytest", *plugins, "--rootdir", tmp_path, "test_it.py"),
        cwd=tmp_path,
        variables={"CI": ci, "PYTHONPATH": str(ROOT)},
    )
    return done.stdout.strip().splitlines()[-1]


SKIPS = "def test_a():\n    pytest.skip('no such program')\n"
SKIPS_IN_FIXTURE = (
    "@pytest.fixture\ndef part():\n    pytest.skip('no such program')\ndef test_a(part): pass\n"
)
SKIPS_AS_A_WHOLE = "pytest.importorskip('no_such_module')\n"
MARKED = "@pytest.mark.skipif(True, reason='Windows only')\ndef test_a(): pass\n"
SKIPS_BESIDE_A_MARK = f"@pytest.mark.skipif(False, reason='Windows only')\n{SKIPS}"
EXPECTED_TO_FAIL = "@pytest.mark.xfail\ndef test_a(): assert False\n"


@pytest.mark.parametrize(
    "test_module", [SKIPS, SKIPS_IN_FIXTURE, SKIPS_AS_A_WHOLE, SKIPS_BESIDE_A_MARK]
)
def test_a_skip_for_a_missing_part_fails_in_ci_and_only_there(
    tmp_path: Path, test_module: str
) -> None:
    assert " 1 skipped" in outcomes(tmp_path, test_module, ci="")
    in_ci = outcomes(tmp_path, test_module, ci="true")
    assert "skipped" not in in_ci
    assert " 1 failed" in in_ci or " 1 error" in in_ci


def test_a_platform_mark_still_skips_in_ci(tmp_path: Path) -> None:
    assert " 1 skipped" in outcomes(tmp_path, MARKED, ci="true")


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert " 1 xfailed" in outcomes(tmp_path, EXPECTED_TO_FAIL, ci="true")
