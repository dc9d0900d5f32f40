"""Pushing what a session committed: to a real remote, once, by the user's settings alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from command_center.actors.contracts.landing import ConflictsRequest, MarkConflicts
from command_center.actors.contracts.pull_requests import PullRequestRequest
from command_center.actors.contracts.pushes import CarryOutPushes, PushRequest, PushWork
from command_center.actors.contracts.repositories import PatchRepository, RepositoryChanges
from command_center.actors.git import remotes
from command_center.actors.ledger.approvals import settle_approval
from command_center.actors.rules.errors import Conflict, Invalid, Unavailable
from command_center.store import Approval, PullRequest, Push, approvals, pull_requests, pushes
from tests.actors.git.remote import TOKEN, Remote, local_ssh, serve_remote, trust
from tests.actors.git.repository import commit, plain_git
from tests.actors.repositories.rig import Rig
from tests.actors.repositories.work import Work

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="The programs of these tests are scripts."
)


@attrs.frozen
class Pushed:
    """A session's work with commits, and the remote that it may go to."""

    work: Work
    remote: Remote
    project: Path
    home: Path

    async def push(self, **wanted: Any) -> Push:
        request = PushRequest(requested_by="ada", **wanted)
        return await self.work.rig.ask(PushWork(self.work.session.id, request))

    async def patch(self, **changes: Any) -> None:
        wanted = RepositoryChanges(**changes)
        await self.work.rig.ask(PatchRepository(self.work.session.repository_id, wanted))

    def git(self, *arguments: str) -> str:
        return plain_git(self.project, *arguments)

    async def decide(self, push: Push, status: Any) -> None:
        assert push.approval_id is not None
        approval_id = push.approval_id
        await self.work.rig.storage.write(
            lambda tx: settle_approval(tx, approval_id, status=status, actor="bob")
        )

    async def carried_out(self, push: Push) -> Push:
        """Have it carried out that was let through, and return what came of it."""
        rig = self.work.rig
        await rig.system.lookup("/repositories").tell(CarryOutPushes())
        return await self.until(push, {"pushed", "failed"})

    async def until(self, push: Push, states: set[str]) -> Push:
        with trio.fail_after(60):
            while True:
                found = await self.work.rig.storage.read(lambda db: pushes.get(db, push.id))
                if found.status in states:
                    return found
                await trio.sleep(0.05)

    async def approval(self, push: Push) -> Approval:
        assert push.approval_id is not None
        approval_id = push.approval_id
        return await self.work.rig.storage.read(lambda db: approvals.get(db, approval_id))


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    with serve_remote(tmp_path / "remote") as remote:
        yield remote


@pytest.fixture
async def pushed(rig: Rig, remote: Remote, project: Path) -> Pushed:
    home = rig.data_dir.parent / "home"
    trust(remote, home, token=TOKEN)
    return await leave_commits(rig, remote, project, home)


async def leave_commits(rig: Rig, remote: Remote, project: Path, home: Path) -> Pushed:
    """Let a session end whose branch has two commits of its own."""
    plain_git(project, "remote", "add", "origin", remote.url)
    repository = await rig.register(project)
    made = await rig.make_worktree(repository)
    session = await rig.start_session(
        repository, cwd=made.path, worktree_path=made.path, branch_name="work"
    )
    await rig.end_session(session)
    work = Work(rig, session, Path(made.path))
    commit(work.folder, {"one.txt": "1\n"}, "First")
    commit(work.folder, {"two.txt": "2\n"}, "Second")
    return Pushed(work, remote, project, home)


async def test_a_push_that_is_allowed_arrives_and_says_so(pushed: Pushed) -> None:
    await pushed.patch(allow_push=True)
    push = await pushed.push()
    head = pushed.git("rev-parse", "work")
    assert ("pushed", head, head, 3, None) == (
        push.status,
        push.sha,
        pushed.remote.head("work"),
        push.commits,
        push.approval_id,
    )
    kinds = await pushed.work.rig.kinds()
    assert ["session.push.requested", "session.pushed"] == kinds[-2:]
    event = (await pushed.work.rig.events())[-1]
    assert ("ada", pushed.remote.url) == (event["actor"], event["data"]["address"])


