"""The property that holds whatever happens: no message goes missing, and the tree always stops.

Sent = handled + lost in hand + dead letters, counted by the runtime and again, independently, by
the actors and senders; messages of one sender to one actor arrive in order; no task outlives its
supervisor; the tree stops within the sum of its deadlines.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, example, given, settings

from command_center.runtime import (
    Abandoned,
    Actor,
    ActorCrashed,
    ActorRef,
    ActorStopped,
    AskTimeout,
    AutoShutdown,
    Backoff,
    ChildExists,
    ChildRunning,
    ChildSpec,
    Crashed,
    Deferred,
    ExitKind,
    Ignore,
    Intensity,
    MailboxFull,
    Refusal,
    Request,
    Restart,
    Signal,
    StartFailed,
    Stopped,
    Strategy,
    SupervisorNotFound,
    SupervisorSpec,
    System,
    SystemFailed,
    handles,
    open_system,
)
from command_center.runtime.cell import Cell
from command_center.runtime.reaper import GRACE
from command_center.runtime.ref import target_of
from command_center.runtime.supervisor import Supervisor
from tests.runtime.probes import Boom
from tests.runtime.scripts import (
    SCRIPTS,
    Act,
    Add,
    Branch,
    Deed,
    End,
    How,
    Leaf,
    Operate,
    Script,
    Send,
    Step,
    Wait,
)


class No(Refusal):
    pass


@attrs.frozen
class Task(Request[str]):
    sender: int
    number: int
    deed: Deed


@attrs.frozen
class Quick(Task):
    """A task whose handler awaits nothing."""


@attrs.frozen
class NotHandled(Request[str]):
    sender: int
    number: int
    deed: Deed


@attrs.frozen
class Tick:
    pass


@attrs.define
class Ledger:
    """The counts that actors and senders saw themselves."""

    sent: int = 0
    unsure: int = 0
    """Asks and tells that were given up: perhaps sent, perhaps still in line."""
    answers: Counter[str] = attrs.field(factory=Counter)
    finished: int = 0
    ticks: int = 0
    failed: int = 0
    order: defaultdict[tuple[str, int, int], list[int]] = attrs.field(
        factory=lambda: defaultdict(list)
    )
    wrong: list[str] = attrs.field(factory=list)


class Worker(Actor):
    def __init__(self, ledger: Ledger, leaf: Leaf, life: int, stashed: set[Task]) -> None:
        self.ledger = ledger
        self.leaf = leaf
        self.life = life
        self.owed: list[Deferred[str]] = []
        self.stashed = stashed
        self.is_ready = False
        self.has_left = self.has_crashed = False

    async def on_start(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.life in self.leaf.bad_starts:
            raise Boom
        if self.life in self.leaf.ignored:
            raise Ignore

    async def on_continue(self) -> None:
        await trio.lowlevel.checkpoint()
        self.is_ready = True

    async def on_stop(self) -> None:
        end = self.ctx.exit
        kind = None if end is None else end.kind
        if kind not in (
            {ExitKind.CRASHED}
            if self.has_crashed
            else {ExitKind.NORMAL, ExitKind.CRASHED}
            if self.has_left
            else {ExitKind.CRASHED, ExitKind.SHUTDOWN, ExitKind.KILLED}
        ):
            self.ledger.wrong.append(f"{self.ctx.path} is told that its life ends as {kind}")
        match self.leaf.end:
            case End.SLOW:
                await trio.sleep(1.0)
            case End.RAISES:
                raise Boom
            case End.HANGS:
                await trio.sleep_forever()
            case End.CLINGS:
                with trio.CancelScope(shield=True):
                    await trio.sleep_forever()
            case End.QUICK:
                pass

    @handles(Task)
    async def task(self, message: Task) -> str | Deferred[str]:
        if message.deed in (Deed.STASH, Deed.STASH_AND_CRASH) and message not in self.stashed:
            self.stashed.add(message)
            try:
                self.ctx.stash()
            except MailboxFull:
                self.ledger.failed += 1
                raise
            if message.deed is Deed.STASH_AND_CRASH:
                self.has_crashed = True
                raise Boom
            return "put aside"
        if message.deed not in (Deed.STASH, Deed.STASH_AND_CRASH):  # those are overtaken
            key = (self.ctx.path, id(self.ctx.ref), message.sender)
            self.ledger.order[key].append(message.number)
        with self.noted():
            match message.deed:
                case Deed.NAP:
                    await trio.sleep(0.3)
                case Deed.LONG:
                    await trio.sleep(30.0)
                case deed:
                    return self.do(deed)
            return "done"

    @handles(Quick)
    def quick(self, message: Quick) -> str | Deferred[str]:
        with self.noted():
            return self.do(message.deed)

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note how the handling of a message ends."""
        if not self.is_ready:
            self.ledger.wrong.append(f"{self.ctx.path} has a message before on_continue returned")
        try:
            yield
        except Refusal:
            self.ledger.finished += 1
            raise
        except BaseException as error:
            self.has_crashed = self.has_crashed or isinstance(error, Exception)
            self.ledger.failed += 1
            raise
        self.ledger.finished += 1

    def do(self, deed: Deed) -> str | Deferred[str]:  # noqa: C901 - a table of deeds
        match deed:
            case Deed.REFUSE:
                raise No
            case Deed.CRASH:
                raise Boom
            case Deed.LEAVE:
                self.has_left = True
                self.ctx.stop()
            case Deed.DEFER:
                reply: Deferred[str] = self.ctx.defer()
                self.owed.append(reply)
                return reply
            case Deed.SETTLE_NOW:
                now: Deferred[str] = self.ctx.defer()
                now.send("settled now")
                return now
            case Deed.SETTLE:
                for reply in self.owed:
                    reply.send("settled")
            case Deed.SPAWN_TASK:
                self.ctx.start_task(trio.sleep, 50.0)
            case Deed.CRASH_TASK:
                self.ctx.start_task(self.fail_soon)
            case Deed.UNSTASH:
                self.ctx.unstash_all()
            case Deed.TIMER:
                self.ctx.send_after(0.2, Tick())
                self.ctx.send_every(30.0, Tick())
                self.ctx.set_receive_timeout(10.0, Tick())
            case _:
                pass
        return "done"

    @handles(Tick)
    def tick(self, _message: Tick) -> None:
        self.ledger.ticks += 1

    async def fail_soon(self) -> None:
        await trio.sleep(0.1)
        raise Boom


