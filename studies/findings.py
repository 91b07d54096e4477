"""What makes two-towers win: `python -m studies.findings --data-dir DIR`.

Scores the variants of `studies/ablations.py` on the validation part, several seeds each, keeps every
score in `studies/records/findings/`, and derives docs/findings.md from them and from the boards' stored runs.
A variant that was scored is not scored again; `--page-only` scores none.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from retrieval_leaderboard import (
    ROOT,
    neural,  # noqa: F401  (importing registers its models)
)
from retrieval_leaderboard.datasets import Dataset, load
from retrieval_leaderboard.evaluation.runs import environment, isolation
from retrieval_leaderboard.evaluation.runs.record import digest
from retrieval_leaderboard.evaluation.runs.runner import Job, ModelSource
from retrieval_leaderboard.evaluation.tuning.trial import scored
from retrieval_leaderboard.studies import findings_page, scores
from retrieval_leaderboard.studies.ablations import PLACES, STUDIES, Place, Settings, resolved
from retrieval_leaderboard.studies.scores import Finding
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.errors import in_one_sentence, unknown
from retrieval_leaderboard.support.progress import say

RECORDS = Path(__file__).parent / "records" / "findings"


def variants(place: Place) -> Iterator[tuple[str, Settings]]:
    """Model and settings of every variant to be scored at `place`, each once."""
    seen = []
    for study in STUDIES:
        for model, changed in study.variants.values():
            found = (model, place.settings | changed)
            if found not in seen:
                seen.append(found)
                yield found


def measure(place: Place, dataset: Dataset, seeds: int) -> None:
    """Score what has no score yet."""
    asked = [(seed, *variant) for seed in range(seeds) for variant in variants(place)]
    for at, (seed, model, changed) in enumerate(asked, 1):
        job = _job(model, changed, seed)
        target = RECORDS / f"{dataset.name}-{model}-seed{seed}-{digest(job.identity(dataset))}.json"
        if target.is_file():
            continue
        started = time.perf_counter()
        ndcg = isolation.call(scored, job, dataset)["ndcg"]
        seconds = round(time.perf_counter() - started, 1)
        found = Finding(
            **job.identity(dataset),
            ndcg=ndcg,
            seconds=seconds,
            dataset=dataset.heading,
            threads=compute.current().threads,
            processor=environment.processor(),
            commit=environment.git_commit(),
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        scores.write(target, found)
        label = f"{dataset.name} {at}/{len(asked)}: {model} {changed} seed {seed}"
        say(f"{label}: NDCG@20 {ndcg:.4f}, {seconds} s")


def _job(model: str, changed: Settings, seed: int) -> Job:
    here = compute.current()
    return Job(ModelSource(model), resolved(model, changed), seed, 20, here.device, here.precision)


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Score what is asked for and write the page."""
    parser = argparse.ArgumentParser(prog="python -m studies.findings", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data", help="folder of the datasets")
    names = [place.dataset for place in PLACES]
    parser.add_argument("--datasets", default=",".join(names), help="names, comma-separated")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--page-only", action="store_true")
    asked = parser.parse_args(arguments)
    compute.configure()
    for name in [] if asked.page_only else asked.datasets.split(","):
        if name not in names:
            raise unknown("dataset of the findings", name, names)
        place = PLACES[names.index(name)]
        measure(place, load(name, asked.data_dir), asked.seeds)
    findings_page.write(ROOT, scores.load_all(RECORDS, Finding))
    return 0


if __name__ == "__main__":
    sys.exit(main())
