"""The web pages of forges: which project an address is of, and where a pull request is opened."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import attrs

_SCP: Final = re.compile(r"(?:[^@/]+@)?(?P<host>\[[^]]+\]|[^:/]+):(?P<path>.+)")
_PART: Final = re.compile(r"[A-Za-z0-9_.~-]+")


@attrs.frozen
class Project:
    """A repository at a forge: the host, and its path, such as `owner/name`."""

    host: str
    path: str


def project_of(address: str) -> Project | None:
    """Return the project that an address of a remote is of; None where it says none."""
    if "://" in address:
        try:
            parts = urlsplit(address)
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
    return Project(host.lower().removeprefix("www."), "/".join(names))


def page_to_open(project: Project, branch: str, base: str) -> str:
    """Return the page of a forge at which a person opens a pull request."""
    root = f"https://{project.host}/{project.path}"
    if "gitlab" in project.host:
        query = {"merge_request[source_branch]": branch, "merge_request[target_branch]": base}
        return f"{root}/-/merge_requests/new?{urlencode(query)}"
    if project.host == "bitbucket.org":
        return f"{root}/pull-requests/new?{urlencode({'source': branch, 'dest': base})}"
    compared = f"{root}/compare/{quote(base, safe='/')}...{quote(branch, safe='/')}"
    return f"{compared}?expand=1" if "github" in project.host else compared
