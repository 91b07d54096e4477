"""The command of a row: parsed by the command line, it asks for the row's data, settings and seeds."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.datasets.own import options as own_data
from retrieval_leaderboard.datasets.own.spec import DataSpec
from retrieval_leaderboard.evaluation.models import registry, settings
from retrieval_leaderboard.evaluation.reports.board import Row
from retrieval_leaderboard.evaluation.reports.pages.command import WIDTH, command, lines, search, to_put_in
from retrieval_leaderboard.evaluation.reports.pages.settings_section import differing, section
from retrieval_leaderboard.evaluation.runs import configs
from retrieval_leaderboard.evaluation.runs.provenance import Provenance
from retrieval_leaderboard.evaluation.tuning.budget import minutes
from tests.evaluation import stored
from tests.evaluation.reports.boards import row, with_tests
from tests.evaluation.reports.commands import asked_for, parsed


def of_model(model, changed=None, seeds=1, **about):
    values = settings.resolve(registry.get(model), changed or {}, "here")
    given = {"name": "gowalla", "protocol": "published", "carve": "block", "source": {}} | about
    done = [stored.record(model, settings=values, seed=seed, **given) for seed in range(seeds)]
    return Row(model, values | {"device": "cpu", "precision": "fp32"}, done, [])


@pytest.mark.parametrize("changed", [{}, {"top_k": 7}, {"top_k": 7, "shrinkage": 3.5}])
def test_settings_come_back_whatever_configs_say(changed):
    each = of_model("item_cf", changed)
    assert asked_for(command(each)) == {key: each.settings[key] for key in each.done[0].settings}
    assert "--defaults" in command(each), "a config of gowalla leads elsewhere"


def test_defaults_are_asked_for_where_no_config_ships_too():
    words = command(of_model("item_cf", name="yelp2018"))
    assert "--defaults" in words and "--set" not in words, "a search of the reader's may have made a config"


def test_settings_of_the_shipped_config_come_from_it_alone():
    known = configs.in_section(configs.SHIPPED / "gowalla.yaml", "published")["item_cf"].settings
    each = of_model("item_cf", known)
    words = command(each)
    assert not {"--defaults", "--set"} & set(words) and words[words.index("--configs-dir") + 1] == "configs"
    assert asked_for(command(each)) == {key: each.settings[key] for key in each.done[0].settings}


def test_settings_of_a_further_folder_of_shipped_configs_come_from_it():
    known = configs.in_section(configs.SHIPPED / "plain" / "gowalla.yaml", "published")["bsl"].settings
    each = of_model("bsl", known)
    words = command(each)
    assert words[words.index("--configs-dir") + 1] == "configs/plain" and "--set" not in words
    assert asked_for(words) == {key: each.settings[key] for key in each.done[0].settings}


def test_every_length_comes_back_the_board_s_first():
    each = of_model("als")
    longer = replace(each.done[0], result=replace(each.done[0].measured, at={"10": {}, "50": {}}))
    assert parsed(command(replace(each, done=[longer]))).k == [20, 10, 50]
    assert "--k" not in command(each)


def test_the_split_seeds_and_length_come_back():
    about = {"name": "ml-1m", "protocol": "next-item", "carve": "", "exclude_seen": True, "split_seed": 3}
    options = parsed(command(of_model("infonce", seeds=3, k=10, **about)))
    assert (options.dataset, options.protocol, options.split_seed) == (["ml-1m"], "next-item", 3)
    assert (options.exclude_seen, options.seeds, options.k, options.device) == (True, 3, [10], "cpu")
    kept = parsed(command(of_model("infonce", **(about | {"exclude_seen": False}))))
    assert kept.exclude_seen is None, "as the protocol has it"
    assert (options.ties, parsed(command(of_model("infonce", ties="source", **about))).ties) == (
        None,
        "source",
    )


def test_the_scale_of_generated_data_comes_back():
    about = {
        "name": "aliec-sim",
        "title": "aliec-sim, synthetic, scale 0.02",
        "protocol": "time",
        "carve": "",
    }
    assert parsed(command(of_model("als", **about))).scale == 0.02
    assert (
        parsed(command(of_model("als", **(about | {"source": {"dataset": "aliec-sim", "scale": 0.5}})))).scale
        == 0.5
    )


@pytest.mark.parametrize("folder", ["", "/home/them/data/"])
def test_data_of_ones_own_comes_back_without_the_folders_of_their_machine(folder):
    given = {
        "interactions": ["my log.csv", "b.csv"], "columns": {"user": "uid"},
        "target": ["buy", "cart"], "drop_incomplete": True, "k_core": 5,
        "item_vectors": {"look": "looks.npy"},
    }  # fmt: skip
    there = given | {
        "interactions": [f"{folder}{name}" for name in given["interactions"]],
        "item_vectors": {"look": f"{folder}looks.npy"},
    }
    each = of_model("als", name="mine", protocol="time", carve="", source=DataSpec.of(there).given())
    options = parsed(command(each))
    assert DataSpec.of(own_data.given(options)) == DataSpec.of(given) and options.dataset is None


@pytest.mark.parametrize(
    ("given", "told"),
    [("data", False), ("../shared/data", False), ("/home/them/data", False), ("sets", True)],
)
def test_a_folder_of_datasets_elsewhere_is_left_out(given, told):
    each = of_model("als", source={"dataset": "gowalla", "data_dir": given})
    assert ("--data-dir" in command(each)) is told and to_put_in(each) == ""


def test_a_model_of_ones_own_has_a_place_for_its_file():
    each = row("mine", settings={"size": 3})
    words = command(each)
    assert words[words.index("--model") + 1] == "FILE.py:CLASS" and "mine.size=3" in words
    told = (
        "In the command, put for `FILE.py:CLASS` the file and the class of mine, which its runs do not name."
    )
    assert to_put_in(each) == told and f"\n{told}\n" in section(with_tests(each))


def test_what_to_put_in_a_command_is_said_where_folders_are_left_out_and_only_there():
    source = DataSpec.of({"interactions": ["/home/them/my log.csv", "b.csv"], "k_core": 5}).given()
    told = "In the command, put before `my log.csv` the folder where you have it."
    assert to_put_in(of_model("als", name="mine", protocol="time", carve="", source=source)) == told
    assert to_put_in(of_model("als")) == "" == to_put_in(row("hot", code="a", plugin="studies/hot.py:Hot"))
    assert to_put_in(row("hot", code="a", plugin="/home/hot.py:Hot")).startswith(
        "In the command, put before `hot.py:Hot` the"
    )


def test_the_run_that_a_warm_start_went_on_from_is_to_be_put_in():
    each = of_model("als")
    warm = replace(each, done=[replace(record, warm_start="abc") for record in each.done])
    assert "RUN" in command(warm) and to_put_in(warm) == (
        "In the command, put for `RUN` the folder of the run that it went on from, one of the row abc."
    )


@pytest.mark.parametrize("folder", ["", "/home/them/"])
def test_the_command_of_a_plug_in_names_its_file_and_class(folder):
    each = row("category_hot", code="abc", plugin=f"{folder}studies/category_hot.py:CategoryHot")
    words, name = command(each), "category_hot.py:CategoryHot"
    assert words[words.index("--model") + 1] == (name if folder else f"studies/{name}")
    assert "A plug-in, not in `--list`: the class `CategoryHot` of `" in section(with_tests(each))
    unknown = section(with_tests(row("mine", code="abc")))
    assert "a class of a file that its runs do not name" in unknown
    assert "plug-in" not in section(with_tests(row("als"), row("theirs", by="lists")))


def test_the_command_of_a_model_of_a_package_names_its_module_and_class():
    each = row("neighbor", settings={"last_n": 2}, code="abc", plugin="theirs.models:Neighbor")
    words = command(each)
    assert words[words.index("--model") + 1] == "theirs.models:Neighbor" and "neighbor.last_n=2" in words
    assert parsed(words).model == ["theirs.models:Neighbor"]
    assert "the class `Neighbor` of `theirs.models`" in section(with_tests(each))


def test_lists_from_elsewhere_have_no_command(monkeypatch):
    given = row("mine")
    record = replace(given.done[0], provenance=replace(given.provenance, by="lists"))
    assert command(replace(given, done=[record])) == []


def test_a_row_of_a_budget_has_the_command_of_its_search_too():
    each = of_model("als", seeds=5)
    made = Provenance("budget", trials=37, cap_minutes=45, threads=2)
    found = replace(each, done=[replace(record, provenance=made) for record in each.done])
    options = parsed(search(found))
    assert (options.budget, options.seeds, options.threads, options.defaults) == (45, 5, 2, False)
    text = section(with_tests(found))
    assert "budget" in text and "--budget 45m" in text and "# the fits alone" in text
    assert found.provenance.brief == "budget 45 min, 37 trials" and search(each) == []


@pytest.mark.parametrize("text", ["45m", "100s", "90s", "1h", "5s"])
def test_the_command_of_a_search_names_the_same_budget(text):
    each = of_model("als")
    made = Provenance("budget", trials=3, cap_minutes=minutes(text))
    found = replace(each, done=[replace(record, provenance=made) for record in each.done])
    assert parsed(search(found)).budget == minutes(text)


def test_lines_are_short_and_one_command_for_a_shell():
    import shlex

    words = command(of_model("simplex_ccl", {"neighbors": 7, "epochs": 3, "margin": 0.25, "negatives": 17}))
    text = lines(words)
    assert max(map(len, text.splitlines())) <= WIDTH + 2
    assert shlex.split(text.replace("\\\n", "")) == words
    assert not any(line.endswith("--set \\") for line in text.splitlines())


def test_settings_are_told_where_they_are_not_the_defaults():
    each = of_model("item_cf", {"top_k": 7})
    assert differing(each) == "Not as by default: `top_k=7`"
    assert differing(of_model("item_cf")) == "All as by default"
    text = section(with_tests(each))
    assert '<a id="item_cf"></a>' in text and "defaults · seed 0" in text
    assert "<details>" in text and "`top_k=7`, `history_exponent=" in text.partition("<details>")[2]
