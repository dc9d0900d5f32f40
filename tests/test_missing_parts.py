"""The rule that CI skips nothing for a missing part."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checkout import ROOT, run

SKIPS = "def test_a():\n    pytest.skip('no such program')\n"
SKIPS_IN_FIXTURE = (
    "@pytest.fixture\ndef part():\n    pytest.skip('no such program')\ndef test_a(part): pass\n"
)
SKIPS_AS_A_WHOLE = "pytest.importorskip('no_such_module')\n"
MARKED = "@pytest.mark.skipif(True, reason='Windows only')\ndef test_a(): pass\n"
SKIPS_BESIDE_A_MARK = f"@pytest.mark.skipif(False, reason='Windows only')\n{SKIPS}"
EXPECTED_TO_FAIL = "@pytest.mark.xfail\ndef test_a(): assert False\n"

SKIPPING = (SKIPS, SKIPS_IN_FIXTURE, SKIPS_AS_A_WHOLE, SKIPS_BESIDE_A_MARK)
MODULES = (*SKIPPING, MARKED, EXPECTED_TO_FAIL)


def outcomes(folder: Path, *, ci: str) -> dict[str, str]:
    """Run pytest with the plugin on every module; return the outcome of each, by its text.

    No other plugin is loaded: what they import takes seconds of a processor.
    """
    for number, test_module in enumerate(MODULES):
        written = "import pytest\n" + test_module
        (folder / f"test_{number}.py").write_text(written, encoding="utf-8")
    plugins = ("-p", "tests.missing_parts", "-p", "no:cacheprovider")
    going_on = ("-rA", "--continue-on-collection-errors")
    done = run(
        *(sys.executable, "-m", "pytest", *plugins, *going_on, "--rootdir", folder),
        cwd=folder,
        variables={"CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    told = re.findall(
        r"^(SKIPPED|FAILED|ERROR|PASSED|XFAIL)(?: \[1\])? test_(\d)\.py", done.stdout, re.MULTILINE
    )
    assert sorted(map(str, range(len(MODULES)))) == sorted(number for _, number in told), told
    return {MODULES[int(number)]: outcome for outcome, number in told}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], str]:
    """Return the outcome of a module, by what `CI` is."""
    found = {ci: outcomes(tmp_path_factory.mktemp("modules"), ci=ci) for ci in ("", "true")}
    return lambda ci, test_module: found[ci][test_module]


@pytest.mark.parametrize("test_module", SKIPPING)
def test_a_skip_for_a_missing_part_fails_in_ci_and_only_there(
    outcome: Callable[[str, str], str], test_module: str
) -> None:
    assert "SKIPPED" == outcome("", test_module)
    assert outcome("true", test_module) in {"FAILED", "ERROR"}


def test_a_platform_mark_still_skips_in_ci(outcome: Callable[[str, str], str]) -> None:
    assert "SKIPPED" == outcome("true", MARKED)


def test_an_expected_failure_is_no_skip(outcome: Callable[[str, str], str]) -> None:
    assert "XFAIL" == outcome("true", EXPECTED_TO_FAIL)
