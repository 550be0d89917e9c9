"""What the server counts, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60)


class Metrics:
    """Counts of one server process; routes are named by their pattern, never by what was asked.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.cases.inc(3)
    >>> "drgcore_cases_total 3.0" in metrics.text()
    True
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "drgcore_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "drgcore_request_seconds",
            "Time from a request to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.active = Gauge("drgcore_requests_active", "Requests at work.", registry=self.registry)
        self.cases = Counter("drgcore_cases", "Cases grouped.", registry=self.registry)

    def text(self) -> str:
        """All counts in the text format."""
        return generate_latest(self.registry).decode()
