"""The template of docs/own-model.md trains on the GPU and is kept on the CPU."""

from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.models import outside
from retrieval_leaderboard.evaluation.planted import planted
from tests.simulated_gpu.backend import NOTES
from tests.test_own_model import TEMPLATE


def test_it_trains_on_the_gpu(gpu, tmp_path):
    (tmp_path / "my_bpr.py").write_text(TEMPLATE)
    data, model = planted(), outside.load(f"{tmp_path}/my_bpr.py:MyBPR")(epochs=100)
    harness.fit(model, data, seed=0)
    assert NOTES.peak >= model.items_.nbytes + model.users_.nbytes, "tensors were on the GPU"
    assert harness.evaluate(model, data, k=2).metrics["recall"] > 0.9