@attrs.define
class Case:
    """One run of one script."""

    script: Script
    ledger: Ledger = attrs.field(factory=Ledger)
    refs: list[ActorRef[Any]] = attrs.field(factory=list)
    supervisors: list[str] = attrs.field(factory=list)
    numbers: itertools.count[int] = attrs.field(factory=itertools.count)
    system: System | None = None

    def child_spec(self, id_: str, leaf: Leaf, parent: AutoShutdown) -> ChildSpec:
        lives = itertools.count()
        stashed: set[Task] = set()
        return ChildSpec(
            id_,
            lambda: Worker(self.ledger, leaf, next(lives), stashed),
            restart=leaf.restart,
            mailbox=leaf.mailbox,
            shutdown=leaf.shutdown,
            significant=leaf.significant
            and leaf.restart is not Restart.PERMANENT
            and parent is not AutoShutdown.NEVER,
        )

    def supervisor_spec(self, id_: str, branch: Branch) -> SupervisorSpec:
        return SupervisorSpec(
            id_,
            [
                self.child_spec(str(number), child, branch.auto_shutdown)
                if isinstance(child, Leaf)
                else self.supervisor_spec(str(number), child)
                for number, child in enumerate(branch.children)
            ],
            strategy=branch.strategy,
            restart=branch.restart,
            intensity=Intensity(branch.limit, 10.0),
            backoff=Backoff(initial=0.2, cap=1.0),
            quarantine=branch.quarantine,
            auto_shutdown=branch.auto_shutdown,
        )

    def observe(self, signal: Signal) -> None:
        system = self.system
        if system is None:
            return
        if isinstance(signal, Abandoned):
            self.ledger.wrong.append(f"{signal.path} was abandoned")
        if isinstance(signal, Stopped | Crashed):
            place = system._tree.children.get(signal.path)
            if isinstance(place, Supervisor):
                self.ledger.wrong += [
                    f"{child.path} outlives {place.path}"
                    for child in place.children.values()
                    if child.is_alive
                ]
        self.check_balance(repr(signal))

    def check_balance(self, when: str) -> None:
        """Hold the account at this moment."""
        if self.system is None:
            return
        totals = self.system.totals()
        accounted = totals.handled + totals.lost + totals.dead + totals.waiting + totals.in_hand
        if totals.sent != accounted:
            self.ledger.wrong.append(f"{totals} does not balance at {when}")
        for place in self.system._tree.children.values():
            life = place.life if isinstance(place, Cell) else None
            owed = () if life is None else life.deferred or ()
            if any(hasattr(reply, "value") for reply in owed):
                self.ledger.wrong.append(f"{place.path} owes what it answered, at {when}")

    async def run(self) -> None:
        opening = open_system(
            self.supervisor_spec("", self.script.tree), on_signal=self.observe, seed=0
        )
        trio.lowlevel.spawn_system_task(self.end_if_it_hangs, opening)
        try:
            async with opening as system:
                self.system = system
                self.refs += [
                    system.lookup(actor.path)
                    for actor in system.snapshot().actors
                    if actor.capacity
                ]
                self.supervisors += [
                    actor.path for actor in system.snapshot().actors if not actor.capacity
                ]
                async with trio.open_nursery() as nursery:
                    for sender, steps in enumerate(self.script.senders):
                        nursery.start_soon(self.send_all, system, sender, steps)
                    await trio.sleep(100.0)
                    nursery.start_soon(self.stop, system)
        except* SystemFailed:
            pass
        self.settle_accounts()

    async def end_if_it_hangs(self, system: System) -> None:
        """Turn a deadlock into a failure that can shrink."""
        await trio.sleep(10_000.0)
        statuses = [(actor.path, actor.status.value) for actor in system.snapshot().actors]
        self.ledger.wrong.append(f"it hangs: {statuses}")
        system._tree.body.cancel()
        system._tree._host_ended.set()
        for child in system._tree.children.values():
            child.began.set()
            child.ended.set()

    async def stop(self, system: System) -> None:
        began = trio.current_time()
        allowed = time_to_stop(system)
        await system.stop()
        took = trio.current_time() - began
        if took > allowed + 0.001:
            self.ledger.wrong.append(f"stopping took {took} s and not at most {allowed} s")

    async def send_all(self, system: System, sender: int, steps: tuple[Step, ...]) -> None:
        for step in steps:
            match step:
                case Send():
                    await self.send(sender, step)
                case Operate():
                    await self.operate(system, step)
                case Add():
                    await self.add(system, step)
                case Wait():
                    await trio.sleep(step.seconds)
            self.check_balance(repr(step))

    async def send(self, sender: int, step: Send) -> None:
        if not self.refs:
            return
        ref = self.refs[step.target % len(self.refs)]
        kind: type[Task | NotHandled] = Task
        if step.deed is Deed.NOT_HANDLED:
            kind = NotHandled
        elif step.how is How.QUICK_ASK:
            kind = Quick
        message = kind(sender, next(self.numbers), step.deed)
        ledger = self.ledger
        match step.how:
            case How.TELL | How.IMPATIENT_TELL:
                limit = 1000.0 if step.how is How.TELL else 0.1
                with trio.move_on_after(limit):
                    await ref.tell(message)
                    ledger.sent += 1
            case How.TRY_TELL:
                try:
                    ref.try_tell(message)
                    ledger.sent += 1
                except MailboxFull:
                    pass
            case How.ASK | How.QUICK_ASK:
                await self.ask(ref, message)
            case How.SEND_REQUEST:
                try:
                    request = ref.send_request(message, timeout=7.0)
                except MailboxFull:
                    return
                ledger.sent += 1
                with contextlib.suppress(AskTimeout, ActorStopped, ActorCrashed, Refusal):
                    await request.wait()

    async def ask(self, ref: ActorRef[Any], message: Task | NotHandled) -> None:
        ledger = self.ledger
        began = trio.current_time()
        waits = message.number % 3 != 0
        life = target_of(ref).life
        is_refused = not waits and not (life is not None and life.is_running)
        try:
            answer = await ref.ask(message, timeout=7.0, wait_for_start=waits)
        except AskTimeout:
            ledger.unsure += 1
            if trio.current_time() - began < 6.999:
                ledger.wrong.append(f"{message} timed out too soon")
            return
        except (No, ActorStopped, ActorCrashed, Refusal) as error:
            is_told = isinstance(error, ActorStopped) and trio.current_time() == began
            if is_refused and is_told:
                return
            answer = type(error).__name__
        except trio.Cancelled:
            ledger.unsure += 1
            raise
        if is_refused:
            ledger.wrong.append(f"{message} was sent to what has not started")
        ledger.sent += 1
        ledger.answers[answer] += 1

    async def operate(self, system: System, step: Operate) -> None:  # noqa: C901 - a table of acts
        places = [*self.refs, *self.supervisors[1:]]
        if not places:
            return
        place = places[step.target % len(places)]
        path = place.path if isinstance(place, ActorRef) else str(place)
        if path not in system.paths:
            return
        is_actor = isinstance(place, ActorRef)
        try:
            match step.act:
                case Act.SUSPEND if is_actor:
                    system.suspend(path, reason="script")
                case Act.RESUME if is_actor:
                    system.resume(path, reason="script")
                case Act.DRAIN if is_actor:
                    await system.drain(path, reason="script", timeout=4.0)
                case Act.RESTART:
                    await system.restart(path, reason="script")
                case Act.STOP:
                    await system.stop_child(path, reason="script")
                case Act.CHANGE if is_actor:
                    await system.replace_state(path, repr, reason="script")
                case Act.DELETE:
                    system.delete_child(path, reason="script")
                case _:
                    pass
        except (ActorStopped, ActorCrashed, StartFailed, ChildRunning):
            pass

    async def add(self, system: System, step: Add) -> None:
        supervisor = self.supervisors[step.target % len(self.supervisors)]
        id_ = f"d{next(self.numbers)}"
        spec: ChildSpec | SupervisorSpec
        if isinstance(step.child, Branch):
            spec = self.supervisor_spec(id_, step.child)
        else:
            spec = self.child_spec(id_, step.child, AutoShutdown.NEVER)
        with contextlib.suppress(StartFailed, ActorStopped, SupervisorNotFound, ChildExists):
            ref = await system.start_child(supervisor, spec)
            beneath = [path for path in system.paths if f"{path}/".startswith(f"{ref.path}/")]
            for path in beneath:
                if isinstance(system._tree.children[path], Supervisor):
                    self.supervisors.append(path)
                else:
                    self.refs.append(system.lookup(path))

    def settle_accounts(self) -> None:
        """Compare what the runtime counted with what actors and senders saw."""
        ledger = self.ledger
        assert ledger.wrong == []
        if self.system is None:
            return
        totals = self.system.totals()
        assert (totals.waiting, totals.in_hand) == (0, 0)
        assert totals.sent == totals.handled + totals.lost + totals.dead
        ticks = ledger.ticks + sum(type(it.message) is Tick for it in self.system.dead_letters)
        assert ledger.sent + ticks <= totals.sent <= ledger.sent + ticks + ledger.unsure
        assert totals.handled == ledger.finished + ledger.ticks
        assert totals.lost == ledger.failed
        assert totals.dead == self.system.dead_letters.total
        for key, numbers in ledger.order.items():
            assert numbers == sorted(numbers), key
        assert self.system.abandoned == []
        nursery = self.system._tree._nursery
        assert nursery is not None
        assert not nursery.child_tasks


