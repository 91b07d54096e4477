"""The tables of features, from records made by hand."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.datasets.splits.registry import excludes_seen
from retrieval_leaderboard.evaluation.metrics.slices import Slice
from retrieval_leaderboard.studies import cold_start
from retrieval_leaderboard.studies.cold_start import tables
from tests.evaluation.stored import keep, record


def store(
    results, name, model, protocol, warm, cold=None, exclude_seen=None, date="2026-01-01", seed=0, **settings
):
    policy = excludes_seen(protocol) if exclude_seen is None else exclude_seen

    def sliced(name, queries, value):
        return Slice(name, queries, {"recall": value, "ndcg": value}, random_recall=0.001)

    cold_part = Slice("cold items", 0) if cold is None else sliced("cold items", 5, cold)
    title = "aliec-sim, synthetic, scale 1.0" if name == "aliec-sim" else name
    said = record(
        model, settings=settings, slices=(sliced("warm", 10, warm), cold_part), seed=seed, ndcg=warm / 2,
        fingerprint=f"{title} {protocol} {policy}", title=title, protocol=protocol, exclude_seen=policy,
        synthetic=False,
    )  # fmt: skip
    said = replace(said, date=date)
    name_of_run = "-".join(map(str, [policy, seed, *settings.values()]))
    keep(results / name / "runs" / f"{model}-{protocol}-{name_of_run}", said)


def page(results):
    return "\n".join(tables(results).values())


def cells(text, start):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
            if line.startswith(f"| {start}")]  # fmt: skip


def test_targets_are_judged(tmp_path):
    store(tmp_path, "aliec-sim", "infonce", "time", 0.23, 0.10, features=True)
    store(tmp_path, "aliec-sim", "infonce", "time", 0.20, 0.0, features=False)
    store(tmp_path, "aliec-sim", "dssm_bce", "time", 0.21, 0.015, features=True, mlp="64")
    store(tmp_path, "aliec-sim", "dssm_bce", "time", 0.18, 0.030, features=True, mlp="")
    store(tmp_path, "aliec-sim", "dssm_bce", "time", 0.20, 0.0, features=False, mlp="")
    store(tmp_path, "aliec-sim", "category_hot", "time", 0.1, 0.05)
    store(tmp_path, "ml-1m", "infonce", "next-item", 0.19, features=True)
    store(tmp_path, "ml-1m", "infonce", "next-item", 0.20, features=False)
    text = page(tmp_path)
    cold = {row[0]: row[1:] for row in cells(text.split("| NDCG@20   |")[0], "")}
    assert cold["infonce"] == ["0.1000", "0.001000", "100 ×", "yes", "0.0500", "2.00 ×", "0.1150"]
    assert cold["dssm_bce (mlp=64)"] == ["0.0150", "0.001000", "15 ×", "no", "0.0500", "0.30 ×", "0.1050"]
    assert cold["dssm_bce (mlp=)"] == ["0.0300", "0.001000", "30 ×", "yes", "0.0500", "0.60 ×", "0.0900"]
    gains = [row[:5] for row in cells(text, "infonce") if row[3].endswith("%")]
    assert gains == [
        ["infonce", "0.2300", "0.2000", "+15.0%", "yes"],
        ["infonce", "0.1900", "0.2000", "-5.0%", "no"],
    ]


def test_runs_without_features_are_otherwise_alike(tmp_path):
    store(tmp_path, "ml-1m", "infonce", "next-item", 0.22, features=True, averaging=0.7)
    store(tmp_path, "ml-1m", "infonce", "next-item", 0.20, features=False, averaging=0.7)
    before = page(tmp_path)
    store(tmp_path, "ml-1m", "infonce", "next-item", 0.10, date="2026-01-02", features=False, averaging=0.0)
    assert page(tmp_path) == before
    assert "+10.0%" in before


def test_of_several_without_features_the_most_alike_counts(tmp_path):
    alike = {"mlp": "", "epochs": 9}
    store(tmp_path, "ml-1m", "infonce", "next-item", 0.22, features=True, **alike)
    store(tmp_path, "ml-1m", "infonce", "next-item", 0.20, features=False, **alike)
    newer = {"mlp": "", "epochs": 2}
    for seed in range(2):
        store(
            tmp_path, "ml-1m", "infonce", "next-item", 0.11, date="2026-01-02", seed=seed, features=False,
            **newer,
        )  # fmt: skip
    assert "+10.0%" in page(tmp_path) and "also has" not in page(tmp_path)
    store(tmp_path, "ml-1m", "bsl", "next-item", 0.22, features=True, **alike)
    for seed in range(2):
        store(tmp_path, "ml-1m", "bsl", "next-item", 0.11, seed=seed, features=False, **newer)
    assert "bsl with ids alone also has: epochs 2, seeds 2 instead of 1." in page(tmp_path)


def test_seeds_count_by_their_mean(tmp_path):
    for seed, warm in enumerate((0.20, 0.22, 0.24)):
        store(tmp_path, "ml-1m", "infonce", "next-item", warm, seed=seed, features=True)
    store(tmp_path, "ml-1m", "infonce", "next-item", 0.20, features=False)
    assert cells(page(tmp_path), "infonce")[0][1:4] == ["0.2200", "0.2000", "+10.0%"]


def test_runs_by_another_policy_of_seen_items_are_not_compared(tmp_path):
    store(tmp_path, "ml-1m", "infonce", "next-item", 0.22, features=True)
    store(tmp_path, "ml-1m", "infonce", "next-item", 0.20, features=False)
    before = page(tmp_path)
    store(
        tmp_path, "ml-1m", "infonce", "next-item", 0.90, exclude_seen=True, date="2026-01-02", features=False
    )
    assert page(tmp_path) == before


def test_help_is_told_and_nothing_is_filled(monkeypatch, capsys):
    monkeypatch.setattr(cold_start.sys, "argv", ["cold_start", "--help"])
    monkeypatch.setattr(cold_start.pages, "fill", lambda *asked: pytest.fail("filled"))
    with pytest.raises(SystemExit) as end:
        cold_start.main()
    assert end.value.code == 0 and "usage: python -m studies.cold_start" in capsys.readouterr().out
