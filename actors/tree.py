"""The supervision tree: what runs, in which order it starts, and what its death may disturb.

    /                        one_for_one; a crash below never reaches a neighbour
    ├ /store                 the writer (group commits)
    ├ /cluster               only in a cluster: who leads, as far as this centre knows
    ├ /events                hub: durable log → subscribers
    ├ /journal               what the runtime tells of itself, as events
    ├ /hosts/…               one per host that needs actors of its own, such as a connection
    ├ /devices               who else is let in, with what they may do
    ├ /uploads               the pictures and texts that people send for Codex
    ├ /backups               makes backups when they are due, and when they are asked for
    ├ /event-compression     compresses the texts of old events
    ├ /retention             removes events that are old, or of a deleted repository
    ├ /file-shrinking        gives what was freed of the database's file back to the disk
    ├ /size-watch            tells where the database has more than is wanted
    ├ /store-check           reads the whole database, to find what the disk has changed
    ├ /repositories
    ├ /bridges/…             one per host: the connection to its Codex, and the end of what former
    │                        lives left
    ├ /bridge-watch/…        one per host: tells of that connection, as events
    ├ /accounts/…            one per host: signs its Codex in and out
    ├ /threads/…             one per host: what is done with the threads of its Codex
    ├ /extensions/…          one per host: shows what extends its Codex, and switches it
    ├ /shells/…              one per host: terminals of people, where sessions work
    ├ /sessions/…            dynamic, one per live session
    ├ /orphaned-turns/…      one per host: ends the turns that outlive their sessions
    ├ /commit-messages       asks Codex for the messages of commits
    ├ /slots                 which queued session begins next
    ├ /foreign-turns/…       one per host: gives the turns that no session began a session, or an
    │                        end
    ├ /approvals
    ├ /clock                 notices sleep, and a clock that is set
    ├ /fleet                 has the hosts that were added, and all that works on each
    ├ /tasks                 starts each live session's actor
    ├ /automations/…         dynamic, one per enabled automation
    ├ /scheduler             starts each enabled automation's actor, and watches the clock
    ├ /webhooks/…            sends what happens to addresses that were named: outbox, registry
    ├ /notify/…              only where it is wanted: outbox, targets, notifier
    ├ /webpush/…             only with the extra `push`: outbox, subscriptions, notifier
    └ /telegram/…            only where it is wanted: outbox, inbox, notifier, polling

The order is the order of starting: what comes later may rely on what came before. `/tasks` brings
the sessions of a former life back when all that they need is there, and `/scheduler` makes new
ones. The root and the dynamic supervisors are edges of fault domains: a child that fails too often
is set aside alone, and an operator is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import attrs

from command_center.actors.approvals.actor import Approvals
from command_center.actors.automations.actor import AutomationServices
from command_center.actors.automations.scheduler import Scheduler
from command_center.actors.backups.actor import Backups, BackupSettings
from command_center.actors.codex.bridge import Bridge
from command_center.actors.codex.ports import CodexHost
from command_center.actors.codex.routing import Routes
from command_center.actors.codex.settings import BridgeSettings
from command_center.actors.contracts.hosts import Hosts
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.contracts.threads import AgentThreads
from command_center.actors.core.events import EventHub, Fanout
from command_center.actors.core.shared_files import SharedFiles
from command_center.actors.core.storage import Storage
from command_center.actors.core.writer import Store
from command_center.actors.devices.actor import Devices
from command_center.actors.devices.roster import Roster
from command_center.actors.forges.actor import PullRequests
from command_center.actors.forges.issues import Issues
from command_center.actors.forges.settings import GitHubSettings
from command_center.actors.forges.shared import SharedForge
from command_center.actors.hosts.fleet import Fleet
from command_center.actors.hosts.local.tailscale import TailscaleSettings
from command_center.actors.hosts.registry import HostSettings
from command_center.actors.notify.settings import NotifySettings
from command_center.actors.operator.actions import Journal
from command_center.actors.operator.bridge_watch import BridgeWatch
from command_center.actors.operator.clock_watch import ClockWatch
from command_center.actors.repositories.actor import Repositories
from command_center.actors.rules.keeping import Keeping
from command_center.actors.sessions.runners.codex.account import Account
from command_center.actors.sessions.runners.codex.commit_messages import CommitMessages
from command_center.actors.sessions.runners.codex.extensions import CodexExtensions
from command_center.actors.sessions.runners.codex.foreign_turns import ForeignTurns
from command_center.actors.sessions.runners.codex.orphaned_turns import OrphanedTurns
from command_center.actors.sessions.runners.codex.shells import Shells
from command_center.actors.sessions.runners.codex.thread_acts import ThreadActs
from command_center.actors.sessions.runners.codex.usage_limits import AccountLimits
from command_center.actors.sessions.services import SessionServices
from command_center.actors.sessions.slots import Slots
from command_center.actors.store_care.event_compression import EventCompression
from command_center.actors.store_care.file_shrinking import FileShrinking
from command_center.actors.store_care.retention import Retention
from command_center.actors.store_care.size_watch import SizeWatch
from command_center.actors.store_care.store_check import StoreCheck
from command_center.actors.tasks.actor import Tasks
from command_center.actors.telegram.settings import TelegramSettings
from command_center.actors.uploads.actor import Uploads
from command_center.actors.webhooks.settings import WebhookSettings
from command_center.actors.webhooks.tree import webhooks_tree
from command_center.actors.webpush.settings import PushSettings
from command_center.runtime import ChildSpec, Intensity, SupervisorSpec
from command_center.store import ClaimLost, DatabaseClaim, NotReplicated, Replica
from command_center.store.records import LOCAL
from command_center.store.records import Runner as RunnerName
from command_center.store.uploaded_files import FOLDER as UPLOADS_FOLDER
from command_center.store.uploaded_files import UploadedFiles


@attrs.frozen(kw_only=True)
class CenterSettings:
    """The settings of the tree."""

    database: Path
    data_dir: Path
    runner: RunnerName
    bridge: BridgeSettings
    max_sessions: int
    approval_seconds: float
    wants_passkeys: bool = False
    """Only a passkey approves what goes beyond a run's leave."""
    stall_seconds: float = 600.0
    setup_seconds: float = 900.0
    imports_threads: bool = True
    """Copy what was said in stored threads of Codex, so that it can be searched."""
    repo_roots: tuple[Path, ...] = ()
    timezone: str | None = None
    """Of automations that name none; else the machine's."""
    telegram: TelegramSettings | None = None
    github: GitHubSettings = attrs.field(factory=GitHubSettings)
    webpush: PushSettings | None = None
    notify: NotifySettings | None = None
    tailscale: TailscaleSettings | None = None
    backups: BackupSettings = attrs.field(factory=BackupSettings)
    compress_days: int = 0
    """Days after which the texts of events are compressed; 0 never."""
    keep_events: Keeping = attrs.field(factory=Keeping)
    keep_transcripts: Keeping = attrs.field(factory=Keeping)
    """Days after which transcripts are removed; None never."""
    tells_of_releases: bool = False
    """A package index is asked once a day whether a newer version is out."""
    alarm_bytes: int | None = None
    """Bytes of the database from which on that is told; None for none."""
    webhooks: WebhookSettings = attrs.field(factory=WebhookSettings)
    claim: DatabaseClaim | None = None
    """This process's authority over the database; None where nobody else can reach it."""
    cluster: ChildSpec | None = None
    """Stands in the tree for the cluster that this server is one of."""
    replica: Callable[[], Replica] | None = None
    """Gives each life of the writer whoever must have its commits, too."""
    shared_files: SharedFiles | None = None
    """Uploads that other centres have, too; None where there is no other."""
    settle_reads: Callable[[], None] | None = None
    """Returns once what was just read may be told; None where that is at once."""
    on_lost: Callable[[ClaimLost | NotReplicated], None] | None = None
    """Told in the writer's thread; a program ends itself then."""
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    """Texts that must never be stored, such as this installation's own tokens."""


