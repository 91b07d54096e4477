"""Whole runs of the command line on small data."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from retrieval_leaderboard import ROOT, cli, pipeline
from retrieval_leaderboard.evaluation.models import registry
from retrieval_leaderboard.support.storage.locks import locked

MODELS = Path("tests") / "evaluation" / "sample_models.py"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A user's own file: 60 users in 3 groups that share items, with times."""
    rng = np.random.default_rng(0)
    lines = ["user_id,item_id,timestamp"]
    for user in range(60):
        for step, item in enumerate(rng.permutation(12)[:8]):
            lines.append(f"u{user},i{item * 3 + user % 3},{1_000_000 + 1000 * step + user}")
    path = tmp_path_factory.mktemp("data") / "mine.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def run(log, tmp_path):
    """Run the command on the file; returns the finished process."""

    def command(*words, dataset=log, check=0, **options):
        line = [
            sys.executable,
            "run_all.py",
            "--dataset",
            str(dataset),
            "--results-dir",
            str(tmp_path / "results"),
        ]
        (tmp_path / "configs").mkdir(exist_ok=True)
        line += ["--data-dir", str(tmp_path / "data"), "--configs-dir", str(tmp_path / "configs")]
        line += map(str, words)
        environment = os.environ | {"RETRIEVAL_CACHE": str(tmp_path / "cache")}
        done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, **options)
        assert done.returncode == check, done.stdout + done.stderr
        return done

    return command


def refused(done):
    """The one sentence of a refusal."""
    assert "Traceback" not in done.stdout + done.stderr
    (sentence,) = done.stderr.strip().splitlines()
    assert sentence.startswith("error: ")
    return sentence


def rows(tmp_path, name="mine"):
    with (tmp_path / "results" / name / "leaderboard.csv").open() as table:
        return {(row["model"], row["seed"]): row for row in csv.DictReader(table)}


def slices(page, metric):
    """Model → slice → its cell, of the table of a metric."""
    lines = page[page.index(f"| {metric}@", page.index("## Slices")) :].partition("\n\n")[0].splitlines()
    header, _, *body = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {line[0]: dict(zip(header, line, strict=True)) for line in body}


def plugin(name):
    return f"--model={MODELS}:{name}"


def test_a_board_from_a_file(run, tmp_path):
    done = run("--models", "global_hot,item_cf")
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


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ([], registry.defaults()),
        (["--models", "all"], registry.names()),
        (["--models", "ease,all"], ["ease", *(name for name in registry.names() if name != "ease")]),
        (["--models", "ease,item_cf,ease"], ["ease", "item_cf"]),
    ],
)
def test_which_models_run(words, names):
    sources = pipeline._sources(cli.parser().parse_args(words))
    assert [source.name for source in sources] == names


def test_the_default_models():
    assert set(registry.names()) > set(registry.defaults()) == {
        "global_hot", "item_cf", "swing", "als", "dssm_bce", "simplex_ccl", "infonce", "bsl",
    }  # fmt: skip


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


def test_failures_are_visible_and_stop_nothing(run, tmp_path):
    done = run("--models", "global_hot", plugin("FailsOnRealData"), plugin("DiesOnRealData"), check=1)
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


def test_swing_has_several_seeds_only_where_it_draws_users(run, tmp_path):
    run("--models", "swing", "--seeds", 2)
    assert list(rows(tmp_path)) == [("swing", "0")]
    run("--models", "swing", "--seeds", 2, "--set", "swing.max_users_per_item=2")
    assert list(rows(tmp_path)) == [("swing", "0"), ("swing", "1")]


def test_settings_make_rows_of_their_own(run, tmp_path):
    run(plugin("Popular"))
    run(plugin("Popular"), "--set", "Popular.power=-1")
    table = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    assert "| Popular " in table and "| Popular (CLI override)" in table and "`power=-1.0`" in table
    run("--models", "global_hot")
    run("--models", "global_hot", "--precision", "bf16")
    table = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    assert "global_hot (precision=fp32)" in table and "global_hot (precision=bf16)" in table


