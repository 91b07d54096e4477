import numpy as np
import pytest

from retrieval_leaderboard.datasets.ragged import Ragged
from retrieval_leaderboard.evaluation.metrics import measure
from retrieval_leaderboard.evaluation.metrics.curve import ndcg_curve
from retrieval_leaderboard.evaluation.reports.board import read_boards
from retrieval_leaderboard.evaluation.reports.figures.from_board import board_data
from retrieval_leaderboard.evaluation.reports.report import report
from tests.evaluation import stored


@pytest.mark.parametrize("longest", [6, 9])
def test_every_point_is_the_metric_of_that_length(longest):
    draw = np.random.default_rng(0)
    items = np.stack([draw.permutation(30)[:6] for _ in range(50)]).astype(np.int32)
    items[3, 4:] = -1
    relevant = Ragged.from_rows([draw.permutation(30)[: draw.integers(0, 9)].tolist() for _ in range(50)])
    curve = ndcg_curve(items, relevant, longest)
    each = [np.nanmean(measure.per_query(items, relevant, k)["ndcg"]) for k in range(1, longest + 1)]
    np.testing.assert_allclose(curve, each, rtol=1e-12)


def test_without_a_relevant_item_there_is_no_number():
    assert np.isnan(ndcg_curve(np.zeros((2, 3), dtype=np.int32), Ragged.empty(2), 3)).all()


def test_a_row_has_the_mean_over_its_seeds_at_lengths_that_all_have(tmp_path):
    for seed, curve in enumerate([(0.1, 0.3), (0.3, 0.5)]):
        stored.keep(
            tmp_path / "runs" / f"als-{seed}",
            stored.record("als", seed=seed, curve=curve, k=2, ndcg=curve[-1]),
        )
    stored.keep(tmp_path / "runs" / "bsl-0", stored.record("bsl", curve=(0.1, 0.2), k=2, ndcg=0.2))
    stored.keep(
        tmp_path / "runs" / "bsl-1", stored.record("bsl", seed=1, k=2, ndcg=0.4, at={"5": {"ndcg": 0.6}})
    )
    stored.keep(tmp_path / "runs" / "mf", stored.record("mf", k=2, ndcg=0.4, at={"5": {"ndcg": 0.6}}))
    ((board,),) = read_boards(tmp_path)
    found = {row.name: row.curve for row in board_data(report(board)).rows}
    assert found.pop("als") == [(1, pytest.approx(0.2)), (2, pytest.approx(0.4))]
    assert found == {"bsl": [(2, pytest.approx(0.3))], "mf": [(2, 0.4), (5, 0.6)]}
