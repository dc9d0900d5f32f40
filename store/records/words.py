"""Words that records of several kinds share."""

from typing import Final, Literal, TypeAlias

Priority: TypeAlias = Literal["low", "normal", "high"]

Sandbox: TypeAlias = Literal["read-only", "workspace-write", "danger-full-access"]

Runner: TypeAlias = Literal["app-server", "cli", "stub"]

CodexConfig: TypeAlias = Literal["ignore", "ask"]

Reviewer: TypeAlias = Literal["user", "auto"]

NewsAnswer: TypeAlias = Literal["tell", "follow_up"]
"""The thing that is done about news of a pull request: people are told, or its task goes on."""

MergeWhen: TypeAlias = Literal["asked", "checks_pass"]
"""The time at which a person is asked to merge a pull request: by hand, or once its checks pass."""

WhenLimited: TypeAlias = Literal["wait", "skip"]
"""The fate of a run that meets a limit: it goes on once that resets, or is left out."""

Workplace: TypeAlias = Literal["worktree", "main_checkout"]

LOCAL: Final = "local"
"""The host that is this machine."""
