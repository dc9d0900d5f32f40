"""The web pages of forges: which project an address is of, and where a pull request is opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args
from urllib.parse import quote, urlencode, urlsplit

import attrs

ForgeKind: TypeAlias = Literal["github", "gitlab", "gitea", "bitbucket", "bitbucket-server"]
"""The program that a forge runs; Forgejo is a `gitea`."""

KINDS: Final[tuple[ForgeKind, ...]] = get_args(ForgeKind)

_SCP: Final = re.compile(r"(?:[^@/]+@)?(?P<host>\[[^]]+\]|[^:/]+):(?P<path>.+)")
_PART: Final = re.compile(r"[A-Za-z0-9_.~-]+")

_KNOWN: Final[Mapping[str, ForgeKind]] = MappingProxyType(
    {"github.com": "github", "bitbucket.org": "bitbucket", "codeberg.org": "gitea"}
)
_TOLD_BY_NAME: Final[Mapping[str, ForgeKind]] = MappingProxyType(
    {"gitlab": "gitlab", "gitea": "gitea", "forgejo": "gitea", "github": "github"}
)
"""Words of a host's name that say what it runs."""


@attrs.frozen
class Project:
    """A repository at a forge: the host, and its path, such as `owner/name`.

    The host has its port where the web's address has one; that of ssh is another.
    """

    host: str
    path: str

    @property
    def host_name(self) -> str:
        """Return the host without its port."""
        name, _, port = self.host.rpartition(":")
        return name if port.isdigit() and (name.endswith("]") or ":" not in name) else self.host


def project_of(address: str) -> Project | None:
    """Return the project that an address of a remote is of; None where it says none."""
    port = None
    if "://" in address:
        try:
            parts = urlsplit(address)
            port = parts.port if parts.scheme == "https" else None
        except ValueError:  # such as brackets that do not close
            return None
        host, path = parts.hostname or "", parts.path
    else:
        found = _SCP.fullmatch(address)
        if found is None:
            return None
        host, path = found["host"].strip("[]"), found["path"]
    names = path.strip("/").removesuffix(".git").split("/")
    if len(names) < 2 or not all(_PART.fullmatch(name) and name.strip(".") for name in names):  # noqa: PLR2004 - the owner and the name
        return None
    host = host.lower().removeprefix("www.")
    host = f"[{host}]" if ":" in host else host
    return Project(host if port is None else f"{host}:{port}", "/".join(names))


def kind_of(host_name: str, told: Mapping[str, ForgeKind]) -> ForgeKind | None:
    """Return what a host runs, as it was told or its name says; None where nobody knows."""
    known = told.get(host_name) or _KNOWN.get(host_name)
    words = (kind for word, kind in _TOLD_BY_NAME.items() if word in host_name)
    return known or next(words, None)


def told_kinds(told: Iterable[str]) -> dict[str, ForgeKind]:
    """Return by their hosts' names the kinds that texts such as `git.example.org=gitlab` say."""
    pairs = (one.partition("=") for one in told)
    return {host: kind for host, _, word in pairs for kind in KINDS if kind == word}


def page_to_open(kind: ForgeKind, project: Project, branch: str, base: str) -> str:
    """Return the page of a forge at which a person opens a pull request."""
    return _PAGES[kind](f"https://{project.host}", project.path, branch, base)


def _compared(root: str, path: str, branch: str, base: str) -> str:
    return f"{root}/{path}/compare/{quote(base, safe='/')}...{quote(branch, safe='/')}"


def _at_gitlab(root: str, path: str, branch: str, base: str) -> str:
    query = {"merge_request[source_branch]": branch, "merge_request[target_branch]": base}
    return f"{root}/{path}/-/merge_requests/new?{urlencode(query)}"


def _at_bitbucket(root: str, path: str, branch: str, base: str) -> str:
    return f"{root}/{path}/pull-requests/new?{urlencode({'source': branch, 'dest': base})}"


def _at_bitbucket_server(root: str, path: str, branch: str, base: str) -> str:
    owner, _, name = path.removeprefix("scm/").rpartition("/")
    place = f"users/{owner[1:]}" if owner.startswith("~") else f"projects/{owner}"
    query = {"sourceBranch": f"refs/heads/{branch}", "targetBranch": f"refs/heads/{base}"}
    return f"{root}/{place}/repos/{name}/pull-requests?create&{urlencode(query)}"


_PAGES: Final[Mapping[ForgeKind, Callable[[str, str, str, str], str]]] = MappingProxyType(
    {
        "github": lambda *project: f"{_compared(*project)}?expand=1",
        "gitlab": _at_gitlab,
        "gitea": _compared,
        "bitbucket": _at_bitbucket,
        "bitbucket-server": _at_bitbucket_server,
    }
)
