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
        self.active = 0
        Gauge("drgcore_requests_active", "Requests at work.", registry=self.registry).set_function(
            lambda: self.active
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.cases = Counter("drgcore_cases", "Cases grouped.", registry=self.registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Parameters
        ----------
        method, route : str
            Of few kinds each: the route is a pattern.
        status : int
        seconds : float
            From its beginning to the end of its answer.
        """
        known = self._known.get((method, route, status))
        if known is None:
            # To find the two by their labels takes longer than to count.
            known = (
                self.requests.labels(method, route, str(status)),
                self.seconds.labels(route),
            )
            self._known[method, route, status] = known
        known[0].inc()
        known[1].observe(seconds)

    def text(self) -> str:
        """All counts in the text format."""
        return generate_latest(self.registry).decode()
