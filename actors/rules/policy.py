"""The policy: what a run may do in a repository, as a pure function with coded reasons.

Three things meet here. The **repository** says what is allowed at most, the **task** says whether
a person must agree first, and the **run** says what is wanted. Two rules hold for every
combination, and property tests hold them:

- A run never gets more than its repository allows. Wanting more is a denial, never a silent cut.
- Tightening an input never loosens the result: taking a permission from a repository, or asking
  for an approval or a worktree, gives no run anything that it did not have.

What a run leaves out, it takes from its repository: `sandbox` is then `workspace-write` where the
repository allows writing and `read-only` elsewhere, and `allowNetwork` and `allowCommit` are the
repository's own. A caller who wants less says so.

Where nothing names a place, a run that changes something works where the repository's `workplace`
says: in a worktree of its own, or in the main checkout. What only looks (the read-only sandbox, and
the types of tasks that report on a checkout as it lies) works in the main checkout: it is in
nobody's way there, and a worktree would not have what is not committed.

`danger-full-access` means no sandbox at all, so that nothing stops such a run from writing, from
reaching the network or from committing. It is therefore denied unless the repository allows all
three, whatever the run's own flags say, and where they do it still needs an approval every time.

Nothing here looks at a disk. Whether a path is what it claims to be is checked where it is used.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec

from command_center.actors.rules.branch_names import is_branch_name
from command_center.actors.rules.choices import Choices, choices_of, settle
from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.lengths import BranchName, Name, PathText
from command_center.actors.rules.paths import check_path, same_place
from command_center.actors.rules.placement import HostWish, Placement, check_placement
from command_center.runtime import Refusal
from command_center.store import Repository, Session, Task
from command_center.store.records import LOCAL, Sandbox, Workplace

Decision = Literal["allow", "needs_approval", "deny"]
WorktreeUse = Literal["none", "given", "automatic"]

SANDBOXES: Final[tuple[Sandbox, ...]] = ("read-only", "workspace-write", "danger-full-access")
"""From the tightest to none."""

VERDICTS: Final = MappingProxyType[str, Decision](
    {
        "write_not_allowed": "deny",
        "network_not_allowed": "deny",
        "commit_not_allowed": "deny",
        "full_access_not_allowed": "deny",
        "main_checkout_not_allowed": "deny",
        "full_access_needs_approval": "needs_approval",
        "task_requires_approval": "needs_approval",
        "full_access_ignores_limits": "allow",
        "commit_needs_write": "allow",
        "codex_config_asks": "allow",
        "model_reviews": "allow",
        "worktree_automatic": "allow",
    }
)
"""Every reason's code, and the decision that it alone leads to. The strictest one decides."""