async def test_what_is_not_allowed_waits_for_a_person_who_sees_what_goes_where(
    pushed: Pushed,
) -> None:
    push = await pushed.push()
    again = await pushed.push()
    assert ("waiting_approval", push) == (push.status, again)
    asked = await pushed.approval(push)
    assert ("push", pushed.remote.url, "work", 3, ["Second", "First", "A change"]) == (
        asked.kind,
        asked.details["address"],
        asked.details["branchName"],
        asked.details["commitCount"],
        [one["subject"] for one in asked.details["commits"]],
    )
    assert "" == pushed.remote.head("work")
    commit(pushed.work.folder, {"three.txt": "3\n"}, "Not agreed to")
    await pushed.decide(push, "approved")
    done = await pushed.carried_out(push)
    assert ("pushed", push.sha) == (done.status, pushed.remote.head("work"))


@pytest.mark.parametrize("status", ["rejected", "expired"])
async def test_what_a_person_does_not_agree_to_is_not_sent(pushed: Pushed, status: str) -> None:
    push = await pushed.push()
    await pushed.decide(push, status)
    done = await pushed.carried_out(push)
    assert ("failed", "") == (done.status, pushed.remote.head("work"))
    assert f"was {status} by bob" in (done.problem or "")


async def test_an_address_that_came_after_pushes_were_allowed_needs_a_person(
    pushed: Pushed, tmp_path: Path
) -> None:
    await pushed.patch(allow_push=True)
    with serve_remote(tmp_path / "other") as other:
        trust(other, pushed.home)
        pushed.git("remote", "set-url", "origin", other.url)
        push = await pushed.push()
        assert ("waiting_approval", "") == (push.status, other.head("work"))
        assert "not one of those" in (await pushed.approval(push)).details["reason"]
        await pushed.patch(allow_push=True)
        await pushed.decide(push, "rejected")
        assert "pushed" == (await pushed.push()).status


async def test_the_password_comes_from_the_users_own_helper(pushed: Pushed) -> None:
    await pushed.patch(allow_push=True)
    pushed.remote.token = TOKEN
    assert "pushed" == (await pushed.push()).status
    pushed.remote.token = "another"
    commit(pushed.work.folder, {"three.txt": "3\n"})
    with pytest.raises(Conflict, match=r"did not let git in.*credential helper"):
        await pushed.push()


async def test_nothing_that_the_repository_says_of_pushing_counts(
    pushed: Pushed, tmp_path: Path
) -> None:
    await pushed.patch(allow_push=True)
    trap = tmp_path / "trap"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {trap}\nexit 1\n")
    program.chmod(0o755)
    with serve_remote(tmp_path / "other") as other:
        for key, value in {
            "remote.origin.pushurl": other.url,
            f"url.{other.url}.insteadOf": pushed.remote.url,
            f"url.{other.url}.pushInsteadOf": pushed.remote.url,
            "remote.origin.receivepack": str(program),
            "remote.origin.vcs": "trap",
            "credential.helper": str(program),
            "core.sshCommand": str(program),
            "core.askPass": str(program),
            "core.gitProxy": str(program),
            "http.proxy": "http://127.0.0.1:9",
            "push.gpgSign": "true",
            "gpg.program": str(program),
            "push.recurseSubmodules": "on-demand",
        }.items():
            pushed.git("config", key, value)
        hook = pushed.project / ".git" / "hooks" / "pre-push"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(program.read_text())
        hook.chmod(0o755)
        pushed.remote.token = TOKEN
        push = await pushed.push()
        assert (pushed.remote.url, push.sha, False, []) == (
            push.address,
            pushed.remote.head("work"),
            trap.exists(),
            other.asked,
        )


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/work.git",
        "git://127.0.0.1/work.git",
        "file:///work.git",
        "/work.git",
        "../work.git",
        "ext::sh -c true",
        "ssh://-oProxyCommand=true/work.git",
        "-oProxyCommand=true:work.git",
        "https://ada@-x/work.git",
        "https://127.0.0.1/a b",
        "https://127.0.0.1/a\nb",
    ],
)
async def test_what_is_neither_https_nor_ssh_is_refused(pushed: Pushed, url: str) -> None:
    pushed.git("config", "remote.origin.url", url)
    with pytest.raises(Conflict, match="neither https nor ssh"):
        await pushed.push()


async def test_an_address_with_a_password_is_refused_and_never_shown(pushed: Pushed) -> None:
    pushed.git("remote", "set-url", "origin", "https://ada:hunter22@127.0.0.1/work.git")
    with pytest.raises(Conflict, match="has a password in it") as refused:
        await pushed.push()
    assert "hunter22" not in str(refused.value)


