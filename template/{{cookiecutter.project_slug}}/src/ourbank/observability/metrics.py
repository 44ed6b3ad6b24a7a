"""Prometheus metrics. Labels are partitions, read models and route templates: never ids."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..application.consistency import Freshness
from ..eventsourcing.follower import Follower
from ..eventsourcing.subscription import Feed

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class LoopMetrics:
    """What the partition loops do."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "bank_append_seconds",
            "One batch to the log and back.",
            buckets=SECONDS,
            registry=registry,
        )
        self._commands = Histogram(
            "bank_append_batch_commands", "Commands in a batch.", buckets=COUNTS, registry=registry
        )
        self._events = Counter("bank_appended_events", "Events appended.", registry=registry)
        self._conflicts = Counter(
            "bank_append_conflicts", "Appends that rested on a stale version.", registry=registry
        )

    def appended(
        self, partition: int, seconds: float, command_count: int, event_count: int
    ) -> None:
        """See eventsourcing.metrics."""
        del partition
        self._seconds.observe(seconds)
        self._commands.observe(command_count)
        self._events.inc(event_count)

    def conflicted(self, partition: int, stale_count: int) -> None:
        """See eventsourcing.metrics."""
        del partition
        self._conflicts.inc(stale_count)


class HttpMetrics:
    """What the API answers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "bank_http_seconds",
            "Requests by route template and status.",
            ("method", "route", "status"),
            buckets=SECONDS,
            registry=registry,
        )
        self._seconds_of = cache(self._seconds.labels)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self._seconds_of(method, route, status).observe(seconds)


class WorkerCollector(Collector):
    """How far behind this worker's partitions are: computed when asked."""

    def __init__(
        self,
        read_models: Iterable[str],
        feeds: Iterable[Feed],
        freshness: Freshness,
        follower: Follower,
        now: Callable[[], datetime],
    ) -> None:
        self._read_models = tuple(read_models)
        self._feeds = tuple(feeds)
        self._freshness = freshness
        self._follower = follower
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """Lag in events and in seconds, and the age of the oldest transfer in flight."""
        labels = ("read_model", "partition")
        events = GaugeMetricFamily("bank_lag_events", "Events not yet projected.", labels=labels)
        seconds = GaugeMetricFamily(
            "bank_lag_seconds", "Age of the oldest event not yet projected.", labels=labels
        )
        oldest = GaugeMetricFamily(
            "bank_oldest_transfer_seconds",
            "Age of the oldest transfer in flight.",
            labels=("partition",),
        )
        for feed in self._feeds:
            if not self._follower.holds(feed.partition):
                continue
            number = str(feed.partition)
            oldest.add_metric((number,), self._follower.oldest_seconds(feed.partition))
            for name in self._read_models:
                position = self._freshness.position(name, feed.partition)
                events.add_metric((name, number), max(0, feed.head - position))
                seconds.add_metric((name, number), self._lag_seconds(feed, position))
        return (events, seconds, oldest)

    def _lag_seconds(self, feed: Feed, position: int) -> float:
        at = feed.recorded_at(position + 1)
        return 0.0 if at is None else max(0.0, (self._now() - at).total_seconds())
