"""What makes two-tower models win: `python -m studies.findings --data-dir DIR`.

Scores the variants of `studies/ablations.py` on the validation part, several seeds each, keeps every
score in `studies/records/findings/`, and fills docs/findings.md from them and from the boards' stored runs.
A variant that was scored is not scored again; `--page-only` scores none.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.evaluation.runs import environment, isolation
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource
from retrieval_leaderboard.evaluation.tuning.trial import scored
from retrieval_leaderboard.studies import command, findings_page, scores
from retrieval_leaderboard.studies.ablations import STUDIES, Settings, Setup, resolved, setups
from retrieval_leaderboard.studies.scores import Finding
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.errors import in_one_sentence
from retrieval_leaderboard.support.progress import say
from retrieval_leaderboard.support.system import memory

RECORDS = Path(__file__).parent / "records" / "findings"


def variants(setup: Setup) -> Iterator[tuple[str, Settings]]:
    """Model and settings of every variant to be scored at `setup`, each once."""
    seen = []
    for study in (study for study in STUDIES if setup in study.setups):
        for model, changed in study.variants.values():
            found = (model, setup.settings | changed)
            if found not in seen:
                seen.append(found)
                yield found


def measure(setup: Setup, dataset: Dataset, seeds: int) -> None:
    """Score what has no score yet."""
    fits = [(seed, *variant) for seed in range(seeds) for variant in variants(setup)]
    for at, (seed, model, changed) in enumerate(fits, 1):
        job = _job(model, changed, seed)
        target = RECORDS / scores.file_name(dataset.name, job.identity(dataset))
        if target.is_file():
            continue
        started = time.perf_counter()
        ndcg, peak_mib = isolation.call(_measured, job, dataset)
        seconds = round(time.perf_counter() - started, 1)
        found = Finding(
            **job.identity(dataset).key,
            ndcg=ndcg,
            seconds=seconds,
            peak_mib=peak_mib,
            dataset=dataset.heading,
            threads=compute.current().threads,
            processor=environment.processor(),
            commit=environment.git_commit(),
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        scores.write(target, found)
        label = f"{dataset.name} {at}/{len(fits)}: {model} {changed} seed {seed}"
        say(f"{label}: NDCG@20 {ndcg:.4f}, {seconds} s")


def _measured(job: Job, dataset: Dataset) -> tuple[float, float]:
    """A variant's score, and the peak memory of this process in MiB."""
    return scored(job, dataset)["ndcg"], round(memory.peak_mib(), 1)


def _job(model: str, changed: Settings, seed: int) -> Job:
    here = compute.current()
    return Job(ModelSource(model), resolved(model, changed), seed, 20, here.device, here.precision)


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Score what is asked for and fill the page."""
    names = list(dict.fromkeys(setup.dataset for setup in setups()))
    parser = command.parser("findings", __doc__, names)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args(arguments)
    compute.configure()
    asked = [] if options.page_only else options.datasets
    command.check("dataset of the findings", asked, names)
    for name in asked:
        dataset = load(name, options.data_dir)
        for setup in (setup for setup in setups() if setup.dataset == name):
            measure(setup, dataset, options.seeds)
    findings_page.write(ROOT, scores.load_all(RECORDS, Finding))
    return 0


if __name__ == "__main__":
    sys.exit(main())
