"""The parts of Command Center, their licences, and their known weaknesses.

- `python -m tests.supply_chain bom` prints a bill of materials of the locked parts (CycloneDX 1.5).
- `python -m tests.supply_chain licences` writes `docs/licences.md` anew.
- `python -m tests.supply_chain audit` asks the advisory list of OSV for all that is locked, the
  tools for development too. The exit code is 1 where it knows a weakness. Where the list cannot be
  reached, it says so and the exit code is 0: nothing is known then.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any

import attrs

from tests.browser.vendored import PACKAGES, WEB
from tests.checkout import ROOT, run

UV = os.environ.get("UV", "uv")
"""The uv that runs this, which need not be on the PATH."""

PAGE = ROOT / "docs" / "licences.md"
OTHER_SYSTEMS = {
    "cffi": "MIT-0",
    "colorama": "BSD-3-Clause",
    "pycparser": "BSD-3-Clause",
    "pywin32-ctypes": "BSD-3-Clause",
}
"""Parts that are not installed on every system, with their licences."""

UNSAID = {"pyrage": "MIT"}
"""Parts that say nothing of a licence but in its text, with their licences."""

SPELLED = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Public Domain": "LicenseRef-Public-Domain",
}
"""Licences as packages of before SPDX spell them, and their SPDX names."""

_INTRODUCTION = """\
# Licences

Command Center is under the [MIT licence](../LICENSE). It brings the packages below, each under
its own licence, named as SPDX names it. An installation has their texts: those of Python packages
beside their code, those of JavaScript packages beside the dashboard's files.

`uv run python -m tests.supply_chain licences` writes this page from `uv.lock` and from what the
packages say of themselves. A test compares the two.
"""


@attrs.frozen
class Part:
    """A package that an installation brings."""

    name: str
    licence: str


def locked() -> dict[str, Any]:
    """Return what uv tells of an installation without the tools for development, as CycloneDX."""
    features = ("--preview-features", "sbom-export")
    done = run(
        UV,
        "export",
        "-q",
        "--locked",
        "--no-dev",
        "--all-extras",
        "--format=cyclonedx1.5",
        *features,
    )
    assert done.returncode == 0, done.stdout
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def licence_of(name: str) -> str:
    """Return the SPDX expression of an installed Python package's licence."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return OTHER_SYSTEMS[name]
    if "License-Expression" in told:
        return told["License-Expression"]
    classifiers = [line.split(" :: ") for line in told.get_all("Classifier") or ()]
    if named := [SPELLED[words[-1]] for words in classifiers if words[0] == "License"]:
        return " OR ".join(sorted(named, reverse=True))
    # A library that stands in for the standard one raises for what a package does not say.
    said = told["License"] if "License" in told else UNSAID[name]
    return SPELLED.get(said, said)


def python_parts() -> list[Part]:
    """Return the Python packages of an installation on any system."""
    names = [component["name"] for component in locked()["components"]]
    return [Part(name, licence_of(name)) for name in names]


def javascript_parts() -> list[Part]:
    """Return the JavaScript packages whose files the wheel has."""
    return [Part(package.name, package.licence) for package in PACKAGES if package.folder == WEB]


def licences_page() -> str:
    """Return the text of the page of licences."""
    sections = {"Python": python_parts(), "JavaScript": javascript_parts()}
    text = _INTRODUCTION
    for title, parts in sections.items():
        rows = "".join(f"| {part.name} | {part.licence} |\n" for part in parts)
        text += f"\n## {title}\n\n| Package | Licence |\n|---|---|\n{rows}"
    return text


def bill_of_materials() -> dict[str, Any]:
    """Return all parts with versions, hashes and licences, as CycloneDX."""
    told = locked()
    for component in told["components"]:
        component["licenses"] = [{"expression": licence_of(component["name"])}]
    for package in PACKAGES:
        if package.folder == WEB:
            told["components"].append(
                {
                    "type": "library",
                    "bom-ref": f"{package.name}@{package.version}",
                    "name": package.name,
                    "version": package.version,
                    "purl": f"pkg:npm/{package.name}@{package.version}",
                    "licenses": [{"expression": package.licence}],
                }
            )
    return told


def audit(*options: str) -> int:
    """Ask the advisory list for all that is locked; print what it knows and return an exit code."""
    done = run(UV, "audit", "--locked", "--preview-features", "audit-command", *options)
    is_unreached = done.returncode == 2 and "error sending request" in done.stdout
    tell(done.stdout)
    if is_unreached:
        tell("The advisory list cannot be reached: what is locked was NOT audited.")
        return 0
    return done.returncode


def tell(text: str) -> None:
    """Print a text, for whoever runs it."""
    sys.stdout.write(f"{text}\n")


def main(what: str, *options: str) -> int:
    """Do what one of the commands above says, and return the exit code."""
    match what:
        case "audit":
            return audit(*options)
        case "bom":
            tell(json.dumps(bill_of_materials(), indent=2))
        case "licences":
            PAGE.write_text(licences_page(), encoding="utf-8")
        case _:
            sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or [""]))
