"""The bounds of agents: what the limits of a token let its tools reach, before they are called.

A repository is known by what a tool names: itself, or a task, a session, a follow-up, an approval
or an automation of it. Where a tool could name one and does not, the only one stands for it.

How deep a run is, is known by the session that an agent acts from, which Codex names itself. Runs
are counted from the start of the server on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import attrs
import msgspec
import trio
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.ledger.placing import copies_of
from command_center.actors.rules.agent_limits import AgentLimits, OutOfBounds, TooManyRuns
from command_center.http.mcp.tools import Tool, is_number
from command_center.http.wire.caller import Caller
from command_center.http.wire.mcp import INVALID_PARAMS, RequestFailed
from command_center.store import (
    Session,
    approvals,
    automations,
    followups,
    repositories,
    sessions,
    tasks,
)
from command_center.store.queries.causes import begun_from
from command_center.store.statuses import ACTIVE

HOUR: Final = 3600.0

REPOSITORY: Final = "repositoryId"

LISTS_REPOSITORIES: Final = "list_repositories"

DECIDES: Final = "resolve_approval"

RUNS: Final = "run_task"

PLACES: Final = frozenset({RUNS, "create_task", "patch_task"})
"""The tools that say on which host a run works."""

STARTS: Final = frozenset(
    {"run_task", "run_automation", "queue_followup", "send_comments", "review_session", "say"}
)
"""The tools that may begin a run."""

_OWNERS: Final[Mapping[str, Callable[[Database, int], Any]]] = {
    "taskId": lambda db, key: tasks.find(db, {"id": key}),
    "sessionId": lambda db, key: sessions.find(db, {"id": key}),
    "followupId": lambda db, key: _session_of(db, followups.find(db, {"id": key})),
    "approvalId": lambda db, key: approvals.find(db, {"id": key}),
    "automationId": lambda db, key: automations.find(db, {"id": key}),
}
"""Finds what has a repository by what names it, None where that is not there."""


def _session_of(db: Database, found: Any) -> Session | None:
    return None if found is None else sessions.find(db, {"id": found.session_id})


@attrs.define(eq=False)
class AgentBounds:
    """Holds each agent to its limits."""

    _center: Center
    _runs: dict[int, deque[float]] = attrs.field(factory=dict, init=False)

    async def within(
        self, limits: AgentLimits, name: str, tool: Tool, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the arguments that a tool has read, with the repository that they leave open.

        What is not there is refused as what is out of bounds is, so that nobody learns which.

        Raises:
            OutOfBounds: they reach another repository, or all of them.
            RequestFailed: one is no number that should be.
        """
        given = dict(arguments)
        allowed = limits.repositories
        if allowed is None or name == LISTS_REPOSITORIES:
            return given
        named = {
            key: given[key]
            for key in (REPOSITORY, *_OWNERS)
            if tool.takes(key) and given.get(key) is not None
        }
        for key, value in named.items():
            if not is_number(value):
                raise RequestFailed(INVALID_PARAMS, f"arguments: {key} is no whole number.")
        if not named:
            takes = tool.takes(REPOSITORY)
            if not (takes and len(allowed) == 1):
                raise OutOfBounds(
                    f"Name a {REPOSITORY} of this token: {_words(allowed)}."
                    if takes
                    else "This tool is not limited to repositories, as this token is."
                )
            given[REPOSITORY] = allowed[0]
        found = await self._center.storage.read(
            lambda db: _with_copies(db, name, given, list(_repositories(db, named)))
        )
        for repository_id in found:
            check_repository(limits, repository_id)
        return given

    async def check_depth(
        self, limits: AgentLimits, name: str, begun_by: Sequence[Session]
    ) -> None:
        """Refuse a run that would stand deeper than it may.

        Raises:
            OutOfBounds: it would.
        """
        most = limits.depth
        if most is None or name not in STARTS:
            return
        depth = 1 + await self._center.storage.read(
            lambda db: max((depth_of(db, one) for one in begun_by), default=0)
        )
        if depth > most:
            raise OutOfBounds(
                f"This run would be number {depth} of those that start each other, and this token "
                f"may start {most}. Ask a person to start it."
            )

    async def check_deciding(
        self, name: str, arguments: Mapping[str, Any], begun_by: Sequence[Session]
    ) -> None:
        """Refuse a run the decision of what it asks itself, whatever its token's scopes.

        Raises:
            OutOfBounds: the approval is its own.
        """
        named = arguments.get("approvalId")
        if not begun_by or name != DECIDES or not is_number(named):
            return
        asked = await self._center.storage.read(lambda db: approvals.find(db, {"id": named}))
        if asked is not None and asked.session_id in {one.id for one in begun_by}:
            raise OutOfBounds("A run does not decide what it asks itself. A person is to.")

    @contextmanager
    def counted(
        self, caller: Caller, limits: AgentLimits, name: str
    ) -> Iterator[Callable[[], None]]:
        """Count a run that is begun within; what is yielded takes it back, where none was.

        Raises:
            TooManyRuns: as many were started within an hour as may be.
        """
        most = limits.runs_per_hour
        if most is None or name not in STARTS or caller.device_id is None:
            yield lambda: None
            return
        runs = self._runs.setdefault(caller.device_id, deque())
        now = trio.current_time()
        while runs and now - runs[0] >= HOUR:
            runs.popleft()
        if len(runs) >= most:
            raise TooManyRuns(f"This token may start {most} runs an hour. Try again later.")
        runs.append(now)
        yield lambda: runs.remove(now)


