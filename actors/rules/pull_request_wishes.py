"""The wishes about a task's pull requests: its own, or else its repository's."""

from __future__ import annotations

import attrs

from command_center.store import Repository, Task
from command_center.store.records import MergeWhen, NewsAnswer


@attrs.frozen(kw_only=True)
class PullRequestWishes:
    """The answers to news of a pull request, their number, and when merging it is asked about."""

    on_checks_failed: NewsAnswer
    on_review: NewsAnswer
    forge_followups: int
    merge_when: MergeWhen


def wishes_of(task: Task, repository: Repository) -> PullRequestWishes:
    """Return what is wanted: the repository's word counts where the task has none."""
    return PullRequestWishes(
        on_checks_failed=task.on_checks_failed or repository.on_checks_failed,
        on_review=task.on_review or repository.on_review,
        forge_followups=(
            repository.forge_followups if task.forge_followups is None else task.forge_followups
        ),
        merge_when=task.merge_when or repository.merge_when,
    )
