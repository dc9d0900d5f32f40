"""/metrics: the numbers for Prometheus; docs/metrics.md tells them.

What is counted as it happens stands in a registry of its own. What is known anyway (sessions,
mailboxes, commits) is read when somebody asks, so it costs nothing otherwise.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args

import attrs
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from quart import Response
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.bridges import bridge_of
from command_center.actors.core.writer import STORE
from command_center.http.middleware.metrics import RequestMetrics, place_of
from command_center.http.wire.operation import Api, Text
from command_center.runtime import ActorSnapshot
from command_center.store import approvals, events
from command_center.store.queries import attachments, summaries
from command_center.store.records import SessionStatus


@attrs.frozen
class Scraped:
    """The sources of a scrape: the center, and what was counted."""

    center: Center
    counted: RequestMetrics
    cluster: Callable[[], Mapping[str, Any]] = dict


MOST_HOSTS = 1000
"""Machines that have numbers of their own."""

api = Api[Scraped]("Health")


@api.operation("GET", "/metrics", answers={200: Text("text/plain")})
async def metrics(scraped: Scraped) -> Response:
    """Give the numbers for Prometheus."""
    stored = await scraped.center.storage.read(read_stored)
    now = CollectorRegistry()
    now.register(Present(scraped.center, stored))
    now.register(InCluster(scraped.cluster()))
    text = generate_latest(scraped.counted.registry) + generate_latest(now)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


@attrs.frozen
class Stored:
    """Numbers from the database; each status of a session has one, which may be 0."""

    sessions: dict[str, int]
    by_host: dict[tuple[str, str], int]
    """By host, and `active` or `queued`."""
    pending: int
    last_event: int
    uploads: int
    upload_bytes: int


def read_stored(db: Database) -> Stored:
    """Read it; all of it from totals and indexes."""
    sessions = dict.fromkeys(get_args(SessionStatus), 0) | summaries.sessions_by_status(db)
    pending = approvals.count(db, {"status": "pending"})
    by_host = summaries.sessions_by_host(db)
    return Stored(sessions, by_host, pending, events.last_id(db), *attachments.stored(db))


@attrs.frozen(eq=False)
class Present:
    """A collector of the present state."""

    center: Center
    stored: Stored

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, for one scrape."""
        actors = self.center.system.snapshot().actors
        yield _by_label("cc_sessions", "Sessions by status.", "status", self.stored.sessions)
        yield GaugeMetricFamily(
            "cc_approvals_pending", "Approvals that wait.", value=self.stored.pending
        )
        yield GaugeMetricFamily("cc_uploads", "Files for Codex.", value=self.stored.uploads)
        yield GaugeMetricFamily(
            "cc_upload_bytes", "Bytes of all of them.", value=self.stored.upload_bytes
        )
        yield from _mailboxes(actors)
        yield CounterMetricFamily(
            "cc_dead_letters",
            "Messages that nobody handled.",
            value=self.center.system.dead_letters.total,
        )
        yield GaugeMetricFamily(
            "cc_event_lag",
            "Events that are durable and not yet published.",
            value=max(0, self.stored.last_event - (self.center.fanout.last_id or 0)),
        )
        yield CounterMetricFamily("cc_events", "Events in the log.", value=self.stored.last_event)
        yield GaugeMetricFamily(
            "cc_event_subscribers", "Watchers of the events.", value=len(self.center.fanout)
        )
        described = {actor.path: actor.description for actor in actors}
        yield from self._hosts()
        yield from _commits(described.get(STORE, {}).get("commitSeconds"))
        found = [described.get(bridge_of(host.name)) for host in self.center.hosts]
        bridges = [bridge for bridge in found if bridge is not None]
        yield from _unknown(bridges)
        if len(bridges) == len(found):
            connected = all(bridge["connected"] for bridge in bridges)
            yield GaugeMetricFamily(
                "cc_bridge_connected", "1 if Codex is there, on every host.", value=connected
            )

    def _hosts(self) -> Iterator[Metric]:
        """Yield what is known of each machine; nobody is asked for it."""
        names = sorted(host.name for host in self.center.hosts)[:MOST_HOSTS]
        here = {host.name: host.absence is None for host in self.center.hosts}
        connected = {name: float(here[name]) for name in names if name in here}
        yield _by_label("cc_host_connected", "1 if the machine is reached.", "host", connected)
        sessions = GaugeMetricFamily(
            "cc_host_sessions",
            "Sessions that work on a machine, or wait.",
            labels=["host", "state"],
        )
        for name in names:
            for state in ("active", "queued"):
                sessions.add_metric([name, state], self.stored.by_host.get((name, state), 0))
        yield sessions
        seen = {name: one for name in names if (one := self.center.hosts.vitals(name)) is not None}
        yield _by_label(
            "cc_host_load",
            "Processes that want a processor, for each that a machine has.",
            "host",
            {name: one.load.per_processor for name, one in seen.items()},
        )
        yield _by_label(
            "cc_host_disk_free_bytes",
            "Room on the disk that has our data.",
            "host",
            {name: float(one.load.disk_free) for name, one in seen.items()},
        )
        yield _by_label(
            "cc_host_latency_seconds",
            "How long the last question to a machine took.",
            "host",
            {name: one.latency for name, one in seen.items()},
        )


