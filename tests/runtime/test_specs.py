"""Specs that contradict themselves are refused when they are made."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from command_center.runtime import (
    Backoff,
    ChildSpec,
    Intensity,
    InvalidSpec,
    Restart,
    Strategy,
    SupervisorSpec,
    SystemFailed,
    open_system,
)
from tests.runtime.probes import Probe, probe, tree


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: SupervisorSpec("", [probe("a"), probe("a")]), "two children are called 'a'"),
        (lambda: SupervisorSpec("", [SupervisorSpec("")]), "only the root has an empty id"),
        (lambda: probe("a/b"), "without '/'"),
        (lambda: probe(""), "a non-empty name"),
        (lambda: probe("a", shutdown=-1.0), "shutdown must be finite and not negative"),
        (lambda: probe("a", shutdown=math.inf), "shutdown must be finite and not negative"),
        (lambda: probe("a", mailbox=0), "room for one message"),
        (
            lambda: ChildSpec("a", Probe, restart=Restart.TEMPORARY, backoff=Backoff()),
            "never restarted",
        ),
        (
            lambda: SupervisorSpec("s", strategy=Strategy.ONE_FOR_ALL, quarantine=True),
            "cannot be quarantined one by one",
        ),
        (lambda: Intensity(-1, 1.0), "restarts must not be negative"),
        (lambda: Intensity(1, 0.0), "period must be positive"),
        (lambda: Backoff(initial=-1.0), "initial must be finite and not negative"),
        (lambda: Backoff(factor=0.5), "factor must be at least 1"),
        (lambda: Backoff(factor=math.inf), "factor must be finite"),
        (lambda: Backoff(cap="x"), "cap must be int or float, not 'x'"),  # type: ignore[arg-type]
        (lambda: Intensity(2.5), "restarts must be int"),  # type: ignore[arg-type]
        (lambda: probe("a", shutdown=True), "shutdown must be int or float"),
        (lambda: SupervisorSpec("a", None), "children must be specs"),  # type: ignore[arg-type]
        (lambda: Backoff(initial=2.0, cap=1.0), "cap must be finite and not below initial"),
        (lambda: Backoff(jitter=1.5), "jitter must be between 0 and 1"),
        (lambda: Backoff(calm=0.0), "calm must be positive"),
    ],
)
def test_a_contradictory_spec_is_refused_with_its_reason(
    make: Callable[[], object], problem: str
) -> None:
    with pytest.raises(InvalidSpec, match=problem):
        make()


async def test_what_a_spec_makes_has_to_be_an_actor() -> None:
    class LooksLikeOne:
        async def on_start(self) -> None: ...
        async def on_stop(self) -> None: ...
        def describe(self) -> dict[str, object]:
            return {}

    with pytest.raises(SystemFailed) as caught:
        async with open_system(tree(ChildSpec("a", LooksLikeOne))):
            pytest.fail("it started")
    failed = caught.value.__cause__ or caught.value
    assert "the spec of /a made <" in str(failed)
    assert "which is no Actor" in str(failed)
