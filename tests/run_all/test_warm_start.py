"""`--warm-start`: yesterday's run goes on, on a log that has grown."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from retrieval_leaderboard import cli, warm_starts
from retrieval_leaderboard.evaluation.models.quick_fit import QuickFit
from retrieval_leaderboard.evaluation.models.warm_start import WarmStart
from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs import records
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError

TODAY = 7
"""Of the 8 steps of each user, those that are in yesterday's log"""


@pytest.fixture
def command(log, tmp_path, capsys):
    """Run the command line here on a log; its exit code, and the last line of its errors."""

    def called(dataset, *words):
        places = ("--results-dir", tmp_path / "results", "--data-dir", tmp_path, "--device", "cpu")
        code = cli.main([*map(str, ("--dataset", dataset, *places, *words)), "--quiet"])
        return code, (capsys.readouterr().err.strip().splitlines() or [""])[-1]

    return called


@pytest.fixture
def yesterday(log, tmp_path):
    """The log without the last step of each user; and without two users and an item, which are new today."""
    header, *lines = log.read_text().splitlines()
    path = tmp_path / "yesterday.csv"
    kept = [line for number, line in enumerate(lines) if number % 8 < TODAY and number >= 16]
    path.write_text("\n".join([header, *(line for line in kept if ",i35," not in line)]) + "\n")
    return path


def run_of(tmp_path, dataset, model):
    (found,) = (tmp_path / "results" / dataset / "runs").glob(f"{model}-*")
    return found


@pytest.mark.slow
def test_a_run_goes_on_and_has_a_row_of_its_own(command, log, yesterday, tmp_path):
    assert command(yesterday, "--models", "item_cf,global_hot") == (0, "")
    run = run_of(tmp_path, "yesterday", "item_cf")
    assert command(log, "--warm-start", run.parent / "item_cf-*") == (0, ""), "no shell need expand it"
    warm = run_of(tmp_path, "mine", "item_cf")
    assert command(log, "--models", "item_cf") == (0, "")
    page = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    first, further = page.split("## Explored further")
    assert "| item_cf |" in first and "warm_start" not in first.partition("## Models")[2]
    assert f"warm_start={run.name.replace('-seed0', '')}" in further
    assert f"from {run.name}" in further and "--warm-start RUN" in further
    (full,) = {*warm.parent.glob("item_cf-*")} - {warm}
    scores = [records.read(path).measured.metrics["ndcg"] for path in (warm, full)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-9) and scores[0] > 0


def test_what_cannot_go_on_is_refused_in_a_sentence(command, log, yesterday, tmp_path, monkeypatch):
    monkeypatch.setattr(QuickFit, "warm_start", WarmStart.warm_start)
    command(yesterday, "--models", "item_cf,global_hot")
    item_cf, global_hot = (run_of(tmp_path, "yesterday", name) for name in ("item_cf", "global_hot"))
    bare = shutil.copytree(item_cf, tmp_path / "bare")
    (bare / "weights.safetensors").unlink()
    refusals = {
        "global_hot cannot go on from a run, ": (log, "--warm-start", global_hot),
        "give data with what came since": (yesterday, "--warm-start", item_cf),
        "was fitted with shrinkage=1.0": (log, "--warm-start", item_cf, "--set", "item_cf.shrinkage=3"),
        "--models and --warm-start": (log, "--warm-start", item_cf, "--models", "item_cf"),
        "has no saved model": (log, "--warm-start", bare),
        "is no finished run: give a folder of": (log, "--warm-start", tmp_path / "gone"),
        "runs is no finished run: it holds 2: give one, such as": (log, "--warm-start", item_cf.parent),
        "als-* matches nothing": (log, "--warm-start", item_cf.parent / "als-*"),
    }
    for words, given in refusals.items():
        code, sentence = command(*given)
        assert code == 2 and words in sentence, sentence
    assert "item_cf" in command(log, "--warm-start", global_hot)[1], "it names those that do"
    with yesterday.open("a") as more:
        more.write("u59,i0,1009000\n")
    assert "keep each state of a log" in command(log, "--warm-start", item_cf)[1]
    yesterday.rename(tmp_path / "moved.csv")
    sentence = command(log, "--warm-start", item_cf)[1]
    assert "yesterday.csv: there is no such file" in sentence and "put it back there" in sentence
    assert "--dataset" not in sentence
    assert not (tmp_path / "results" / "mine" / "runs").exists()


