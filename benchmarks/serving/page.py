"""The tables of docs/serving.md: limits, and stored records of load, memory and hostile clients."""

from __future__ import annotations

import inspect
from pathlib import Path

import uvicorn

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.serving import record
from retrieval_leaderboard.benchmarks.serving.record import LoadRecord, MemoryRecord, SecurityRecord
from retrieval_leaderboard.benchmarks.torture.page import HEADER as TRIED
from retrieval_leaderboard.serving import indexes
from retrieval_leaderboard.serving.http.gate import Limits
from retrieval_leaderboard.serving.http.heads import HEAD_BYTES, HEAD_SECONDS
from retrieval_leaderboard.serving.http.schemas import MAX_BATCH, MAX_COLUMNS, MAX_VALUES
from retrieval_leaderboard.serving.http.server import GRACE_SECONDS
from retrieval_leaderboard.serving.requests import MAX_EXCLUDED, MAX_HISTORY, MAX_K
from retrieval_leaderboard.support import markdown, pages
from retrieval_leaderboard.support.storage import sealed

PAGE = ROOT / "docs" / "serving.md"
RECORDS = Path(__file__).parent / "records"
RESULTS = ROOT / "benchmarks" / "results"
MEMORY, SECURITY = RESULTS / "serving_memory.json", RESULTS / "serving_security.json"
HEADER = ("bundle", "index", "items", "requests", "at once", "p50, ms", "p99, ms", "requests/s", "errors",
          "CPU ms a request", "× echo")  # fmt: skip


def tables(records: list[LoadRecord], memory: MemoryRecord, tried: SecurityRecord) -> dict[str, str]:
    """Mark → Markdown, from records of `python -m benchmarks.serving load`, `memory` and `security`."""
    return {
        "index kinds": _kinds(),
        "limits": _limits(),
        "load": f"{_load(records)}\n\n{_conditions(records)}",
        "memory": taken(memory),
        "security": security(tried),
    }


def fill() -> None:
    """Fill docs/serving.md from the stored records."""
    pages.fill(PAGE, stored_tables())


def stored_tables() -> dict[str, str]:
    """Mark → Markdown, from all stored records."""
    memory, tried = sealed.load(MEMORY, MemoryRecord), sealed.load(SECURITY, SecurityRecord)
    return tables(record.load_all(RECORDS), memory, tried)


def taken(memory: MemoryRecord) -> str:
    """A row a number of processes, and of what."""
    rows = [
        [f"{each.processes}", f"{each.proportional_mib:,}", f"{each.resident_mib:,}"] for each in memory.rows
    ]
    header = ("processes", "memory, MiB", "if they shared nothing, MiB")
    told = (
        f"{memory.dataset}, {memory.model}, {memory.index}, {memory.items:,} items; model and index are "
        f"{memory.files_mib:,} MiB of files. {memory.date}, commit `{memory.commit}`."
    )
    return f"{markdown.table(rows, header, numbers=range(3))}\n\n{told}"


def security(tried: SecurityRecord) -> str:
    """A row a kind of hostile client, and the conditions."""
    rows = [[each.kind, f"{each.tries:,}", f"{each.held:,}", each.right] for each in tried.rows]
    told = (
        f"Seed {tried.seed}, {tried.seconds:,} s on {tried.processor}, cores: {tried.cores}, {tried.date}, "
        f"commit `{tried.commit}`."
    )
    return f"{markdown.table(rows, TRIED, numbers=(1, 2))}\n\n{told}"


def _kinds() -> str:
    return markdown.table([(name, kind.summary()) for name, kind in indexes.KINDS.items()], ("kind", "what"))


def _limits() -> str:
    limits, mebi = Limits(), 2**20
    rows = [
        ("items of a history", f"{MAX_HISTORY:,}", "422"),
        ("excluded items", f"{MAX_EXCLUDED:,}", "422"),
        ("columns of a filter", f"{MAX_COLUMNS}", "422"),
        ("values of a column in a filter", f"{MAX_VALUES:,}", "422"),
        ("`k`", f"{MAX_K:,}", "422"),
        ("requests of a batch", f"{MAX_BATCH:,}", "422"),
        ("head", f"{HEAD_BYTES / 2**10:.0f} KiB", "the connection ends"),
        ("seconds until a head is complete", f"{HEAD_SECONDS:.0f}", "the connection ends"),
        ("seconds of a connection without a request", f"{_kept_alive()}", "the connection ends"),
        ("body", f"{limits.body_bytes / mebi:.0f} MiB", "413"),
        ("seconds until a body is complete", f"{limits.body_seconds:.0f}", "408"),
        ("seconds without a byte of the body", f"{limits.idle_seconds:.0f}", "408"),
        ("requests at a time", f"{limits.open_requests:,}", "503 with `Retry-After`"),
        ("bodies at a time, together", f"{limits.open_bytes / mebi:.0f} MiB", "503 with `Retry-After`"),
        ("seconds to answer open requests after SIGTERM", f"{GRACE_SECONDS}", "–"),
    ]
    return markdown.table(rows, ("limit", "at most", "answer beyond"))


def _kept_alive() -> int:
    """uvicorn's own limit, which the service keeps."""
    return int(inspect.signature(uvicorn.Config).parameters["timeout_keep_alive"].default)


def _load(records: list[LoadRecord]) -> str:
    rows = [
        [
            f"{each.dataset}, {each.model}",
            each.index,
            *(f"{getattr(each, key):,}" for key in ("items", "requests", "concurrency")),
            *(f"{getattr(each, key):,.1f}" for key in ("p50_ms", "p99_ms")),
            f"{each.requests_per_second:,.0f}",
            f"{each.errors:,}",
            "–" if each.cpu_ms is None else f"{each.cpu_ms:.2f}",
            "–" if each.echo_ratio is None else f"{each.echo_ratio:.1f}",
        ]
        for each in records
    ]
    return markdown.table(rows, HEADER, numbers=range(2, len(HEADER)))


def _conditions(records: list[LoadRecord]) -> str:
    machines = sorted({f"{each.cores} cores of {each.processor}" for each in records})
    days = sorted({each.date for each in records})
    load = ", ".join(f"{each.cores_elsewhere:.1f}" for each in records)
    return (
        f"Hardware: {'; '.join(machines)}. Date: {', '.join(days)}. "
        f"Cores that other processes kept busy, row by row: {load}."
    )
