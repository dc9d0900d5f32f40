"""Child specs and supervisor specs: what to start, and what to do when it ends.

The words and their meaning are those of OTP's supervisor behaviour
(https://www.erlang.org/doc/apps/stdlib/supervisor.html); backoff and quarantine are added.
A spec checks itself when it is made and raises `InvalidSpec` if it contradicts itself.
"""

from __future__ import annotations

import enum
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

import attrs

from command_center.runtime.errors import InvalidSpec

_NUMBER: Final = (int, float)


class Restart(enum.Enum):
    """The ends after which a child is started again."""

    PERMANENT = "permanent"
    """Always, also after a normal end."""
    TRANSIENT = "transient"
    """After a crash only."""
    TEMPORARY = "temporary"
    """Never, not even because a sibling's death restarts the others."""


class Strategy(enum.Enum):
    """The children that are restarted when one of them has to be."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"


class AutoShutdown(enum.Enum):
    """The ends of significant children after which a supervisor shuts itself down.

    An end counts if the child ended by itself and is not started again.
    """

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"
    """Not before the last of them that lives has ended."""


def _check_type(id_: str, field: str, value: object, kind: type | tuple[type, ...]) -> None:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        wanted = " or ".join("None" if one is type(None) else one.__name__ for one in kinds)
        raise InvalidSpec(id_, f"{field} must be {wanted}, not {value!r}")


@attrs.frozen
class Intensity:
    """At most `restarts` restarts within any `period` seconds (sliding, monotonic)."""

    restarts: int = 5
    period: float = 30.0

    def __attrs_post_init__(self) -> None:
        _check_type("intensity", "restarts", self.restarts, int)
        _check_type("intensity", "period", self.period, _NUMBER)
        if self.restarts < 0:
            raise InvalidSpec("intensity", "restarts must not be negative")
        if not self.period > 0:
            raise InvalidSpec("intensity", "period must be positive")


@attrs.frozen
class Backoff:
    """The wait before the n-th attempt in a row, in seconds.

    `initial * factor ** (n - 1)`, capped at `cap`; then jitter takes up to the share `jitter`
    away, after the cap, so that those that reached the cap do not come back in step.
    After `calm` seconds without a failure the delays begin again at `initial`.

        Backoff(initial=1.0, cap=60.0, jitter=0.0).delay(3)  # 4.0
    """

    initial: float = 0.1
    factor: float = 2.0
    cap: float = 30.0
    jitter: float = 0.1
    calm: float = 60.0

    def __attrs_post_init__(self) -> None:
        for field in ("initial", "factor", "cap", "jitter", "calm"):
            _check_type("backoff", field, getattr(self, field), _NUMBER)
        if not (math.isfinite(self.initial) and self.initial >= 0):
            raise InvalidSpec("backoff", "initial must be finite and not negative")
        if not self.factor >= 1:
            raise InvalidSpec("backoff", "factor must be at least 1")
        if self.factor == math.inf:
            raise InvalidSpec("backoff", "factor must be finite")
        if not (math.isfinite(self.cap) and self.cap >= self.initial):
            raise InvalidSpec("backoff", "cap must be finite and not below initial")
        if not 0 <= self.jitter <= 1:
            raise InvalidSpec("backoff", "jitter must be between 0 and 1")
        if not self.calm > 0:
            raise InvalidSpec("backoff", "calm must be positive")

    def delay(self, attempt: int, rng: random.Random | None = None) -> float:
        """Return the seconds to wait before the `attempt`-th attempt in a row, counted from 1."""
        # Beyond 2**64 every sensible backoff has reached its cap, and floats would overflow.
        capped = min(self.cap, self.initial * self.factor ** min(attempt - 1, 64))
        share = random.random() if rng is None else rng.random()  # noqa: S311 - jitter, no secret
        return capped * (1.0 - self.jitter * share)


class Behaviour(Protocol):
    """The part of an `Actor` that a child spec needs; the class itself stands above this module."""

    async def on_start(self) -> None:
        """Load state."""

    async def on_stop(self) -> None:
        """Clean up."""

    def describe(self) -> Mapping[str, object]:
        """Return what an inspection shows."""


@attrs.frozen
class ChildSpec:
    """The rules by which one actor is started, restarted and stopped.

    `start` makes the actor anew for every life; it must not block. `shutdown` (seconds) bounds
    the whole of its end: the message in hand, `on_stop`, and its background tasks; 0 cancels at
    once. `mailbox` is the number of user messages that may wait. `backoff` overrides the
    supervisor's. `contract` says, for people, what this child's death may disturb. Of `significant`
    children the supervisor's `auto_shutdown` speaks.
    """

    id: str
    start: Callable[[], Behaviour]
    restart: Restart = Restart.PERMANENT
    shutdown: float = 5.0
    mailbox: int = 1000
    backoff: Backoff | None = None
    contract: str = ""
    significant: bool = False

    def __attrs_post_init__(self) -> None:
        _check_id(self.id)
        if not callable(self.start):
            raise InvalidSpec(self.id, "start must be callable")
        types = (
            type(self.restart),
            type(self.shutdown),
            type(self.mailbox),
            type(self.contract),
            type(self.significant),
        )
        if types != _USUAL:
            _check_type(self.id, "restart", self.restart, Restart)
            _check_type(self.id, "shutdown", self.shutdown, _NUMBER)
            _check_type(self.id, "mailbox", self.mailbox, int)
            _check_type(self.id, "contract", self.contract, str)
            _check_type(self.id, "significant", self.significant, bool)
        if self.backoff is not None:
            _check_type(self.id, "backoff", self.backoff, (Backoff, type(None)))
            if self.restart is Restart.TEMPORARY:
                problem = "a temporary child is never restarted, so has no backoff"
                raise InvalidSpec(self.id, problem)
        if not 0 <= self.shutdown < math.inf:
            raise InvalidSpec(self.id, "shutdown must be finite and not negative")
        if self.mailbox < 1:
            raise InvalidSpec(self.id, "a mailbox must have room for one message")
        if self.significant:
            _check_significance(self)


_USUAL: Final = (Restart, float, int, str, bool)
"""The types of a child's fields; to compare them takes a third of looking at each."""


