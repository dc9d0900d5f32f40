"""Everything that is written when somebody wants a pull request: of what was pushed, onto what.

It is on the disk before the forge is asked. With a push that is to be followed by one, that is
written in the transaction that says that the push is done, so that nothing comes between the two.
"""

from __future__ import annotations

from typing import Any

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.pull_requests import PullRequestRequested
from command_center.actors.contracts.pull_requests import PullRequestRequest
from command_center.actors.ledger import sessions as ledger
from command_center.actors.rules.branch_names import is_branch_name
from command_center.actors.rules.errors import Conflict, HeadMoved, Invalid
from command_center.actors.rules.forge_links import Project, project_of
from command_center.store import (
    PullRequest,
    Push,
    Session,
    Transaction,
    issue_tasks,
    pull_requests,
    pushes,
    repositories,
    sessions,
    tasks,
)
from command_center.store.issue_tasks import IssueOf


@attrs.frozen(kw_only=True)
class PlannedPullRequest:
    """A pull request as it would be opened now."""

    session_id: int
    host: str
    project: str
    branch: str
    base: str
    title: str
    body: str
    is_draft: bool
    head_sha: str


def request_pull_request(
    tx: Transaction, plan: PlannedPullRequest, *, requested_by: str
) -> PullRequest:
    """Note that a pull request is wanted; one of the same branch that is open is that one."""
    session = sessions.get(tx.db, plan.session_id)
    same: dict[str, Any] = {
        "repository_id": session.repository_id,
        "host": plan.host,
        "project": plan.project,
        "branch_name": plan.branch,
        "base": plan.base,
        "status": ["opening", "open"],
    }
    for known in pull_requests.every(tx.db, same):
        return known
    made = pull_requests.insert(
        tx,
        repository_id=session.repository_id,
        task_id=session.task_id,
        session_id=session.id,
        host=plan.host,
        project=plan.project,
        branch_name=plan.branch,
        base=plan.base,
        title=plan.title,
        body=plan.body,
        is_draft=plan.is_draft,
        head_sha=plan.head_sha,
        requested_by=requested_by,
    )
    told = PullRequestRequested(
        pull_request_id=made.id,
        project=made.project,
        branch_name=made.branch_name,
        base=made.base,
        title=made.title,
    )
    ledger.tell(tx, session, told, actor=requested_by)
    return made


def check_pull_request(wanted: PullRequestRequest, *, within: str = "") -> None:
    """Refuse a title that says nothing, and a base that is no branch's name.

    Raises:
        Invalid: it names the field; `within` is where on the wire it stands.
    """
    if wanted.title is not None and not wanted.title.strip():
        raise Invalid.field(f"{within}title", "Expected some text.")
    if wanted.base is not None and not is_branch_name(wanted.base):
        raise Invalid.field(
            f"{within}base", f"{wanted.base!r} is not a branch name that git accepts."
        )


def plan_pull_request(
    db: Database, session_id: int, wanted: PullRequestRequest
) -> PlannedPullRequest:
    """Say which pull request would be opened now of what was pushed last of the session's task.

    Raises:
        RecordNotFound: there is no such session.
        Conflict: nothing was pushed, another commit than it names, not to a forge, or nothing says
            onto what.
    """
    session = sessions.get(db, session_id)
    task = tasks.get(db, session.task_id)
    push = _last_push(db, session)
    if push is None:
        raise Conflict("Nothing of this session was pushed. Push it first.")
    if wanted.head_sha not in {None, push.sha}:
        raise HeadMoved(push.branch_name, push.sha)
    project = project_of(push.address)
    base = wanted.base or repositories.get(db, session.repository_id).default_branch
    if project is None:
        raise Conflict(f"{push.address} is no project of a forge that is known.")
    if base is None or base == push.branch_name:
        raise Conflict(
            f"A pull request of {push.branch_name} needs another branch to go into: name it as "
            "base."
        )
    return PlannedPullRequest(
        session_id=session_id,
        host=project.host,
        project=project.path,
        branch=push.branch_name,
        base=base,
        title=(wanted.title or task.title)[:256],
        body=_closing(wanted.body, issue_tasks.issue_of(db, task.id), project),
        is_draft=wanted.draft,
        head_sha=push.sha,
    )


def follow_push(tx: Transaction, push: Push) -> Push:
    """Note the pull request that is wanted once a push is done; else say why there is none."""
    if push.pull_request is None:
        return push
    try:
        wanted = msgspec.convert(push.pull_request, PullRequestRequest)
        plan = plan_pull_request(tx.db, push.session_id, wanted)
    except (Conflict, msgspec.ValidationError) as error:  # what redaction has left may not fit
        return pushes.update(tx, push.id, problem=f"It is pushed. No pull request: {error}")
    request_pull_request(tx, plan, requested_by=push.requested_by)
    return push


def _last_push(db: Database, session: Session) -> Push | None:
    """Find what was pushed last of the work of a session's task."""
    siblings = [one.id for one in sessions.every(db, {"task_id": session.task_id}, texts=False)]
    done = pushes.every(db, {"session_id": siblings, "status": "pushed"})
    return done[-1] if done else None


def _closing(body: str, issue: IssueOf | None, project: Project) -> str:
    """Return what a pull request says, which closes the issue that its task was made of."""
    if issue is None or issue.project != project.path:
        return body
    fixes = f"Fixes #{issue.number}"
    return body if fixes in body else f"{body}\n\n{fixes}".strip()