async def test_it_goes_over_ssh_with_the_users_own_program(
    rig: Rig, remote: Remote, project: Path, tmp_path: Path
) -> None:
    home = rig.data_dir.parent / "home"
    program = local_ssh(tmp_path)
    for key, value in {
        "core.sshCommand": str(program),
        "url.git@example.org:.pushInsteadOf": "https://127.0.0.1:",
    }.items():
        plain_git(home, "config", "--file", str(home / ".gitconfig"), key, value)
    pushed = await leave_commits(rig, remote, project, home)
    await pushed.patch(allow_push=True)
    address = f"git@example.org:{remote.folder}"
    pushed.git("remote", "set-url", "origin", f"https://127.0.0.1:{remote.folder}")
    await pushed.patch(allow_push=True)
    push = await pushed.push()
    assert (address, push.sha) == (push.address, remote.head("work"))
    calls = (tmp_path / "ssh-calls").read_text()
    assert "git@example.org git-receive-pack" in calls


async def test_a_remote_and_a_branch_can_be_named(pushed: Pushed) -> None:
    await pushed.patch(allow_push=True)
    assert "feature/a" == (await pushed.push(branch="feature/a")).branch_name
    assert pushed.git("rev-parse", "work") == pushed.remote.head("feature/a")
    with pytest.raises(Conflict, match=r"no remote 'fork'\. It has origin"):
        await pushed.push(remote="fork")
    for name in ("-x", "a..b", "@{-1}", ":main"):
        with pytest.raises(Invalid, match="branch"):
            await pushed.push(branch=name)
    pushed.git("remote", "remove", "origin")
    with pytest.raises(Conflict, match="git remote add origin"):
        await pushed.push()


async def test_a_branch_that_moved_meanwhile_is_not_pushed(pushed: Pushed) -> None:
    with pytest.raises(Conflict, match="has moved meanwhile") as refused:
        await pushed.push(head_sha="0" * 40)
    assert pushed.git("rev-parse", "work") == refused.value.facts["headSha"]
    await pushed.work.rig.storage.write(
        lambda tx: tx.db.execute("UPDATE sessions SET finished_at = NULL")
    )
    with pytest.raises(Conflict, match="has not ended"):
        await pushed.push()


async def test_conflicts_that_are_not_resolved_are_not_pushed(pushed: Pushed) -> None:
    work = pushed.work
    commit(pushed.project, {"one.txt": "theirs\n"})
    await work.rig.ask(MarkConflicts(work.session.id, ConflictsRequest()))
    for _ in ("the merge", "a commit of the agent's on top of it"):
        with pytest.raises(Conflict, match="not resolved") as error:
            await pushed.push()
        assert ["one.txt"] == error.value.facts["conflicts"]
        commit(work.folder, {"two.txt": "3\n"})
    commit(work.folder, {"one.txt": "both\n"})
    assert "waiting_approval" == (await pushed.push()).status


async def test_what_the_remote_has_already_is_nothing_to_push(pushed: Pushed) -> None:
    await pushed.patch(allow_push=True)
    first = await pushed.push()
    assert (first, 1) == (await pushed.push(), pushed.remote.pushes)
    pushed.git("branch", "same", "work")
    with pytest.raises(Conflict, match="nothing to push"):
        await pushed.push(branch=other_name(pushed))


def other_name(pushed: Pushed) -> str:
    """Make a branch of the remote's that has the work by other hands."""
    plain_git(pushed.remote.folder, "branch", "by-others", "work")
    return "by-others"


async def test_a_remote_that_is_ahead_says_what_to_do_and_a_lease_replaces_only_what_was_seen(
    pushed: Pushed,
) -> None:
    await pushed.patch(allow_push=True)
    await pushed.push()
    bare = pushed.remote.folder
    tree = plain_git(bare, "rev-parse", "work^{tree}")
    theirs = plain_git(bare, "commit-tree", tree, "-p", "work", "-m", "Theirs")
    plain_git(bare, "update-ref", "refs/heads/work", theirs)
    commit(pushed.work.folder, {"three.txt": "3\n"}, "Mine")
    with pytest.raises(Conflict, match="Fetch and merge"):
        await pushed.push()
    with pytest.raises(Conflict, match="Nobody here knows"):
        await pushed.push(force="with-lease")
    pushed.git("update-ref", "refs/remotes/origin/work", "work~1")
    with pytest.raises(Conflict, match="somebody has pushed"):
        await pushed.push(force="with-lease")
    assert theirs == pushed.remote.head("work")
    trusting = {"GIT_SSL_CAINFO": str(pushed.remote.cert)}
    plain_git(pushed.project, "fetch", "-q", "origin", variables=trusting)
    push = await pushed.push(force="with-lease")
    assert ("pushed", theirs, push.sha) == (push.status, push.lease, pushed.remote.head("work"))


