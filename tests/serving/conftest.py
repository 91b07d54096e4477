"""A small dataset with every kind of feature, a run of a toy model on it and one of infonce."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from retrieval_leaderboard.datasets import (
    Categorical,
    Dataset,
    Features,
    Interactions,
    Multivalued,
    Numeric,
    Queries,
    Ragged,
)
from retrieval_leaderboard.datasets.ragged import offsets_of
from retrieval_leaderboard.evaluation import evaluate, harness
from retrieval_leaderboard.evaluation.models import settings
from retrieval_leaderboard.evaluation.runs import records, runner
from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.bundles import bundle
from tests.evaluation.stored import keep, record
from tests.serving.described import COLORS, TAGS, Described

USERS, ITEMS, LENGTH = 60, 300, 12


def table_of_items(rng):
    tags = [rng.choice(TAGS, rng.integers(0, 4), replace=False) + 1 for _ in range(ITEMS)]
    return Features(
        {
            "color": Categorical(
                rng.integers(1, COLORS + 1, ITEMS).astype(np.int32),
                ["unknown", *(f"c{n}" for n in range(COLORS))],
            ),
            "tags": Multivalued(Ragged.from_rows(tags), ["unknown", *(f"t{n}" for n in range(TAGS))]),
            "price": Numeric(rng.uniform(1, 1000, ITEMS).astype(np.float32)),
        }
    )


@pytest.fixture(scope="session")
def dataset():
    rng = np.random.default_rng(0)
    taken = np.stack([rng.permutation(ITEMS)[:LENGTH] for _ in range(USERS)]).astype(np.int32)
    segments = Features(
        {"segment": Categorical(rng.integers(0, 4, USERS).astype(np.int32), ["unknown", "a", "b", "c"])}
    )
    features = table_of_items(rng)

    def interactions(items):
        return Interactions(
            np.repeat(np.arange(USERS, dtype=np.int32), items.shape[1]), items.ravel(),
            np.tile(np.arange(items.shape[1], dtype=np.int64), USERS), USERS, ITEMS,
            user_features=segments, item_features=features,
            context=Features({"place": Categorical((items.ravel() % 2 + 1).astype(np.int32),
                                                   ["unknown", "left", "right"])}),
        )  # fmt: skip

    def queries(seen, truth):
        one = Ragged.from_offsets(truth.copy(), offsets_of(np.ones(USERS, dtype=np.int64)))
        return Queries(np.arange(USERS, dtype=np.int32), seen.by_user, seen.by_user, one)

    train, train_valid = interactions(taken[:, :-2]), interactions(taken[:, :-1])
    return Dataset(
        "toy", "leave-last-one", True, 0, train, queries(train, taken[:, -2]), train_valid,
        queries(train_valid, taken[:, -1]), np.array([f"u{n}" for n in range(USERS)], dtype=object),
        np.array([f"i{n}" for n in range(ITEMS)], dtype=object),
    )  # fmt: skip


@pytest.fixture(scope="session")
def toy_run(dataset, tmp_path_factory):
    """Folders of runs of `Described`: one a seed."""

    def made(seed):
        said = record("described", dataset)
        folder = keep(tmp_path_factory.mktemp("toy") / "runs" / f"described-seed{seed}", said)
        model = Described(seed=seed)
        model.fit(dataset.train_valid, None, 0)
        model.save(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def toy_bundle(dataset, toy_run, tmp_path_factory):
    """One bundle of each kind, to be copied before it is changed."""
    run, parent = toy_run(0), tmp_path_factory.mktemp("bundles")

    def made(kind):
        if not (parent / kind).exists():
            bundle.write(run, dataset, parent / kind, kind, Described)
        return parent / kind

    return made


@pytest.fixture
def opened(toy_bundle, tmp_path):
    """Opens a copy of the bundle of a kind."""

    def open_copy(kind="flat"):
        shutil.copytree(toy_bundle(kind), tmp_path / kind)
        return Recommender.open(tmp_path / kind, Described)

    return open_copy


@pytest.fixture(scope="session")
def toy_model():
    return Described


@pytest.fixture(scope="session")
def run_of(dataset, tmp_path_factory):
    """Makes runs of real models, fitted and measured by the harness's own functions."""
    return lambda name, **chosen: _run_of(runner.ModelSource(name), chosen, dataset, tmp_path_factory)


@pytest.fixture(scope="session")
def run_again(dataset, tmp_path_factory):
    """Makes a run of the model and settings of a stored one."""

    def made(stored):
        source = runner.ModelSource(stored.model, stored.plugin)
        return _run_of(source, stored.settings, dataset, tmp_path_factory)

    return made


@pytest.fixture(scope="session")
def infonce_run(run_of):
    """A run of infonce with features."""
    return run_of("infonce", features=True, epochs=2)


def _run_of(source, chosen, dataset, tmp_path_factory):
    model_class = source.load()
    chosen = settings.resolve(model_class, chosen, "here")
    model = settings.build(model_class, chosen)
    harness.fit(model, dataset, 0)
    result = evaluate(model, dataset, 20)
    job = runner.Job(source, chosen, 0, 20, "cpu", "fp32")
    folder = job.folder(dataset, tmp_path_factory.mktemp("results") / "toy")
    folder.mkdir(parents=True)
    model.save(folder)
    np.savez(folder / "lists.npz", items=result.items)
    said = record(source.name, dataset, settings=chosen, metrics=result.metrics, slices=tuple(result.slices))
    records.write(folder, said)
    return folder


@pytest.fixture(scope="session")
def infonce_bundle(dataset, infonce_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "infonce"
    bundle.write(infonce_run, dataset, folder)
    return folder


@pytest.fixture
def new_item():
    return {"color": "c3", "tags": ["t1", "t4"], "price": 12.5}
