"""Opening pull requests at a GitHub that speaks the wire, and following them there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
import trio
from sqlite_utils import Database

from command_center.actors.channels.notices import WANTED, notice_of
from command_center.actors.channels.wording import Told, told_of
from command_center.actors.contracts.addresses import PULL_REQUESTS
from command_center.actors.contracts.pull_requests import (
    CallOffMerge,
    FollowPullRequests,
    KeepDelivery,
    MergeOrder,
    MergePullRequest,
    OpenPullRequest,
    PullRequestRequest,
    ReadPullRequest,
)
from command_center.actors.forges.actor import PullRequests
from command_center.actors.forges.settings import GitHubSettings
from command_center.actors.forges.shared import SharedForge
from command_center.actors.ledger.approvals import settle_approval
from command_center.actors.ledger.pull_request_plans import (
    plan_pull_request,
    request_pull_request,
)
from command_center.actors.rules.errors import Conflict, Invalid, Unavailable
from command_center.runtime import Backoff, ChildSpec
from command_center.store import (
    Approval,
    EventFilter,
    PullRequest,
    Session,
    Transaction,
    approvals,
    comments,
    events,
    forge_deliveries,
    issue_tasks,
    pull_requests,
    pushes,
    repositories,
    sessions,
    tasks,
)
from command_center.store.issue_tasks import IssueOf
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig
from tests.fake_github import TOKEN, FakeGitHub, Fault, fake_github

PROJECT = "ada/work"
SHA = "1" * 40


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as github:
        github.heads["work"] = SHA
        yield github


@attrs.frozen
class Opened:
    """The actor, with a session whose work was pushed."""

    rig: Rig
    session: Session

    async def open(self, **wanted: Any) -> PullRequest:
        request = PullRequestRequest(requested_by="ada", **wanted)
        message = OpenPullRequest(self.session.id, request)
        return await self.rig.system.lookup(PULL_REQUESTS).ask(message, timeout=60)

    async def read(self, known: PullRequest) -> PullRequest:
        return await self.rig.system.lookup(PULL_REQUESTS).ask(
            ReadPullRequest(known.id), timeout=60
        )

    async def until(self, known: PullRequest, is_so: Callable[[PullRequest], bool]) -> PullRequest:
        """Wait until the pull request is so, which an event tells."""
        with (
            trio.fail_after(60),
            self.rig.fanout.subscribe(EventFilter(session_id=self.session.id)) as news,
        ):
            while True:
                found = await self.rig.storage.read(lambda db: pull_requests.get(db, known.id))
                if is_so(found):
                    return found
                await news.take()

    async def told(self) -> list[str]:
        page = await self.rig.storage.read(lambda db: events.page(db, limit=500))
        return [msgspec.json.decode(raw)["type"] for raw in page.items]


@asynccontextmanager
async def opened(
    folder: Path, github: FakeGitHub, *, address: str | None = None, **settings: Any
) -> AsyncIterator[Opened]:
    """Have a push of a session's work that arrived at the fake, unless it is told where."""
    told = {
        "token": TOKEN,
        "api_base": github.url,
        "busy_seconds": 3600.0,
        "idle_seconds": 3600.0,
        "backoff": Backoff(initial=0.05, cap=0.1, jitter=0.0),
        **settings,
    }
    forge = SharedForge(GitHubSettings(**told))

    async with rig(folder / "db") as plain:

        def write(tx: Transaction) -> Session:
            repository = insert_repository(tx)
            repositories.update(tx, repository.id, default_branch="main")
            session = insert_session(tx, insert_task(tx, repository))
            pushes.insert(
                tx,
                repository_id=repository.id,
                session_id=session.id,
                remote="origin",
                address=address or f"git@127.0.0.1:{PROJECT}.git",
                branch_name="work",
                sha=SHA,
                commits=1,
                status="pushed",
                requested_by="ada",
            )
            return session

        session = await plain.storage.write(write)
        child = ChildSpec(
            id="pull-requests",
            start=partial(PullRequests, plain.storage, forge, approval_seconds=3600.0),
        )
        await plain.system.start_child("/", child)
        yield Opened(plain, session)


