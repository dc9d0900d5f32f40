"""The formula by which Homebrew installs a release, made of its sdist and of what is locked.

`python -m tests.installing.formula SDIST URL` prints it; URL is where the sdist can be had.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import attrs
from packaging.requirements import Requirement

from tests.checkout import ROOT, pyproject, run

UV = os.environ.get("UV", "uv")
SYSTEMS = ("darwin", "linux")
"""The systems that Homebrew is for, as Python's markers name them."""

_FORMULA = """\
class CommandCenter < Formula
  include Language::Python::Virtualenv

  desc "Run, watch, approve and land work of OpenAI Codex"
  homepage "{homepage}"
  url "{url}"
  sha256 "{digest}"
  license "{licence}"

  depends_on "git"
  depends_on "python@3.13"
{resources}
  def install
    virtualenv_install_with_resources
  end

  service do
    run [opt_bin/"command-center", "serve"]
    keep_alive successful_exit: false
    environment_variables PATH: std_service_path_env
  end

  test do
    assert_match version.to_s, shell_output("#{{bin}}/command-center --version")
  end
end
"""

_RESOURCE = """
  resource "{name}" do
    url "{url}"
    sha256 "{digest}"
  end
"""


@attrs.frozen(order=True)
class Source:
    """A package's source distribution, or its wheel for every system."""

    name: str
    url: str
    digest: str


def formula(sdist: Path, url: str) -> str:
    """Return the formula for a release's sdist, which can be had at the URL."""
    return _FORMULA.format(
        homepage=url.partition("/releases/")[0],
        url=url,
        digest=hashlib.sha256(sdist.read_bytes()).hexdigest(),
        licence=pyproject()["project"]["license"],
        resources="".join(_RESOURCE.format(**attrs.asdict(source)) for source in sources()),
    )


def sources() -> list[Source]:
    """Return the locked packages that the program needs on one of the systems, by name."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    by_name = {package["name"]: package for package in lock["package"]}
    found = set()
    for needed in _needed():
        package = by_name[needed]
        pure = (wheel for wheel in package["wheels"] if wheel["url"].endswith("-none-any.whl"))
        file = package.get("sdist") or next(pure)  # Homebrew takes wheels for every system
        found.add(Source(needed, file["url"], file["hash"].removeprefix("sha256:")))
    return sorted(found)


def _needed() -> Iterator[str]:
    words = ("--locked", "--no-dev", "--no-emit-project", "--no-hashes", "--no-annotate")
    done = run(UV, "export", "-q", "--format=requirements-txt", *words)
    assert done.returncode == 0, done.stdout
    for line in done.stdout.splitlines():
        if not line or line.startswith("#"):
            continue
        wanted = Requirement(line)
        marker = wanted.marker
        if marker is None or any(
            marker.evaluate({"sys_platform": system, "platform_system": system.capitalize()})
            for system in SYSTEMS
        ):
            yield wanted.name


if __name__ == "__main__":
    print(formula(Path(sys.argv[1]), sys.argv[2]), end="")  # noqa: T201 - it is for this
