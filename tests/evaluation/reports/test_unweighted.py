"""Models that do not use the weights of interactions are marked on boards."""

from dataclasses import replace

import numpy as np

from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.reports.pages.warnings import marks
from retrieval_leaderboard.evaluation.reports.unweighted import FOOTNOTE
from retrieval_leaderboard.evaluation.runs import runner
from retrieval_leaderboard.evaluation.runs.runner import CheckpointPolicy, Job, ModelSource, Work
from tests.evaluation.reports.boards import without_tests
from tests.evaluation.stored import record

PLUGIN = """
from dataclasses import dataclass

from retrieval_leaderboard.baselines.global_hot import GlobalHot

@dataclass
class Plain(GlobalHot):
    name = "plain"
    uses_weights = False
"""


def test_a_row_that_does_not_use_weights_has_a_mark_and_a_footnote():
    used, unused = (record(name, ignores_weights=name == "plug") for name in ("als", "plug"))
    rows = [Row(each.model, {}, [each], []) for each in (used, unused)]
    found = without_tests(*rows)
    assert {entry.name for entry in found.entries} == {"als", "plug §"}
    assert FOOTNOTE in marks(found)
    assert FOOTNOTE not in marks(without_tests(*rows[:1]))


def test_all_of_our_models_use_weights():
    assert all(registry.get(name).uses_weights for name in registry.names())


def test_a_run_says_whether_weights_were_there_and_not_used(tmp_path):
    path = tmp_path / "plain.py"
    path.write_text(PLUGIN)
    data = planted()
    weight = np.full(len(data.train_valid), 2, np.float32)
    weighted = replace(data, train_valid=replace(data.train_valid, weight=weight))
    found = []
    for at, (source, each) in enumerate(
        [
            (ModelSource("plain", f"{path}:Plain"), data),
            (ModelSource("plain", f"{path}:Plain"), weighted),
            (ModelSource("global_hot"), weighted),
        ]
    ):
        folder = tmp_path / str(at)
        folder.mkdir()
        job = Job(source, {"half_life_days": 0.0}, 0, 5, "cpu", "fp32")
        work = Work(job, each, folder, "", False, tmp_path / "checkpoints", CheckpointPolicy())
        found.append(runner.execute(work)[1].ignores_weights)
    assert found == [False, True, False]