def time_to_stop(system: System) -> float:
    """Return the seconds that stopping may take: every deadline, and the graces."""
    return sum(
        child.spec.shutdown + 2 * GRACE
        for child in system._tree.children.values()
        if not isinstance(child, Supervisor) and isinstance(child.spec, ChildSpec)
    )


UNHURRIED = [HealthCheck.too_slow, HealthCheck.data_too_large]


def run(script: Script) -> None:
    trio.run(Case(script).run, clock=trio.testing.MockClock(autojump_threshold=0))


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=UNHURRIED)
@given(SCRIPTS)
@example(
    Script(
        Branch((Leaf(mailbox=1), Leaf(end=End.CLINGS)), strategy=Strategy.ONE_FOR_ALL),
        (
            (Send(0, Deed.LONG), Send(0), Send(0, how=How.ASK), Send(1, Deed.CRASH)),
            (Operate(0, Act.SUSPEND), Operate(1, Act.RESTART), Operate(0, Act.STOP)),
        ),
    )
)
@example(
    Script(
        Branch((Leaf(Restart.TEMPORARY),)),
        ((Add(0, Leaf(Restart.TRANSIENT)), Send(1, Deed.CRASH, How.ASK), Send(1, how=How.ASK)),),
    )
)
@example(
    Script(Branch((Leaf(),)), ((Wait(1.0), Send(0, Deed.SETTLE_NOW, How.QUICK_ASK), Wait(1.0)),))
)
def test_no_message_goes_missing_and_the_tree_always_stops(script: Script) -> None:
    run(script)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@settings(max_examples=10_000, deadline=None, suppress_health_check=UNHURRIED)
@given(SCRIPTS)
def test_no_message_goes_missing_in_thousands_of_scripts(script: Script) -> None:
    run(script)