async def test_a_hook_of_the_remote_that_refuses_is_quoted(pushed: Pushed) -> None:
    await pushed.patch(allow_push=True)
    pushed.remote.hook("pre-receive", "echo 'Sign your commits, please.' >&2", "exit 1")
    with pytest.raises(Conflict, match=r"Sign your commits, please.*pull request"):
        await pushed.push()
    (push,) = await pushed.work.rig.storage.read(lambda db: pushes.every(db, {}))
    assert "failed" == push.status
    assert "session.push.failed" == (await pushed.work.rig.kinds())[-1]


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (403, Conflict, "did not let git in"),
        (404, Conflict, "not found|did not let"),
        (500, Unavailable, "cannot be reached"),
        (503, Unavailable, "cannot be reached"),
    ],
)
async def test_a_remote_that_fails_is_told_apart(
    pushed: Pushed, status: int, error: type[Exception], words: str
) -> None:
    pushed.remote.status = status
    with pytest.raises(error, match=words):
        await pushed.push()
    assert [] == await pushed.work.rig.storage.read(lambda db: pushes.every(db, {}))


async def test_a_remote_that_never_answers_is_given_up(
    pushed: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{remotes.__name__}.LOOK_DEADLINE", 0.5)
    pushed.remote.held.clear()
    with pytest.raises(Unavailable, match=r"did not answer within 0\.5 s.*credential helper"):
        await pushed.push()


async def test_a_push_that_was_cut_off_is_looked_for_and_done_once(pushed: Pushed) -> None:
    await pushed.patch(allow_push=True)
    rig = pushed.work.rig
    push = await pushed.push()
    sent = pushed.remote.pushes
    # As a crash leaves it that came when the remote had it, and then one that came before.
    await rig.storage.write(lambda tx: pushes.update(tx, push.id, status="pushing"))
    assert "pushed" == (await pushed.carried_out(push)).status
    assert sent == pushed.remote.pushes
    plain_git(pushed.remote.folder, "update-ref", "-d", "refs/heads/work")
    await rig.storage.write(lambda tx: pushes.update(tx, push.id, status="pushing"))
    assert "pushed" == (await pushed.carried_out(push)).status
    assert (sent + 1, push.sha) == (pushed.remote.pushes, pushed.remote.head("work"))


async def opening(pushed: Pushed) -> list[PullRequest]:
    return await pushed.work.rig.storage.read(lambda db: pull_requests.every(db, {}))


async def test_a_pull_request_that_is_wanted_with_a_push_follows_it(pushed: Pushed) -> None:
    wanted = PullRequestRequest(title="Mine", body="Look.", base="release")
    push = await pushed.push(pull_request=wanted)
    assert ("waiting_approval", []) == (push.status, await opening(pushed))
    await pushed.decide(push, "approved")
    done = await pushed.carried_out(push)
    assert ("pushed", None) == (done.status, done.problem)
    (pull,) = await opening(pushed)
    assert ("opening", "Mine", "Look.", "release", "work", push.sha, "ada") == (
        pull.status,
        pull.title,
        pull.body,
        pull.base,
        pull.branch_name,
        pull.head_sha,
        pull.requested_by,
    )
    kinds = await pushed.work.rig.kinds()
    assert ["session.pushed", "session.pull_request.requested"] == kinds[-2:]


async def test_one_that_is_wanted_later_is_opened_of_what_is_there_and_once(
    pushed: Pushed,
) -> None:
    await pushed.patch(allow_push=True)
    await pushed.push()
    assert [] == await opening(pushed)
    for _ in range(2):
        await pushed.push(pull_request=PullRequestRequest(base="release"))
    assert (1, 1) == (len(await opening(pushed)), pushed.remote.pushes)


async def test_a_push_says_why_no_pull_request_follows_it(pushed: Pushed) -> None:
    await pushed.patch(allow_push=True)
    push = await pushed.push(pull_request=PullRequestRequest(base="work"))
    assert "pushed" == push.status
    assert "needs another branch to go into" in (push.problem or "")
    assert [] == await opening(pushed)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"base": "-x"}, "base"),
        ({"base": "a..b"}, "base"),
        ({"base": ""}, "base"),
        ({"title": " "}, "title"),
    ],
)
async def test_a_pull_request_that_cannot_be_is_refused_before_anything_is_sent(
    pushed: Pushed, wanted: dict[str, Any], field: str
) -> None:
    await pushed.patch(allow_push=True)
    with pytest.raises(Invalid, match=rf"pullRequest\.{field}"):
        await pushed.push(pull_request=PullRequestRequest(**wanted))
    assert "" == pushed.remote.head("work")