@attrs.frozen(eq=False)
class InCluster:
    """A collector of what a centre knows of its cluster; of nothing where it is in none."""

    told: Mapping[str, Any]

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, for one scrape."""
        if not self.told:
            return
        for name, text, value in (
            ("cc_cluster_leads", "1 if this centre leads.", self.told["role"] == "leader"),
            ("cc_cluster_has_leader", "1 if one is heard of.", self.told["leader"] is not None),
            ("cc_cluster_epoch", "Number of the last leadership.", self.told["epoch"]),
            ("cc_cluster_lag", "Messages that the copy has not.", self.told["lag"]),
            ("cc_cluster_sequence", "Last message that is here.", self.told["sequence"]),
        ):
            yield GaugeMetricFamily(name, text, value=value)
        yield CounterMetricFamily(
            "cc_cluster_beats", "Signs of a leader, given or heard.", value=self.told["beats"]
        )
        yield CounterMetricFamily(
            "cc_cluster_rejoins", "Copies that were begun anew.", value=self.told["rejoins"]
        )


def _mailboxes(actors: Iterable[ActorSnapshot]) -> Iterator[Metric]:
    depth: defaultdict[str, int] = defaultdict(int)
    age: defaultdict[str, float] = defaultdict(float)
    for actor in actors:
        if actor.capacity:
            place = place_of(actor.path)
            depth[place] += actor.depth
            age[place] = max(age[place], actor.oldest_age or 0.0)
    yield _by_label("cc_mailbox_depth", "Messages that wait.", "actor", depth)
    yield _by_label("cc_mailbox_oldest_seconds", "How long the oldest message waits.", "actor", age)


def _unknown(bridges: Iterable[Mapping[str, Any]]) -> Iterator[Metric]:
    counts: Counter[str] = Counter()
    for bridge in bridges:
        counts.update(bridge["unknown"])
    metric = CounterMetricFamily(
        "cc_codex_unknown", "What Codex says and is not known.", labels=["kind", "name"]
    )
    for what, count in sorted(counts.items()):
        kind, _, name = what.partition(" ")
        metric.add_metric([kind, name], count)
    yield metric


def _commits(seconds: Any) -> Iterator[Metric]:
    if seconds is not None:
        metric = HistogramMetricFamily("cc_store_commit_seconds", "How long commits took.")
        buckets = [(str(bound), float(count)) for bound, count in seconds["buckets"]]
        metric.add_metric([], [*buckets, ("+Inf", seconds["count"])], seconds["sum"])
        yield metric


def _by_label(
    name: str, text: str, label: str, values: dict[str, int] | dict[str, float]
) -> GaugeMetricFamily:
    metric = GaugeMetricFamily(name, text, labels=[label])
    for value, number in sorted(values.items()):
        metric.add_metric([value], number)
    return metric
