"""Whole runs of the command line on small data."""

import csv

import numpy as np
import pytest

from retrieval_leaderboard import ROOT
from tests.run_all.commands import plugin, rows, slices


def test_a_board_from_a_file(run_in_processes, tmp_path):
    done = run_in_processes("--models", "global_hot,item_cf")
    folder = tmp_path / "results" / "mine"
    table = (folder / "leaderboard.md").read_text()
    assert "| global_hot" in table and "| item_cf" in table and "**" in table
    assert done.stdout.rstrip().endswith(str(folder / "leaderboard.md"))
    assert "\nitem_cf " in done.stdout and "NDCG@20" in done.stdout and "| item_cf" not in done.stdout
    assert (
        "columns: user = user_id, item = item_id, timestamp = timestamp"
        in done.stdout.partition("fitting")[0]
    )
    assert "\n- 480 rows read, 480 kept; 0 repeat a pair of user and item" in table.partition("## Data\n")[2]
    assert "[mine.csv: time" in (tmp_path / "results" / "README.md").read_text()
    row = rows(tmp_path)[("item_cf", "0")]
    columns = "model,seed,status,queries,precision@20,recall@20,map@20,ndcg@20,hitrate@20"
    assert list(row)[:9] == columns.split(",")
    first = list(row).index("fit_seconds")
    assert list(row)[first : first + 4] == "fit_seconds,recommend_seconds,peak_rss_mib,parameters".split(",")
    assert row["official"] == "True" and row["rank"] and float(row["ndcg_low"]) <= float(row["ndcg@20"])
    assert row["status"] == "done" and 0 < float(row["ndcg@20"]) <= 1
    assert float(row["peak_rss_mib"]) > 10 and float(row["parameters"]) > 0


def test_done_runs_are_skipped_and_force_repeats_them(run, tmp_path):
    run("--models", "global_hot")
    (record,) = (tmp_path / "results" / "mine" / "runs").glob("*/run.json")
    first = record.stat().st_mtime_ns
    assert "done before" in run("--models", "global_hot").stdout
    assert record.stat().st_mtime_ns == first
    repeated = run("--models", "global_hot,global_hot", "--force")
    assert repeated.stdout.count("fitting") == 1
    second = record.stat().st_mtime_ns
    assert second > first
    record.with_name("lists.npz").unlink()
    run("--models", "global_hot")
    assert record.stat().st_mtime_ns > second, "a record without lists is another machine's"


def test_failures_are_visible_and_stop_nothing(run_in_processes, tmp_path):
    models = ["--models", "global_hot", plugin("FailsOnRealData"), plugin("DiesOnRealData")]
    done = run_in_processes(*models, check=1)
    table = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    assert "| FailsOnRealData (failed)" in table and "Failed: ValueError: too much for | me." in table
    assert "Failed: its process was killed by SIGKILL" in table
    (folder,) = (tmp_path / "results" / "mine" / "runs").glob("FailsOnRealData-*")
    assert f"run it again, or delete runs/{folder.name}" in table
    assert folder.name in done.stdout, "the terminal warns as the board does"
    assert "Traceback" in done.stdout, "a bug keeps its traceback"
    found = rows(tmp_path)
    assert found[("global_hot", "0")]["status"] == "done"
    assert found[("FailsOnRealData", "0")]["status"] == "failed"
    assert found[("FailsOnRealData", "0")]["reason"] == "ValueError: too much\nfor | me"


def test_seeds_give_mean_and_spread(run, tmp_path):
    run(plugin("Seeded"), plugin("Popular"), "--seeds", 3)
    found = rows(tmp_path)
    assert [seed for model, seed in found if model == "Seeded"] == ["0", "1", "2"]
    assert [seed for model, seed in found if model == "Popular"] == ["0"], "no chance, one run"
    values = [float(found[("Seeded", seed)]["map@20"]) for seed in "012"]
    assert len(set(values)) > 1, "each run has its seed"
    table = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    assert f"{np.mean(values):.4f}" in table and f"± {np.std(values, ddof=1):.4f}" in table
    assert "the class `Seeded` of `tests/evaluation/sample_models.py`" in table


def test_swing_has_several_seeds_only_where_it_draws_users(run, tmp_path):
    run("--models", "swing", "--seeds", 2)
    assert list(rows(tmp_path)) == [("swing", "0")]
    run("--models", "swing", "--seeds", 2, "--set", "swing.max_users_per_item=2")
    assert list(rows(tmp_path)) == [("swing", "0"), ("swing", "1")]