@pytest.mark.slow
def test_tuning_writes_the_config_and_the_board_says_so(run, tmp_path):
    done = run("--models", "item_cf,global_hot", "--tune", "3", "--set", "item_cf.last_n=2")
    config = tmp_path / "configs" / "mine.yaml"
    assert f"written to {config}" in done.stdout and "item_cf: trial 3: NDCG@20 0." in done.stdout
    entry = yaml.safe_load(config.read_text())["time"]["item_cf"]
    assert entry["settings"]["last_n"] == 2 and entry["provenance"]["trials"] == 3
    row = rows(tmp_path)["item_cf", "0"]
    assert row["provenance"].startswith("tuned, 3 trials, validation NDCG@20 0.")
    assert f"top_k={entry['settings']['top_k']}," in row["settings"]
    board = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    assert "3 trials" in board and "## Explored further" in board
    before = config.read_text()
    run("--models", "item_cf", "--tune", "3", "--set", "item_cf.last_n=2")
    assert config.read_text() == before
    run("--models", "item_cf", "--set", "item_cf.top_k=7")
    board = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    assert "[CLI override](#item_cf" in board


def test_a_choice_that_confirms_the_defaults_is_told_of_the_run_there_is(run, tmp_path):
    run("--models", "global_hot")
    before = rows(tmp_path)["global_hot", "0"]
    done = run("--models", "global_hot", "--tune", "1")
    assert "done before" in done.stdout
    after = rows(tmp_path)["global_hot", "0"]
    assert before["provenance"] == "defaults" and after["provenance"].startswith("tuned, 1 trial,")
    assert before["date"] == after["date"]


@pytest.mark.slow
def test_a_tuned_plugin_is_no_hindrance_to_commands_without_it(run, tmp_path):
    run(plugin("Tunable"), "--tune", "2")
    run("--models", "global_hot")
    assert rows(tmp_path)["Tunable", "0"]["provenance"].startswith("tuned, 2 trials")


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
    assert cold["a ranking by chance"] == f"{20 / 36:.2g}"
    assert table.count("– for cold items: the model knows items by their id alone") == 1
    assert "4 items held out of training with their" in table


def test_a_list_for_nobody_is_a_dash(run, tmp_path):
    path = tmp_path / "late.csv"
    early = [f"u{user},i{(user + step) % 5},{step}" for user in range(8) for step in range(4)]
    path.write_text(
        "\n".join(["user,item,timestamp", *early, "u0,i4,9", "new,i1,9", "new,i2,9", "newer,i1,9"])
    )
    run("--models", "global_hot,item_cf,user_knn", dataset=path)
    table = (tmp_path / "results" / "late" / "leaderboard.md").read_text()
    cold = {model: line["cold users"] for model, line in slices(table, "NDCG").items()}
    assert cold["user_knn"] == "–" and cold["item_cf"] == cold["global_hot"] != "–"
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
    assert "recall@11" in next(iter(rows(tmp_path).values()))


def test_the_list_needs_no_data(run):
    shown = run("--list").stdout
    for word in ("gowalla", "aliec-sim", "embedded", "infonce"):
        assert word in shown
    assert "embedding_dim" in run("--list", "infonce").stdout
    assert "Scores by training counts" in run("--list", "Popular", plugin("Popular")).stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--models", "item_fc"], "unknown model 'item_fc': did you mean 'item_cf'?"),
        (["--models", "all,item_fc"], "unknown model 'item_fc': did you mean 'item_cf'?"),
        (["--models", ""], "--models: name models of --list, all of them by 'all', or leave it out"),
        (["--list", "item_fc"], "unknown name after --list 'item_fc': did you mean 'item_cf'?"),
        (["--protocol", "tine"], "did you mean 'time'?"),
        (["--carve", "as-tets"], "unknown carve 'as-tets': did you mean 'as-test'?"),
        (["--carve", "draw"], "carve draw: that is for protocol published and given; leave it out for"),
        (["--set", "item_cf.top_q=3"], "did you mean 'top_k'?"),
        (["--models", "global_hot", "--set", "item_cf.top_q=3"], "did you mean 'top_k'?"),
        (["--configs-dir", "no-such-folder"], "--configs-dir no-such-folder: there is no such folder"),
        (["--configs-dir", "README.md"], "--configs-dir README.md: there is no such folder"),
        (["--scale", "0.5"], "a scale is for aliec-sim"),
        (["--set", "item_fc.top_k=3"], "did you mean 'item_cf'?"),
        (["--set", "item_cf.top_k=-1"], "item_cf.top_k"),
        (["--model", "nowhere.py:Mine"], "there is no file nowhere.py"),
        (["--model", f"{MODELS}:Popula"], "did you mean 'Popular'?"),
        (["--model", f"{MODELS}:NoRetriever"], "must derive from evaluation.Retriever"),
        (["--model", f"{MODELS}:NoDataclass"], "must be a @dataclass"),
        (["--model", f"{MODELS}:ReturnsNan"], "breaks the contract of Retriever: ContractError: recommend"),
        (["--model", "README.md:Mine"], "README.md"),
        (["--tune", "2", "--split-seed", "1"], "--tune: leave --split-seed out"),
        (["--split-seed", "-1"], "split seed -1: give 0 or more"),
        (["--set", "item_cf.shrinkage=nan"], "item_cf.shrinkage=nan: it must be a number"),
        (["--set", "dssm_bce.negative_weight=0"], "dssm_bce.negative_weight is 0.0: give more than 0"),
        (["--columns", "uses=u"], "--columns 'uses=u': give it as user=NAME,item=NAME"),
        (["--device", "cuda"], "PyTorch sees no CUDA card"),
    ],
)
def test_bad_words_are_refused(run, words, sentence):
    assert sentence in refused(run(*words, check=2))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--set", "item_cf.top_q=3"], "did you mean 'top_k'?"),
        (["--set", "item_cf.top_k=many"], "item_cf.top_k=many: it must be a whole number"),
        (["--set", "item_fc.top_k=3"], "did you mean 'item_cf'?"),
        (["--models", "item_fc"], "did you mean 'item_cf'?"),
        (["--configs-dir", "no-such-folder"], "there is no such folder"),
        (["--protocol", "tine"], "did you mean 'time'?"),
        (["--carve", "as-tets"], "did you mean 'as-test'?"),
        (["--scale", "0.5"], "a scale is for aliec-sim"),
        (["--split-seed", "-1"], "split seed -1"),
        (["--budget", "2s", "--split-seed", "1"], "--budget: leave --split-seed out"),
        (["--budget", "2s", "--defaults"], "--budget finds settings and --defaults ignores them"),
    ],
)
def test_bad_words_are_refused_before_the_dataset_is_read(run, words, sentence):
    assert sentence in refused(run(*words, dataset="absent.csv", check=2))