@attrs.frozen
class PerHost:
    """A supervisor with a child for each host.

    Attributes:
        id: the supervisor's name.
        make: returns the child of a host.
        contract: what the death of such a child may disturb.
    """

    id: str
    make: Callable[[CodexHost], ChildSpec | SupervisorSpec]
    contract: str

    def supervisor(self, hosts: Sequence[CodexHost]) -> SupervisorSpec:
        """Return the supervisor, with the children of these hosts."""
        return SupervisorSpec(
            id=self.id,
            children=[self.make(host) for host in hosts],
            quarantine=True,
            contract=self.contract,
        )


def host_settings(settings: CenterSettings) -> HostSettings:
    """Say what hosts are made of."""
    # Whatever the runner is, a former life may have left processes of Codex, which bridges end.
    disabled = (
        None
        if RUNNERS[settings.runner].has_threads
        else f"The runner is {settings.runner}: no app-server is used. "
        "Set CC_CODEX_RUNNER_MODE=app-server to use one."
    )
    return HostSettings(
        data_dir=settings.data_dir,
        roots=settings.repo_roots,
        codex=attrs.evolve(settings.bridge, disabled=disabled),
        tailscale=settings.tailscale,
    )


def uploads_folder(settings: CenterSettings) -> Path:
    """Return the folder of what people send for Codex."""
    return settings.data_dir / UPLOADS_FOLDER