@pytest.mark.slow
def test_boards_of_other_protocols_and_splits_share_no_table(run, tmp_path):
    for words in (["--split-seed", "0"], ["--split-seed", "1"], []):
        run("--models", "global_hot", "--protocol", "leave-last-one", *words)
    done = run("--models", "global_hot")
    folder = tmp_path / "results" / "mine"
    assert done.stdout.rstrip().endswith(str(folder / "time.md"))
    assert "(time.md)" in (folder / "leaderboard.md").read_text()
    assert (folder / "time.md").read_text().startswith("# mine.csv: time")
    assert "## Spread over split seeds" in (folder / "leave-last-one.md").read_text()
    with (folder / "leaderboard.csv").open() as table:
        assert len({row["fingerprint"] for row in csv.DictReader(table)}) == 3


def test_boards_of_other_rows_of_a_file_are_no_split_seeds_of_each_other(run, log, tmp_path):
    mine = tmp_path / "mine.csv"
    for lines in (log.read_text().splitlines(), log.read_text().splitlines()[:-1]):
        mine.write_text("\n".join(lines) + "\n")
        run("--models", "global_hot", "--protocol", "leave-last-one", dataset=mine)
    pages = [path.read_text() for path in (tmp_path / "results" / "mine").glob("*.md")]
    assert sum(page.startswith("# mine.csv: leave-last-one") for page in pages) == 2 < len(pages)
    assert not any("## Spread over split seeds" in page for page in pages)


def test_cold_items_have_a_slice_and_a_dash_where_they_are_out_of_reach(run, tmp_path):
    run("--protocol", "cold-items", "--models", "global_hot,item_cf", plugin("KnowsFeatures"))
    table = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    assert table.startswith("# mine.csv: cold-items, seen items kept, top 20")
    ndcg, recall = (slices(table, name) for name in ("NDCG", "Recall"))
    names = [name for name in ndcg["queries"] if name.startswith(("warm", "history", "head", "tail", "cold"))]
    assert {"warm", "head items", "cold items"} <= set(names)
    assert int(ndcg["queries"]["cold items"]) > 0
    cold = {model: line["cold items"] for model, line in recall.items()}
    assert (cold["global_hot"], cold["item_cf"]) == ("–", "–") and 0 <= float(cold["KnowsFeatures"]) <= 1
    assert cold["a random ranking"] == f"{20 / 36:.2g}"
    assert table.count("– for cold items: the model knows items by their id alone") == 1
    assert "4 items held out of training with their" in table


def test_a_list_for_nobody_is_a_dash(run, tmp_path):
    path = tmp_path / "late.csv"
    early = [f"u{user},i{(user + step) % 5},{step}" for user in range(8) for step in range(4)]
    path.write_text(
        "\n".join(["user,item,timestamp", *early, "u0,i4,9", "new,i1,9", "new,i2,9", "newer,i1,9"])
    )
    run("--models", "global_hot,item_cf", plugin("ByUser"), dataset=path)
    table = (tmp_path / "results" / "late" / "leaderboard.md").read_text()
    cold = {model: line["cold users"] for model, line in slices(table, "NDCG").items()}
    assert cold["ByUser"] == "–" and cold["item_cf"] == cold["global_hot"] != "–"
    assert "– for cold users, or another slice: the model returned nothing" in table


def test_the_reference_of_cold_items_says_what_it_lacks(run, tmp_path):
    model = ROOT / "studies" / "category_hot.py"
    run("--protocol", "cold-items", "--models", "global_hot", f"--model={model}:CategoryHot", check=1)
    found = rows(tmp_path)
    assert found[("global_hot", "0")]["status"] == "done"
    assert "category_hot needs item features" in found[("category_hot", "0")]["reason"]


def test_k(run, tmp_path):
    run("--models", "global_hot", "--k", 5)
    assert "ndcg@5" in rows(tmp_path)[("global_hot", "0")]


def test_several_k(run, tmp_path):
    run("--models", "global_hot", "--k", "5,3,10")
    (row,) = rows(tmp_path).values()
    assert 0 < float(row["recall@3"]) < float(row["recall@5"]) < float(row["recall@10"])
    page = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    assert "top 5" in page and f"{float(row['ndcg@10']):.4f}" in page.split("## Other lengths of lists")[1]
    assert "done before" in run("--models", "global_hot", "--k", "5,10").stdout
    assert "done before" in run("--models", "global_hot", "--k", "5,7").stdout, "its lists are long enough"
    (row,) = rows(tmp_path).values()
    assert float(row["recall@5"]) <= float(row["recall@7"]) <= float(row["recall@10"])
    assert "done before" not in run("--models", "global_hot", "--k", "5,11").stdout
    (longer,) = rows(tmp_path).values()
    assert "recall@11" in longer and longer["recall@10"] == row["recall@10"], "what was measured stays"


def test_the_list_needs_no_data(run):
    shown = run("--list").stdout
    for word in ("gowalla", "aliec-sim", "embedded", "infonce"):
        assert word in shown
    assert "embedding_dim" in run("--list", "infonce").stdout
    assert "Scores by training counts" in run("--list", "Popular", plugin("Popular")).stdout
