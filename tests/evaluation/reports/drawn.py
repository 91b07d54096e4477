"""Boards to be drawn: one with everything that a page may show, and names that would harm if not escaped."""

from dataclasses import replace

import numpy as np

from retrieval_leaderboard.evaluation.reports.board import read_boards
from retrieval_leaderboard.evaluation.reports.figures.from_board import board_data
from retrieval_leaderboard.evaluation.reports.report import report
from retrieval_leaderboard.evaluation.statistics.standing import BoardStatistics, Interval, Standing
from tests.evaluation import stored

HOSTILE = "<script>hacked=1</script>"
AMPERSAND = 'a_b & "c" %$#{}^~\\</script><!--'
EPOCHS = tuple({"epoch": epoch, "loss": 1 / epoch, "valid_ndcg": 0.1 + epoch / 100} for epoch in (1, 2, 3))
SLICES = (
    stored.part("warm", recall=0.4, listed=9),
    stored.part("cold users", 0),
    stored.part("tail", 5, 0.1),
)
BUDGET = {"by": "budget", "cap_minutes": 45.0}
ROWS = (
    ("item_cf", 0, 0.150, {**BUDGET, "fit_seconds": 2.0}),
    ("bsl", 0, 0.168, {**BUDGET, "fit_seconds": 90.0, "choosing": EPOCHS, "training": EPOCHS}),
    ("bsl", 1, 0.172, {**BUDGET, "fit_seconds": 110.0}),
    ("bsl", 0, 0.190, {"by": "command line", "settings": {"epochs": 9}, "fit_seconds": 70.0}),
    ("global_hot", 0, 0.020, {"by": "defaults", "fit_seconds": 0.01}),
    (HOSTILE, 0, 0.155, {"by": "hand", "fit_seconds": 11.0, "note": "<img src=x onerror=hacked=1>"}),
    (AMPERSAND, 0, 0.140, {"by": "hand", "fit_seconds": 8.0, "processor": "another"}),
)
"""Model, seed, NDCG, and what else its record says"""


def keep(results):
    """Store the runs of ROWS, and one that failed, as the dataset "mine" under `results`; its folder."""
    folder = results / "mine"
    for number, (model, seed, ndcg, said) in enumerate(ROWS):
        said = {"settings": {"epochs": 3}} | said
        record = stored.record(model, ndcg=ndcg, seed=seed, slices=SLICES, **said)
        stored.keep(folder / "runs" / f"run-{number}", record)
    stored.keep(folder / "runs" / "failed", stored.record("als", reason="no <b>memory</b>"))
    return folder


def board(results):
    """That board."""
    ((found,),) = read_boards(keep(results))
    return found


def statistics(found):
    """Such as `compare` derives them, for every row with results: half-width .01, item_cf the reference."""
    reference = next(at for at, row in enumerate(found.rows) if row.model == "item_cf")
    standings = [_standing(row, found.rows[reference]) if row.done else None for row in found.rows]
    ndcg = np.array([row.mean("ndcg") if row.done else np.nan for row in found.rows])
    p_values = np.where(abs(ndcg[:, None] - ndcg) > 0.01, 0.0004, 0.3)
    p_values[np.isnan(ndcg[:, None] - ndcg)] = np.nan
    np.fill_diagonal(p_values, np.nan)
    return BoardStatistics(reference, standings, p_values)


def _standing(row, reference):
    ndcg, lead = row.mean("ndcg"), row.mean("ndcg") - reference.mean("ndcg")
    ours = None if row is reference else Interval(lead, lead - 0.01, lead + 0.01)
    metrics = {"ndcg": Interval(ndcg, ndcg - 0.01, ndcg + 0.01)}
    return Standing("1–2", metrics, ours, None if row is reference else 0.0004)


def data(results, with_curves=False):
    """The values of that board, with statistics."""
    found = board(results)
    made = board_data(report(found, statistics(found)))
    if not with_curves:
        return made
    curve = [(k, k / 100) for k in range(1, 21)]
    return replace(made, rows=[replace(row, curve=curve) if row.metrics else row for row in made.rows])
