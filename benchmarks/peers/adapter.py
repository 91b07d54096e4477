"""What the adapters share: data in, lists and costs out. Standard library and numpy alone.

An adapter is run by its library's own Python as `<library>_peer.py data.npz work.json out`. It
writes `out.npz` with `items`, int32[q, 20], and `out.json` with what the work cost.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

K = 20
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Data:
    """Pairs to learn from and users to answer, whose training items may not be returned."""

    user: npt.NDArray[np.int32]
    """int32[n], ascending"""
    item: npt.NDArray[np.int32]
    """int32[n]"""
    offsets: npt.NDArray[np.int64]
    """int64[n_users + 1]: the pairs of user u are offsets[u]:offsets[u + 1]"""
    query: npt.NDArray[np.int32]
    """int32[q]: the user of each query; its history is all of that user's pairs"""
    test_query: npt.NDArray[np.int64]
    """int64[m]: row of `query` of each held-out pair, ascending"""
    test_item: npt.NDArray[np.int32]
    """int32[m]"""
    n_items: int

    @property
    def n_users(self) -> int:
        """Users, with and without a query."""
        return len(self.offsets) - 1

    def matrix(self, value: float = 1.0):
        """float32[n_users, n_items], scipy's CSR with sorted rows: `value` where a user took an item."""
        from scipy.sparse import csr_matrix

        data = np.full(len(self.item), value, np.float32)
        rows = csr_matrix((data, self.item, self.offsets), (self.n_users, self.n_items))
        # A user's items may be in order of time; recfarm intersects rows as if by code.
        return rows.sorted_indices()


@dataclass
class Cost:
    """What an adapter reports."""

    fit_seconds: float = 0.0
    rank_seconds: float = 0.0
    peak_mib: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    said: dict[str, float] = field(default_factory=dict)
    """Metrics the library computed itself."""
    children_mib: float = 0.0
    """Peak memory of the largest process that the library ranks in, beside its own; 0 without one."""


Rank = Callable[[Data], npt.NDArray[np.int32]]


def main(prepare: Callable[[Data, dict[str, Any], Cost], Callable[[], Rank]], *packages: str) -> None:
    """Do one piece of work and write what came of it.

    Args:
        prepare: from the data, the work's settings and the report to what fits; that returns what
            ranks. Bringing the data into the library's own form belongs to `prepare` and is not timed.
        packages: names of the packages whose versions are reported.
    """
    source, work, target = sys.argv[1:]
    with np.load(source) as arrays:
        data = Data(
            n_items=int(arrays["n_items"]), **{key: arrays[key] for key in arrays if key != "n_items"}
        )
    cost = Cost(versions={name: version(name) for name in packages})
    fit = prepare(data, json.loads(Path(work).read_text()), cost)
    started = time.perf_counter()
    rank = fit()
    fitted = time.perf_counter()
    items = rank(data)
    cost.fit_seconds, cost.rank_seconds = fitted - started, time.perf_counter() - fitted
    cost.peak_mib = peak_mib()
    np.savez(f"{target}.npz", items=items.astype(np.int32))
    Path(f"{target}.json").write_text(json.dumps(vars(cost)))


def peak_mib() -> float:
    """Peak resident memory of this process in MiB, from Linux's VmHWM where there is one."""
    import resource

    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    return _mib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def children_mib() -> float:
    """Peak resident memory in MiB of the largest ended child; 0 without one."""
    import resource

    return _mib(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def _mib(peak: int) -> float:
    """In KiB on Linux, in bytes on macOS."""
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def padded(rows: list[Any]) -> npt.NDArray[np.int32]:
    """int32[q, 20] of lists that may be shorter, -1 in empty places."""
    items = np.full((len(rows), K), -1, np.int32)
    for row, found in zip(items, rows, strict=True):
        row[: min(len(found), K)] = found[:K]
    return items
