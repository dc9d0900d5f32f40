"""The program that installs a release on Windows, and the manifest by which winget finds it.

`python -m tests.installing.winget WHEEL URL FOLDER` writes both; URL is where the program can be
had. It takes makensis, on any system: `apt-get install nsis`.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from packaging.utils import parse_wheel_filename

from tests.checkout import pyproject, run

SCRIPT: Final = Path(__file__).with_name("winget.nsi")
IDENTIFIER: Final = "CommandCenter.CommandCenter"
SCHEMA: Final = "1.10.0"
"""The version of winget's manifests."""

LOCALE: Final = "en-US"
NEEDED: Final = ("astral-sh.uv", "Git.Git")
"""Packages that winget installs before it; uv brings Python."""

NO_UV, UV_FAILED = 2, 3
"""Exit codes of the program, as the script has them."""

PRODUCT: Final = "CommandCenter"
"""The program's key among what Windows has installed, as the script has it."""

NOTES: Final = "Open a new terminal, and type: command-center"


def installer(wheel: Path, folder: Path) -> Path:
    """Make the program that has the wheel, and return its file."""
    version = parse_wheel_filename(wheel.name)[1]
    made = folder / f"command-center-{version}-setup.exe"
    makensis = shutil.which("makensis")
    assert makensis is not None, "apt-get install nsis"
    facts = {
        "VERSION": version,
        "WHEEL": wheel.resolve(),
        "NAME": wheel.name,
        "OUT": made.resolve(),
    }
    done = run(makensis, "-V2", *(f"-D{name}={fact}" for name, fact in facts.items()), SCRIPT)
    assert done.returncode == 0, done.stdout
    return made


def manifests(program: Path, url: str) -> dict[str, dict[str, Any]]:
    """Return the manifest of the program, as the three files that winget wants, by their names."""
    project, page = pyproject()["project"], url.partition("/releases/")[0]
    version = program.name.removeprefix("command-center-").removesuffix("-setup.exe")

    def manifest(kind: str, **facts: object) -> dict[str, Any]:
        known = {"PackageIdentifier": IDENTIFIER, "PackageVersion": version}
        return known | facts | {"ManifestType": kind, "ManifestVersion": SCHEMA}

    return {
        f"{IDENTIFIER}.yaml": manifest("version", DefaultLocale=LOCALE),
        f"{IDENTIFIER}.installer.yaml": manifest(
            "installer",
            InstallerType="nullsoft",
            Scope="user",
            UpgradeBehavior="install",
            Commands=["command-center"],
            Dependencies={"PackageDependencies": [{"PackageIdentifier": one} for one in NEEDED]},
            ProductCode=PRODUCT,
            ExpectedReturnCodes=[
                {"InstallerReturnCode": NO_UV, "ReturnResponse": "missingDependency"},
                {
                    "InstallerReturnCode": UV_FAILED,
                    "ReturnResponse": "custom",
                    "ReturnResponseUrl": f"{page}/blob/v{version}/docs/installing.md",
                },
            ],
            Installers=[
                {
                    "Architecture": "x64",
                    "InstallerUrl": url,
                    "InstallerSha256": hashlib.sha256(program.read_bytes()).hexdigest().upper(),
                }
            ],
        ),
        f"{IDENTIFIER}.locale.{LOCALE}.yaml": manifest(
            "defaultLocale",
            PackageLocale=LOCALE,
            Publisher="Command Center",
            PackageName="Command Center",
            PackageUrl=page,
            License=project["license"],
            LicenseUrl=f"{page}/blob/v{version}/LICENSE",
            ShortDescription=project["description"],
            Moniker="command-center",
            Tags=["codex", "coding-agent", "git"],
            ReleaseNotesUrl=f"{page}/blob/v{version}/CHANGELOG.md",
            InstallationNotes=NOTES,
        ),
    }


def write(wheel: Path, url: str, folder: Path) -> None:
    """Write the program and its manifest."""
    program = installer(wheel, folder)
    for name, facts in manifests(program, url).items():
        (folder / name).write_text(yaml.safe_dump(facts, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