def test_minutes_are_finite(run):
    refused = run("--checkpoint-minutes", "nan", check=2).stderr
    assert "argument --checkpoint-minutes: nan is not a number of minutes" in refused


def test_a_budget_begins_with_the_defaults_and_ends_with_five_seeds(run, tmp_path):
    run("--models", "item_cf", "--budget", "0.5s", "--set", "item_cf.last_n=2")
    run(plugin("Seeded"), "--budget", "1s")
    found = rows(tmp_path)
    budget = found["item_cf", "0"]["provenance"]
    assert budget.startswith("budget, 1 trial,") and "(limit 0.00833333)" in budget
    assert len([key for key in found if key[0] == "Seeded"]) == 5
    refused = run("--budget", "5", check=2).stderr
    assert "argument --budget: '5' is no duration: give it as 45m, 2h, 1h30m or 90s" in refused


def test_defaults_whatever_configs_say(run, tmp_path):
    run("--models", "item_cf", "--tune", "3")
    run("--models", "item_cf", "--defaults")
    records = (tmp_path / "results" / "mine" / "runs").glob("*/run.json")
    assert sorted(json.loads(path.read_text())["provenance"].get("by", "") for path in records) == [
        "defaults",
        "tuning",
    ]


def test_unknown_dataset_names_the_nearest(run):
    assert "did you mean 'gowalla'?" in refused(run(dataset="gowala", check=2))


@pytest.mark.parametrize(
    ("file", "column"), [("ad_feature", "cate_id"), ("ad_feature", "price"), ("user_profile", "age_level")]
)
def test_aliec_without_a_feature_column_is_refused(run, tmp_path, file, column):
    columns = {
        "raw_sample": "user,time_stamp,adgroup_id,pid,nonclk,clk",
        "ad_feature": "adgroup_id,cate_id,campaign_id,customer,brand,price",
        "user_profile": "userid,cms_segid,cms_group_id,final_gender_code,age_level,pvalue_level,"
        "shopping_level,occupation,new_user_class_level ",
    }
    (tmp_path / "data" / "aliec").mkdir(parents=True)
    for name, header in columns.items():
        header = header.replace(column, "other") if name == file else header
        row = ",".join("1" for _ in header.split(","))
        (tmp_path / "data" / "aliec" / f"{name}.csv").write_text(f"{header}\n{row}\n")
    sentence = refused(run("--models", "global_hot", "--quiet", dataset="aliec", check=2))
    assert f"{file}.csv has no column '{column}': its header is " in sentence
    assert not (tmp_path / "results").exists()


