"""The thread of a session: opened or joined with what the session is confined to.

Whoever is attached to a thread is told what goes on in it, and is asked again what it waits for.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import attrs
import structlog
import trio

from command_center.actors.codex import requests
from command_center.actors.codex.active_turns import is_active
from command_center.actors.codex.allow_rules import allowing
from command_center.actors.codex.allowed_tools import approving_setting
from command_center.actors.codex.confinement import (
    Confinement,
    Reviewer,
    Sandbox,
    check_untouched,
    was_loaded,
)
from command_center.actors.codex.errors import (
    BridgeUnavailable,
    CodexError,
    NotConfined,
    ProfileTooWide,
)
from command_center.actors.codex.mcp_servers import servers_in
from command_center.actors.codex.messages import (
    Attach,
    BridgeMessage,
    Call,
    Detach,
    LoadedThread,
    NameConnection,
    Rejoin,
)
from command_center.actors.contracts.turns import (
    AgentsListed,
    CommandLet,
    CommandOutside,
    Fact,
    ItemSeen,
    JoiningThread,
    ModelAsked,
    ModelTold,
    ToolLet,
    TurnLoosened,
)
from command_center.actors.ledger.sessions import is_by_hand
from command_center.actors.rules.choices import choices_of
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.own_mcp_server import OWN_MCP_SERVER
from command_center.actors.rules.paths import lies_in
from command_center.actors.sessions.runner import SessionRef
from command_center.actors.sessions.runners.codex.agent_threads import (
    agents_of,
    find_agents,
    turns_for,
)
from command_center.actors.sessions.runners.codex.read_ahead import GOOD_SECONDS, ReadAhead
from command_center.actors.sessions.runners.codex.reports import Reports
from command_center.actors.sessions.runners.codex.thread_goal import ThreadGoal
from command_center.actors.sessions.runners.codex.turn_events import heard
from command_center.actors.sessions.runners.codex.turns import ask_bridge, settled
from command_center.actors.sessions.runners.codex.user_rules import (
    UserFiles,
    read_layers,
    read_user_files,
)
from command_center.runtime import ActorRef
from command_center.store import Session

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

WAITING: Final = frozenset({"waitingOnApproval", "waitingOnUserInput"})
"""The flags of a thread that waits for somebody's answer."""