class GoalInput(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A goal that Codex is to pursue turn after turn, until it says that it is reached.

    Attributes:
        objective: what is to be reached; the run's prompt unless said.
        token_budget: tokens that Codex may use for it.
    """

    objective: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)] | None = None
    token_budget: Annotated[int, msgspec.Meta(ge=1)] | None = None


class RunInput(Choices, frozen=True, kw_only=True):
    """A run as it is asked for; what is left out is as the task and the repository have it.

    Attributes:
        worktree_path: an absolute path, of a worktree that is there or is to be made.
        branch_name: what the worktree is to be on; made where there is none.
        workplace: `worktree` for one of its own, or `main_checkout`; not beside a `worktree_path`
            elsewhere.
        token_budget: tokens that the run may use.
        goal: what to pursue in more turns than one; None for one turn.
        placement: on which host, where the repository lies on several; None for where the task is.
        requested_by: who wants it; None for `api`.
    """

    sandbox: Sandbox | None = None
    worktree_path: PathText | None = None
    branch_name: BranchName | None = None
    workplace: Workplace | None = None
    allow_network: bool | None = None
    allow_commit: bool | None = None
    token_budget: Annotated[int, msgspec.Meta(ge=1)] | None = None
    goal: GoalInput | None = None
    placement: Placement | None = None
    requested_by: Name | None = None


class RunSettings(Choices, frozen=True, kw_only=True):
    """A run as it is let in, once its approvals are given.

    `worktree` is `none` (the main checkout, which `worktreePath` may name), `given` (at
    `worktreePath`) or `automatic` (one is made before the run, on `branchName` where that is set).
    """

    sandbox: Sandbox
    allow_network: bool
    allow_commit: bool
    worktree: WorktreeUse
    worktree_path: str | None
    branch_name: str | None


class Reason(msgspec.Struct, frozen=True, rename="camel"):
    """One rule that spoke: a code to act on and a sentence to read."""

    code: str
    message: str


class PolicyResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The decision, every reason for it, and what the run gets (`run`, None on a denial)."""

    decision: Decision
    reasons: tuple[Reason, ...]
    run: RunSettings | None = None

    @property
    def approvals(self) -> tuple[Reason, ...]:
        """Return the reasons that each ask for an approval."""
        return tuple(r for r in self.reasons if VERDICTS[r.code] == "needs_approval")


class PolicyDenied(Refusal):
    """The repository's policy forbids the run; `result` holds the coded reasons."""

    def __init__(self, result: PolicyResult) -> None:
        """Keep the result, so that the answer can show each reason."""
        super().__init__(
            "Policy denies this run: " + " ".join(reason.message for reason in result.reasons)
        )
        self.result = result


def evaluate(repository: Repository, task: Task, run: RunInput) -> PolicyResult:
    """Decide about a run. Pure: the same three always give the same result.

    All rules speak, so that a caller who is denied sees every obstacle at once.

    Raises:
        Invalid: the run names a path or a branch that there cannot be on this system.
    """
    check_run(run, repository.host)
    sandbox = run.sandbox or ("workspace-write" if repository.allow_write else "read-only")
    network = _or(run.allow_network, repository.allow_network)
    commit = _or(run.allow_commit, repository.allow_commit)
    reasons: list[Reason] = []

    def say(code: str, message: str) -> None:
        reasons.append(Reason(code, message))

    if sandbox == "danger-full-access":
        _say_about_full_access(repository, run, reasons)
        network = commit = True
    else:
        if sandbox == "workspace-write" and not repository.allow_write:
            say("write_not_allowed", f"Repository {repository.id} does not allow writing.")
        if network and not repository.allow_network:
            say("network_not_allowed", f"Repository {repository.id} does not allow network access.")
        if commit and not repository.allow_commit:
            say("commit_not_allowed", f"Repository {repository.id} does not allow commits.")
        if commit and sandbox == "read-only":
            commit = False
            if run.allow_commit:
                say("commit_needs_write", "A run in the read-only sandbox cannot commit.")

    looks = sandbox == "read-only" or task.type != "prompt_task"
    worktree = _worktree(repository, run, looks=looks, reasons=reasons)

    _say_about_codex(repository, reasons)
    if task.approval_required:
        say("task_requires_approval", f"Task {task.id} requires an approval before each run.")

    decision = _strictest(reasons)
    return PolicyResult(
        decision=decision,
        reasons=tuple(reasons),
        run=None
        if decision == "deny"
        else RunSettings(
            **settle(run, task.run_defaults, repository.run_defaults),
            sandbox=sandbox,
            allow_network=network,
            allow_commit=commit,
            worktree=worktree,
            worktree_path=run.worktree_path,
            branch_name=run.branch_name,
        ),
    )


def check_run(run: RunInput, host: str | None = None) -> None:
    """Refuse a run that names what cannot be, whatever is allowed.

    A path on another host than the server's own, or on one that is not known yet, is of whichever
    system that runs.

    Raises:
        Invalid: `worktreePath` is no absolute path of its host, or `branchName` no branch name.
    """
    if run.worktree_path is not None:
        check_path(run.worktree_path, "worktreePath", is_foreign=host != LOCAL)
    if run.branch_name is not None and not is_branch_name(run.branch_name):
        raise Invalid.field(
            "branchName", f"{run.branch_name!r} is not a branch name that git accepts."
        )
    check_placement(run.placement)
    is_named = isinstance(run.placement, HostWish) and run.placement.host is not None
    if run.placement is not None and run.worktree_path is not None and not is_named:
        raise Invalid.field("placement", "Name the host that worktreePath is on, as host.")
    if run.workplace == "main_checkout" and run.worktree_path is not None:
        raise Invalid.field(
            "workplace", "Name the main checkout by workplace or by worktreePath, not by both."
        )


def run_of(session: Session) -> RunInput:
    """Return the run that a session stands for, to be decided about again before it becomes active.

    Everything is explicit in it: where the repository has tightened meanwhile, the session is
    denied rather than cut.
    """
    path = None if session.worktree_reserved else session.worktree_path
    return RunInput(
        **choices_of(session),
        sandbox=msgspec.convert(session.sandbox, Sandbox),
        worktree_path=path,
        workplace=session.workplace if path is None else None,
        branch_name=session.branch_name,
        allow_network=session.allow_network,
        allow_commit=session.allow_commit,
        requested_by=session.requested_by,
    )


def _say_about_full_access(repository: Repository, run: RunInput, reasons: list[Reason]) -> None:
    missing = [
        name
        for name, allowed in (
            ("allowWrite", repository.allow_write),
            ("allowNetwork", repository.allow_network),
            ("allowCommit", repository.allow_commit),
        )
        if not allowed
    ]
    if missing:
        reasons.append(
            Reason(
                "full_access_not_allowed",
                "danger-full-access has no sandbox, so it needs all that a repository can allow; "
                f"repository {repository.id} lacks {', '.join(missing)}.",
            )
        )
    reasons.append(
        Reason("full_access_needs_approval", "danger-full-access always needs an approval.")
    )
    if run.allow_network is False or run.allow_commit is False:
        reasons.append(
            Reason(
                "full_access_ignores_limits",
                "Without a sandbox nothing enforces that allowNetwork or allowCommit is false.",
            )
        )


def _say_about_codex(repository: Repository, reasons: list[Reason]) -> None:
    if repository.codex_config == "ask":
        why = "may configure Codex by files of its own; until a person trusts them, the run waits."
        reasons.append(Reason("codex_config_asks", f"Repository {repository.id} {why}"))
    if repository.reviewer == "auto":
        why = f"In repository {repository.id} a model decides what Codex asks, and no person."
        reasons.append(Reason("model_reviews", why))


def _worktree(
    repository: Repository, run: RunInput, *, looks: bool, reasons: list[Reason]
) -> WorktreeUse:
    in_main = run.worktree_path is not None and same_place(run.worktree_path, repository.local_path)
    if run.worktree_path is not None and not in_main:
        return "given"
    if in_main or run.workplace == "main_checkout":
        why = None
        if repository.require_worktree:
            named = "worktreePath" if in_main else "workplace"
            why = f"Repository {repository.id} requires a worktree; {named} is its main checkout."
        elif run.workplace == "worktree":
            why = "The run is to have a worktree; worktreePath is the main checkout."
        if why is not None:
            reasons.append(Reason("main_checkout_not_allowed", why))
        return "none"
    if repository.require_worktree:
        why = f"Repository {repository.id} requires a worktree; one is made for the run."
    elif run.branch_name is not None:
        why = f"A worktree is made for branch {run.branch_name}."
    elif run.workplace == "worktree":
        why = "A worktree is made for the run, as it is to have one."
    elif repository.workplace == "worktree" and not looks:
        why = f"Runs in repository {repository.id} work in worktrees; one is made for the run."
    else:
        return "none"
    reasons.append(Reason("worktree_automatic", why))
    return "automatic"


def _strictest(reasons: list[Reason]) -> Decision:
    verdicts = {VERDICTS[reason.code] for reason in reasons}
    if "deny" in verdicts:
        return "deny"
    return "needs_approval" if "needs_approval" in verdicts else "allow"


def _or(wanted: bool | None, otherwise: bool) -> bool:  # noqa: FBT001 - a private three-valued or
    return otherwise if wanted is None else wanted
