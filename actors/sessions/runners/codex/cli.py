"""The runner for `codex exec`: one process a turn, that asks for nothing and cannot be steered.

What it prints is told in the app-server's words, so a session reads the same whichever runner
carried it out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import structlog
import trio

from command_center.actors.codex.confinement import Confinement, check_untouched
from command_center.actors.codex.errors import ProjectTouched
from command_center.actors.codex.exec_runner import ExecEnd, ExecRun, run_exec
from command_center.actors.codex.exec_servers import configured_servers
from command_center.actors.codex.messages import CodexNotification
from command_center.actors.codex.ports import Codex
from command_center.actors.contracts.turns import (
    AgentSeen,
    Fact,
    LaunchFailed,
    ThreadNews,
    ThreadOpened,
    TurnEnded,
    TurnLost,
    TurnOpened,
)
from command_center.actors.contracts.worktrees import SetUpScript
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.own_mcp_server import OWN_MCP_SERVER
from command_center.actors.sessions.prompts import Assignment
from command_center.actors.sessions.runner import PlainRunner, SessionRef
from command_center.actors.sessions.runners.codex.agent_threads import agents_in
from command_center.actors.sessions.runners.codex.set_up import run_set_up
from command_center.actors.sessions.runners.codex.turn_events import facts_of, heard
from command_center.store import Session

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class CliRunner(PlainRunner):
    """Carries a session out as a run of `codex exec`."""

    name = "cli"
    begins_once = False
    survives_restart = False

    def __init__(
        self,
        ref: SessionRef,
        codex: Codex,
        assign: Callable[[Session], Awaitable[Assignment]],
        confine: Callable[[Session], Awaitable[Confinement]],
        prompted: set[int],
    ) -> None:
        """Work for the session's actor `ref` with that Codex, told what `assign` finds out.

        `confine` finds out what Codex is let do. `prompted` are the sessions that have had their
        process; it outlives the lives of their actors.
        """
        self._ref = ref
        self._codex = codex
        self._assign = assign
        self._confine = confine
        self._prompted = prompted
        self._stopping = trio.CancelScope()
        self._told = trio.Event()
        self._begun = False
        self._is_cancelled = False

    async def set_up(self, session: Session, script: SetUpScript, *, seconds: float) -> str | None:
        """Run a script in Codex's sandbox, outside of any turn."""
        confinement = await self._confine(session)
        return await run_set_up(self._codex, confinement, script, self._ref, seconds=seconds)

    async def launch(self, session: Session) -> None:
        """Run the process to its end, telling what it says; the thread is told when it names it."""
        if self._told.is_set():
            return  # the process that opened the thread is the one that works in it
        if session.id in self._prompted:
            await self.recover(session)
            return
        assignment = await self._assign(session)
        confinement = await self._confined(session)
        run = ExecRun(
            prompt=assignment.prompt,
            confinement=confinement,
            turn_id=f"cli-turn-{session.id}",
            model=session.model,
            effort=session.effort,
            service_tier=session.service_tier,
            personality=session.personality,
            thread_id=session.codex_thread_id,
            is_review=session.type == "review_task",
            review_of=session.review,
            output_schema=assignment.output_schema,
            images=assignment.images,
        )

        async def tell(notification: CodexNotification) -> None:
            if not self._told.is_set():
                self._told.set()
                await self._ref.tell(ThreadOpened(thread_id=notification.thread_id))
                await self._ref.tell(TurnOpened(turn_id=run.turn_id))
                check_untouched(confinement, await self._confine(session))
            await self._ref.tell(heard(notification))

        if self._is_cancelled:
            return
        self._begun = True
        self._prompted.add(session.id)
        with self._stopping:
            try:
                ended = await run_exec(self._codex, run, tell)
            except* ProjectTouched as touched:
                ended = ExecEnd(None, told=False, reason=str(touched.exceptions[0]))
            if not self._told.is_set():
                await self._ref.tell(LaunchFailed(reason=ended.reason))
            elif not ended.told:
                await self._ref.tell(TurnEnded(outcome="failed", reason=ended.reason))
        if self._stopping.cancelled_caught:
            await self._ref.tell(TurnEnded(outcome="interrupted"))

    async def _confined(self, session: Session) -> Confinement:
        """Find out what Codex is let do; its servers are off that it has.

        One that does not say which it has is let run where only Command Center's own one is off.
        """
        confinement = await self._confine(session)
        if not confinement.servers_off:
            return confinement
        try:
            known = await configured_servers(self._codex, confinement.cwd)
        except Conflict as error:
            if {*confinement.servers_off} - {OWN_MCP_SERVER}:
                raise
            log.warning("session.servers.unknown", session=session.id, reason=str(error))
            known = []
        return confinement.among(known)

    def facts_of(self, news: ThreadNews, session: Session, turn_id: str | None) -> Iterable[Fact]:
        """Read what the process printed, which is told in the words of Codex."""
        return facts_of(news, session, turn_id)

    def agents_in(self, item: Mapping[str, Any], by: str) -> Iterable[AgentSeen]:
        """Read what the process printed of them, in the same words."""
        return agents_in(item, by)

    def cancel_start(self) -> bool:
        """Start no process any more; return whether none was started."""
        self._is_cancelled = True
        return not self._begun

    async def recover(self, session: Session) -> None:
        """Report the turn as lost: its process ended with the actor that ran it."""
        await self._ref.tell(
            TurnLost(reason=f"The process of session {session.id} ended with its actor.")
        )

    async def interrupt(self, session: Session) -> None:  # noqa: ARG002 - there is one process
        """End the process and all that it started."""
        self._stopping.cancel()

    async def close(self, session: Session) -> None:
        """Forget that it was prompted: it never begins again."""
        self._prompted.discard(session.id)

    def reference(self, thread_id: str | None, turn_id: str | None) -> str:  # noqa: ARG002
        """Return `cli:<threadId>`."""
        return f"cli:{thread_id}"
