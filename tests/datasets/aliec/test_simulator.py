"""The embedded generator: schema and oddities, counts, determinism, and a signal that can be learnt."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.datasets.aliec import reader, simulator
from retrieval_leaderboard.datasets.aliec.world import LARGEST_PRICE
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import checksums

FILES = ("raw_sample.csv", "ad_feature.csv", "user_profile.csv", simulator.MARKER)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sim") / "default"
    simulator.generate(folder, simulator.DEFAULT_SCALE)
    return folder


@pytest.fixture(scope="module")
def raw(generated: Path) -> pd.DataFrame:
    return pd.read_csv(generated / "raw_sample.csv")


@pytest.fixture(scope="module")
def ads(generated: Path) -> pd.DataFrame:
    return pd.read_csv(generated / "ad_feature.csv", keep_default_na=False)


@pytest.fixture(scope="module")
def profiles(generated: Path) -> pd.DataFrame:
    return pd.read_csv(generated / "user_profile.csv").rename(columns=str.strip)


@pytest.fixture(scope="module")
def log(generated: Path) -> Log:
    return reader.load(generated, generated.parent / "cache")


def test_headers_are_the_official_ones(generated: Path) -> None:
    headers = [(generated / name).open().readline() for name in FILES[:3]]
    assert headers == [
        "user,time_stamp,adgroup_id,pid,nonclk,clk\n",
        "adgroup_id,cate_id,campaign_id,customer,brand,price\n",
        "userid,cms_segid,cms_group_id,final_gender_code,age_level,pvalue_level,shopping_level,occupation,"
        "new_user_class_level \n",
    ]
    assert all('"' not in (generated / name).read_text() for name in FILES[:3])


def test_counts_are_the_published_ones_to_scale(
    generated: Path, raw: pd.DataFrame, ads: pd.DataFrame, profiles: pd.DataFrame
) -> None:
    scale = simulator.DEFAULT_SCALE
    clicks = raw[raw.clk == 1]
    assert len(raw) == round(26_557_961 * scale)
    assert len(clicks) == round(1_366_056 * scale)
    assert raw.user.nunique() == round(1_141_729 * scale)
    assert set(raw.adgroup_id) == set(ads.adgroup_id)
    assert len(ads) == ads.adgroup_id.nunique() == round(846_811 * scale)
    assert len(profiles) == profiles.userid.nunique() == round(1_061_768 * scale)
    assert set(profiles.userid) < set(raw.user)
    assert clicks.user.nunique() == round(491_647 * scale)
    assert clicks.adgroup_id.nunique() == pytest.approx(240_130 * scale, rel=0.05)
    marker = json.loads((generated / simulator.MARKER).read_text())
    assert (marker["generator"], marker["scale"], marker["seed"]) == ("aliec-sim", scale, 0)
    assert marker["counts"]["clicked_ads"] == clicks.adgroup_id.nunique()


def test_impressions_have_the_official_values(raw: pd.DataFrame) -> None:
    assert set(raw.pid) == {"430548_1007", "430539_1007"}
    assert set(raw.clk) == {0, 1}
    assert (raw.nonclk == 1 - raw.clk).all()
    assert raw.time_stamp.min() >= 1_494_000_000
    assert raw.time_stamp.max() < 1_494_000_000 + 8 * 86_400
    assert ((raw.time_stamp - 1_494_000_000) // 86_400).nunique() == 8
    assert raw.adgroup_id.is_monotonic_increasing
    assert raw.user.max() > 2 * raw.user.nunique(), "ids are sparse"


def test_clicks_have_repeats_ties_and_long_tails(raw: pd.DataFrame) -> None:
    clicks = raw[raw.clk == 1]
    assert 0.02 < clicks.duplicated(["user", "adgroup_id"]).mean() < 0.1
    assert clicks.duplicated(["user", "time_stamp"]).mean() > 0.01
    by_user, by_ad = clicks.user.value_counts(), clicks.adgroup_id.value_counts()
    assert by_user.mean() == pytest.approx(2.78, abs=0.01)
    assert (by_user == 1).mean() > 0.3 and by_user.max() > 30
    assert (by_ad == 1).mean() > 0.3 and by_ad.max() > 100


def test_ads_have_the_official_oddities(ads: pd.DataFrame) -> None:
    assert 0.2 < (ads.brand == "NULL").mean() < 0.4
    assert ads.price.max() == LARGEST_PRICE and ads.price.median() < 1000
    assert ads.price.min() > 0
    assert ads.groupby("campaign_id").customer.nunique().max() == 1


def test_profiles_have_the_official_values(profiles: pd.DataFrame) -> None:
    assert profiles.pvalue_level.isna().mean() == pytest.approx(0.54, abs=0.02)
    assert profiles.new_user_class_level.isna().mean() == pytest.approx(0.32, abs=0.02)
    values = {name: sorted(column.dropna().unique()) for name, column in profiles.items()}
    assert values["cms_segid"] == list(range(97))
    assert values["cms_group_id"] == list(range(13))
    assert values["final_gender_code"] == [1, 2]
    assert values["age_level"] == list(range(7))
    assert values["pvalue_level"] == values["shopping_level"] == [1, 2, 3]
    assert values["occupation"] == [0, 1]
    assert values["new_user_class_level"] == [1, 2, 3, 4]


def test_ads_are_born_on_every_day_and_the_last(raw: pd.DataFrame) -> None:
    clicked = raw[raw.clk == 1]
    born = (clicked.groupby("adgroup_id").time_stamp.min() - 1_494_000_000) // 86_400
    assert born.nunique() == 8
    last_day = clicked[clicked.time_stamp >= 1_494_604_800]
    new = ~last_day.adgroup_id.isin(clicked[clicked.time_stamp < 1_494_604_800].adgroup_id)
    assert 0.03 < new.mean() < 0.25


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulator.generate(tmp_path / folder, 0.002, seed)
    contents = {folder: [(tmp_path / folder / name).read_bytes() for name in FILES] for folder in "abc"}
    assert contents["a"] == contents["b"]
    assert all(x != y for x, y in zip(contents["a"], contents["c"], strict=True))


def test_adapter_and_generator_agree(generated: Path, raw: pd.DataFrame, log: Log) -> None:
    assert log.title == f"aliec-sim, synthetic, scale {simulator.DEFAULT_SCALE}"
    assert log.synthetic
    clicks = raw[raw.clk == 1]
    assert log.timestamp is not None and log.user_features is not None and log.item_features is not None
    np.testing.assert_array_equal(log.user_ids[log.user], clicks.user.astype(str))
    np.testing.assert_array_equal(log.item_ids[log.item], clicks.adgroup_id.astype(str))
    np.testing.assert_array_equal(log.timestamp, clicks.time_stamp)
    rows = {row["adgroup_id"]: row for row in csv.DictReader((generated / "ad_feature.csv").open())}
    brands = log.item_features["brand"].vocabulary
    for item in range(0, len(log.item_ids), 97):
        written = rows[log.item_ids[item]]["brand"]
        assert brands[log.item_features["brand"].codes[item]] == written.replace("NULL", "unknown")
    no_profile = log.user_features["final_gender_code"].codes == 0
    assert no_profile.mean() == pytest.approx(0.07, abs=0.02)


def _recall(scores: np.ndarray, seen: sp.csr_matrix, truth: sp.csr_matrix) -> float:
    """Mean Recall@20 of the rows of `scores` (queries, items), seen items left out."""
    scores = np.where(seen.toarray() > 0, -np.inf, scores)
    top = np.argsort(-scores, axis=1, kind="stable")[:, :20]
    hits = np.take_along_axis(truth.toarray(), top, axis=1).sum(axis=1)
    return float((hits / np.asarray(truth.sum(axis=1)).ravel()).mean())


def _one_hot(codes: np.ndarray) -> sp.csr_matrix:
    return sp.csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)))


def test_signal_can_be_learnt(log: Log) -> None:
    """Day 8 after days 1 to 7: the head is real; co-clicks, categories and profiles tell more."""
    assert log.timestamp is not None and log.periods is not None
    assert log.user_features is not None and log.item_features is not None
    shape = (len(log.user_ids), len(log.item_ids))
    late = log.timestamp >= log.periods[1]

    def matrix(rows: np.ndarray) -> sp.csr_matrix:
        clicks = sp.csr_matrix((np.ones(rows.sum()), (log.user[rows], log.item[rows])), shape)
        return (clicks > 0).astype(float).tocsr()

    train = matrix(~late)
    truth = matrix(late)
    truth = (truth - truth.multiply(train)).tocsr()
    truth.eliminate_zeros()
    asked = np.flatnonzero(np.diff(truth.indptr))
    seen, truth = train[asked], truth[asked]

    popular = np.asarray(train.sum(axis=0)).ravel()  # (items,)
    scale = sp.diags(1 / np.sqrt(np.maximum(popular, 1)))
    similar = (scale @ train.T @ train @ scale).tocsr()
    category = _one_hot(log.item_features["cate_id"].codes)
    segment = _one_hot(log.user_features["cms_segid"].codes)
    affinity = (seen @ category @ category.T).toarray()
    shares = (segment.T @ train @ category).toarray() + 20 * popular @ category / popular.sum()
    shares /= shares.sum(axis=1, keepdims=True)  # (segments, categories)
    lift = shares / (popular @ category / popular.sum() + 1e-9)

    hot = _recall(np.tile(popular, (len(asked), 1)), seen, truth)
    item_cf = _recall((seen @ similar).toarray(), seen, truth)
    by_category = _recall(affinity * popular + 1e-3 * popular, seen, truth)
    by_profile = _recall(popular * (segment[asked] @ lift @ category.T), seen, truth)
    assert 20 / shape[1] * 5 < hot < 0.2
    assert item_cf > 1.5 * hot
    assert by_category > 1.5 * hot
    assert by_profile > 1.2 * hot


@pytest.mark.parametrize("scale", [0, -1, 1.5, float("nan")])
def test_scale_out_of_range(tmp_path: Path, scale: float) -> None:
    with pytest.raises(InputError, match=r"give a number from 0.001 to 1"):
        simulator.generate(tmp_path / "sim", scale)


def test_smallest_scale(tmp_path: Path) -> None:
    simulator.generate(tmp_path / "sim", 0.001)
    assert len(reader.load(tmp_path / "sim", tmp_path / "cache").user) == 1366


def test_only_generated_folders_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="was not written by the generator"):
        simulator.generate(tmp_path, 0.001)
    assert (tmp_path / "thesis.txt").exists()
    for _ in range(2):
        simulator.generate(tmp_path / "sim", 0.001)
    assert sorted(path.name for path in (tmp_path / "sim").iterdir()) == sorted([*FILES, checksums.FILE])


def test_generated_files_that_were_changed_are_refused(generated: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(generated, tmp_path / "sim")
    ads = folder / "ad_feature.csv"
    ads.write_text(ads.read_text().replace("1", "2", 1))
    message = (
        r"sim: ad_feature.csv is not the file that was written; .* or remove SHA256SUMS if you changed it"
    )
    with pytest.raises(InputError, match=message):
        reader.load(folder, tmp_path / "cache")
    (folder / checksums.FILE).unlink()
    assert reader.load(folder, tmp_path / "cache").synthetic


def test_interrupted_generation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulator, "_marker", interrupt)
    with pytest.raises(KeyboardInterrupt):
        simulator.generate(tmp_path / "sim", 0.001)
    assert list(tmp_path.iterdir()) == []


def test_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "retrieval_leaderboard.datasets.aliec", "--scale", "0.001", "--out"]
    done = subprocess.run([*command, tmp_path / "sim"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert reader.find(tmp_path / "sim")
    (tmp_path / "sim" / simulator.MARKER).unlink()
    again = subprocess.run([*command, tmp_path / "sim"], cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 2 and again.stderr.startswith("error: ") and "Traceback" not in again.stderr


MEASURE = """
import sys
from pathlib import Path
from retrieval_leaderboard.datasets.aliec import reader
reader.load(Path(sys.argv[1]), Path(sys.argv[2]))
status = Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0])
"""


def _peak_mib(folder: Path, cache: Path) -> int:
    """Peak memory of a process that loads `folder` for the first time."""
    command = [sys.executable, "-c", MEASURE, folder, cache]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[-1]) >> 10


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_impressions_are_streamed(tmp_path: Path) -> None:
    """Impressions without a click may come in any number: they are counted and not kept."""
    folder = tmp_path / "sim"
    simulator.generate(folder, 0.05)
    raw = folder / "raw_sample.csv"
    few = _peak_mib(folder, tmp_path / "cache")
    lines = raw.read_bytes().splitlines(keepends=True)
    with raw.open("ab") as file:
        file.write(b"".join(line for line in lines if line.endswith(b",1,0\n")) * 6)
    added = sum(map(len, lines)) * 6 >> 20
    assert added > 250
    (folder / checksums.FILE).unlink()
    assert _peak_mib(folder, tmp_path / "cache") - few < added / 4
