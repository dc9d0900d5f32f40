"""The project that an address is of, and the page on which a pull request is opened."""

from __future__ import annotations

import pytest

from command_center.actors.rules.forge_links import (
    ForgeKind,
    Project,
    kind_of,
    page_to_open,
    project_of,
)


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
        ("https://git.corp:3000/a/b.git", Project("git.corp:3000", "a/b")),
        ("ssh://git@git.corp:2222/a/b.git", Project("git.corp", "a/b")),
        ("https://[::1]:3000/a/b.git", Project("[::1]:3000", "a/b")),
        ("https://git.corp:x/a/b.git", None),
        ("nothing", None),
        ("https://[::1/a/b", None),
        ("https://[nothing]/a/b", None),
        ("https://\u2100.example/a/b", None),
    ],
)
def test_an_address_says_its_project(address: str, project: Project | None) -> None:
    assert project == project_of(address)


@pytest.mark.parametrize(
    ("host", "told", "page"),
    [
        ("github.com", None, "https://github.com/a/b/compare/main...cc/x?expand=1"),
        ("codeberg.org", None, "https://codeberg.org/a/b/compare/main...cc/x"),
        ("gitea.corp:3000", None, "https://gitea.corp:3000/a/b/compare/main...cc/x"),
        ("git.corp", "gitea", "https://git.corp/a/b/compare/main...cc/x"),
        (
            "bitbucket.org",
            None,
            "https://bitbucket.org/a/b/pull-requests/new?source=cc%2Fx&dest=main",
        ),
        (
            "gitlab.com",
            None,
            (
                "https://gitlab.com/a/b/-/merge_requests/new"
                "?merge_request%5Bsource_branch%5D=cc%2Fx&merge_request%5Btarget_branch%5D=main"
            ),
        ),
        (
            "code.corp:8443",
            "gitlab",
            (
                "https://code.corp:8443/a/b/-/merge_requests/new"
                "?merge_request%5Bsource_branch%5D=cc%2Fx&merge_request%5Btarget_branch%5D=main"
            ),
        ),
        (
            "git.corp",
            "bitbucket-server",
            (
                "https://git.corp/projects/a/repos/b/pull-requests?create"
                "&sourceBranch=refs%2Fheads%2Fcc%2Fx&targetBranch=refs%2Fheads%2Fmain"
            ),
        ),
    ],
)
def test_each_forge_has_its_own_page(host: str, told: ForgeKind | None, page: str) -> None:
    project = Project(host, "a/b")
    kind = kind_of(project.host_name, {} if told is None else {project.host_name: told})
    assert kind is not None
    assert page == page_to_open(kind, project, "cc/x", "main")


@pytest.mark.parametrize(
    ("path", "place"),
    [("scm/ab/c", "projects/ab"), ("~ada/c", "users/ada"), ("ab/c", "projects/ab")],
)
def test_a_bitbucket_server_has_people_and_projects(path: str, place: str) -> None:
    page = page_to_open("bitbucket-server", Project("git.corp", path), "x", "main")
    assert page.startswith(f"https://git.corp/{place}/repos/c/pull-requests?create&")


def test_nobody_knows_what_a_host_runs_that_is_no_forge_by_name() -> None:
    assert kind_of("backup.corp", {"git.corp": "gitlab"}) is None


@pytest.mark.parametrize(
    ("host", "name"), [("a.b", "a.b"), ("a.b:80", "a.b"), ("[::1]", "[::1]"), ("[::1]:80", "[::1]")]
)
def test_a_host_has_a_name_without_its_port(host: str, name: str) -> None:
    assert name == Project(host, "a/b").host_name
