"""Lists go out with raw ids and come in again as a row of their own, to the same metrics."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import pytrec_eval

from retrieval_leaderboard.baselines.item_cf import ItemCF
from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.evaluation import harness
from retrieval_leaderboard.evaluation.__main__ import main
from retrieval_leaderboard.evaluation.exchange import coding, reading
from retrieval_leaderboard.evaluation.reports import leaderboard
from retrieval_leaderboard.evaluation.runs import records, runner
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from tests.evaluation.stored import record

K = 10
PROTOCOLS = ["time", "next-item", "leave-last-one"]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "mine.csv"
    rng = np.random.default_rng(0)
    pairs = dict.fromkeys((f"u{user}", f"i{item}") for user, item in rng.integers(40, size=(600, 2)))
    lines = [f"{user},{item},{at}" for at, (user, item) in enumerate(pairs)]
    path.write_text("\n".join(["user_id,item_id,timestamp", *lines]) + "\n")
    return path


@pytest.fixture(scope="module", params=PROTOCOLS)
def run(request, log, tmp_path_factory):
    """A finished run of ItemCF, with its lists."""
    progress.warn_once.cache_clear()
    dataset = load(str(log), protocol=request.param)
    model = ItemCF()
    harness.fit(model, dataset, 0)
    found = harness.evaluate(model, dataset, K)
    said = record("item_cf", dataset, metrics=found.metrics, slices=tuple(found.slices), k=K)
    folder = tmp_path_factory.mktemp("results") / dataset.name / "runs" / said.stem
    folder.mkdir(parents=True)
    runner.save_lists(found, folder)
    records.write(folder, said)
    return folder


def written(run, suffix):
    out = run.parents[2] / f"lists{suffix}"
    assert main(["lists", "--run", str(run), "--out", str(out)]) == 0
    return out


def scored(lists, run, log, *words, name="theirs"):
    """Exit code, and the record of the row."""
    results = run.parents[2]
    about = records.read(run).dataset
    line = ["score", str(lists), "--dataset", str(log), "--name", name, "--k", str(K)]
    code = main([*line, "--protocol", about.protocol, "--results-dir", str(results), *words])
    found = {each.model: each for each in records.of_board(run.parents[1]).values()}
    return code, found.get(name)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".trec"])
def test_lists_that_went_out_come_in_to_the_same_metrics(run, log, suffix):
    code, found = scored(written(run, suffix), run, log)
    before = records.read(run)
    assert code == 0
    assert found.measured.metrics == before.measured.metrics
    assert found.measured.slices == before.measured.slices
    again = next(path for path, each in records.of_board(run.parents[1]).items() if each.model == "theirs")
    for name in ("items", "ndcg"):
        assert np.array_equal(
            np.load(again / records.LISTS)[name], np.load(run / records.LISTS)[name], equal_nan=True
        )


def test_lists_of_several_k_go_out_whole(run):
    before = records.read(run)
    try:
        at = {str(K): before.measured.metrics}
        records.change(run, replace(before, k=5, result=replace(before.measured, at=at)))
        assert pd.read_parquet(written(run, ".parquet"))["rank"].max() == K
    finally:
        records.change(run, before)


def test_a_written_run_has_the_recall_that_trec_eval_finds(run, log):
    dataset = load(str(log), protocol=records.read(run).dataset.protocol)
    lines = [line.split() for line in written(run, ".trec").read_text().splitlines()]
    found = {qid: {} for qid, *_ in lines}
    for qid, _, item, _, score, _ in lines:
        found[qid][item] = float(score)
    several = coding.several_queries(dataset)
    names = range(len(dataset.test)) if several else dataset.user_ids[dataset.test.user]
    relevant = (dataset.test.relevant[query] for query in range(len(dataset.test)))
    truth = {
        str(name): dict.fromkeys(dataset.item_ids[items].tolist(), 1)
        for name, items in zip(names, relevant, strict=True)
    }
    recall = f"recall_{K}"
    theirs = pytrec_eval.RelevanceEvaluator(truth, {recall}).evaluate(found)
    mean = sum(each[recall] for each in theirs.values()) / len(truth)
    assert mean == pytest.approx(records.read(run).measured.metrics["recall"], abs=1e-12)


def test_their_row_is_marked_and_never_official(run, log):
    lists = written(run, ".parquet")
    _, found = scored(lists, run, log)
    assert found.provenance.by == "lists" and not found.provenance.official
    assert "lists from elsewhere" in found.provenance.summary()
    assert lists.name in found.provenance.note
    official, _, explored = (run.parents[1] / leaderboard.LEADERBOARD).read_text().partition("## Explored")
    (line,) = [line for line in explored.partition("\n## ")[0].splitlines() if "| theirs" in line]
    assert "| theirs" not in official and "[lists from elsewhere](#theirs)" in line
    assert line.count("– |") == 2, "nobody measured what they cost"


def test_lists_scored_again_take_the_place_of_the_first_and_another_seed_stands_beside(run, log):
    lists = written(run, ".parquet")
    scored(lists, run, log, name="again")
    scored(lists, run, log, name="again")
    scored(lists, run, log, "--seed", "1", name="again")
    seeds = [each.seed for each in records.of_board(run.parents[1]).values() if each.model == "again"]
    assert sorted(seeds) == [0, 1]


def test_a_run_of_lists_is_scored_anew_and_written_again(run, log):
    lists = written(run, ".parquet")
    _, found = scored(lists, run, log)
    assert main(["score", "--results-dir", str(run.parents[2])]) == 0
    folder = run.parent / found.stem
    assert records.read(folder).measured == found.measured
    assert pd.read_parquet(written(folder, ".parquet")).equals(pd.read_parquet(lists))


@pytest.fixture
def frame(run):
    return pd.read_parquet(written(run, ".parquet"))


def test_scores_order_a_list_as_ranks_do_and_so_does_the_file(run, log, frame, tmp_path):
    frame["prediction"] = -frame["rank"] * 1e-9 + 1
    path = tmp_path / "scores.csv"
    frame.drop(columns="rank").sample(frac=1, random_state=0).to_csv(path, index=False)
    assert scored(path, run, log)[1].measured.metrics == records.read(run).measured.metrics
    frame.drop(columns=["rank", "prediction"]).to_csv(path, index=False)
    assert scored(path, run, log)[1].measured.metrics == records.read(run).measured.metrics


def test_columns_of_other_names(run, log, frame, tmp_path):
    path = tmp_path / "named.csv"
    names = {"user": "who", "item": "what", "rank": "n", "query": "number"}
    frame.rename(columns=names).to_csv(path, index=False)
    words = ["--list-columns", ",".join(f"{role}={name}" for role, name in names.items())]
    assert scored(path, run, log, *words)[1].measured.metrics == records.read(run).measured.metrics


@pytest.mark.parametrize("named", ["rank", "score"])
def test_a_named_order_goes_before_one_of_a_usual_name(run, log, frame, tmp_path, named):
    path = tmp_path / "both.csv"
    backwards = frame.groupby("query")["rank"].transform(lambda ranks: ranks.to_numpy()[::-1])
    order = {
        "rank": {"n": frame["rank"], "score": frame["rank"]},
        "score": {"n": -frame["rank"], "rank": backwards},
    }
    frame.drop(columns="rank").assign(**order[named]).to_csv(path, index=False)
    _, found = scored(path, run, log, "--list-columns", f"{named}=n")
    assert found.measured.metrics == records.read(run).measured.metrics


def test_what_is_missing_in_lists_is_told_as_it_is(run, log, frame, tmp_path):
    queries, lists = frame["query"].nunique(), records.read(run).dataset.test_queries
    frame.loc[(frame["query"] != frame["query"].iloc[0]) | (frame["rank"] > 1), "item"] = "x" + frame["item"]
    path = tmp_path / "unknown.csv"
    frame.to_csv(path, index=False)
    note = scored(path, run, log, name="unknown")[1].provenance.note
    assert f"; {len(frame) - 1:,} of {len(frame):,} listed items are not in the catalog" in note
    assert ("have no list" in note) is (queries < lists)
    frame[frame["query"] == frame["query"].iloc[0]].to_csv(path, index=False)
    assert (
        f"; {lists - 1:,} of {lists:,} test queries" in scored(path, run, log, name="one")[1].provenance.note
    )


def broken(frame, what):
    """A frame with one thing wrong with it in its third row, line 4 of its file."""
    changed = frame.copy().astype({"rank": object, "query": object})
    at = changed.index[2]
    if what == "item":
        changed.loc[at, "item"] = changed["item"][1]
    elif what == "rank":
        changed.loc[at, "rank"] = changed["rank"][1]
    elif what == "user":
        changed.loc[at, "user"] = "nobody"
    elif what == "query":
        changed.loc[at, "query"] = 10_000
    elif what == "number":
        changed.loc[at, "rank"] = "first"
    else:
        changed.loc[at, "item"] = None
    return changed


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("item", "stands twice in this list"),
        ("rank", "rank 2 stands twice in this list"),
        ("user", "'nobody' in column 'user' is no user of mine"),
        ("query", "is no query's number; they go from 0 to"),
        ("number", "'first' in column 'rank' is not a number"),
        ("missing", "'item' is missing"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_file_and_line(run, log, frame, tmp_path, capsys, what, message):
    path = tmp_path / "wrong.csv"
    broken(frame, what).to_csv(path, index=False)
    assert scored(path, run, log, name="wrong") == (2, None)
    error = capsys.readouterr().err
    assert message in error and f"{path}, line 4: " in error and error.count("\n") == 1


def test_a_line_of_more_fields_than_a_trec_run_has(run, log, tmp_path, capsys):
    path = tmp_path / "wide.trec"
    lines = written(run, ".trec").read_text().splitlines()
    path.write_text("\n".join(f"{line} more" for line in lines) + "\n")
    assert scored(path, run, log, name="wide") == (2, None)
    assert f"{path}, line 1: " in capsys.readouterr().err


def test_columns_of_a_trec_run_cannot_be_named(run, log, capsys):
    path = written(run, ".trec")
    assert scored(path, run, log, "--list-columns", "user=qid", name="named") == (2, None)
    assert "fixed places; leave out --list-columns" in capsys.readouterr().err


def test_an_item_twice_is_refused_wherever_it_stands(run, log, frame, tmp_path, capsys):
    path = tmp_path / "twice.csv"
    first = frame[frame["query"] == frame["query"].iloc[0]]
    again = first.iloc[:1].assign(rank=len(first) + K)
    pd.concat([frame, again]).to_csv(path, index=False)
    assert scored(path, run, log, name="twice") == (2, None)
    assert "stands twice in this list" in capsys.readouterr().err


def test_an_item_that_the_user_has_is_refused(run, log, frame, tmp_path, capsys):
    dataset = load(str(log), protocol=records.read(run).dataset.protocol)
    if not dataset.exclude_seen:
        pytest.skip("seen items may be listed")
    seen = dataset.item_ids[dataset.test.exclude.take(frame["query"][:1].to_numpy())[0][0]]
    frame.loc[frame.index[4], "item"] = seen
    path = tmp_path / "seen.csv"
    frame.to_csv(path, index=False)
    assert scored(path, run, log, name="seen") == (2, None)
    assert f"line 6: '{seen}' may not be in this list" in capsys.readouterr().err


def test_an_item_of_no_catalog_is_a_miss_and_lists_of_nothing_else_are_refused(
    run, log, frame, tmp_path, capsys
):
    path = tmp_path / "unknown.csv"
    frame.loc[frame["rank"] > 1, "item"] = "x" + frame["item"]
    frame.to_csv(path, index=False)
    code, found = scored(path, run, log, name="unknown")
    assert code == 0 and found.measured.metrics["recall"] < records.read(run).measured.metrics["recall"]
    frame["item"] = "y" + frame["item"]
    frame.to_csv(path, index=False)
    assert scored(path, run, log, name="none") == (2, None)
    assert "is not in the catalog of mine, and no other is" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".trec"])
def test_an_item_of_no_catalog_keeps_its_position_when_its_list_goes_out(run, log, frame, tmp_path, suffix):
    path = tmp_path / "first.csv"
    frame.loc[frame["rank"] == 1, "item"] = "x" + frame["item"]
    frame.to_csv(path, index=False)
    _, found = scored(path, run, log, name="first")
    _, back = scored(written(run.parent / found.stem, suffix), run, log, name="back")
    assert back.measured.metrics == found.measured.metrics
    frame[frame["rank"] > 1].to_csv(path, index=False)
    _, moved_up = scored(path, run, log, name="moved-up")
    assert moved_up.measured.metrics["ndcg"] > found.measured.metrics["ndcg"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("u1 Q0 i1 1 2.0 x\nu1 Q0 i2 2\n", "line 2: a line of a TREC run has six fields"),
        ("u1 Q0 i1 1 2.0 x\nu1 Q0 i2 2 1.0 x y\n", "line 2: a line of a TREC run has six fields"),
        ("u1 Q0 i1 1 2.0 x\n\nu1 Q0 i2 2 high x\n", "line 3: 'high' in column 'score' is not a number"),
    ],
)
def test_a_run_of_another_form_is_one_sentence(tmp_path, lines, message):
    path = tmp_path / "theirs.run"
    path.write_text(lines)
    with pytest.raises(InputError, match=message):
        reading.read(path, {}, by_number=False)


def test_a_run_is_ordered_by_score_then_by_rank(tmp_path):
    path = tmp_path / "theirs.run"
    path.write_text("u Q0 a 1 0.5 x\nu Q0 b 3 0.9 x\nu Q0 c 2 0.9 x\n")
    entries = reading.read(path, {}, by_number=False)
    assert [entries.item.values.iloc[at] for at in np.argsort(entries.order)] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["score", "LISTS"], "NAME_OR_PATH, and what their row is called: --name NAME"),
        (["score", "LISTS", "--dataset", "LOG"], "say what their row is called: --name"),
        (["score", "LISTS", "--dataset", "LOG", "--runs", "a"], "--runs names stored runs"),
        (["score", "LISTS", "--dataset", "LOG", "--name", "als"], "a model of this suite is called so"),
        (["score", "LISTS", "--dataset", "LOG", "--name", "a/b"], "call the row by letters"),
        (["score", "LISTS", "--dataset", "LOG", "--name", ".a"], "call the row by letters"),
        (
            ["score", "LISTS", "--dataset", "LOG", "--name", "a", "--list-columns", "rank=n,score=s"],
            "lists are in the order of the rank or of the score: name one",
        ),
        (
            ["score", "gone.csv", "--dataset", "LOG", "--name", "a"],
            "gone.csv: there is no such file of lists",
        ),
        (
            ["score", "LISTS", "--dataset", "LOG", "--name", "a", "--seed", "-1"],
            "--seed -1: number the files",
        ),
        (
            ["score", "--name", "a"],
            "--name is about lists from elsewhere: give their file, --dataset and --name",
        ),
        (["lists", "--run", "gone", "--out", "a.csv"], "--run gone is no finished run: give a folder of"),
        (["lists", "--run", "RUN", "--out", "a.txt"], "--out a.txt: its name must end in .parquet"),
    ],
)
def test_bad_input_is_one_sentence(run, log, words, message, capsys):
    places = {"LISTS": str(written(run, ".csv")), "LOG": str(log), "RUN": str(run)}
    given = [places.get(word, word) for word in words]
    folder = ["--results-dir", str(run.parents[2])] if words[0] == "score" else []
    assert main([*given, *folder]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_users_with_several_queries_need_their_numbers(log, run, frame, tmp_path, capsys):
    if records.read(run).dataset.protocol != "next-item":
        pytest.skip("a user has one query")
    path = tmp_path / "users.csv"
    frame.drop(columns="query").to_csv(path, index=False)
    assert scored(path, run, log, name="users") == (2, None)
    assert "a user has several test queries here; add a column 'query'" in capsys.readouterr().err
    frame["query"] = frame["query"].to_numpy()[::-1]
    frame.to_csv(path, index=False)
    assert scored(path, run, log, name="users") == (2, None)
    assert "has not query" in capsys.readouterr().err
