"""What Prometheus is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight.base.extras import load

PREFIX = "rushlight"
SECONDS = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
)  # fmt: skip
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
MODEL = ("model", "version")


class Metrics:
    """Counters and histograms of one server, in a registry of their own.

    Labels are names of models that are served and words out of a fixed few, so that no client can
    make more of them.
    """

    def __init__(self) -> None:
        client = load("prometheus_client", "serve", "the metrics of the server")
        self._client, self.registry = client, client.CollectorRegistry()

        def made(kind: str, name: str, about: str, labels: tuple[str, ...], **more: Any) -> Any:
            maker = getattr(client, kind)
            return maker(f"{PREFIX}_{name}", about, labels, registry=self.registry, **more)

        self._requests = made(
            "Counter", "requests", "Inference requests, by HTTP status.", (*MODEL, "status")
        )
        self._failures = made(
            "Counter", "failures", "Requests that got no result, by reason.", (*MODEL, "reason")
        )
        self._latency = made(
            "Histogram", "request_seconds", "From a request's first byte to its answer.", MODEL,
            buckets=SECONDS,
        )  # fmt: skip
        self._rows = made(
            "Histogram", "batch_rows", "Rows that were computed together.", MODEL, buckets=ROWS
        )
        self._compute = made(
            "Histogram", "batch_seconds", "Computing of a batch.", MODEL, buckets=SECONDS
        )
        self._queue = made("Gauge", "queue_length", "Requests that wait for a batch.", MODEL)
        self._ready = made("Gauge", "model_ready", "1 while a version is served.", MODEL)
        self._loads = made(
            "Counter", "model_loads", "Versions that were loaded, or could not be.",
            ("model", "result"),
        )  # fmt: skip

    def request(self, model: str, version: str, status: int, seconds: float) -> None:
        """A request was answered; ``model`` and ``version`` are empty when there are none such."""
        self._requests.labels(model, version, str(status)).inc()
        self._latency.labels(model, version).observe(seconds)

    def failure(self, model: str, version: str, reason: str) -> None:
        """A request was refused, or failed."""
        self._failures.labels(model, version, reason).inc()

    def batches(self, model: str, version: str) -> Callable[[int, float], None]:
        """What a line tells of its batches."""
        rows, seconds = self._rows.labels(model, version), self._compute.labels(model, version)

        def done(count: int, spent: float) -> None:
            rows.observe(count)
            seconds.observe(spent)

        return done

    def appeared(self, model: str, version: str, waiting: Callable[[], int]) -> None:
        """A version is served; ``waiting`` is asked whenever somebody reads the metrics."""
        self._loads.labels(model, "loaded").inc()
        self._ready.labels(model, version).set(1)
        self._queue.labels(model, version).set_function(waiting)

    def broken(self, model: str) -> None:
        """A version could not be loaded."""
        self._loads.labels(model, "failed").inc()

    def left(self, model: str, version: str) -> None:
        """A version is served no more."""
        self._ready.labels(model, version).set(0)
        self._queue.labels(model, version).set_function(lambda: 0)

    def text(self) -> tuple[bytes, str]:
        """Everything in Prometheus's text form, and the type of that."""
        text: bytes = self._client.generate_latest(self.registry)
        return text, self._client.CONTENT_TYPE_LATEST