def build_tree(
    settings: CenterSettings,
    hosts: Hosts[CodexHost],
    storage: Storage,
    services: SessionServices,
    schedules: AutomationServices,
    *,
    fixed: Sequence[CodexHost],
    threads: AgentThreads,
    fanout: Fanout,
    roster: Roster,
) -> SupervisorSpec:
    """Return the spec of the whole tree.

    It has what works on the `fixed` hosts; that of the others is started by `/fleet`.
    """
    forge = SharedForge(settings.github)
    works_on = _works_on(settings, hosts, storage, services, fanout=fanout, roster=roster)
    webpush: tuple[SupervisorSpec, ...] = ()
    if settings.webpush is not None:
        from command_center.actors.webpush.tree import webpush_tree  # noqa: PLC0415 - a server without the extra starts as before

        webpush = (webpush_tree(settings.webpush, storage, fanout),)
    notify: tuple[SupervisorSpec, ...] = ()
    if settings.notify is not None:
        from command_center.actors.notify.tree import notify_tree  # noqa: PLC0415 - a server without it starts as before

        notify = (notify_tree(settings.notify, storage, fanout),)
    releases: tuple[ChildSpec, ...] = ()
    if settings.tells_of_releases:
        from command_center.actors.hosts.local.releases.actor import ReleaseWatch  # noqa: PLC0415 - a server that asks nobody starts as before

        releases = (
            ChildSpec(
                id="release-watch",
                start=partial(ReleaseWatch, settings.data_dir),
                contract="Nobody is told of a newer version until it is back.",
            ),
        )
    telegram: tuple[SupervisorSpec, ...] = ()
    if settings.telegram is not None:
        from command_center.actors.telegram.tree import telegram_tree  # noqa: PLC0415 - it needs an HTTP client, which nothing else here does

        telegram = (
            telegram_tree(
                settings.telegram,
                storage,
                fanout,
                places=services.places,
                runner=settings.runner,
                approval_seconds=settings.approval_seconds,
            ),
        )
    return SupervisorSpec(
        id="",
        intensity=Intensity(restarts=10, period=60.0),
        quarantine=True,
        children=(
            ChildSpec(
                id="store",
                start=partial(
                    Store,
                    settings.database,
                    storage.hub,
                    claim=settings.claim,
                    replica=settings.replica,
                    on_lost=settings.on_lost,
                    secrets=settings.secrets,
                ),
                mailbox=10_000,
                contract="While it restarts nothing is written, and nothing acknowledged is lost; "
                "reads and turns go on.",
            ),
            *(() if settings.cluster is None else (settings.cluster,)),
            ChildSpec(
                id="events",
                start=partial(EventHub, fanout, storage.readers, settings.secrets),
                mailbox=10_000,
                contract="Subscribers see a pause, and then all that they missed.",
            ),
            ChildSpec(
                id="journal",
                start=partial(Journal, storage),
                contract="Crashes and restarts that happen meanwhile are not told as events.",
            ),
            ChildSpec(
                id="devices",
                start=partial(Devices, storage, roster),
                contract="Devices are let in as before; none is added or revoked until it is back.",
            ),
            ChildSpec(
                id="uploads",
                start=partial(
                    Uploads,
                    storage,
                    UploadedFiles(uploads_folder(settings)),
                    settings.shared_files,
                ),
                contract="Nothing is uploaded until it is back; turns are not touched.",
            ),
            ChildSpec(
                id="backups",
                start=partial(
                    Backups,
                    storage,
                    settings.database,
                    settings.data_dir,
                    settings.backups,
                    zone=schedules.terms.zone,
                ),
                contract="A backup in hand is given up; what came due is made up for.",
            ),
            ChildSpec(
                id="event-compression",
                start=partial(EventCompression, storage, days=settings.compress_days),
                contract="Old events are not compressed until it is back; nothing else is touched.",
            ),
            ChildSpec(
                id="retention",
                start=partial(
                    Retention,
                    storage,
                    settings.keep_events,
                    settings.keep_transcripts,
                ),
                contract="Old events are not removed until it is back; what was begun goes on.",
            ),
            ChildSpec(
                id="file-shrinking",
                start=partial(FileShrinking, storage),
                contract="The file is not made shorter until it is back; nothing else is touched.",
            ),
            ChildSpec(
                id="size-watch",
                start=partial(SizeWatch, storage, settings.alarm_bytes),
                contract="It is not told how much the database has until it is back.",
            ),
            ChildSpec(
                id="store-check",
                start=partial(StoreCheck, storage, settings.database, settings.claim),
                contract="A check of the database begins anew; nothing else is touched.",
            ),
            works_on["hosts"].supervisor([host for host in fixed if host.actors]),
            ChildSpec(
                id="repositories",
                contract="Git work in hand is refused; turns are not touched.",
                start=partial(
                    Repositories, storage, hosts, approval_seconds=settings.approval_seconds
                ),
            ),
            works_on["bridges"].supervisor(fixed),
            works_on["bridge-watch"].supervisor(fixed),
            works_on["accounts"].supervisor(fixed),
            works_on["limits"].supervisor(fixed),
            works_on["threads"].supervisor(fixed),
            works_on["extensions"].supervisor(fixed),
            works_on["shells"].supervisor(fixed),
            SupervisorSpec(
                id="sessions",
                quarantine=True,
                contract="A session's crash touches no other; its turn goes on in Codex, and is "
                "joined again.",
            ),
            works_on["orphaned-turns"].supervisor(fixed),
            ChildSpec(
                id="commit-messages",
                start=partial(CommitMessages, storage),
                contract="Messages that are asked for are refused; ask again.",
            ),
            ChildSpec(
                id="slots",
                start=partial(
                    Slots,
                    storage,
                    limit=settings.max_sessions,
                    absence=hosts.absence_of,
                ),
                contract="Queued sessions wait until it is back.",
            ),
            works_on["foreign-turns"].supervisor(fixed),
            ChildSpec(
                id="pull-requests",
                start=partial(
                    PullRequests,
                    storage,
                    forge,
                    approval_seconds=settings.approval_seconds,
                ),
                contract="Pull requests are opened and read late; no turn waits for them.",
            ),
            ChildSpec(
                id="issues",
                start=partial(
                    Issues,
                    storage,
                    forge,
                    runner=settings.runner,
                    approval_seconds=settings.approval_seconds,
                ),
                contract="Issues become tasks late, and never twice.",
            ),
            ChildSpec(
                id="approvals",
                start=partial(
                    Approvals,
                    storage,
                    fanout,
                    approval_seconds=settings.approval_seconds,
                    wants_passkeys=settings.wants_passkeys,
                ),
                contract="Decisions in hand are refused; deadlines are kept in the store.",
            ),
            ChildSpec(
                id="clock",
                start=partial(ClockWatch, storage),
                contract="A jump of the clock is noticed late.",
            ),
            ChildSpec(
                id="fleet",
                start=partial(
                    Fleet,
                    storage,
                    hosts,
                    host_settings(settings),
                    lambda host: [(f"/{part.id}", part.make(host)) for part in works_on.values()],
                ),
                contract="No host is added or removed until it is back; those that are there work.",
            ),
            ChildSpec(
                id="tasks",
                start=partial(Tasks, services, threads, runner=settings.runner),
                contract="New runs wait until it is back; turns are not touched.",
            ),
            SupervisorSpec(
                id="automations",
                quarantine=True,
                contract="One automation's crash touches no other, and no turn.",
            ),
            ChildSpec(
                id="scheduler",
                start=partial(Scheduler, schedules),
                mailbox=20_000,
                contract="Automations fire late, and never twice.",
            ),
            webhooks_tree(settings.webhooks, storage, fanout),
            *releases,
            *notify,
            *webpush,
            *telegram,
        ),
    )


