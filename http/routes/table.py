"""Every operation, in the order of the documentation."""

from __future__ import annotations

from typing import Any, Final

from command_center.http.routes import (
    approvals,
    automations,
    codex,
    comments,
    devices,
    events,
    followups,
    github,
    health,
    issues,
    landing,
    long_texts,
    messages,
    metrics,
    notify,
    pairing,
    pull_requests,
    pushes,
    repos,
    reviews,
    runtime,
    search,
    sessions,
    signin,
    spending,
    tasks,
    telegram,
    telemetry,
    uploads,
    webhooks,
    webpush,
    worktrees,
)
from command_center.http.wire.operation import Api, Operation

APIS: Final[tuple[Api[Any], ...]] = (
    health.api,
    metrics.api,
    repos.api,
    worktrees.api,
    tasks.api,
    sessions.api,
    messages.api,
    issues.api,
    landing.api,
    pushes.api,
    pull_requests.api,
    comments.api,
    reviews.api,
    followups.api,
    uploads.api,
    long_texts.api,
    approvals.api,
    automations.api,
    codex.api,
    events.api,
    search.api,
    telemetry.api,
    spending.api,
    runtime.api,
    telegram.api,
    github.api,
    devices.api,
    pairing.api,
    webpush.api,
    notify.api,
    webhooks.api,
    signin.api,
)
OPERATIONS: Final[tuple[Operation, ...]] = tuple(
    operation for api in APIS for operation in api.operations
)