MODEL_ASKED: Final = (
    "A model was to decide in a person's place: another client of Codex has set it for this turn."
)
"""The reason of a session that ends because its turn left a question to a model."""


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
        self.model: str | None = None
        """The model of the thread, as Codex opened it."""
        self.reports = Reports(ref)
        self._held: Confinement | None = None
        """The confinement that the thread was opened or joined with."""
        self._connection = ""
        """The name of the connection on which the thread was opened."""
        self._held_since = -math.inf
        """The moment, by trio's clock, when that was found out."""
        self._user = ReadAhead(self._read_user)
        self._files = UserFiles()
        """The files of Codex's user by which the thread was loaded."""
        self._layers: list[dict[str, Any]] = []
        """The settings of Codex's user, as Codex reads them from its files."""
        self._cwd = ""
        """The folder of the thread, as Codex spells it."""
        self._covers = True
        """False once nothing can be hidden from commands there."""
        self._loaded_profile: str | None = None
        """The permission profile with which the thread was loaded when it was joined."""
        self._loaded = False
        """True if others had loaded the thread when it was joined."""
        self._settings: Mapping[str, Any] | None = None
        """The settings by which the thread was loaded for this session, or one like it."""

    async def ask(self, call: Call) -> dict[str, Any]:
        """Ask Codex; raises one of `runner.FAILURES`."""
        return await ask_bridge(self._bridge, call)

    async def attach(self, thread_id: str) -> None:
        """Hear of the thread."""
        await self._bridge.ask(Attach(thread_id, self._ref, read=heard))

    async def attach_opened(self, thread_id: str) -> None:
        """Hear of a thread that was just opened, from its first turn on.

        Raises:
            BridgeUnavailable: the connection on which it was opened was lost before.
        """
        await self.attach(thread_id)
        if await self._bridge.ask(NameConnection()) != self._connection:
            raise BridgeUnavailable("The connection to Codex was lost. The thread is resumed.")

    async def leave(self, thread_id: str, *, is_idle: bool = False) -> None:
        """Hear of the thread no more; one that is idle may be kept for who goes on in it."""
        loaded = None
        if is_idle and self._settings is not None:
            loaded = LoadedThread(self._settings, self.model, self._cwd)
        await self._bridge.tell(Detach(thread_id, self._ref, loaded))

    async def go_on(self, session: Session, thread_id: str, confinement: Confinement) -> bool:
        """Hear of the thread again, if it was kept loaded as it would be loaded now.

        Nothing has happened in it then, so there is nothing to catch up with.
        """
        settings = self._settings_of(session, confinement, session.model)
        if settings is None:
            return False
        kept = await self._bridge.ask(Rejoin(thread_id, self._ref, settings, read=heard))
        if kept is not None:
            self._settings, self.model, self._cwd = settings, kept.model, kept.cwd
        return kept is not None

    def _settings_of(
        self, session: Session, confinement: Confinement, model: str | None
    ) -> Mapping[str, Any] | None:
        """Return all that a thread is loaded with and that no turn says anew.

        None for a session of which more is to be seen: Codex may go on by itself for its goal, a
        profile shows what it gives as it is loaded, and no prompt begins a review.
        """
        is_plain = session.goal is None and session.type != "review_task"
        if not is_plain or session.origin == "compact" or confinement.profile is not None:
            return None
        return {
            "config": confinement.start_params()["config"],
            "stamp": confinement.stamp,
            "layers": self._layers,
            "files": self._files,
            "choices": {**choices_of(session), "model": model},
            "type": session.type,
        }

    async def open(self, session: Session) -> str:
        """Open a new thread, and return its id.

        Raises:
            NotConfined: Codex would not hold it to what the session may.
            ProfileTooWide: the permission profile gives more.
        """
        confinement = await self.bound(session)
        self._connection = await self._bridge.ask(NameConnection())
        try:
            answer = await self._opened(session, confinement)
        except (CodexError, NotConfined) as error:
            if not confinement.hides or confinement.profile is not None:
                raise
            confinement = self.uncover(error)
            answer = await self._opened(session, confinement)
        self._note_opened(answer)
        self._settings = self._settings_of(session, confinement, self.model)
        return str(answer["thread"]["id"])

    async def _opened(self, session: Session, confinement: Confinement) -> dict[str, Any]:
        answer = await self.ask(requests.thread_start(confinement, model=session.model))
        try:
            confinement.check_started(answer)
        except (NotConfined, ProfileTooWide):
            await self.ask(requests.thread_unsubscribe(str(answer["thread"]["id"])))
            raise
        return answer

    def uncover(self, why: object) -> Confinement:
        """Have Codex's sandbox hold commands alone, where no profile of ours may or can.

        That is so where the machine's managed configuration allows none, in a thread that another
        program has loaded, and where rules let commands out.
        """
        assert self._held is not None  # noqa: S101 - it is known before
        log.warning("session.data_in_sight", cwd=self._held.cwd, reason=str(why))
        self._covers = False
        self._held = attrs.evolve(self._held, hidden=())
        return self._held

    async def join(
        self, session: Session, thread_id: str, confinement: Confinement
    ) -> dict[str, Any]:
        """Hear of the thread, be asked again what is pending, and return the thread as it is."""
        await self._ref.tell(JoiningThread())
        await self.attach(thread_id)
        await self.goal.calm(session, thread_id)
        answer = await self.ask(requests.thread_resume(thread_id, confinement, model=session.model))
        await self._check_profile(confinement)
        self._note_opened(answer)
        if self.model is not None:
            await self._ref.tell(ModelTold(model=self.model))
        self._loaded = was_loaded(answer)
        is_ours = not self._loaded
        self._settings = self._settings_of(session, confinement, self.model) if is_ours else None
        self._loaded_profile = (answer.get("activePermissionProfile") or {}).get("id")
        thread: dict[str, Any] = answer["thread"]
        return thread

    async def _check_profile(self, confinement: Confinement) -> None:
        """See what a profile gives, in a thread that is kept nowhere: a turn does not tell.

        Raises:
            ProfileTooWide: it gives more than the session may have.
        """
        if confinement.profile is None:
            return
        answer = await self.ask(requests.thread_start(confinement, ephemeral=True))
        await self.ask(requests.thread_unsubscribe(str(answer["thread"]["id"])))
        confinement.check_started(answer)

    async def look_ahead(self) -> None:
        """Read what `bound` needs of Codex's user before it is needed."""
        await self._user.begin()

    async def _read_user(self) -> tuple[list[dict[str, Any]], UserFiles]:
        layers = await read_layers(self.ask)
        return layers, await read_user_files(self.ask, layers)

    async def bound(self, session: Session) -> Confinement:
        """Find out what Codex is let do, and what its user's rules let it do besides.

        Raises:
            NotConfined: the machine's managed configuration has it obey files that nobody trusts.
            Conflict: Codex does not say which MCP servers it has, and some are off.
        """
        self._layers, self._files = await self._user.get()
        confinement = await self._confined(session)
        self._held, self._held_since = confinement, trio.current_time()
        if confinement.hides and self._lets_out(confinement):
            confinement = self.uncover("Rules let commands out of the sandbox.")
        confinement.check_managed(self._layers)
        return confinement

    def _lets_out(self, confinement: Confinement) -> bool:
        """Say whether rules may let commands out of the sandbox: where things are hidden, none is.

        They are the rules of Codex's user, and those of a repository whose files are trusted.
        """
        of_project = confinement.trusts_project and bool(confinement.obeyed)
        return bool(self._files.allowing) or of_project

    async def _confined(self, session: Session) -> Confinement:
        """Find out what Codex is let do when it loads a thread: its servers are off that it has.

        One that does not say which it has is let run where only Command Center's own one is off.
        """
        confinement = await self._confine_now(session)
        if {*confinement.servers_off} - {OWN_MCP_SERVER} and not self._layers:
            raise Conflict(
                "Codex does not say which MCP servers it has, and this repository has some of them "
                "off. Install a newer Codex, or set mcpServersOff to none."
            )
        return confinement.among(servers_in(self._layers))

    async def _confine_now(self, session: Session) -> Confinement:
        confinement = await self._confine(session)
        return confinement if self._covers else attrs.evolve(confinement, hidden=())

    def exceeds(self, settings: Mapping[str, Any]) -> str | None:
        """Say which settings let the thread's next turns do more than it was opened for."""
        return None if self._held is None else self._held.exceeded_by(settings)

    def weigh(self, fact: Fact) -> Iterator[Fact]:
        """Give the fact, behind what it tells of things at which nobody here is asked.

        That a model is asked instead is no more than a reason to end the turn, if it may not be.
        """
        match fact:
            case ModelAsked():
                if self._held is not None and self._held.reviewer is Reviewer.USER:
                    yield TurnLoosened(reason=MODEL_ASKED)
                return
            case ItemSeen(type="commandExecution", completed=False):
                yield from self._command_unasked(fact)
            case ItemSeen(type="mcpToolCall", completed=False):
                yield from self._tool_unasked(fact)
        yield fact

    def _command_unasked(self, begun: ItemSeen) -> Iterator[Fact]:
        """Tell of a command that rules let out, or that begins elsewhere.

        Where Codex itself says that the thread works is no other place, however it spells that.
        """
        command, cwd = str(begun.body.get("command")), str(begun.body.get("cwd"))
        if is_by_hand(begun.body):
            return
        rules = tuple(map(str, allowing(self._files.allowing, command)))
        if rules:
            yield CommandLet(item_id=begun.item_id, command=command, rules=rules)
        held = self._held
        if held is None or held.sandbox is Sandbox.DANGER_FULL_ACCESS:
            return
        if not any(lies_in(cwd, folder) for folder in (held.cwd, self._cwd, *held.writable)):
            yield CommandOutside(item_id=begun.item_id, command=command, cwd=cwd)

    def _tool_unasked(self, begun: ItemSeen) -> Iterator[Fact]:
        """Tell of the call of a tool that its user has set never to be asked about."""
        server, tool = str(begun.body.get("server")), str(begun.body.get("tool"))
        setting = approving_setting(self._layers, server, tool)
        if setting is not None:
            yield ToolLet(item_id=begun.item_id, server=server, tool=tool, setting=setting)

    async def join_agents(self, session: Session, thread_id: str) -> list[dict[str, Any]]:
        """Hear again of the thread's sub-agents, report what they did meanwhile, and return them.

        Codex asks again what they wait for, and tells what they have used.
        """
        agents = await find_agents(self.ask, thread_id)
        ids = tuple(str(agent["id"]) for agent in agents)
        if agents:
            await self._bridge.ask(Attach(thread_id, self._ref, agents_of(agents), read=heard))
        confinement = await self._confined(session)
        for agent in agents:
            agent_id = str(agent["id"])
            turns = await settled(
                self.ask, agent_id, partial(turns_for, self.ask, session, agent_id)
            )
            if not turns and not is_active(agent):
                continue
            with contextlib.suppress(CodexError):  # it has ended meanwhile
                await self.ask(requests.thread_resume(agent_id, confinement))
            await self.reports.agent(agent, turns)
        await self._ref.tell(AgentsListed(frozenset(ids)))
        return agents

    async def load_anew(self, session: Session, thread_id: str) -> None:
        """See that no files are obeyed in the thread which nobody has trusted, and its servers off.

        And that it knows the profile that hides things from commands. Codex obeys the files that it
        did when it loaded the thread, has the MCP servers and the profiles that it had then, and
        loads it anew only if nobody else is in it. All else that it was loaded with, the turn sets.

        Raises:
            Conflict: somebody else is, and may have files obeyed. Their servers they keep.
        """
        confinement = await self._confine_now(session)
        is_obeying = bool(confinement.obeyed) and not confinement.trusts_project
        hides = confinement.hides and confinement.named_profile != self._loaded_profile
        if not self._loaded or not (is_obeying or confinement.servers_off or hides):
            return
        await self.ask(requests.thread_unsubscribe(thread_id))
        await self.join(session, thread_id, await self.bound(session))
        if is_obeying and self._loaded:
            raise Conflict(
                f"Thread {thread_id} is open in another program, which may have Codex obey "
                f"{', '.join(confinement.obeyed)}. Close it there, or prompt another thread.",
                threadId=thread_id,
            )

    async def confine_turn(self, session: Session) -> Confinement:
        """Return what Codex is let do in the turn that is about to begin, as it was found just now.

        Raises:
            ProjectTouched: what Codex obeys has changed since the thread was opened.
        """
        held, is_new = self._held, trio.current_time() - self._held_since < GOOD_SECONDS
        if held is not None and not held.trusts_project and is_new:
            return held
        confinement = await self._confine_now(session)
        check_untouched(self._held, confinement)
        return confinement

    def _note_opened(self, answer: Mapping[str, Any]) -> None:
        """Take note of how Codex has opened the thread."""
        self._cwd = str(answer.get("cwd"))
        model = answer.get("model")
        if isinstance(model, str):
            self.model = model


def waits(thread: Mapping[str, Any]) -> bool:
    """Return whether the thread waits for somebody's answer."""
    return bool(WAITING & set((thread.get("status") or {}).get("activeFlags") or ()))
