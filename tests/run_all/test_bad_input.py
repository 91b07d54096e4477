"""What the command refuses, in one sentence."""

import resource

import pytest

from tests.run_all.commands import MODELS, refused


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--models", "item_fc"], "unknown model 'item_fc': did you mean 'item_cf'?"),
        (["--models", "all,item_fc"], "unknown model 'item_fc': did you mean 'item_cf'?"),
        (["--models", ""], "--models: name models of --list, all of them by 'all', or leave it out"),
        (["--list", "item_fc"], "unknown name after --list 'item_fc': did you mean 'item_cf'?"),
        (["--protocol", "tine"], "did you mean 'time'?"),
        (["--carve", "as-tets"], "unknown carve 'as-tets': did you mean 'as-test'?"),
        (["--carve", "draw"], "--carve draw: that is for protocol published and given; leave it out for"),
        (["--set", "item_cf.top_q=3"], "did you mean 'top_k'?"),
        (["--models", "global_hot", "--set", "item_cf.top_q=3"], "did you mean 'top_k'?"),
        (["--configs-dir", "no-such-folder"], "--configs-dir no-such-folder: there is no such folder"),
        (["--configs-dir", "README.md"], "--configs-dir README.md: there is no such folder"),
        (["--scale", "0.5"], "--scale is for aliec-sim"),
        (["--set", "item_fc.top_k=3"], "did you mean 'item_cf'?"),
        (["--set", "item_cf.top_k=-1"], "item_cf.top_k"),
        (["--model", "nowhere.py:Mine"], "there is no file nowhere.py"),
        (["--model", f"{MODELS}:Popula"], "did you mean 'Popular'?"),
        (["--model", f"{MODELS}:NoRetriever"], "must derive from evaluation.Retriever"),
        (["--model", f"{MODELS}:NoDataclass"], "must be a @dataclass"),
        (["--model", f"{MODELS}:ReturnsNan"], "breaks the contract of Retriever: ContractError: recommend"),
        (["--model", "README.md:Mine"], "README.md"),
        (["--tune", "2", "--split-seed", "1"], "--tune: leave --split-seed out"),
        (["--split-seed", "-1"], "--split-seed -1: give 0 or more"),
        (["--set", "item_cf.shrinkage=nan"], "item_cf.shrinkage=nan: it must be a number"),
        (["--set", "dssm_bce.negative_weight=0"], "dssm_bce.negative_weight is 0.0: give more than 0"),
        (["--columns", "uses=u"], "--columns 'uses=u': give it as user=NAME,item=NAME"),
        (["--device", "cuda"], "PyTorch sees no CUDA GPU"),
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
        (["--scale", "0.5"], "--scale is for aliec-sim"),
        (["--split-seed", "-1"], "--split-seed -1"),
        (["--budget", "2s", "--split-seed", "1"], "--budget: leave --split-seed out"),
        (["--budget", "2s", "--defaults"], "--budget finds settings and --defaults ignores them"),
        (["--budget", "2s", "--tune", "3"], "--budget ends a search by time and --tune by a number of fits"),
    ],
)
def test_bad_words_are_refused_before_the_dataset_is_read(run, words, sentence):
    assert sentence in refused(run(*words, dataset="absent.csv", check=2))


def test_minutes_are_finite(run):
    refused = run("--checkpoint-minutes", "nan", check=2).stderr
    assert "argument --checkpoint-minutes: nan is not a number of minutes" in refused


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


def test_without_java_what_needs_spark_is_refused(run, monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    done = run("--models", "als", "--set", "als.solver=spark", check=2)
    assert done.stderr.startswith("error: Spark needs ") and done.stderr.count("\n") == 1
