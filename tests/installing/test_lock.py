"""The lock on machines of other kinds: each package that an installation needs is there as a wheel.

So nothing is compiled where an image is built for arm64, on a Mac or on Windows.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable

import attrs
import pytest
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

from tests.checkout import ROOT, run
from tests.installing.formula import UV

GLIBC = 36
"""The minor version of glibc in Debian 12, the oldest base that the image may have."""
PYTHONS = [(3, minor) for minor in range(11, 15)]


@attrs.frozen
class Machine:
    """A kind of machine, as markers and wheels name it."""

    system: str
    processor: str
    platforms: tuple[str, ...]

    def tags(self, python: tuple[int, int]) -> frozenset[Tag]:
        """Return the tags of wheels that one of its Pythons takes."""
        interpreter = f"cp{python[0]}{python[1]}"
        return frozenset(
            (
                *cpython_tags(python, platforms=self.platforms),
                *compatible_tags(python, interpreter, self.platforms),
            )
        )

    def markers(self, python: tuple[int, int]) -> dict[str, str]:
        """Return its answers to the markers of requirements."""
        return {
            "sys_platform": self.system,
            "platform_system": {"win32": "Windows"}.get(self.system, self.system.capitalize()),
            "platform_machine": self.processor,
            "python_version": f"{python[0]}.{python[1]}",
            "python_full_version": f"{python[0]}.{python[1]}.0",
        }


def linux(processor: str) -> Machine:
    """A Linux with glibc, which takes wheels that were built on an older one."""
    names = [f"manylinux_2_{minor}_{processor}" for minor in range(GLIBC, 4, -1)]
    old = (f"manylinux{year}_{processor}" for year in ("2014", "2010", "1"))
    return Machine("linux", processor, (*names, *old, f"linux_{processor}"))


MACHINES = {
    "linux-arm64": linux("aarch64"),
    "linux-amd64": linux("x86_64"),
    "mac-arm64": Machine("darwin", "arm64", tuple(mac_platforms((14, 0), "arm64"))),
    "windows-amd64": Machine("win32", "AMD64", ("win_amd64",)),
}


@pytest.fixture(scope="module")
def wheels() -> dict[str, list[frozenset[Tag]]]:
    """The tags of the wheels of each locked package."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    return {
        package["name"]: [
            parse_wheel_filename(wheel["url"].rpartition("/")[2])[3]
            for wheel in package.get("wheels", ())
        ]
        for package in lock["package"]
    }


@pytest.fixture(scope="module")
def needed() -> list[Requirement]:
    """All that an installation needs, with every extra but the one that images leave out."""
    words = ("--locked", "--no-dev", "--no-emit-project", "--no-hashes", "--no-annotate")
    extras = ("--all-extras", "--no-extra=keyring")
    done = run(UV, "export", "-q", "--format=requirements-txt", *words, *extras)
    assert 0 == done.returncode, done.stdout
    lines = done.stdout.splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def lacking(
    machine: Machine, wanted: Iterable[Requirement], wheels: dict[str, list[frozenset[Tag]]]
) -> list[str]:
    """Return what would have to be compiled there, by package and Python."""
    found = []
    for python in PYTHONS:
        tags, markers = machine.tags(python), machine.markers(python)
        for one in wanted:
            if one.marker is not None and not one.marker.evaluate(markers):
                continue
            if not any(tags & built for built in wheels[one.name]):
                found.append(f"{one.name} on {python[0]}.{python[1]}")
    return found


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_nothing_is_compiled_where_it_is_installed(
    machine: Machine, needed: list[Requirement], wheels: dict[str, list[frozenset[Tag]]]
) -> None:
    assert {"msgspec", "psutil", "cryptography", "pyrage"} <= {one.name for one in needed}
    assert [] == lacking(machine, needed, wheels)
    only_here = wheels | {"msgspec": [frozenset({Tag("cp311", "cp311", "linux_riscv64")})]}
    assert 4 == len(lacking(machine, needed, only_here))


def test_the_codex_of_the_image_is_there_for_arm64(
    wheels: dict[str, list[frozenset[Tag]]],
) -> None:
    codex = [Requirement("openai-codex-cli-bin")]
    for name in ("linux-arm64", "linux-amd64"):
        assert [] == lacking(MACHINES[name], codex, wheels)
