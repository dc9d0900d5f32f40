"""Actors in general: supervised trio tasks with mailboxes.

This package knows nothing of Codex, HTTP or SQL. It follows Erlang/OTP in words and meaning:
actors, bounded mailboxes, asks and tells, supervisors with restart intensity, monitors, links, a
registry by path, dead letters, and inspection. `docs/runtime.md` explains it.

Who writes an actor needs `actor` (what to write), `handlers` (what takes which message, and in
which state), `messages` (what it takes), `context` (what it may do), `ref` (how others talk to it),
`specs` (how it is started) and `errors`; `system` is the door to the whole tree, and `testing` a
kit for tests. Inside, the `tree` holds all tasks and all places; a `supervisor` and the `cell` of
an actor are each a `child`, which is a place in it, and `restarting` is one at an operator's word.
In a cell runs one `life` after the other, `serving` its `mailbox`, answering by a `reply`. A life
has a message in `hand`, and beside it `background_tasks` and `timers`; its `bonds` are its links,
its `groups` and its `monitors`, and its `reaper` bounds its end. `restart_policy` is the arithmetic
of restarting, `origins` is what a message was sent for, and the `deadline_queue` lets things happen
in time. A `watchdog` sees when an actor stalls the loop. `lazy_event` and `cancel_shields` are two
tools over trio, and `threads` says which work may have how many of those. `signals`, `snapshots`,
`accounting`, `tracing`, `deadletters` and the log of `reports` are how all of it is seen from
outside. `ports` says what the lower of these need of the higher, so that none imports upward.
"""

from command_center.runtime.actor import Actor
from command_center.runtime.child import Status
from command_center.runtime.context import Context
from command_center.runtime.deadletters import DeadLetter, DeadLetterReason, DeadLetters
from command_center.runtime.errors import (
    ActorCrashed,
    ActorNotFound,
    ActorStopped,
    AskTimeout,
    ChildExists,
    ChildRunning,
    Ignore,
    InvalidSpec,
    LinkBroken,
    MailboxFull,
    Refusal,
    RestartLimitReached,
    SelfAsk,
    StartFailed,
    SupervisorNotFound,
    SystemFailed,
    UnhandledMessage,
)
from command_center.runtime.handlers import handles
from command_center.runtime.messages import Address, Asked, Request
from command_center.runtime.monitors import Down
from command_center.runtime.origins import origin, working_for
from command_center.runtime.ref import ActorRef
from command_center.runtime.reply import Deferred, SentRequest
from command_center.runtime.signals import (
    Abandoned,
    Crashed,
    Exit,
    ExitKind,
    Operated,
    Quarantined,
    Restarted,
    Signal,
    Stalled,
    Started,
    Stopped,
)
from command_center.runtime.snapshots import ActorSnapshot, MessageTotals, SystemSnapshot
from command_center.runtime.specs import (
    AutoShutdown,
    Backoff,
    ChildSpec,
    Intensity,
    Restart,
    Strategy,
    SupervisorSpec,
)
from command_center.runtime.system import System, open_system
from command_center.runtime.timers import Timer
from command_center.runtime.tracing import Outcome, Trace, TraceRecord

__all__ = [
    "Abandoned",
    "Actor",
    "ActorCrashed",
    "ActorNotFound",
    "ActorRef",
    "ActorSnapshot",
    "ActorStopped",
    "Address",
    "AskTimeout",
    "Asked",
    "AutoShutdown",
    "Backoff",
    "ChildExists",
    "ChildRunning",
    "ChildSpec",
    "Context",
    "Crashed",
    "DeadLetter",
    "DeadLetterReason",
    "DeadLetters",
    "Deferred",
    "Down",
    "Exit",
    "ExitKind",
    "Ignore",
    "Intensity",
    "InvalidSpec",
    "LinkBroken",
    "MailboxFull",
    "MessageTotals",
    "Operated",
    "Outcome",
    "Quarantined",
    "Refusal",
    "Request",
    "Restart",
    "RestartLimitReached",
    "Restarted",
    "SelfAsk",
    "SentRequest",
    "Signal",
    "Stalled",
    "StartFailed",
    "Started",
    "Status",
    "Stopped",
    "Strategy",
    "SupervisorNotFound",
    "SupervisorSpec",
    "System",
    "SystemFailed",
    "SystemSnapshot",
    "Timer",
    "Trace",
    "TraceRecord",
    "UnhandledMessage",
    "handles",
    "open_system",
    "origin",
    "working_for",
]
