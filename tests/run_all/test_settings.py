"""Which models and settings the command runs: configs, searches, defaults."""

import json
import re

import pytest
import yaml

from retrieval_leaderboard import chosen, cli
from retrieval_leaderboard.evaluation.models import registry
from tests.run_all.commands import plugin, refused, rows


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
    sources = chosen.sources(cli.parser().parse_args(words))
    assert [source.name for source in sources] == names


def test_the_default_models():
    assert set(registry.names()) > set(registry.defaults()) == {
        "global_hot", "item_cf", "swing", "als", "dssm_bce", "simplex_ccl", "infonce", "bsl",
    }  # fmt: skip


@pytest.mark.slow
def test_settings_make_rows_of_their_own(run, tmp_path):
    run(plugin("Popular"))
    run(plugin("Popular"), "--set", "Popular.power=-1")
    table = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    assert "| Popular " in table and "| Popular (CLI override)" in table and "`power=-1.0`" in table
    run("--models", "global_hot")
    run("--models", "global_hot", "--precision", "bf16")
    table = (tmp_path / "results" / "mine" / "leaderboard.md").read_text()
    assert "global_hot (precision=fp32)" in table and "global_hot (precision=bf16)" in table


def test_features_that_models_take_or_leave_out_by_default_are_told(run, tmp_path):
    items = tmp_path / "items.csv"
    items.write_text("item_id,kind\n" + "".join(f"i{item},k{item % 3}\n" for item in range(36)))
    small = ("--models", "infonce,item_cf", "--set", "infonce.epochs=1")
    told = (
        "with features, as items have few interactions: infonce; --set infonce.features=false leaves them out"
    )
    assert told in run(*small, "--items", items).stdout
    assert "features, " not in run(*small).stdout
    assert "features, " not in run(*small, "--items", items, "--set", "infonce.features=true").stdout
    told = "without features, though the data has some: infonce; --set infonce.features=true takes them"
    assert told in run(*small, "--items", items, "--set", "infonce.features=false").stdout


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


def test_a_search_that_confirms_the_defaults_takes_nothing_from_the_run_there_is(run, tmp_path):
    run("--models", "global_hot")
    before = rows(tmp_path)["global_hot", "0"]
    done = run("--models", "global_hot", "--tune", "1")
    assert "done before" in done.stdout
    after = rows(tmp_path)["global_hot", "0"]
    assert before["provenance"] == after["provenance"] == "defaults" and before["date"] == after["date"]


@pytest.mark.slow
def test_a_model_without_a_search_space_is_said_not_to_be_searched(run):
    done = run(plugin("Popular"), "--tune", "1")
    assert "Popular: not searched, for it has no settings to search here" in done.stdout


@pytest.mark.slow
def test_a_tuned_plugin_is_no_hindrance_to_commands_without_it(run, tmp_path):
    run(plugin("Tunable"), "--tune", "2")
    run("--models", "global_hot")
    assert rows(tmp_path)["Tunable", "0"]["provenance"].startswith("tuned, 2 trials")


def test_an_entry_by_hand_of_a_plugin_is_no_hindrance_and_a_misspelled_one_is(run, tmp_path):
    config = tmp_path / "configs" / "mine.yaml"
    config.parent.mkdir(exist_ok=True)
    config.write_text("time: {Popular: {settings: {power: 2.0}}}\n")
    done = run("--models", "global_hot")
    assert f"{config}: Popular is no model of this command, perhaps a plug-in's" in done.stdout + done.stderr
    run(plugin("Popular"))
    assert "power=2.0" in rows(tmp_path)["Popular", "0"]["settings"]
    config.write_text("time: {item_fc: {settings: {top_k: 2}}}\n")
    assert f"unknown model in {config} 'item_fc': did you mean 'item_cf'?" in refused(run(check=2))


@pytest.mark.slow
def test_a_budget_begins_with_the_defaults_and_ends_with_five_seeds(run, tmp_path):
    run("--models", "swing", "--budget", "0.01s", "--set", "swing.last_n=2")
    assert rows(tmp_path)["swing", "0"]["provenance"].startswith("tuned"), "not as for all models"
    run("--models", "item_cf", "--budget", "0.01s")
    run(plugin("Seeded"), "--budget", "1s")
    found = rows(tmp_path)
    budget = found["item_cf", "0"]["provenance"]
    assert re.match(r"budget 0\.01 s, \d+ trials?,", budget) and " min used, threads" in budget
    assert len([key for key in found if key[0] == "Seeded"]) == 5
    refused = run("--budget", "5", check=2).stderr
    assert "argument --budget: '5' is no duration: give it as 45m, 2h, 1h30m or 90s" in refused


@pytest.mark.slow
def test_defaults_whatever_configs_say(run, tmp_path):
    run("--models", "item_cf", "--tune", "3")
    run("--models", "item_cf", "--defaults")
    records = (tmp_path / "results" / "mine" / "runs").glob("*/run.json")
    assert sorted(json.loads(path.read_text())["provenance"].get("by", "") for path in records) == [
        "defaults",
        "tuning",
    ]
