"""What a run leaves behind: `run.json`, as dataclasses."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import Any

from retrieval_leaderboard.datasets.dataset import Dataset, split_in_words
from retrieval_leaderboard.datasets.profile import Profile
from retrieval_leaderboard.datasets.sources.registry import SOURCES
from retrieval_leaderboard.datasets.splits import holdout
from retrieval_leaderboard.evaluation.metrics.slices import Slice
from retrieval_leaderboard.evaluation.runs.provenance import DEFAULTS, Provenance
from retrieval_leaderboard.support import compute

SCHEMA = 2
"""Version of `RunRecord`; what was written by an earlier one is brought up to it by `migrations`."""

Log = tuple[dict[str, float], ...]
"""One dict an epoch, as `Retriever.training_log`"""


@dataclass(frozen=True)
class Identity:
    """What makes two fits the same fit."""

    fingerprint: str
    k: int
    model: str
    code: str
    """Hash of a plug-in's file; "" for a registered model"""
    settings: dict[str, Any]
    """As asked"""
    seed: int
    device: str
    precision: str
    warm_start: str = field(default="", kw_only=True)
    """`row_stem` of the run that it went on from; "" for a fit from scratch"""

    @property
    def key(self) -> dict[str, Any]:
        """Field → value, without what a derived class adds, and without a warm start where there was none."""
        found = {each.name: getattr(self, each.name) for each in fields(Identity)}
        return {name: value for name, value in found.items() if (name, value) != ("warm_start", "")}

    @property
    def stem(self) -> str:
        """What names of its folders and files are made of: model, seed and a digest of it all."""
        return f"{self.model}-seed{self.seed}-{digest(self.key)}"

    @property
    def row_key(self) -> dict[str, Any]:
        """What its row on a board has in common: all but the seed."""
        return self.key | {"seed": 0}

    @property
    def row_stem(self) -> str:
        """What files of its row, over all seeds, are called."""
        return f"{self.model}-{digest(self.row_key)}"


@dataclass(frozen=True)
class DatasetSummary:
    """What pages say of the dataset that a run is about."""

    name: str
    title: str
    synthetic: bool
    protocol: str
    exclude_seen: bool
    split_seed: int
    carve: str
    users: int
    items: int
    train_interactions: int
    train_valid_interactions: int
    valid_queries: int
    test_queries: int
    test_items: int
    notes: list[str]
    profile: Profile | None
    source: dict[str, Any] = field(default_factory=dict)
    """As `Dataset.source`; {} in records from before there was one"""
    ties: str = ""
    """As `Dataset.ties`; "" also in records from before there was a choice: their ties were drawn"""

    @classmethod
    def of(cls, dataset: Dataset) -> DatasetSummary:
        """Of a dataset as loaded."""
        return cls(
            name=dataset.name,
            title=dataset.title or dataset.name,
            synthetic=dataset.synthetic,
            protocol=dataset.protocol,
            exclude_seen=dataset.exclude_seen,
            split_seed=dataset.split_seed,
            carve=dataset.carve,
            users=len(dataset.user_ids),
            items=len(dataset.item_ids),
            train_interactions=len(dataset.train),
            train_valid_interactions=len(dataset.train_valid),
            valid_queries=len(dataset.valid),
            test_queries=len(dataset.test),
            test_items=int(dataset.test.relevant.lengths.sum()),
            notes=list(dataset.notes),
            profile=dataset.profile,
            source=dict(dataset.source),
            ties=dataset.ties,
        )

    @property
    def unusual_carve(self) -> str:
        """The key of `holdout.CARVES` that asks for its validation part; "" for the dataset's usual one."""
        asked = holdout.ASKED.get(self.carve, "")
        usual = SOURCES[self.name].carve if self.name in SOURCES else asked
        return "" if asked == usual else asked

    @property
    def heading(self) -> str:
        """Title, and how it is split, in one line."""
        synthetic = ", synthetic" if self.synthetic and "synthetic" not in self.title else ""
        carved = f", {holdout.IN_WORDS[self.unusual_carve]}" if self.unusual_carve else ""
        split = split_in_words(self.protocol, self.ties, self.exclude_seen)
        return f"{self.title}{synthetic}: {split}{carved}"


@dataclass(frozen=True)
class Costs:
    """What a run took, and on what."""

    fit_seconds: float
    recommend_seconds: float
    queries_per_second: float
    peak_rss_mib: float
    peak_gpu_mib: float
    parameters: int | None
    """None where the model does not report it"""
    cores_elsewhere: float
    """Cores that other processes kept busy during the fit, on average"""
    threads: int
    """Of a process"""
    processor: str
    ranks: int = 1
    """Processes that trained the model together; peaks of memory are those of all"""
    engine: str = "local"
    """What did the blocks of fit and ranking; another one's memory and processors are not counted"""

    @property
    def machine(self) -> str:
        """The processor, threads, processes and engine; "" where costs are not known."""
        if self == UNKNOWN_COSTS:
            return ""
        elsewhere = "" if self.engine == "local" else f", {self.engine}"
        return machine(self.processor, self.threads, self.ranks) + elsewhere


UNKNOWN_COSTS = Costs(0.0, 0.0, 0.0, 0.0, 0.0, None, 0.0, 0, "")
"""Of lists from elsewhere"""


@dataclass(frozen=True)
class Result:
    """What a finished run measured."""

    metrics: dict[str, float]
    slices: tuple[Slice, ...]
    costs: Costs
    reaches_cold_items: bool
    propagates: bool
    without_effect: tuple[str, ...]
    """Settings that change nothing on the data"""
    training: Log = ()
    choosing: Log = ()
    """Of the earlier fit that chose the epochs"""
    ignores_weights: bool = False
    """Whether interactions had weights that the model does not use"""
    at: dict[str, dict[str, float]] = field(default_factory=dict)
    """Another k, as text → metrics of the first so many items of the same lists"""
    curve: tuple[float, ...] = ()
    """NDCG of the first 1, 2, … k items of the lists; () in records from before there was one"""


@dataclass(frozen=True)
class RunRecord(Identity):
    """One run: what it was asked, and what came out."""

    dataset: DatasetSummary
    provenance: Provenance = DEFAULTS
    resolved: dict[str, Any] | None = None
    """All settings as plain values, once the rules of "auto" were applied; None where that is not known"""
    result: Result | None = None
    """None for a run that failed"""
    reason: str = ""
    """Why it failed"""
    date: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    commit: str = ""
    plugin: str = ""
    """Path and class of a plug-in, as --model names it; "" of another model, and where it is not known"""
    files: dict[str, str] = field(default_factory=dict)
    """File beside the record → its digest"""
    schema: int = SCHEMA

    @property
    def is_done(self) -> bool:
        """Whether the run came to its end."""
        return self.result is not None

    @property
    def measured(self) -> Result:
        """The result of a finished run; ValueError for one that failed."""
        if self.result is None:
            raise ValueError(f"the run of {self.model} failed: {self.reason}")
        return self.result

    @property
    def costs(self) -> Costs:
        """Of a finished run, as `measured`."""
        return self.measured.costs


def machine(processor: str, threads: int, ranks: int = 1) -> str:
    """What costs are of, in words."""
    each = f"{processor}, {compute.in_words(threads)}"
    return each if ranks == 1 else f"{each} in each of {ranks} processes"


def digest(identity: dict[str, Any]) -> str:
    """Hash of what makes two runs, or two searches, the same: 10 hex digits."""
    text = json.dumps(identity, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()
