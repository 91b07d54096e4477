"""What several processes keep of a training, any number of them goes on from."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs import isolation, processes
from retrieval_leaderboard.neural import InfoNCE
from retrieval_leaderboard.neural.training import fit
from retrieval_leaderboard.neural.training.checkpoint import FILE, Checkpoints, State
from retrieval_leaderboard.neural.training.checkpoint_folder import FOLDER
from retrieval_leaderboard.neural.training.layout import Layout
from retrieval_leaderboard.neural.training.trainer import Trainer
from retrieval_leaderboard.support import compute, ranks
from retrieval_leaderboard.support.stopping import StoppedError
from tests.support.two_ranks import in_ranks, needs_ranks

pytestmark = needs_ranks
DATA = planted()
SMALL = {"embedding_dim": 8, "batch_size": 10, "negatives": 12, "epochs": 4, "id_dropout": 0.0}
RICH = SMALL | {
    "features": True, "user_share": 0.3, "averaging": 0.9, "mlp": "8", "norm": "layer", "dropout": 0.2,
    "hard_negatives": 2,
}  # fmt: skip
STEPS = 12
"""More than two epochs and one set of weights that counts for the mean"""

Weights = dict[str, np.ndarray]


class Enough(Exception):
    """Training has come to the state that is kept."""


def trainer(seed: int) -> Trainer:
    model = InfoNCE(**InfoNCE(**RICH).resolve(DATA.train, DATA.valid))
    return Trainer(model, model.pair_loss, DATA.train, seed)


def weights(of: Trainer) -> Weights:
    """Of all processes: weights, their means and moments; of this one the state of dropout."""
    dropout = compute.device().rng_state()["dropout"].numpy()
    tables, sharded = of.optimizer.tables, Layout.of(of.towers).sharded
    found = {name: each.numpy() for name, each in of.group.whole(of.towers).changing_state().items()}
    lists = {"mean": of.averaging.means, "m": [m for m, _ in of.optimizer.moments]}
    for kind, tensors in lists.items():
        for at, tensor in enumerate(tensors):
            own = tensor.numpy()
            if at < len(tables):
                own = own[: len(tables[at].rows)]
                own = np.concatenate(ranks.gather(own)) if sharded else own
            found[f"{kind}{at}"] = own
    return found | {"dropout": dropout}


def trained() -> Trainer:
    """After `STEPS` steps, in the middle of an epoch."""
    found = trainer(seed=1)

    def tick() -> None:
        if found.steps == STEPS:
            raise Enough

    try:
        for epoch in (1, 2, 3):
            for sampler in found.batcher.samplers:
                recommend = lambda queries, k: np.zeros((len(queries), k), np.int32)  # noqa: E731
                sampler.begin_epoch(epoch, recommend, DATA.train)
            found.epoch(epoch, tick)
    except Enough:
        return found
    raise AssertionError("there are more steps in three epochs")


def saved(folder: Path) -> dict[str, Weights]:
    """What is kept by each way that tables lie, in folders of their names."""
    found = {}
    for tables in compute.TABLES if ranks.world() > 1 else ("one",):
        compute.configure("cpu", "fp32", 1, "sharded" if tables == "sharded" else "replicated")
        at = trained()
        state = State({"of": tables}, *at.state())
        Checkpoints(folder / tables, 60.0, resume=False).save(state, Layout.of(at.towers))
        found[tables] = weights(at)
    return found


def read(folder: Path) -> dict[tuple[str, str], Weights]:
    """Weights by how tables lay when they were kept, and lie now."""
    found = {}
    for before in sorted(path.name for path in folder.iterdir()):
        for tables in compute.TABLES if ranks.world() > 1 else ("replicated",):
            compute.configure("cpu", "fp32", 1, tables)
            at = trainer(seed=2)
            stored = Checkpoints(folder / before, 60.0, resume=True).load()
            assert stored is not None and stored.identity == {"of": before}
            at.restore(stored.values, compute.device().rng_state() | stored.read(Layout.of(at.towers)))
            assert at.steps == STEPS
            found[before, tables] = weights(at)
    return found


@pytest.mark.slow
def test_saved_by_two_and_read_by_one_and_three(tmp_path, capsys) -> None:
    by_two, _ = both = in_ranks(saved, tmp_path)
    assert (tmp_path / "sharded" / FOLDER / "__1_0.distcp").is_file()
    by_one = saved(tmp_path)["one"]
    for ranked in [[read(tmp_path)], in_ranks(read, tmp_path, world=3)]:
        for rank, found in enumerate(ranked):
            for (before, _), each in found.items():
                expected = by_one if before == "one" else by_two[before]
                assert each.keys() == expected.keys()
                same = {name for name, value in each.items() if np.array_equal(value, expected[name])}
                assert each.keys() - same <= {"dropout"}, (rank, before)
                if before != "one" and rank < 2:
                    assert np.array_equal(each["dropout"], both[rank][before]["dropout"])
    damage(tmp_path / "sharded" / FOLDER / "__1_0.distcp")
    assert Checkpoints(tmp_path / "sharded", 60.0, resume=True).load() is None
    assert (
        "is damaged (__1_0.distcp is not what was written): training begins anew" in capsys.readouterr().out
    )


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def stopped_then_killed(folder: Path) -> None:
    """A fit of which the process of rank 1 is asked to stop, then one that goes on, where it is killed."""
    compute.configure("cpu", "fp32", 1, "sharded")
    ranks.start("cpu")
    do_at_step(3, signal.SIGTERM)
    with pytest.raises(StoppedError):
        fitted(folder, 60.0, resume=False)
    do_at_step(9, signal.SIGKILL)
    fitted(folder, 0.0, resume=True)


def do_at_step(step: int, number: signal.Signals) -> None:
    """Before `step` ends, the process of rank 1 gets that signal."""
    keep = fit.TrainingRun._keep

    def keep_after(run: fit.TrainingRun, stop: bool) -> None:
        if run.trainer.steps == step and ranks.rank() == 1:
            os.kill(os.getpid(), number)
        keep(run, stop)

    fit.TrainingRun._keep = keep_after  # type: ignore[method-assign]


def fitted(folder: Path, minutes: float, resume: bool) -> InfoNCE:
    model = InfoNCE(**SMALL)
    model.keep_checkpoints(folder, minutes, resume)
    model.fit(DATA.train, DATA.valid, 1)
    return model


def test_what_stops_or_ends_one_process(tmp_path, capfd) -> None:
    with pytest.raises(isolation.Crash, match=r"^rank 1 of 2: its process was killed by SIGKILL"):
        processes.Local(2).call(stopped_then_killed, tmp_path)
    assert "going on in epoch 1, step 4" in capfd.readouterr().out
    assert (tmp_path / FOLDER).is_dir() and not (tmp_path / FILE).exists()
    resumed = fitted(tmp_path, 0.0, resume=True)
    assert "going on in epoch 1, step 8" in capfd.readouterr().out
    assert (tmp_path / FILE).is_file() and not (tmp_path / FOLDER).exists()
    straight = InfoNCE(**SMALL)
    straight.fit(DATA.train, DATA.valid, 1)
    assert resumed.best_epoch_ == straight.best_epoch_
    np.testing.assert_allclose(resumed.encode_items(), straight.encode_items(), atol=1e-5)
