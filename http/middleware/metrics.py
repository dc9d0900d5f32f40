"""Counters for Prometheus: requests, and restarts of actors."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

from command_center.runtime import Crashed, Restarted, Signal

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
"""Bounds of the durations of requests, in seconds."""


class RequestMetrics:
    """Counters of requests, and of restarts and crashes of actors."""

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
        self._tools = Counter(
            "cc_mcp_calls",
            "Tools of the endpoint for agents called.",
            ["tool", "status"],
            registry=self.registry,
        )
        self._spans = Counter(
            "cc_spans", "Spans for the receiver of traces.", ["outcome"], registry=self.registry
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

    def called(self, tool: str, status: int) -> None:
        """Count the call of a tool, by the status that its operation was answered with."""
        self._tools.labels(tool, str(status)).inc()

    def exported(self, outcome: str, spans: int) -> None:
        """Count spans that were sent, or left out."""
        self._spans.labels(outcome).inc(spans)

    def signalled(self, signal: Signal) -> None:
        """Count a restart or a crash."""
        if isinstance(signal, Restarted):
            self._restarts.labels(place_of(signal.path)).inc()
        elif isinstance(signal, Crashed):
            self._crashes.labels(place_of(signal.path)).inc()


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def place_of(path: str) -> str:
    """Return the actor's place in the tree; the many actors of one kind share one."""
    parent, _, name = path.rpartition("/")
    return f"{parent}/*" if name.isdigit() else path