def _as_tuple(
    children: Sequence[ChildSpec | SupervisorSpec],
) -> tuple[ChildSpec | SupervisorSpec, ...]:
    if not isinstance(children, Iterable):
        raise InvalidSpec("children", f"children must be specs, not {children!r}")
    return tuple(children)


@attrs.frozen
class SupervisorSpec:
    """A supervisor and its children, which are started in order and stopped in reverse.

    Over its `intensity` the supervisor stops its children and escalates: it crashes, and its own
    supervisor decides. With `quarantine` it is the edge of its children's fault domains: each
    child is counted by itself, and over the limit that child alone is set aside until an operator
    restarts it. A child supervisor is stopped by stopping its children, so needs no deadline. By
    `auto_shutdown` it ends, as shutdown, with its significant children.
    """

    id: str
    children: Sequence[ChildSpec | SupervisorSpec] = attrs.field(default=(), converter=_as_tuple)
    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: Intensity = Intensity()
    backoff: Backoff = Backoff()
    restart: Restart = Restart.PERMANENT
    quarantine: bool = False
    contract: str = ""
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER
    significant: bool = False

    def __attrs_post_init__(self) -> None:
        if self.id != "":
            _check_id(self.id)
        _check_type(self.id, "strategy", self.strategy, Strategy)
        _check_type(self.id, "intensity", self.intensity, Intensity)
        _check_type(self.id, "backoff", self.backoff, Backoff)
        _check_type(self.id, "restart", self.restart, Restart)
        _check_type(self.id, "quarantine", self.quarantine, bool)
        _check_type(self.id, "contract", self.contract, str)
        _check_type(self.id, "auto_shutdown", self.auto_shutdown, AutoShutdown)
        _check_significance(self)
        for child in self.children:
            _check_type(self.id, "each child", child, (ChildSpec, SupervisorSpec))
            self.check_child(child)
        seen: set[str] = set()
        for child in self.children:
            if child.id == "":
                raise InvalidSpec(self.id, "only the root has an empty id")
            if child.id in seen:
                raise InvalidSpec(self.id, f"two children are called {child.id!r}")
            seen.add(child.id)
        if self.quarantine and self.strategy is not Strategy.ONE_FOR_ONE:
            raise InvalidSpec(
                self.id, "children that restart together cannot be quarantined one by one"
            )

    def check_child(self, child: ChildSpec | SupervisorSpec) -> None:
        """Refuse a child that cannot be one of this supervisor's, with `InvalidSpec`."""
        if child.significant and self.auto_shutdown is AutoShutdown.NEVER:
            raise InvalidSpec(child.id, f"{self.id or 'its supervisor'} has no auto_shutdown")


def check_is_child(spec: object) -> None:
    """Refuse what is no spec of a child, with `InvalidSpec`."""
    if not isinstance(spec, (ChildSpec, SupervisorSpec)) or not spec.id:
        raise InvalidSpec(str(getattr(spec, "id", spec)), "only a spec with an id is started")


def _check_significance(spec: ChildSpec | SupervisorSpec) -> None:
    _check_type(spec.id, "significant", spec.significant, bool)
    if spec.significant and spec.restart is Restart.PERMANENT:
        raise InvalidSpec(spec.id, "a permanent child always comes back, so is not significant")


def _check_id(id_: str) -> None:
    _check_type(str(id_), "id", id_, str)
    if not id_ or "/" in id_:
        raise InvalidSpec(id_, "an id is a non-empty name without '/'")
