"""Finding out what installed the program that runs: it is what may update it.

An environment tells it by a file: `uv tool` and pipx leave one of their own, and each installer
writes its name beside the package (`INSTALLER`) and, for what came from no index, from where
(`direct_url.json`).
Source: "Recording installed projects" of the Python packaging specifications, with PEP 610 and
PEP 668.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeVar

import attrs
import msgspec
from packaging.requirements import Requirement
from packaging.version import Version

NAME: Final = "command-center"
"""The name of the distribution."""

IMAGE: Final = "COMMAND_CENTER_IMAGE"
"""The variable by which the container image names itself."""

Installer: TypeAlias = Literal["uv tool", "pipx", "pip", "uv pip"]

_T = TypeVar("_T")


class InstallationUnclear(Exception):
    """A file that an installer left cannot be read; the message names it, and says what to do."""

    def __init__(self, file: str, reason: object) -> None:
        super().__init__(
            f"{file} cannot be read ({reason}), so it is not known what installed Command Center. "
            "Install it again, as you did the first time."
        )


class _Folder(msgspec.Struct, frozen=True):
    editable: bool = False


class _Direct(msgspec.Struct, frozen=True):
    """`direct_url.json`, of what came from no index."""

    url: str | None = None
    dir_info: _Folder | None = None


class _Index(msgspec.Struct, frozen=True):
    url: str
    default: bool = False


class _Options(msgspec.Struct, frozen=True, rename="kebab"):
    index: tuple[_Index, ...] = ()
    index_url: str | None = None
    extra_index_url: tuple[str, ...] = ()


class _Requirement(msgspec.Struct, frozen=True):
    name: str
    extras: tuple[str, ...] = ()
    specifier: str = ""


class _Tool(msgspec.Struct, frozen=True):
    requirements: tuple[_Requirement, ...] = ()
    options: _Options = _Options()


class _UvReceipt(msgspec.Struct, frozen=True):
    """`uv-receipt.toml`, of `uv tool`."""

    tool: _Tool = _Tool()


class _MainPackage(msgspec.Struct, frozen=True):
    pip_args: tuple[str, ...] | None = None


class _PipxMetadata(msgspec.Struct, frozen=True):
    """`pipx_metadata.json`."""

    main_package: _MainPackage = _MainPackage()
    backend: str | None = None


@attrs.frozen(kw_only=True)
class Installation:
    """The program as it is installed here.

    Attributes:
        version: of the program.
        prefix: the environment that it lies in.
        base_python: the Python that the environment was made of.
        installer: what may put another version in its place; None where that is not ours to do.
        by_hand: what to do, where there is no installer.
        source: the file, folder or address that it was made of; None where an index had it.
        extras: the extras whose packages are there.
        further: requirements that were put into its environment beside it.
        options: further words for the installer, such as the index that it was given.
    """

    version: Version
    prefix: Path
    base_python: Path
    installer: Installer | None = None
    by_hand: str | None = None
    source: str | None = None
    extras: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    is_uv: bool = False
    """uv fetches the packages, whichever installer asks it."""

    def requirement(self, version: str | None = None, *, wheel: Path | None = None) -> str:
        """Return the requirement for a version, or for a wheel, with the extras of now."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        if wheel is not None:
            return f"{NAME}{extras} @ {wheel.resolve().as_uri()}"
        return f"{NAME}{extras}=={version}"


def find_installation(
    *,
    prefix: Path = Path(sys.prefix),
    base_prefix: Path = Path(sys.base_prefix),
    environ: Mapping[str, str] = os.environ,
    package: Distribution | None = None,
) -> Installation:
    """Return how the program that runs was installed.

    Raises:
        InstallationUnclear: a file that its installer left cannot be read.
    """
    package = package or distribution(NAME)
    direct = _direct(package)
    known = Installation(
        version=Version(package.version),
        prefix=prefix,
        base_python=Path(getattr(sys, "_base_executable", None) or sys.executable),
        source=None if direct.url is None else direct.url.removeprefix("file://"),
        extras=_extras(package),
    )
    writer = (package.read_text("INSTALLER") or "").strip()
    by_hand = next(_by_hand(known, package, writer, base_prefix, environ), None)
    if by_hand is not None:
        return attrs.evolve(known, by_hand=by_hand)
    if (receipt := prefix / "uv-receipt.toml").exists():
        return _uv_tool(known, _read(receipt, msgspec.toml.decode, _UvReceipt).tool)
    if (metadata := prefix / "pipx_metadata.json").exists():
        return _pipx(known, _read(metadata, msgspec.json.decode, _PipxMetadata))
    is_uv = writer == "uv"
    return attrs.evolve(known, installer="uv pip" if is_uv else "pip", is_uv=is_uv)


