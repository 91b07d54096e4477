"""What the service tells of its requests: counters for Prometheus, and a line each in the access log."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from retrieval_leaderboard.serving.http.served import Current

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = frozenset(("/recommend", "/recommend/batch", "/items", "/health", "/ready", "/metrics"))
OTHER = "other"
"""The label of all other paths: clients may ask for any, and every label takes memory"""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds"""
ACCESS = logging.getLogger("retrieval_leaderboard.access")
COUNTS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable of the environment by which prometheus_client, when it is imported, learns of a folder where
several processes keep their counters"""


class Metrics:
    """Counters of one service, all of its processes together, in Prometheus' text format."""

    def __init__(self, current: Current) -> None:
        folder = os.environ.get(COUNTS)
        counted = CollectorRegistry()
        # What is told; counters of several processes are read from their files.
        self._registry = CollectorRegistry() if folder else counted
        self._registry.register(_Bundle(current))
        if folder:
            self._registry.register(_Processes(Path(folder)))
            MultiProcessCollector(self._registry, folder)
        else:
            ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "retrieval_requests", "Requests answered", ["path", "status"], registry=counted
        )
        self._seconds = Histogram(
            "retrieval_request_seconds", "From the head of a request to the end of its answer", ["path"],
            buckets=BUCKETS, registry=counted,
        )  # fmt: skip
        # To find them by their labels takes longer than to count.
        self._labelled = cache(self._labels)
        switches = Counter("retrieval_switches", "Versions that took over", registry=counted)
        refused = Counter("retrieval_refused_versions", "Versions that could not", registry=counted)
        current.on_switch, current.on_refusal = switches.inc, refused.inc

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count one answer."""
        answers, lasting = self._labelled(path if path in PATHS else OTHER, status)
        answers.inc()
        lasting.observe(seconds)

    def _labels(self, path: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(path, status), self._seconds.labels(path)

    def text(self) -> bytes:
        """All of them."""
        return generate_latest(self._registry)


class _Bundle(Collector):
    """What is told of the bundle that answers."""

    def __init__(self, current: Current) -> None:
        self._current = current

    def collect(self) -> Iterator[Metric]:
        """Read when it is asked for."""
        served = self._current.served
        info = GaugeMetricFamily("retrieval_bundle_info", "What answers", labels=["model", "version"])
        info.add_metric([*served.names.values()], 1)
        yield info
        yield GaugeMetricFamily("retrieval_items", "Items of the catalog", len(served.recommender))


class _Processes(Collector):
    """What `ProcessCollector` tells, of every process that counts in a folder and is still there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Each of them with its process as the label `pid`."""
        found: dict[str, Metric] = {}
        for pid in sorted({path.stem.rpartition("_")[2] for path in self._folder.glob("*.db")}):
            for metric in ProcessCollector(pid=partial(str, pid), registry=None).collect():
                family = found.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                for sample in metric.samples:
                    family.add_sample(sample.name, {"pid": pid}, sample.value)
        yield from found.values()


class Observed:
    """Counts every answer of `app`, refusals too, and logs them where wanted."""

    def __init__(self, app: ASGIApp, metrics: Metrics, access_log: bool) -> None:
        self.app, self.metrics, self.access_log = app, metrics, access_log
        if access_log:
            _log_to_stdout()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; a client that is gone before its answer counts with status 499, as nginx has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 499

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            status = 500  # Starlette answers for it further out.
            raise
        finally:
            seconds = time.perf_counter() - began
            self.metrics.count(scope["path"], status, seconds)
            if self.access_log:
                _log(scope, status, seconds)


def _log(scope: Scope, status: int, seconds: float) -> None:
    """One line; the path as it was sent, still quoted, so that no client writes lines of its own."""
    client = scope["client"][0] if scope.get("client") else "-"
    path = scope.get("raw_path", b"").decode("ascii", "backslashreplace")
    ACCESS.info("%s %s %s %d %.1fms", client, scope["method"], path, status, seconds * 1000)


def _log_to_stdout() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    ACCESS.handlers = [handler]
    ACCESS.setLevel(logging.INFO)
    ACCESS.propagate = False