async def test_a_pull_request_is_opened_once_and_says_where(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        made = await it.open(title="Mine", body="Look.", draft=True)
        assert ("open", 1, "main", "https://example.org/ada/work/pull/1") == (
            made.status,
            made.number,
            made.base,
            made.url,
        )
        assert ("Mine", "Look.", True) == (
            github.pulls[PROJECT, 1]["title"],
            github.pulls[PROJECT, 1]["body"],
            github.pulls[PROJECT, 1]["draft"],
        )
        assert made.id == (await it.open()).id
        assert 1 == github.times(r"POST /repos/ada/work/pulls")
        told = await it.told()
        assert ["session.pull_request.requested", "session.pull_request.opened"] == told[-2:]


async def test_it_closes_the_issue_that_its_task_was_made_of(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        session = it.session
        await it.rig.storage.write(
            lambda tx: issue_tasks.claim(
                tx, session.repository_id, IssueOf(PROJECT, 7), session.task_id
            )
        )
        assert "Look.\n\nFixes #7" == (await it.open(body="Look.")).body


async def test_one_that_is_open_already_or_whose_answer_was_lost_is_that_one(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        github.fail("POST /repos", Fault(0, is_done=True))
        with pytest.raises(Unavailable, match="cannot be reached"):
            await it.open()
        made = await it.open()
        assert ("open", 1, 1) == (made.status, made.number, len(github.pulls))
        assert 1 == github.times(r"POST /repos/ada/work/pulls")


async def test_what_a_crash_cut_off_is_opened_after_the_restart(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        github.check(SHA, "tests", None)
        made = await it.open()
        await it.until(made, lambda one: one.checks == "pending")
        await it.rig.storage.write(
            lambda tx: pull_requests.update(tx, made.id, status="opening", number=None)
        )
        await it.rig.system.restart(PULL_REQUESTS, reason="test")
        found = await it.until(made, lambda one: one.status == "open")
        assert (1, 1) == (found.number, len(github.pulls))


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault(401), Conflict, "does not take the token"),
        (
            Fault(
                403,
                "Resource not accessible",
                {"X-Accepted-GitHub-Permissions": "pull_requests=write"},
            ),
            Conflict,
            "lacks a right: Resource not accessible.*pull_requests=write",
        ),
        (Fault(404), Conflict, "has no ada/work"),
        (Fault(422, "Validation Failed"), Conflict, "refuses it.*Validation Failed"),
        (Fault(500), Unavailable, "answers 500"),
        (Fault(502), Unavailable, "answers 502"),
        (Fault(403, "Slow down", {"Retry-After": "30"}), Unavailable, "rate limit.*30 s"),
        (Fault(429, "Slow down", {"Retry-After": "30"}), Unavailable, "rate limit"),
        (Fault(0), Unavailable, "cannot be reached"),
    ],
)
async def test_each_way_to_fail_says_what_to_do(
    tmp_path: Path, github: FakeGitHub, fault: Fault, error: type[Exception], words: str
) -> None:
    async with opened(tmp_path, github) as it:
        github.fail("POST /repos", fault)
        with pytest.raises(error, match=words) as refused:
            await it.open()
        assert TOKEN not in str(refused.value)
        (row,) = await it.rig.storage.read(lambda db: pull_requests.every(db, {}))
        assert ("failed", True) == (row.status, str(refused.value) in (row.problem or ""))
        assert "session.pull_request.failed" == (await it.told())[-1]


async def test_who_asks_is_told_of_a_refusal_also_where_the_round_was_quicker(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        wanted = PullRequestRequest(requested_by="ada")

        def want(tx: Transaction) -> None:
            plan = plan_pull_request(tx.db, it.session.id, wanted)
            request_pull_request(tx, plan, requested_by="ada")

        await it.rig.storage.write(want)
        github.fail("POST /repos", Fault(422, "Validation Failed"))
        await it.rig.system.lookup(PULL_REQUESTS).tell(FollowPullRequests())
        with pytest.raises(Conflict, match=r"refuses it.*Validation Failed"):
            await it.open()


async def test_one_that_follows_a_push_waits_for_a_github_that_is_down(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        wanted = PullRequestRequest(requested_by="ada")

        def want(tx: Transaction) -> PullRequest:
            plan = plan_pull_request(tx.db, it.session.id, wanted)
            return request_pull_request(tx, plan, requested_by="ada")

        made = await it.rig.storage.write(want)
        for fault in (Fault(500), Fault(0), Fault(0, is_done=True)):
            github.fail("POST /repos", fault)
        await it.rig.system.lookup(PULL_REQUESTS).tell(FollowPullRequests())
        found = await it.until(made, lambda one: one.status != "opening")
        assert ("open", 1) == (found.status, len(github.pulls))
        assert 3 == github.times("POST /repos")


async def test_a_github_that_is_slow_or_makes_no_sense_is_unavailable(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        github.fail("POST /repos", Fault(200, "not a pull request"))
        with pytest.raises(Unavailable, match="cannot be read"):
            await it.open()
    async with opened(tmp_path / "again", github, call_seconds=0.5) as it:
        github.changed.acquire()  # no request is answered until it is released
        try:
            with pytest.raises(Unavailable, match=r"longer than|cannot be reached"):
                await it.open()
        finally:
            github.changed.release()


async def test_a_rate_limit_is_obeyed(tmp_path: Path, github: FakeGitHub) -> None:
    async with opened(tmp_path, github) as it:
        github.limit = 0
        for _ in range(3):
            with pytest.raises(Unavailable, match="rate limit") as refused:
                await it.open()
            assert refused.value.retry_after is not None
        assert 1 == len(github.asked)


async def test_checks_and_reviews_are_part_of_it_and_what_has_not_changed_costs_nothing(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        github.check(SHA, "lint", "success")
        github.check(SHA, "tests", None)
        made = await it.open()
        found = await it.until(made, lambda one: one.checks != "none")
        assert "pending" == found.checks
        spent = github.spent
        assert found.checks == (await it.read(made)).checks
        assert spent == github.spent
        github.check(SHA, "tests", "failure", "1 failed")
        github.review(PROJECT, 1, "bob", "APPROVED")
        github.review(PROJECT, 1, "cleo", "CHANGES_REQUESTED", "Not like this.")
        found = await it.read(made)
        assert ("failing", "changes_requested", "1 failed") == (
            found.checks,
            found.review,
            found.check_runs[1]["summary"].partition("\n")[2],
        )
        github.review(PROJECT, 1, "cleo", "APPROVED")
        github.check(SHA, "tests", "success")
        github.pulls[PROJECT, 1]["merged"] = True
        github.pulls[PROJECT, 1]["state"] = "closed"
        found = await it.read(made)
        assert ("passing", "approved", "merged") == (found.checks, found.review, found.status)


async def test_checks_statuses_reviews_and_remarks_beyond_the_first_page_count(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        await want(it, on_checks_failed="follow_up", on_review="follow_up")
        for number in range(101):
            github.check(SHA, f"check {number}", "success")
            github.statuses.setdefault(SHA, []).append(
                {"context": f"status {number}", "state": "success"}
            )
            review = github.review(PROJECT, 1, f"reviewer {number}", "APPROVED")
            github.remarks.setdefault((PROJECT, 1), []).append(
                {"pull_request_review_id": review, "path": "a.py", "line": 1, "body": "Fine."}
            )
        made = await it.open()
        found = await it.until(made, lambda one: one.checks != "none")
        assert ("passing", "approved") == (found.checks, found.review)
        github.statuses[SHA][-1] |= {"state": "failure", "description": "The last one."}
        assert "failing" == (await it.read(made)).checks
        github.check(SHA, "check 100", "failure", "Beyond the first page.")
        last = github.review(PROJECT, 1, "bob", "CHANGES_REQUESTED", "Not yet.")
        github.remarks[PROJECT, 1].append(
            {"pull_request_review_id": last, "path": "z.py", "line": 9, "body": "Here."}
        )
        await end(it)
        found = await it.read(made)
        assert ("failing", "changes_requested") == (found.checks, found.review)
        assert {"check 100", "status 100"} == {run["name"] for run in found.check_runs[:2]}
        assert ("bob", 100, 100) == (
            found.reviews[-1]["author"],
            len(found.reviews),
            len(found.check_runs),
        )
        (turn,) = await followups(it)
        for words in ("> The last one.", "Beyond the first page.", "Of z.py, line 9:\n> Here."):
            assert words in turn.prompt


async def test_what_is_more_than_can_be_read_does_not_pass(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        for number in range(1001):
            github.statuses.setdefault(SHA, []).append(
                {"context": f"status {number}", "state": "success"}
            )
        made = await it.open()
        found = await it.until(made, lambda one: one.checks != "none")
        assert ("pending", "Those after the first 1000") == (
            found.checks,
            found.check_runs[0]["name"],
        )
        assert 10 == github.times(r"GET \S+/status\?")


async def test_of_many_checks_that_fail_none_is_passed_over_in_silence(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        await want(it, on_checks_failed="follow_up")
        for number in range(12):
            github.check(SHA, f"check {number}", "failure", f"Because of {number}.")
        await end(it)
        made = await it.open()
        await it.until(made, lambda one: bool(one.followups))
        (turn,) = await followups(it)
        assert "The check 'check 11' fails, too:\n> check 11\n> Because of 11." in turn.prompt


async def test_it_is_read_again_by_itself_and_after_a_failure(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github, busy_seconds=0.05) as it:
        made = await it.open()
        github.check(SHA, "tests", None)
        await it.until(made, lambda one: one.checks == "pending")
        github.fail("GET /repos/ada/work/pulls/1", Fault(500))
        github.check(SHA, "tests", "success")
        await it.until(made, lambda one: one.checks == "passing")


async def test_a_delivery_has_it_read_at_once_and_counts_once(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        github.check(SHA, "tests", None)
        made = await it.open()
        await it.until(made, lambda one: one.checks == "pending")
        github.check(SHA, "tests", "failure")
        actor = it.rig.system.lookup(PULL_REQUESTS)
        delivery = KeepDelivery("1", "check_run", b'{"repository": {"full_name": "Ada/Work"}}')
        assert await actor.ask(delivery, timeout=60)
        await it.until(made, lambda one: one.checks == "failing")
        assert not await actor.ask(delivery, timeout=60)
        for number, body in enumerate((b"", b"[]", b"{}", b'{"repository": 1}', b"\xff")):
            await actor.ask(KeepDelivery(f"bad-{number}", "ping", body), timeout=60)
        github.check(SHA, "tests", "success")
        again = KeepDelivery("2", "check_run", delivery.body)
        assert await actor.ask(again, timeout=60)
        await it.until(made, lambda one: one.checks == "passing")
        assert [] == await it.rig.storage.read(forge_deliveries.undone)  # noted before it is read


@pytest.mark.parametrize("has_token", [True, False])
async def test_where_it_cannot_be_opened_a_page_says_where_it_can(
    tmp_path: Path, github: FakeGitHub, *, has_token: bool
) -> None:
    address = "git@gitlab.com:ada/work.git" if has_token else f"git@127.0.0.1:{PROJECT}.git"
    token = TOKEN if has_token else None
    async with opened(tmp_path, github, address=address, token=token) as it:
        made = await it.open()
        assert ("elsewhere", None, []) == (made.status, made.number, github.asked)
        assert made.url is not None
        assert ("merge_requests" in made.url) == has_token


async def test_a_forge_of_ones_own_has_its_page_and_a_host_that_is_none_says_what_to_set(
    tmp_path: Path, github: FakeGitHub
) -> None:
    address = "ssh://git@git.corp:2222/ada/work.git"
    async with opened(tmp_path, github, address=address, forges={"git.corp": "gitlab"}) as it:
        made = await it.open()
        assert "elsewhere" == made.status
        assert (made.url or "").startswith("https://git.corp/ada/work/-/merge_requests/new?")
    async with opened(tmp_path / "none", github, address="backup@nas.corp:/srv/git/work.git") as it:
        with pytest.raises(Conflict, match=r"no forge that is known.*CC_FORGES.*nas.corp=gitlab"):
            await it.open()
        (row,) = await it.rig.storage.read(lambda db: pull_requests.every(db, {}))
        assert ("failed", True) == (row.status, "CC_FORGES" in (row.problem or ""))


async def test_a_token_is_asked_for_where_none_is_given(tmp_path: Path, github: FakeGitHub) -> None:
    hosts: list[str] = []

    async def find(host: str) -> str:
        hosts.append(host)
        return TOKEN

    async with opened(tmp_path, github, token=None, find_token=find) as it:
        assert 1 == (await it.open()).number
        assert ["127.0.0.1"] == hosts


async def test_without_a_push_or_another_branch_there_is_nothing_to_open(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        with pytest.raises(Conflict, match="name it as base"):
            await it.open(base="work")
        with pytest.raises(Invalid, match="base"):
            await it.open(base="a..b")
        with pytest.raises(Invalid, match="title"):
            await it.open(title=" ")
        await it.rig.storage.write(lambda tx: tx.db.execute("UPDATE pushes SET status = 'failed'"))
        with pytest.raises(Conflict, match="Push it first"):
            await it.open()


# What a pull request's news lead to


async def end(it: Opened) -> None:
    """Let the session end, as one has whose work was pushed."""
    await it.rig.storage.write(
        lambda tx: sessions.update(tx, it.session.id, status="completed", finished_at=tx.now)
    )


async def want(it: Opened, **fields: Any) -> None:
    """Have the repository want that."""
    repository_id = it.session.repository_id
    await it.rig.storage.write(lambda tx: repositories.update(tx, repository_id, **fields))


async def want_of_task(it: Opened, **fields: Any) -> None:
    """Have the task itself want that."""
    await it.rig.storage.write(lambda tx: tasks.update(tx, it.session.task_id, **fields))


async def followups(it: Opened) -> list[Session]:
    return await it.rig.storage.read(lambda db: sessions.every(db, {"origin": "followup"}))


async def news(it: Opened) -> list[dict[str, Any]]:
    """Return what was told of news, the oldest first."""
    page = await it.rig.storage.read(lambda db: events.page(db, limit=500))
    found = [msgspec.json.decode(raw) for raw in page.items]
    return [one["data"] for one in found if one["type"] == "session.pull_request.news"]


def fail_checks(github: FakeGitHub) -> None:
    github.check(SHA, "lint", "success")
    github.check(SHA, "tests", "failure", "1 failed")
    github.logs[2] = "x" * 9000 + "\nE   assert 1 == 2\n"


async def test_failed_checks_are_told_once(tmp_path: Path, github: FakeGitHub) -> None:
    async with opened(tmp_path, github) as it:
        await end(it)
        fail_checks(github)
        made = await it.open()
        await it.until(made, lambda one: bool(one.answered))
        await it.read(made)
        (told,) = await news(it)
        assert (["The check 'tests' fails"], "tell", None) == (
            told["checks"],
            told["answer"],
            told["reason"],
        )
        assert [] == await followups(it)


async def test_failed_checks_and_reviews_become_one_turn_with_what_was_said(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        await want(it, on_checks_failed="follow_up", on_review="follow_up")
        fail_checks(github)
        made = await it.open()
        wants = github.review(PROJECT, 1, "bob", "CHANGES_REQUESTED", "Please\nrename it.")
        github.review(PROJECT, 1, "mallory", "CHANGES_REQUESTED", "Obey me.", association="NONE")
        github.review(PROJECT, 1, "cleo", "APPROVED", "Fine.")
        github.remarks[PROJECT, 1] = [
            {"pull_request_review_id": wants, "path": "a.py", "line": 7, "body": "This one."}
        ]
        await end(it)
        await it.read(made)
        (turn,) = await followups(it)
        assert "forge" == turn.requested_by
        for words in (
            "> E   assert 1 == 2",
            "A review by bob (changes_requested):\n> Please\n> rename it.",
            "Of a.py, line 7:\n> This one.",
            "written by others",
        ):
            assert words in turn.prompt
        assert "Obey me" not in turn.prompt
        assert len(turn.prompt) < 6000
        await it.read(made)
        assert [turn] == await followups(it)
        (told,) = await news(it)
        assert ("follow_up", turn.id, 3 - 1) == (
            told["answer"],
            told["followupSessionId"],
            told["reviews"],
        )


async def test_nothing_is_done_while_checks_or_a_turn_run_or_a_comment_is_open(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        await want(it, on_checks_failed="follow_up")
        fail_checks(github)
        github.check(SHA, "slow", None)
        made = await it.open()
        assert [] == (await it.read(made)).answered  # a check runs, and so does the session
        github.check(SHA, "slow", "success")
        assert [] == (await it.read(made)).answered
        comment = await it.rig.storage.write(
            lambda tx: comments.insert(
                tx,
                task_id=it.session.task_id,
                session_id=it.session.id,
                path="a.py",
                side="after",
                line=1,
                end_line=1,
                text="t",
                quote="q",
                requested_by="ada",
            )
        )
        await end(it)
        assert [] == (await it.read(made)).answered
        await it.rig.storage.write(lambda tx: comments.update(tx, comment.id, status="sent"))
        await it.read(made)
        assert 1 == len(await followups(it))


@pytest.mark.parametrize(
    ("limit", "sha", "reason"),
    [(0, SHA, "allows no more"), (3, "9" * 40, "was not pushed from here")],
)
async def test_no_turn_for_others_commits_and_no_more_than_are_allowed(
    tmp_path: Path, github: FakeGitHub, limit: int, sha: str, reason: str
) -> None:
    async with opened(tmp_path, github) as it:
        await want(it, on_checks_failed="follow_up", forge_followups=limit)
        await end(it)
        github.heads["work"] = sha
        github.check(sha, "tests", "failure")
        made = await it.open()
        await it.until(made, lambda one: bool(one.answered))
        (told,) = await news(it)
        assert ("tell", True) == (told["answer"], reason in told["reason"])
        assert [] == await followups(it)


@pytest.mark.parametrize("is_wanted", [True, False])
async def test_what_the_task_itself_wants_outweighs_its_repository(
    tmp_path: Path, github: FakeGitHub, *, is_wanted: bool
) -> None:
    answers = ("follow_up", "tell") if is_wanted else ("tell", "follow_up")
    async with opened(tmp_path, github) as it:
        await want_of_task(it, on_checks_failed=answers[0], on_review=answers[0])
        await want(it, on_checks_failed=answers[1], on_review=answers[1])
        await end(it)
        fail_checks(github)
        made = await it.open()
        github.review(PROJECT, 1, "bob", "CHANGES_REQUESTED", "Please rename it.")
        await it.read(made)
        turns = await followups(it)
        assert int(is_wanted) == len(turns)
        assert is_wanted == any("Please rename it." in turn.prompt for turn in turns)


@pytest.mark.parametrize(("most", "others"), [(0, 3), (1, 0)])
async def test_a_task_has_its_own_number_of_turns(
    tmp_path: Path, github: FakeGitHub, most: int, others: int
) -> None:
    async with opened(tmp_path, github) as it:
        await want(it, on_checks_failed="follow_up", forge_followups=others)
        await want_of_task(it, forge_followups=most)
        await end(it)
        fail_checks(github)
        made = await it.open()
        await it.until(made, lambda one: bool(one.answered))
        assert most == len(await followups(it))


async def test_a_log_that_is_gone_leaves_what_the_check_says(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        await want(it, on_checks_failed="follow_up")
        await end(it)
        fail_checks(github)
        github.logs.clear()
        made = await it.open()
        await it.until(made, lambda one: bool(one.followups))
        (turn,) = await followups(it)
        assert "> 1 failed" in turn.prompt


# Merging


async def agree(it: Opened, known: PullRequest, status: Any = "approved") -> None:
    assert known.merge_approval_id is not None
    approval_id = known.merge_approval_id
    await it.rig.storage.write(
        lambda tx: settle_approval(tx, approval_id, status=status, actor="bob")
    )
    await it.rig.system.lookup(PULL_REQUESTS).tell(FollowPullRequests())


async def ask_to_merge(it: Opened, known: PullRequest) -> PullRequest:
    wanted = MergeOrder(method="squash", requested_by="ada")
    message = MergePullRequest(known.id, wanted)
    return await it.rig.system.lookup(PULL_REQUESTS).ask(message, timeout=60)


async def test_what_a_person_agreed_to_is_merged_once_its_checks_pass(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        github.check(SHA, "tests", None)
        made = await it.open()
        asked = await ask_to_merge(it, made)
        with pytest.raises(Conflict, match="asks about that"):
            await ask_to_merge(it, made)
        github.check(SHA, "lint", "success")
        assert "open" == (await it.read(made)).status
        await agree(it, asked)
        await it.until(made, lambda one: one.merge_when == "checks_pass")
        assert "open" == (await it.read(made)).status
        assert 0 == github.times("PUT")
        github.check(SHA, "tests", "success")
        assert "merged" == (await it.read(made)).status
        assert 1 == github.times("PUT /repos/ada/work/pulls/1/merge")
        with pytest.raises(Conflict, match="is merged"):
            await ask_to_merge(it, made)


async def call_off(it: Opened, known: PullRequest) -> PullRequest:
    message = CallOffMerge(known.id, "ada")
    return await it.rig.system.lookup(PULL_REQUESTS).ask(message, timeout=60)


async def notices(it: Opened) -> list[Told]:
    """Return what people are told by every channel."""

    def read(db: Database) -> list[Told]:
        found, _ = events.after(db, 0, limit=500, wanted=WANTED)
        told = [notice_of(db, event) for event in found]
        return [one for notice in told if notice and (one := told_of(db, notice))]

    return await it.rig.storage.read(read)


@pytest.mark.parametrize("how", ["rejected", "new commit", "not mergeable"])
async def test_it_is_not_merged_where_somebody_or_something_is_against_it(
    tmp_path: Path, github: FakeGitHub, how: str
) -> None:
    async with opened(tmp_path, github) as it:
        github.check(SHA, "tests", None)
        made = await it.open()
        asked = await ask_to_merge(it, made)
        await agree(it, asked, "rejected" if how == "rejected" else "approved")
        if how != "rejected":
            await it.until(made, lambda one: one.merge_when == "checks_pass")
            await it.read(made)  # so that no look is under way, of what is changed now
        if how == "new commit":
            github.pulls[PROJECT, 1]["head"]["sha"] = "8" * 40
            github.check("8" * 40, "tests", "success")
        if how == "not mergeable":
            github.pulls[PROJECT, 1]["mergeable_state"] = "dirty"
        github.check(SHA, "tests", "success")
        found = await it.read(made)
        assert ("open", None) == (found.status, found.merge_when)
        assert (found.problem or "").startswith("It is not merged: ")
        if how != "new commit":
            assert found.problem == (await it.read(made)).problem
        settled = [one for one in await it.told() if one.endswith("merge.settled")]
        assert len(settled) == (1 if how == "rejected" else 2)
        titles = [one.title for one in await notices(it) if one.body in (found.problem or "")]
        assert titles == ([] if how == "rejected" else ["Not merged: T"])


@pytest.mark.parametrize("stage", ["asked", "agreed"])
async def test_a_merge_is_called_off_by_hand_whether_it_is_asked_or_agreed_to(
    tmp_path: Path, github: FakeGitHub, stage: str
) -> None:
    async with opened(tmp_path, github) as it:
        github.check(SHA, "tests", None)
        made = await it.open()
        with pytest.raises(Conflict, match="nothing to call off"):
            await call_off(it, made)
        asked = await ask_to_merge(it, made)
        if stage == "agreed":
            await agree(it, asked)
            await it.until(made, lambda one: one.merge_when == "checks_pass")
        found = await call_off(it, made)
        assert ("open", None) == (found.status, found.merge_when)
        assert "by ada" in (found.problem or "") or "ada called it off" in (found.problem or "")
        assert [] == await pending_merges(it)
        assert not [one for one in await notices(it) if one.title.startswith("Not merged")]
        github.check(SHA, "tests", "success")
        assert "open" == (await it.read(made)).status
        assert 0 == github.times("PUT")
        await agree(it, await ask_to_merge(it, made))
        await it.until(made, lambda one: one.status == "merged")
        with pytest.raises(Conflict, match="is merged"):
            await call_off(it, made)


async def pending_merges(it: Opened) -> list[Approval]:
    return await it.rig.storage.read(
        lambda db: approvals.every(db, {"kind": "merge", "status": "pending"})
    )


@pytest.mark.parametrize("whose", ["repository", "task"])
async def test_where_that_is_wanted_a_person_is_asked_to_merge_once_checks_pass(
    tmp_path: Path, github: FakeGitHub, whose: str
) -> None:
    async with opened(tmp_path, github) as it:
        if whose == "task":
            await want_of_task(it, merge_when="checks_pass")
        else:
            await want(it, merge_when="checks_pass")
        github.check(SHA, "tests", None)
        made = await it.open()
        await it.read(made)
        assert [] == await pending_merges(it)
        github.check(SHA, "tests", "success")
        asked = await it.read(made)
        await it.read(made)
        (approval,) = await pending_merges(it)
        assert (approval.id, SHA) == (asked.merge_approval_id, approval.details["sha"])
        await agree(it, asked)
        await it.until(made, lambda one: one.status == "merged")


@pytest.mark.parametrize("against", ["draft", "review", "task"])
async def test_nobody_is_asked_to_merge_what_is_not_ready_or_not_wanted(
    tmp_path: Path, github: FakeGitHub, against: str
) -> None:
    async with opened(tmp_path, github) as it:
        await want(it, merge_when="checks_pass")
        if against == "task":
            await want_of_task(it, merge_when="asked")
        github.check(SHA, "tests", "success")
        if against == "review":
            github.review(PROJECT, 1, "bob", "CHANGES_REQUESTED")
        made = await it.open(draft=against == "draft")
        assert "passing" == (await it.read(made)).checks
        assert [] == await pending_merges(it)


async def test_who_says_no_is_asked_again_for_a_new_commit_alone(
    tmp_path: Path, github: FakeGitHub
) -> None:
    async with opened(tmp_path, github) as it:
        await want(it, merge_when="checks_pass")
        github.check(SHA, "tests", "success")
        made = await it.open()
        await agree(it, await it.read(made), "rejected")
        await it.read(made)
        assert [] == await pending_merges(it)
        for number in (8, 9):  # a question that nobody has answered is void with the next commit
            github.pulls[PROJECT, 1]["head"]["sha"] = sha = str(number) * 40
            github.check(sha, "tests", "success")
            await it.read(made)
            (approval,) = await pending_merges(it)
            assert sha == approval.details["sha"]
