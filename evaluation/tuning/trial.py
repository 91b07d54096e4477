"""One trial of a search: a model fitted with certain settings and scored on the validation part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval_leaderboard.datasets.dataset import Dataset
from retrieval_leaderboard.evaluation import engines
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.metrics.measure import VALID_K
from retrieval_leaderboard.evaluation.models import lists, settings
from retrieval_leaderboard.support import compute, progress, ranks

if TYPE_CHECKING:
    from retrieval_leaderboard.evaluation.runs.runner import Job


def scored(job: Job, data: Dataset) -> dict[str, float]:
    """The means of the metrics on the validation queries, after a fit.

    Runs in a process of its own, whose device, threads and progress it sets. Of several all fit, and that of
    rank 0 does the rest; the others return nothing.
    """
    compute.configure(job.device, job.precision, tables=job.tables)
    engines.start(job.engine)
    progress.configure(quiet=True)
    ranks.start(job.device)
    model = settings.build(job.source.load(), job.settings)
    model.fit(data.train, data.valid, job.seed)
    main = ranks.is_main()
    ranks.stop()
    if not main:
        return {}
    items, scores = model.recommend(data.valid.without_answers(), VALID_K)
    lists.check(items, scores, data.valid, VALID_K, data.train.n_items)
    return measure.mean(measure.per_query(items, data.valid.relevant, VALID_K))
