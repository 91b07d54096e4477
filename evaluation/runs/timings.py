"""Costs of a board's rows measured again in one go, on one machine: `python -m evaluation time`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from retrieval_leaderboard import PREFIX
from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.runs import environment, isolation, records
from retrieval_leaderboard.evaluation.runs.loaded import Loaded, Loader
from retrieval_leaderboard.evaluation.runs.record import Costs, RunRecord, digest, machine
from retrieval_leaderboard.evaluation.runs.runner import CheckpointPolicy, Job, ModelSource, Work, execute
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.storage import sealed

TIMINGS = "timings.json"
BUSY = 0.3
"""Cores that others keep busy, above which seconds are no longer those of a quiet machine"""


@dataclass(frozen=True)
class Timings:
    """Of the boards of one dataset."""

    machine: str
    """The processor and threads of all of them, and the GPU of those on one"""
    date: str
    costs: dict[str, Costs] = field(default_factory=dict)
    """Stem of a run → what it took"""
    runs: dict[str, str] = field(default_factory=dict)
    """Stem of a run → the date of its record then; without those that were measured before dates were kept"""
    schema: int = 1

    def knows(self, record: RunRecord) -> bool:
        """Whether the run of `record` was measured, and no run that stood in its place before."""
        noted = self.runs.get(record.stem)
        return record.stem in self.costs and (
            record.date == noted if noted else record.date[: len(self.date)] <= self.date
        )


def read(folder: Path) -> Timings | None:
    """Those kept under a dataset's `folder`; None where there are none, or damaged ones, which are named."""
    advice = f"measure again by `python -m {PREFIX}evaluation time`, or remove the file"
    return records.or_none(lambda path: sealed.load(path, Timings), folder / TIMINGS, advice)


def write(folder: Path, found: Timings) -> None:
    """Keep them."""
    sealed.write(folder / TIMINGS, asdict(found))


def measure(folder: Path, load: Loader, anew: bool = False) -> int:
    """Fit and rank again for every official row under `folder`, one after the other; how many were measured.

    A row is measured by its run of the lowest seed; of rows whose settings come to the same, one is. What was
    measured on this machine with as many threads stays, unless it is to be measured `anew`. Rows of plug-ins,
    whose file is not known, are named, and those that fail.

    Raises:
        InputError: as `load`.
    """
    here, before, official = _machines(), read(folder), list(_wanted(folder))
    same_machine = before is not None and {each.machine for each in before.costs.values()} <= set(here)
    kept = before if before is not None and same_machine and not anew else Timings("", "")
    known = {record.stem: kept.costs[record.stem] for record in official if kept.knows(record)}
    dates = {record.stem: record.date for record in official}
    loaded, count = Loaded(load), 0
    if not official:
        progress.say(f"{folder.name}: no row to measure; those by --defaults and by --budget are official")
    wanted = [record for record in official if record.stem not in known]
    _announce(folder, wanted, here)
    stems = {_fit(record): record.stem for record in official if record.stem in known}
    for record in wanted:
        if (data := loaded.of(record, record.stem)) is None:
            continue
        if (same := stems.setdefault(_fit(record), record.stem)) != record.stem:
            progress.say(f"{record.stem}: as {same}, for its settings come to the same")
        try:
            known[record.stem] = known[same] if same in known else measured(record, data)
        except isolation.Crash as crash:
            progress.say(f"{record.stem}: failed: {crash}")
            stems = {fit: stem for fit, stem in stems.items() if stem != record.stem}
            continue
        date = datetime.now(UTC).strftime("%Y-%m-%d")
        on = "; ".join(sorted({each.machine for each in known.values()}))
        write(folder, Timings(on, date, known, {stem: dates[stem] for stem in known}))
        count += 1
    return count


def _machines() -> list[str]:
    """What costs may say that they were measured on here: the processor, then with each other device."""
    processor, threads = environment.processor(), compute.current().threads
    others = [
        each
        for each in DEVICES.values()
        if not each.shares_main_memory and each.may_be_here() and each.is_here()
    ]
    gpus = [each.hardware() for each in others]
    return [machine(each, threads) for each in (processor, *(f"{processor} with {gpu}" for gpu in gpus))]


def _announce(folder: Path, wanted: Sequence[RunRecord], here: Sequence[str]) -> None:
    """Say how long it may take, and which machines' seconds give way to those of `here`."""
    if not wanted:
        return
    seconds = sum(record.costs.fit_seconds + record.costs.recommend_seconds for record in wanted)
    rows = "1 row" if len(wanted) == 1 else f"{len(wanted)} rows"
    progress.say(f"{folder.name}: {rows} to fit and rank again; their runs took {progress.duration(seconds)}")
    others = {record.costs.machine for record in wanted} - set(here)
    ours = here[0] if all(record.device == "cpu" for record in wanted) else here[-1]
    if others:
        progress.say(
            f"{folder.name}: the runs were on {'; '.join(sorted(others))}, and its pages will have the "
            f"seconds of {ours} alone"
        )


def measures(record: RunRecord) -> bool:
    """Whether `measure` takes the row of a run: an official one, of a model of the suite."""
    return record.provenance.official and not record.code and record.model in registry.names()


def measured(record: RunRecord, data: Dataset) -> Costs:
    """What the run of `record` takes here; what it finds is compared with what the record says.

    Raises:
        Crash: it failed.
    """
    source = ModelSource(record.model)
    job = Job(source, record.settings, record.seed, record.k, record.device, record.precision)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        work = Work(job, data, place, record.stem, True, place / "checkpoints", CheckpointPolicy())
        _, result = isolation.call(execute, work)
    if result.metrics["ndcg"] != record.measured.metrics["ndcg"]:
        progress.say(f"{record.stem}: its NDCG is not that of its record to the last bit: run it anew")
    if result.costs.cores_elsewhere > BUSY:
        progress.say(
            f"{record.stem}: other processes kept {result.costs.cores_elsewhere:.1f} cores busy: measure it "
            "again on a quiet machine, by --force"
        )
    progress.say(f"{record.stem}: fitted in {result.costs.fit_seconds:.1f} s")
    return result.costs


def _fit(record: RunRecord) -> str:
    """What two runs have in common that do the same work: all of their key, "auto" settings resolved."""
    return digest(record.key if record.resolved is None else record.key | {"settings": record.resolved})


def _wanted(folder: Path) -> Iterator[RunRecord]:
    """The run of the lowest seed of every official row that has one."""
    seen = set()
    done = (record for record in records.of_board(folder).values() if record.is_done)
    for record in sorted(done, key=lambda each: (each.dataset.split_seed, each.model, each.seed)):
        if not record.provenance.official or record.row_stem in seen:
            continue
        seen.add(record.row_stem)
        if measures(record):
            yield record
        else:
            progress.say(f"{record.stem}: left out, for only the suite's own models are measured")