def test_a_plugin_that_does_not_import(run, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("import nothing_of_that_name\n")
    assert "does not import: ModuleNotFoundError" in refused(run("--model", f"{broken}:Mine", check=2))


def test_a_results_folder_that_cannot_be_written(run, tmp_path):
    (tmp_path / "results").write_text("a file stands here")
    assert "cannot write" in refused(run("--models", "global_hot", check=2))


def test_a_full_disk_stops_with_one_sentence(run, tmp_path):
    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    assert "cannot write" in refused(
        run("--models", "global_hot", "--quiet", check=2, preexec_fn=little_room)
    )
    assert not list((tmp_path / "results" / "mine").rglob("*.json"))
    run("--models", "global_hot")


def test_ctrl_c_keeps_finished_runs_and_nothing_half_written(log, tmp_path):
    results = tmp_path / "results"
    line = [sys.executable, "run_all.py", "--dataset", str(log), "--results-dir", str(results)]
    line += ["--models", "global_hot", plugin("SleepsOnRealData")]
    command = subprocess.Popen(
        line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    for printed in command.stdout:
        if "sleeping" in printed:
            break
    os.killpg(command.pid, signal.SIGINT)
    _, errors = command.communicate(timeout=20)
    assert command.returncode == 130
    assert "finished runs and trials are kept" in errors and "Traceback" not in errors
    folder = results / "mine"
    assert [json.loads(path.read_text())["model"] for path in folder.glob("runs/*/run.json")] == [
        "global_hot"
    ]
    assert not list(folder.rglob(".tmp-*"))
    assert "global_hot" in (folder / "leaderboard.md").read_text()


@pytest.mark.slow
def test_resume_goes_on_with_the_training_that_was_stopped(log, tmp_path):
    words = ["--models", "infonce", "--set", "infonce.epochs=12", "--set", "infonce.batch_size=8"]

    def line(results, *more):
        start = [sys.executable, "-u", "run_all.py", "--dataset", str(log)]
        return [*start, "--results-dir", str(tmp_path / results), *words, *more]

    often = line("cut", "--checkpoint-minutes", "0")
    command = subprocess.Popen(often, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    while not list((tmp_path / "cut").rglob("checkpoints/*/*.safetensors")):
        assert command.poll() is None
        time.sleep(0.05)
    os.killpg(command.pid, signal.SIGINT)
    command.communicate(timeout=60)
    assert command.returncode == 130
    assert list((tmp_path / "cut" / "mine" / "checkpoints").rglob("*.safetensors"))
    assert not list((tmp_path / "cut" / "mine").glob("runs/*/run.json"))
    done = [
        subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
        for words in (line("cut", "--resume"), line("whole"))
    ]
    assert "going on in epoch" in done[0].stdout and "going on in epoch" not in done[1].stdout
    (cut,), (whole,) = (
        sorted((tmp_path / name / "mine").glob("runs/*/run.json")) for name in ("cut", "whole")
    )
    assert (
        json.loads(cut.read_text())["result"]["metrics"] == json.loads(whole.read_text())["result"]["metrics"]
    )
    weights = [(path.parent / "weights.safetensors").read_bytes() for path in (cut, whole)]
    assert weights[0] == weights[1]
    assert not (tmp_path / "cut" / "mine" / "checkpoints").exists()


def test_commands_wait_for_the_one_before_them(log, tmp_path):
    results = tmp_path / "results"
    line = [sys.executable, "run_all.py", "--dataset", str(log), "--results-dir", str(results)]
    with locked(results / "mine", ""):
        pair = [
            subprocess.Popen([*line, "--models", name], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            for name in ("global_hot", "item_cf")
        ]
        assert all(any("waiting for it" in told for told in command.stdout) for command in pair)
        assert not list(results.glob("mine/runs/*"))
    for command in pair:
        command.communicate(timeout=60)
    assert [command.returncode for command in pair] == [0, 0]
    assert {model for model, _ in rows(tmp_path)} == {"global_hot", "item_cf"}


def test_start_is_quick():
    started = time.perf_counter()
    subprocess.run([sys.executable, "run_all.py", "--list"], cwd=ROOT, capture_output=True, check=True)
    heavy = {"torch", "numba", "pandas", "implicit"}
    code = f"import retrieval_leaderboard.cli, sys; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize("words", [["--models", "als", "--set", "als.solver=spark"]])
def test_without_java_what_needs_spark_is_refused(run, monkeypatch, tmp_path, words):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    done = run(*words, check=2)
    assert done.stderr.startswith("error: Spark needs ") and done.stderr.count("\n") == 1