def _works_on(
    settings: CenterSettings,
    hosts: Hosts[CodexHost],
    storage: Storage,
    services: SessionServices,
    *,
    fanout: Fanout,
    roster: Roster,
) -> Mapping[str, PerHost]:
    """Return what works on each host, by the supervisors' names, in the order of starting."""
    parts = (
        PerHost(
            "hosts",
            lambda host: SupervisorSpec(id=host.name, children=host.actors, quarantine=True),
            "What runs on that host goes on there; it cannot be reached until it is back.",
        ),
        PerHost(
            "bridges",
            lambda host: ChildSpec(
                id=host.name,
                start=partial(Bridge, host.codex, Routes()),
                shutdown=host.codex.settings.deadlines.close + 8.0,
            ),
            "Turns of a spawned app-server end as interrupted; of one that is shared "
            "they go on, and are joined again.",
        ),
        PerHost(
            "bridge-watch",
            lambda host: ChildSpec(
                id=host.name,
                start=partial(
                    BridgeWatch,
                    storage,
                    host.name,
                    transport=host.codex.settings.transport.value,
                ),
            ),
            "Connections that begin or are lost meanwhile are not told as events.",
        ),
        PerHost(
            "accounts",
            lambda host: ChildSpec(id=host.name, start=partial(Account, storage, host.name)),
            "Nobody is signed in or out until it is back; turns are not touched.",
        ),
        PerHost(
            "limits",
            lambda host: ChildSpec(id=host.name, start=partial(AccountLimits, storage, host.name)),
            "Runs that wait for a limit wait on; turns are not touched.",
        ),
        PerHost(
            "threads",
            lambda host: ChildSpec(
                id=host.name,
                start=partial(
                    ThreadActs,
                    storage,
                    host,
                    imports=settings.imports_threads,
                    hosts=[one.name for one in hosts] if host.name == LOCAL else [],
                ),
            ),
            "Threads are renamed, archived, forked, reverted or deleted when it is "
            "back; turns are not touched.",
        ),
        PerHost(
            "extensions",
            lambda host: ChildSpec(
                id=host.name,
                start=partial(CodexExtensions, storage, host.name, host.codex.settings.own_urls),
            ),
            "MCP servers, skills, plugins and hooks are not shown; turns are not touched.",
        ),
        PerHost(
            "shells",
            lambda host: ChildSpec(
                id=host.name, start=partial(Shells, storage, fanout, roster, host)
            ),
            "Terminals of people are closed, and can be opened again; turns are not touched.",
        ),
        PerHost(
            "orphaned-turns",
            lambda host: ChildSpec(id=host.name, start=partial(OrphanedTurns, storage, host)),
            "Turns that outlive their sessions run on until it is back.",
        ),
        PerHost(
            "foreign-turns",
            lambda host: ChildSpec(
                id=host.name,
                start=partial(
                    ForeignTurns,
                    storage,
                    host,
                    instance_id=services.instance_id,
                    max_sessions=settings.max_sessions,
                ),
            ),
            "Turns that Codex begins by itself have no session until it is back.",
        ),
    )
    return {part.id: part for part in parts}
