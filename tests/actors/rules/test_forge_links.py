"""The project that an address is of, and the page on which a pull request is opened."""

from __future__ import annotations

import pytest

from command_center.actors.rules.forge_links import Project, page_to_open, project_of


@pytest.mark.parametrize(
    ("address", "project"),
    [
        ("https://github.com/owner/name.git", Project("github.com", "owner/name")),
        ("https://ada@www.GitHub.com/owner/name", Project("github.com", "owner/name")),
        ("ssh://git@github.com:22/owner/name.git", Project("github.com", "owner/name")),
        ("git@github.com:owner/name.git", Project("github.com", "owner/name")),
        ("git@gitlab.example:a/b/c.git", Project("gitlab.example", "a/b/c")),
        ("https://github.com/name.git", None),
        ("https://github.com/a/../b", None),
        ("https://github.com/a/b?c", Project("github.com", "a/b")),
        ("nothing", None),
        ("https://[::1/a/b", None),
        ("https://[nothing]/a/b", None),
        ("https://\u2100.example/a/b", None),
    ],
)
def test_an_address_says_its_project(address: str, project: Project | None) -> None:
    assert project == project_of(address)


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("github.com", "https://github.com/a/b/compare/main...cc/x?expand=1"),
        ("codeberg.org", "https://codeberg.org/a/b/compare/main...cc/x"),
        ("bitbucket.org", "https://bitbucket.org/a/b/pull-requests/new?source=cc%2Fx&dest=main"),
        (
            "gitlab.com",
            (
                "https://gitlab.com/a/b/-/merge_requests/new"
                "?merge_request%5Bsource_branch%5D=cc%2Fx&merge_request%5Btarget_branch%5D=main"
            ),
        ),
    ],
)
def test_each_forge_has_its_own_page(host: str, page: str) -> None:
    assert page == page_to_open(Project(host, "a/b"), "cc/x", "main")
