"""/metrics: the numbers for Prometheus, in a registry of its own; docs/metrics.md tells them.

What is counted as it happens (requests, restarts) stands in the registry. What is known anyway
(sessions, mailboxes, commits) is read when somebody asks, so it costs nothing otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, get_args

import attrs
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from quart import Blueprint, Response
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.codex.messages import BRIDGE
from command_center.runtime import ActorSnapshot, Crashed, Restarted, Signal
from command_center.store import approvals, events, summaries
from command_center.store.records import SessionStatus

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
"""Bounds of the durations of requests, in seconds."""


STORE = "/store"


class RequestMetrics:
    """What is counted as it happens."""

    def __init__(self) -> None:
        """Count from nothing."""
        self.registry = CollectorRegistry()
        disable_created_metrics()  # type: ignore[no-untyped-call]
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "cc_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "cc_http_request_seconds",
            "How long answers took.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._restarts = Counter(
            "cc_actor_restarts", "Actors started again.", ["actor"], registry=self.registry
        )
        self._crashes = Counter(
            "cc_actor_crashes", "Actors that failed.", ["actor"], registry=self.registry
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer; methods that HTTP does not know are one, so that nobody fills memory."""
        name = method if method in _METHODS else "other"
        key = (name, route, status)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (
                self._requests.labels(name, route, str(status)),
                self._seconds.labels(name, route),
            )
        found[0].inc()
        found[1].observe(seconds)

    def signalled(self, signal: Signal) -> None:
        """Count a restart or a crash."""
        if isinstance(signal, Restarted):
            self._restarts.labels(place_of(signal.path)).inc()
        elif isinstance(signal, Crashed):
            self._crashes.labels(place_of(signal.path)).inc()


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def routes(center: Center, metrics: RequestMetrics) -> Blueprint:
    """The one route."""
    api = Blueprint("metrics", __name__)
    center.system.observe(metrics.signalled)

    @api.get("/metrics")
    async def show() -> Response:
        stored = await center.storage.read(read_stored)
        now = CollectorRegistry()
        now.register(Present(center, stored))
        text = generate_latest(metrics.registry) + generate_latest(now)
        return Response(text, content_type=CONTENT_TYPE_LATEST)

    return api


@attrs.frozen
class Stored:
    """What the database tells; of sessions, each status has its number, which may be 0."""

    sessions: dict[str, int]
    pending: int
    last_event: int


def read_stored(db: Database) -> Stored:
    """Read it; all of it from indexes."""
    sessions = dict.fromkeys(get_args(SessionStatus), 0) | summaries.sessions_by_status(db)
    pending = approvals.count(db, {"status": "pending"})
    return Stored(sessions, pending, events.last_id(db))


@attrs.frozen(eq=False)
class Present:
    """A collector of what is so now."""

    center: Center
    stored: Stored

    def collect(self) -> Iterator[Metric]:
        """The metrics, for one scrape."""
        actors = self.center.system.snapshot().actors
        yield _by_label("cc_sessions", "Sessions by status.", "status", self.stored.sessions)
        yield GaugeMetricFamily(
            "cc_approvals_pending", "Approvals that wait.", value=self.stored.pending
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
        yield from _commits(described.get(STORE, {}).get("commitSeconds"))
        bridge = described.get(BRIDGE)
        if bridge is not None:
            yield GaugeMetricFamily(
                "cc_bridge_connected", "Whether Codex is there.", value=bool(bridge["connected"])
            )


def place_of(path: str) -> str:
    """The actor's place in the tree: those of one kind of which there are many share one."""
    parent, _, name = path.rpartition("/")
    return f"{parent}/*" if name.isdigit() else path


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
