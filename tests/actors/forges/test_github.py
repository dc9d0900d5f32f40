"""A GitHub that answers what no GitHub should: each is one refusal, and nothing of it gets in."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from command_center.actors.forges.github import KEPT, LARGEST_ANSWER, PAGE, REDIRECTS, GitHub
from command_center.actors.forges.ports import Proposal
from command_center.actors.forges.settings import GitHubSettings
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.runtime import Refusal
from tests.fake_github import TOKEN, FakeGitHub, Fault, fake_github

PROJECT = "ada/work"
SHA = "1" * 40
PULL = "GET /repos/ada/work/pulls/1"
MINE = Proposal(
    project=PROJECT, branch="work", base="main", title="Mine", body="Look.", is_draft=False
)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as github:
        github.heads["work"] = SHA
        yield github


@asynccontextmanager
async def client(github: FakeGitHub, **fields: Any) -> AsyncIterator[GitHub]:
    found = GitHub(GitHubSettings(**{"token": TOKEN, "api_base": github.url, **fields}))
    try:
        yield found
    finally:
        await found.close()


def pull(**fields: Any) -> dict[str, Any]:
    """Return a pull request as GitHub shows it, with something else in it."""
    return {
        "number": 1,
        "html_url": "https://example.org/1",
        "title": "Mine",
        "state": "open",
        "head": {"ref": "work", "sha": SHA},
        "base": {"ref": "main"},
        **fields,
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"a text"',
        b"<html>Sign in to the hotel's network</html>",
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"number": ' * 100_000,
        json.dumps(pull(number="one")).encode(),
        json.dumps(pull(number=None)).encode(),
        json.dumps(pull(number=-1)).encode(),
        json.dumps(pull(number=2**63)).encode(),
        b'{"number": ' + b"9" * 100_000 + b"}",
        b'{"number": 1e999}',
        json.dumps(pull(html_url=None)).encode(),
        json.dumps(pull(html_url="javascript:alert(1)")).encode(),
        json.dumps(pull(html_url="https://a\nb")).encode(),
        json.dumps(pull(head=None)).encode(),
        json.dumps(pull(head={"sha": None})).encode(),
        json.dumps(pull(head={"sha": "../../../user"})).encode(),
        json.dumps(pull(base=[])).encode(),
        json.dumps(pull(state=1)).encode(),
        json.dumps(pull(title="\ud800")).encode(),
    ],
    ids=lambda content: content[:60].decode("latin-1"),
)
async def test_an_answer_of_another_shape_cannot_be_read(
    github: FakeGitHub, content: bytes
) -> None:
    async with client(github) as it:
        github.fail(PULL, Fault(200, content=content))
        with pytest.raises(Unavailable, match=r"cannot be read\. Try again later"):
            await it.look(PROJECT, 1)
        github.fail("POST", Fault(201, content=content))
        with pytest.raises(Unavailable, match="cannot be read"):
            await it.propose(MINE)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("check-runs", b'{"check_runs": null}'),
        ("check-runs", b'{"check_runs": [null]}'),
        ("check-runs", b'{"check_runs": [{"id": 1e30, "name": "a", "status": "b"}]}'),
        ("status", b'{"statuses": {"a": 1}}'),
        ("status", b'{"statuses": [{"context": null, "state": []}]}'),
    ],
)
async def test_so_are_checks_of_another_shape(
    github: FakeGitHub, path: str, content: bytes
) -> None:
    async with client(github) as it:
        await it.propose(MINE)
        github.fail(f"GET /repos/ada/work/commits/{SHA}/{path}", Fault(200, content=content))
        with pytest.raises(Unavailable, match="cannot be read"):
            await it.look(PROJECT, 1)
        assert SHA == (await it.look(PROJECT, 1)).head_sha


async def test_a_field_that_is_null_is_left_out(github: FakeGitHub) -> None:
    run = {"id": 1, "name": "tests", "status": "completed", "conclusion": "failure"}
    nothing = dict.fromkeys(("html_url", "output", "app"))
    github.checks[SHA] = [{**run, **nothing}, {**run, "output": {"title": None, "summary": None}}]
    github.statuses[SHA] = [
        {"context": "ci", "state": "error", "target_url": "", "description": None}
    ]
    github.reviews[PROJECT, 1] = [
        {"id": 1, "user": None, "state": "APPROVED", "body": None, "html_url": None}
    ]
    github.remarks[PROJECT, 1] = [
        {"path": "a", "line": None, "body": None, "pull_request_review_id": None}
    ]
    github.issue(PROJECT, "One")
    github.issues[PROJECT][0] |= {"body": None, "user": None, "labels": ["a", {"name": None}]}
    async with client(github) as it:
        await it.propose(MINE)
        seen = await it.look(PROJECT, 1)
        assert [("failing", None, ""), ("failing", None, ""), ("failing", None, "")] == [
            (check.state, check.url, check.summary) for check in seen.checks
        ]
        assert [("ghost", "")] == [(review.author, review.text) for review in seen.reviews]
        assert [""] == [remark.text for remark in (await it.read_remarks(PROJECT, 1))[0]]
        ((issue,), _) = await it.list_issues(PROJECT, None, page=1, limit=10)
        assert ("ghost", "", ["a"]) == (issue.author, issue.body, issue.labels)


async def test_what_is_kept_of_an_answer_is_bounded(github: FakeGitHub) -> None:
    long = "x" * 1_000_000
    async with client(github) as it:
        await it.propose(MINE)
        github.pulls[PROJECT, 1] |= {"title": long, "mergeable_state": long}
        run = {"id": 1, "name": long, "status": "completed", "html_url": f"https://{long}"}
        github.checks[SHA] = [{**run, "output": {"text": long}}]
        seen = await it.look(PROJECT, 1)
        assert (300, 300) == (len(seen.title), len(seen.merge_state or ""))
        (check,) = seen.checks
        assert (300, 2000, None) == (len(check.name), len(check.summary), check.url)
        github.review(PROJECT, 1, f"bob\n{long}", "APPROVED")
        many = json.dumps(github.reviews[PROJECT, 1] * 2).encode()
        github.fail(f"{PULL}/reviews", Fault(200, content=many))
        assert [f"bob {long}"[:300]] * 2 == [
            review.author for review in (await it.look(PROJECT, 1)).reviews
        ]
        run = {"id": 1, "name": "one", "status": "queued"}
        many = json.dumps({"check_runs": [run] * (PAGE + 50)}).encode()
        path = f"GET /repos/ada/work/commits/{SHA}/check-runs"
        github.fail(path, Fault(200, content=many))
        github.checks[SHA] = []
        assert PAGE == len((await it.look(PROJECT, 1)).checks)


async def test_an_answer_that_is_too_large_is_not_read_to_its_end(github: FakeGitHub) -> None:
    huge = b" " * (LARGEST_ANSWER * 4)
    async with client(github) as it:
        github.fail(PULL, Fault(200, content=huge[: LARGEST_ANSWER + 1]))
        with pytest.raises(Unavailable, match="the answer is too large"):
            await it.look(PROJECT, 1)
        packed = Fault(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(huge))
        github.fail(PULL, packed)
        with pytest.raises(Unavailable, match="the answer is too large"):
            await it.look(PROJECT, 1)


@pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")  # httpx leaves it open
async def test_an_answer_that_cannot_be_unpacked_is_none(github: FakeGitHub) -> None:
    async with client(github) as it:
        github.fail(PULL, Fault(200, headers={"Content-Encoding": "gzip"}, content=b"not gzip"))
        with pytest.raises(Unavailable, match=r"cannot be reached \(DecodingError\)"):
            await it.look(PROJECT, 1)


async def test_pages_end_though_github_gives_more_than_was_asked_for(github: FakeGitHub) -> None:
    github.issue(PROJECT, "One")
    many = json.dumps(github.issues[PROJECT] * 70).encode()
    async with client(github) as it:
        github.fail("GET /repos/ada/work/issues", Fault(200, content=many))
        found, has_more = await it.list_issues(PROJECT, None, page=1, limit=50)
        assert (50, True) == (len(found), has_more)


async def test_a_project_that_has_moved_is_read_where_it_is(github: FakeGitHub) -> None:
    async with client(github) as it:
        await it.propose(MINE)
        checks = f"commits/{SHA}"
        for path in ("pulls/1/reviews", f"{checks}/check-runs", f"{checks}/status", "pulls/1"):
            moved = {"Location": f"/repos/ada/work/{path}?per_page=100&page=1"}
            github.fail(f"GET /repos/ada/old/{path}", Fault(301, headers=moved))
        github.fail("POST", Fault(307, headers={"Location": "/repos/ada/work/pulls"}))
        github.fail("PUT", Fault(308, headers={"Location": "/repos/ada/work/pulls/1/merge"}))
        assert SHA == (await it.look("ada/old", 1)).head_sha
        other = Proposal(
            project="ada/old", branch="b", base="main", title="t", body="", is_draft=False
        )
        with pytest.raises(Conflict, match=r"GitHub has moved ada/old.*git remote set-url"):
            await it.propose(other)
        with pytest.raises(Conflict, match="GitHub has moved ada/old"):
            await it.merge("ada/old", 1, SHA, "merge")
        assert not github.pulls[PROJECT, 1]["merged"]


async def test_redirects_end_and_lead_to_no_other_server(github: FakeGitHub) -> None:
    async with client(github) as it:
        for _ in range(REDIRECTS + 5):
            github.fail(PULL, Fault(302, headers={"Location": "/repos/ada/work/pulls/1"}))
        with pytest.raises(Unavailable, match="redirects more than 5 times"):
            await it.look(PROJECT, 1)
        assert REDIRECTS + 1 == len(github.asked)
        github.faults.clear()
        with fake_github() as other:
            away = {"Location": f"{other.url}/repos/ada/work/pulls/1"}
            github.fail(PULL, Fault(302, headers=away))
            with pytest.raises(Unavailable, match=r"it leads to 127\.0\.0\.1"):
                await it.look(PROJECT, 1)
            for odd in (
                "http://[::1",
                "http://\u00fc\u00fc..\u00fc/",
                "file:///etc/passwd",
                "//",
                "",
            ):
                github.fail(PULL, Fault(302, headers={"Location": odd}))
                with pytest.raises(Refusal, match=r"GitHub (cannot be reached|has moved|has no)"):
                    await it.look(PROJECT, 1)
            assert [] == other.asked


async def test_a_log_may_be_elsewhere_and_the_token_does_not_go_there(github: FakeGitHub) -> None:
    async with client(github) as it:
        with fake_github() as other:
            github.fail(
                "GET /repos/ada/work/actions/jobs/1/logs",
                Fault(302, headers={"Location": f"{other.url}/log"}),
            )
            other.fail("GET /log", Fault(200, content=b"the end of it"))
            other.token = ""
            with pytest.raises(Conflict, match="does not take the token"):
                await it.read_log(PROJECT, 1)
            assert ["GET /log"] == other.asked


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "\u00b2"}, 0),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "9" * 5000}, 3600),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 -2359"}, 3600),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "\u00b3"}, 60),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 5000}, 3600),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 0),
    ],
    ids=str,
)
async def test_it_is_silent_for_a_bounded_time(
    github: FakeGitHub, headers: dict[str, str], seconds: int
) -> None:
    async with client(github) as it:
        github.fail(PULL, Fault(429, headers=headers))
        with pytest.raises(Refusal):
            await it.look(PROJECT, 1)
        with pytest.raises(Refusal) as refused:
            await it.look(PROJECT, 1)
        left = getattr(refused.value, "retry_after", None) or 0
        assert seconds - 5 <= left <= seconds


@pytest.mark.parametrize("token", ["ghp_\u00fc", "ghp_1\nX-Evil: yes", "\u2603"])
async def test_a_token_that_no_header_takes_is_refused(github: FakeGitHub, token: str) -> None:
    async with client(github, token=token) as it:
        with pytest.raises(Conflict, match="does not take the token") as refused:
            await it.look(PROJECT, 1)
        assert token not in str(refused.value)
        assert [] == github.asked


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"message": null}',
        b'{"message": "\\ud800"}',
        b'{"errors": [[[]]]}',
        b"[" * 99999,
    ],
)
async def test_a_refusal_that_says_nothing_is_a_refusal(github: FakeGitHub, content: bytes) -> None:
    async with client(github) as it:
        github.fail("POST", Fault(422, content=content))
        with pytest.raises(Conflict, match=r"GitHub refuses it \(422\)"):
            await it.propose(MINE)


async def test_what_is_kept_with_its_etag_is_bounded(github: FakeGitHub) -> None:
    async with client(github) as it:
        await it.propose(MINE)
        github.pulls[PROJECT, 1]["body"] = "x" * (KEPT // 3)
        await it.look(PROJECT, 1)
        spent = github.spent
        await it.look(PROJECT, 1)
        assert spent == github.spent  # all of it was kept
        for number in (2, 3, 4):
            github.pulls[PROJECT, number] = github.pulls[PROJECT, 1] | {"number": number}
            await it.look(PROJECT, number)
        await it.look(PROJECT, 4)
        spent = github.spent
        await it.look(PROJECT, 1)
        assert spent < github.spent