def test_an_empty_name_is_no_run(command, log):
    with pytest.raises(SystemExit) as ended:
        command(log, "--warm-start", "")
    assert ended.value.code == 2


@pytest.mark.slow
def test_settings_of_models_that_do_not_go_on_are_said_to_be_unused(
    command, log, yesterday, tmp_path, capsys
):
    command(yesterday, "--models", "global_hot")
    run = run_of(tmp_path, "yesterday", "global_hot")
    progress.warn_once.cache_clear()
    code, sentence = command(log, "--warm-start", run, "--set", "als.iterations=2")
    assert code == 0 and "--set als: not used" in sentence


@pytest.mark.slow
def test_lacking_features_are_told_before_a_fit(command, log, yesterday, tmp_path):
    items = tmp_path / "items.csv"
    items.write_text("item_id,color\n" + "".join(f"i{at},c{at % 4}\n" for at in range(36)))
    small = (
        each
        for key in ("epochs=1", "embedding_dim=4", "features=true")
        for each in ("--set", f"infonce.{key}")
    )
    assert command(yesterday, "--models", "infonce", "--items", items, *small)[0] == 0
    run = run_of(tmp_path, "yesterday", "infonce")
    code, sentence = command(log, "--warm-start", run)
    assert code == 2 and "item columns color (categorical), which the new data lacks" in sentence
    assert "--items or --item-vectors" in sentence
    assert not (tmp_path / "results" / "mine" / "runs").exists()


def test_what_is_carried_over_is_said_in_a_line():
    then = planted()
    users = then.user_ids
    now = replace(then, user_ids=np.array([f"new {users[0]}", *users[1:]], object))
    rows = int((then.train_valid.user == 0).sum())
    assert warm_starts.changes(then, now) == (
        f"since {then.title or then.name}: users: {len(users) - 1:,} carried over, 1 new, 1 gone; "
        f"items: {len(then.item_ids):,} carried over, 0 new, 0 gone; "
        f"interactions: {rows:,} new, {rows:,} gone"
    )


def test_data_without_a_common_item_is_refused():
    then = planted()
    now = replace(then, item_ids=np.array([f"x{each}" for each in then.item_ids], object))
    with pytest.raises(InputError, match=r"no item of .* is among those of"):
        warm_starts.changes(then, now)


def test_what_the_test_part_holds_out_may_not_have_been_learned():
    now = planted()
    asked, relevant = now.test.user, now.test.relevant
    assert asked[0] >= 0 and relevant.lengths[0] >= 1
    train = now.train_valid
    place = train.by_user.stop[asked[0]] - 1
    item = train.item.copy()
    item[place] = relevant[0][0]  # In place of this user's last item.
    assert relevant[0][0] not in train.by_user[asked[0]]
    then = replace(now, name="then", train_valid=replace(train, item=item))
    with pytest.raises(InputError, match="then as the run learned from it has 1 of the interactions that"):
        warm_starts.changes(then, replace(now, protocol="random"))
    both = replace(now, train_valid=then.train_valid)
    assert "1 new" not in warm_starts.changes(then, both), (
        "the same item in today's training part is no secret"
    )
    assert train.timestamp[place] < now.test.timestamp[0]
    assert "1 new" in warm_starts.changes(then, now), (
        "taken before the moment of the query, and once more after it"
    )


def test_a_log_of_todays_rows_alone_is_refused():
    now = planted()
    rolled = replace(now.train_valid, item=(now.train_valid.item + 1) % now.train_valid.n_items)
    users = np.array([f"new {user}" for user in now.user_ids], dtype=object)
    then = replace(now, name="then", train_valid=rolled, user_ids=users)
    with pytest.raises(InputError, match="has none of the interactions that the run learned from"):
        warm_starts.changes(then, now)