def _by_hand(
    known: Installation,
    package: Distribution,
    writer: str,
    base_prefix: Path,
    environ: Mapping[str, str],
) -> Iterator[str]:
    """Yield what to do where no installer may replace the program; nothing where one may."""
    prefix, parts = known.prefix, {*known.prefix.parts}
    folder = _direct(package).dir_info
    if environ.get(IMAGE):
        yield "It runs in a container: pull the newer image, and start the container from it."
    if folder is not None and folder.editable:
        yield f"It runs from the checkout {known.source}: pull there, then type: uv sync"
    if folder is not None:
        yield f"It was built of the folder {known.source}: bring it up to date, and install again."
    if any((above / "CACHEDIR.TAG").exists() for above in prefix.parents):
        yield "It runs from a cache. Take the newest for once: uvx command-center@latest"
    if (prefix / "pipx_expired_venv").exists() or parts >= {"pipx", ".cache"}:
        yield "It runs from a cache. Take the newest for once: pipx run --no-cache command-center"
    if "Cellar" in parts or "Cellar" in Path(str(package.locate_file(""))).parts:
        yield "Homebrew has installed it: brew upgrade command-center"
    if writer not in {"pip", "uv"}:
        yield f"{writer or 'The package manager of this system'} has installed it: update it there."
    if prefix == base_prefix:
        marker = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
        kept = "keeps its Python to itself" if marker.exists() else "shares its Python with others"
        yield (
            f"It lies in no environment of its own, and this system {kept}. Move it into one: "
            "uv tool install command-center, or pipx install command-center."
        )


def _uv_tool(known: Installation, tool: _Tool) -> Installation:
    words: list[str] = []
    for index in tool.options.index:
        words += ["--default-index" if index.default else "--index", index.url]
    if url := tool.options.index_url:
        words += ["--default-index", url]
    for url in tool.options.extra_index_url:
        words += ["--index", url]
    further = [
        f"{one.name}{_brackets(one.extras)}{one.specifier}"
        for one in tool.requirements
        if one.name != NAME
    ]
    return attrs.evolve(
        known, installer="uv tool", further=tuple(further), options=tuple(words), is_uv=True
    )


def _pipx(known: Installation, metadata: _PipxMetadata) -> Installation:
    return attrs.evolve(
        known,
        installer="pipx",
        options=metadata.main_package.pip_args or (),
        is_uv=metadata.backend == "uv",
    )


def _brackets(extras: tuple[str, ...]) -> str:
    return f"[{','.join(extras)}]" if extras else ""


def _direct(package: Distribution) -> _Direct:
    text = package.read_text("direct_url.json")
    if not text:
        return _Direct()
    try:
        return msgspec.json.decode(text, type=_Direct)
    except msgspec.MsgspecError as error:
        raise InstallationUnclear("direct_url.json", error) from error


def _read(file: Path, decode: Callable[..., Any], wanted: type[_T]) -> _T:
    try:
        found: _T = decode(file.read_bytes(), type=wanted)
    except (OSError, msgspec.MsgspecError, UnicodeError) as error:
        raise InstallationUnclear(str(file), error) from error
    return found


def _extras(package: Distribution) -> tuple[str, ...]:
    """Return the extras that have packages of their own, all of which are there."""
    needed: dict[str, list[str]] = {}
    for line in package.requires or []:
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            continue
        for extra in package.metadata.get_all("Provides-Extra") or []:
            if wanted.marker.evaluate({"extra": extra}):
                needed.setdefault(extra, []).append(wanted.name)
    return tuple(sorted(extra for extra, names in needed.items() if all(map(_is_there, names))))


def _is_there(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
