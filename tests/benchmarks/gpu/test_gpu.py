"""The GPU script, rehearsed on the CPU at small sizes, and its page from records."""

import json

import numpy as np
import pytest

from retrieval_leaderboard.benchmarks.gpu import __main__ as gpu
from retrieval_leaderboard.benchmarks.gpu import data as sizes
from retrieval_leaderboard.benchmarks.gpu import work
from retrieval_leaderboard.benchmarks.gpu.page import table, tables
from retrieval_leaderboard.support import compute, progress
from retrieval_leaderboard.support.pages import NOT_MEASURED


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    """Record, page and exit code of a small run."""
    folder, before = tmp_path_factory.mktemp("gpu"), compute.current()
    progress.configure(quiet=True)
    files = folder / "gpu.json", folder / "gpu.md"
    code = gpu.main(["--device", "cpu", "--small", "--record", str(files[0]), "--out", str(files[1])])
    compute._current = before
    return json.loads(files[0].read_text()), files[1].read_text(), code


def full(record, **changed):
    """The record as if a GPU had given it."""
    machine = record["machine"] | {"device": "cuda", "name": "A GPU", "driver": "1.2"}
    return record | {"machine": machine, "small": False} | changed


def row(text, what):
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    (found,) = [line for line in lines if line[0] == what]
    return found


@pytest.mark.slow
def test_every_part_gives_its_figures(rehearsal):
    record, _, code = rehearsal
    assert code == 0 and record["failed"] == {}
    assert set(record["ceilings"]) == {"copy_gb", "fp32", "bf16", "fp16"}
    assert min(record["ceilings"].values()) > 0
    runs = {(run["model"], run["precision"]) for run in record["training"]}
    assert runs == {(name, kind) for name in work.MODELS for kind in work.PRECISIONS}
    assert all(run["seconds"] > 0 and run["examples_per_second"] > 0 for run in record["training"])
    assert all(0 < run["ndcg"] < 1 for run in record["quality"])
    assert {run["model"] for run in record["aliec_training"]} == set(work.MODELS)
    assert all(0 <= run["ndcg"] < 1 for run in record["aliec_quality"])
    assert all(run["same"] and run["seconds"] > 0 for run in record["deterministic"])
    assert all(step["calls"] > 100 for step in record["steps"])
    assert record["topk"]["seconds"] > 0 and record["topk"]["product_seconds"] > 0


@pytest.mark.slow
def test_a_rehearsal_is_no_run_on_a_gpu(rehearsal):
    record, text, _ = rehearsal
    assert NOT_MEASURED in text
    assert tables(record) == tables(None) == {"measured": NOT_MEASURED}
    verdicts = [line.strip("|").split("|")[3].strip() for line in table(record).splitlines()[2:]]
    assert set(verdicts) == {""}


@pytest.mark.slow
def test_targets_are_judged_on_a_gpu(rehearsal):
    record, _, _ = rehearsal
    topk = {"queries": 10**6, "items": 10**5, "dim": 64, "k": 20}
    topk |= {"seconds": 8.0, "product_seconds": 2.0, "peak_mib": 512.0}
    ceilings = {"copy_gb": 400.0, "fp32": 3.2, "bf16": 9.0, "fp16": 9.0}
    run = {"model": "infonce", "batch_size": 512, "peak_mib": 1.0}
    training = [
        run | {"precision": "fp32", "seconds": 0.6, "examples_per_second": 100.0},
        run | {"precision": "fp16", "seconds": 0.4, "examples_per_second": 150.0},
    ]
    quality = [
        {"model": "infonce", "precision": "fp32", "epochs": 10, "ndcg": 0.2},
        {"model": "infonce", "precision": "fp16", "epochs": 10, "ndcg": 0.19},
    ]
    steps = [{"model": "infonce", "calls": 321, "waits": {"tables.py:38": 2}, "busy": 0.25}]
    parts = {"topk": topk, "ceilings": ceilings, "training": training, "quality": quality, "steps": steps}
    text = tables(full(record, **parts, failed={"quality": "RuntimeError: why"}))["measured"]
    assert NOT_MEASURED not in text and "A GPU · driver 1.2" in text
    assert "quality failed: RuntimeError: why" in text
    what = "exact top-20, 1,000,000 queries × 100,000 items × 64"
    assert row(text, what)[1:] == ["8 s", "≤ 5 s", "no"]
    assert row(text, f"{what}, product")[1] == "1.6 TFLOP/s, 50% of the ceiling"
    assert row(text, f"{what}, scores written and read once")[1] == "100 GB/s, 25% of the ceiling"
    assert row(text, "infonce, 512 rows a step, fp16")[2:] == ["≤ 1 s", "yes"]
    gain = row(text, "infonce, 512 rows a step, examples/s of fp16 over fp32")
    assert gain[1:] == ["1.50 ×", "≥ 1.3 ×", "yes"]
    ndcg = row(text, "infonce, fp16, validation NDCG@20 after 10 epochs")
    assert ndcg[1:] == ["0.1900 (-5.00% of fp32)", "± 1%", "no"]
    assert row(text, "infonce, operations that the host asks for in a step")[1] == "321"
    assert row(text, "infonce, where a step waits for the GPU")[1] == "tables.py:38 × 2"


def test_a_part_that_fails_leaves_the_others(monkeypatch, tmp_path):
    def broken(*_):
        raise RuntimeError("no such kernel")

    for part in ("training", "quality", "steps", "ceilings"):
        monkeypatch.setattr(work, part, broken)
    record = gpu.measure("cpu", True, tmp_path, tmp_path / "gpu.json")
    assert record["failed"]["training"] == "RuntimeError: no such kernel"
    assert record["topk"]["seconds"] > 0
    assert json.loads((tmp_path / "gpu.json").read_text()) == record
    assert "of the ceiling" not in table(record)


def test_a_wrong_list_is_found(monkeypatch):
    def other_lists(*_):
        return np.zeros((work.CHECKED, work.K), np.int32)

    monkeypatch.setattr(work, "_reference", other_lists)
    with pytest.raises(RuntimeError, match="differs from the float64 reference"):
        work.exact_topk("cpu", sizes.SMALL)


def test_without_a_gpu_one_sentence(monkeypatch, capsys):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(["--device", "cuda"]) == 2
    assert "PyTorch sees no CUDA GPU" in capsys.readouterr().err


def test_the_full_synthetic_data_has_gowallas_size(tmp_path):
    data = sizes.gowalla(tmp_path, sizes.FULL)
    train = data.train_valid
    assert (train.n_users, train.n_items) == (29_858, 40_981)
    assert abs(len(train) - 810_128) < 0.03 * 810_128
    top = np.sort(train.item_counts)[::-1]
    assert top[: len(top) // 10].sum() > 0.25 * len(train)