def only_allowed(limits: AgentLimits, body: bytes) -> bytes:
    """Return a list of repositories without those that an agent may not see."""
    if limits.repositories is None:
        return body
    page = msgspec.json.decode(body)
    page["items"] = [one for one in page["items"] if one["id"] in limits.repositories]
    return msgspec.json.encode(page)


def check_repository(limits: AgentLimits | None, repository_id: int | None) -> None:
    """Raise OutOfBounds for a repository that an agent may not see, and for None: not there."""
    allowed = None if limits is None else limits.repositories
    if allowed is not None and repository_id not in allowed:
        raise OutOfBounds(
            f"This token works in repository {_words(allowed)} alone, and what you named is not "
            "there. List what is."
        )


async def sessions_of(center: Center, meta: Mapping[str, Any]) -> list[Session]:
    """Return the live sessions that a call may come from, by what Codex says of its turn.

    A thread's id is one host's own. Where several hosts have a thread of that id, whose call it is
    is not known, and each of their sessions counts; the newest is the first.
    """
    told = meta.get("x-codex-turn-metadata")
    if not isinstance(told, dict):
        return []
    # A sub-agent has a thread of its own, and the session is that of the agent which began it.
    for thread_id in map(told.get, ("thread_id", "session_id")):
        if isinstance(thread_id, str):
            where = {"codex_thread_id": thread_id, "status": tuple(ACTIVE)}
            found = await center.storage.read(
                lambda db: sessions.every(db, where)  # noqa: B023 - it is awaited here
            )
            if found:
                return found[::-1]
    return []


def depth_of(db: Database, session: Session) -> int:
    """Return how many sessions an agent's session stands behind, itself left out."""
    depth, found = 0, begun_from(db, session.id)
    while found is not None:
        depth, found = depth + 1, begun_from(db, found)
    return depth


def _repositories(db: Database, named: Mapping[str, int]) -> Iterator[int | None]:
    for name, key in named.items():
        if name == REPOSITORY:
            yield key
        else:
            found = _OWNERS[name](db, key)
            yield None if found is None else found.repository_id


def _with_copies(
    db: Database, name: str, given: Mapping[str, Any], found: list[int | None]
) -> list[int | None]:
    """Add the copies on other hosts to which a placement may take the run."""
    if name not in PLACES:
        return found
    task = tasks.find(db, {"id": given["taskId"]}) if is_number(given.get("taskId")) else None
    kept = None if task is None else task.placement
    if given.get("placement") is None and (name != RUNS or kept is None):
        return found
    known = [repositories.find(db, {"id": key}) for key in found]
    return [*found, *(copy.id for one in known if one for copy in copies_of(db, one))]


def _words(repositories: list[int]) -> str:
    return " or ".join(map(str, repositories))
