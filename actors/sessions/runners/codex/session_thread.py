"""The thread of a session: opened or joined with what the session is confined to.

Whoever is attached to a thread is told what goes on in it, and is asked again what it waits for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

from command_center.actors.codex import requests
from command_center.actors.codex.allow_rules import AllowRule, allowing
from command_center.actors.codex.confinement import Confinement, check_untouched, was_loaded
from command_center.actors.codex.errors import CodexError, NotConfined
from command_center.actors.codex.messages import Attach, BridgeMessage, Call, Detach
from command_center.actors.contracts.sessions import (
    AgentsListed,
    CommandLet,
    Fact,
    ItemSeen,
    JoiningThread,
    ModelTold,
)
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions.runner import SessionRef
from command_center.actors.sessions.runners.codex.agent_threads import (
    agents_of,
    find_agents,
    turns_for,
)
from command_center.actors.sessions.runners.codex.reports import Reports
from command_center.actors.sessions.runners.codex.thread_goal import ThreadGoal
from command_center.actors.sessions.runners.codex.turn_events import heard
from command_center.actors.sessions.runners.codex.turns import ask_bridge
from command_center.actors.sessions.runners.codex.user_rules import read_layers, read_user_rules
from command_center.runtime import ActorRef
from command_center.store import Session

WAITING: Final = frozenset({"waitingOnApproval", "waitingOnUserInput"})
"""The flags of a thread that waits for somebody's answer."""


class SessionThread:
    """The thread of one session, over the bridge."""

    def __init__(
        self,
        ref: SessionRef,
        bridge: ActorRef[BridgeMessage],
        confine: Callable[[Session], Awaitable[Confinement]],
    ) -> None:
        """Report to the session's actor `ref`; `confine` finds out what Codex is let do."""
        self._ref = ref
        self._bridge = bridge
        self._confine = confine
        self.goal = ThreadGoal(ref, self.ask)
        self.reports = Reports(ref)
        self._held: Confinement | None = None
        """The confinement that the thread was opened or joined with."""
        self._rules: tuple[AllowRule, ...] = ()
        """The rules of Codex's user that let commands out of the sandbox."""
        self._loaded = False
        """True if others had loaded the thread when it was joined."""

    async def ask(self, call: Call) -> dict[str, Any]:
        """Ask Codex; raises one of `runner.FAILURES`."""
        return await ask_bridge(self._bridge, call)

    async def attach(self, thread_id: str) -> None:
        """Hear of the thread."""
        await self._bridge.ask(Attach(thread_id, self._ref, read=heard))

    async def leave(self, thread_id: str) -> None:
        """Hear of the thread no more."""
        await self._bridge.tell(Detach(thread_id, self._ref))

    async def open(self, session: Session) -> str:
        """Open a new thread, and return its id.

        Raises:
            NotConfined: Codex would not hold it to what the session may.
        """
        confinement = await self._bound(session)
        answer = await self.ask(requests.thread_start(confinement, model=session.model))
        thread_id = str(answer["thread"]["id"])
        try:
            confinement.check_started(answer)
        except NotConfined:
            await self.ask(requests.thread_unsubscribe(thread_id))
            raise
        await self._tell_model(answer)
        return thread_id

    async def join(self, session: Session, thread_id: str) -> dict[str, Any]:
        """Hear of the thread, be asked again what is pending, and return the thread as it is."""
        await self._ref.tell(JoiningThread())
        confinement = await self._bound(session)
        await self.attach(thread_id)
        await self.goal.calm(session, thread_id)
        answer = await self.ask(requests.thread_resume(thread_id, confinement, model=session.model))
        await self._tell_model(answer)
        self._loaded = was_loaded(answer)
        thread: dict[str, Any] = answer["thread"]
        return thread

    async def _bound(self, session: Session) -> Confinement:
        """Find out what Codex is let do, and what its user's rules let it do besides.

        Raises:
            NotConfined: the machine's managed configuration has it obey files that nobody trusts.
        """
        layers = await read_layers(self.ask)
        self._rules = await read_user_rules(self.ask, layers)
        self._held = confinement = await self._confine(session)
        confinement.check_managed(layers)
        return confinement

    def exceeds(self, settings: Mapping[str, Any]) -> str | None:
        """Say which settings let the thread's next turns do more than it was opened for."""
        return None if self._held is None else self._held.exceeded_by(settings)

    def unasked(self, fact: Fact) -> Iterator[CommandLet]:
        """Tell whether the fact is that a command begins which rules let out of the sandbox."""
        if isinstance(fact, ItemSeen) and fact.type == "commandExecution" and not fact.completed:
            command = str(fact.body.get("command"))
            rules = tuple(map(str, allowing(self._rules, command)))
            if rules:
                yield CommandLet(item_id=fact.item_id, command=command, rules=rules)

    async def join_agents(self, session: Session, thread_id: str) -> list[dict[str, Any]]:
        """Hear again of the thread's sub-agents, report what they did meanwhile, and return them.

        Codex asks again what they wait for, and tells what they have used.
        """
        agents = await find_agents(self.ask, thread_id)
        ids = tuple(str(agent["id"]) for agent in agents)
        if agents:
            await self._bridge.ask(Attach(thread_id, self._ref, agents_of(agents), read=heard))
        confinement = await self._confine(session)
        for agent in agents:
            turns = await turns_for(self.ask, session, str(agent["id"]))
            if not turns and not is_active(agent):
                continue
            with contextlib.suppress(CodexError):  # it has ended meanwhile
                await self.ask(requests.thread_resume(str(agent["id"]), confinement))
            await self.reports.agent(agent, turns)
        await self._ref.tell(AgentsListed(frozenset(ids)))
        return agents

    async def load_anew(self, session: Session, thread_id: str) -> None:
        """See that no files are obeyed in the thread which nobody has trusted.

        Codex obeys those that it did when it loaded the thread, and loads it anew only if nobody
        else is in it. All else that it was loaded with, the turn sets.

        Raises:
            Conflict: somebody else is.
        """
        confinement = await self._confine(session)
        if not self._loaded or confinement.trusts_project or not confinement.obeyed:
            return
        await self.ask(requests.thread_unsubscribe(thread_id))
        await self.join(session, thread_id)
        if self._loaded:
            raise Conflict(
                f"Thread {thread_id} is open in another program, which may have Codex obey "
                f"{', '.join(confinement.obeyed)}. Close it there, or prompt another thread.",
                threadId=thread_id,
            )

    async def confine_turn(self, session: Session) -> Confinement:
        """Return what Codex is let do in the turn that is about to begin.

        Raises:
            ProjectTouched: what Codex obeys has changed since the thread was opened.
        """
        confinement = await self._confine(session)
        check_untouched(self._held, confinement)
        return confinement

    async def _tell_model(self, answer: Mapping[str, Any]) -> None:
        model = answer.get("model")
        if isinstance(model, str):
            await self._ref.tell(ModelTold(model=model))


def waits(thread: Mapping[str, Any]) -> bool:
    """Return whether the thread waits for somebody's answer."""
    return bool(WAITING & set((thread.get("status") or {}).get("activeFlags") or ()))


def is_active(thread: Mapping[str, Any]) -> bool:
    """Return whether a turn runs in the thread."""
    return (thread.get("status") or {}).get("type") == "active"
