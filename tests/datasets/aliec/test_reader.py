"""The AliEC adapter on small hand-written files in the official schema."""

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from retrieval_leaderboard.datasets.aliec import reader
from retrieval_leaderboard.datasets.aliec.simulator import MARKER
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.aliec.official import ADS, OFFICIAL, PROFILES, RAW, assert_same, load, write


def test_clicks_become_interactions_in_file_order(tmp_path: Path) -> None:
    log = load(write(tmp_path / "aliec"))
    assert (log.name, log.title, log.synthetic) == ("aliec", "aliec", False)
    assert list(log.user_ids) == ["5", "30"]
    assert list(log.item_ids) == ["7", "8", "20", "100"], "nobody clicked 8"
    assert log.listed is not None and log.listed.all()
    assert log.user.dtype == log.item.dtype == np.int32
    assert log.user.tolist() == [1, 0, 1, 1, 0]
    assert log.item.tolist() == [0, 0, 3, 0, 2]
    assert log.timestamp is not None and log.timestamp.dtype == np.int64
    assert log.timestamp.tolist() == [1494000100, 1494000200, 1494000300, 1494600000, 1494000200]
    assert log.periods == (1494518400, 1494604800)


def test_files_in_folders_of_their_own_names(tmp_path: Path) -> None:
    plain = load(write(tmp_path / "aliec"))
    write(tmp_path / "kaggle")
    for name in OFFICIAL:
        (tmp_path / "kaggle" / name).rename(tmp_path / "moved")
        (tmp_path / "kaggle" / name).mkdir()
        (tmp_path / "moved").rename(tmp_path / "kaggle" / name / name)
    assert_same(load(tmp_path / "kaggle"), plain)


def test_a_click_knows_its_placement(tmp_path: Path) -> None:
    log = load(write(tmp_path / "aliec", raw_sample=RAW.replace("7,430539_1007", "7,")))
    assert log.context is not None
    assert log.context["pid"].vocabulary == ["unknown", "430548_1007"]
    assert log.context["pid"].codes.tolist() == [1, 0, 1, 1, 1]


def test_features_have_codes_and_unknowns(tmp_path: Path) -> None:
    log = load(write(tmp_path / "aliec"))
    users, items = log.user_features, log.item_features
    assert users is not None and items is not None
    assert list(users.columns) == [
        *("cms_segid", "cms_group_id", "final_gender_code", "age_level"),
        *("pvalue_level", "shopping_level", "occupation", "new_user_class_level"),
    ]
    assert all(column.codes[0] == 0 for column in users.columns.values()), "user 5 has no profile"
    assert users["pvalue_level"].codes.tolist() == [0, 0]
    assert users["new_user_class_level"].codes.tolist() == [0, 1]
    assert users["new_user_class_level"].vocabulary == ["unknown", "4"]
    assert items["cate_id"].vocabulary == ["unknown", "1", "9", "11"]
    assert items["cate_id"].codes.tolist() == [2, 1, 2, 3]
    assert items["brand"].vocabulary == ["unknown", "55", "56"]
    assert items["brand"].codes.tolist() == [1, 2, 0, 0]
    assert items["customer"].codes.tolist() == [1, 2, 3, 1]
    assert items["price"].numbers.dtype == np.float32
    np.testing.assert_array_equal(items["price"].numbers, np.array([1e8, 1, np.nan, 19.9], np.float32))


@pytest.mark.parametrize(
    ("price", "read"),
    [
        *[("0", 0.0), ("0.0", 0.0), ("100000000", 1e8), ("1e8", 1e8), ("-5.5", -5.5), ("0.01", 0.01)],
        *[
            ("", np.nan),
            ("NULL", np.nan),
            ("nan", np.nan),
            ("inf", np.nan),
            ("-inf", np.nan),
            ("1e39", np.nan),
        ],
    ],
)
def test_odd_prices_are_numbers_or_unknown(tmp_path: Path, price: str, read: float) -> None:
    folder = write(tmp_path / "aliec", ad_feature=ADS.replace("19.9", price))
    for log in (load(folder), load(folder)):  # from the files, then from the cache
        assert log.item_features is not None
        numbers = log.item_features["price"].numbers
        np.testing.assert_array_equal(numbers, np.array([1e8, 1, np.nan, read], np.float32))
        assert len(log.user) == 5


def test_gzip_and_zip_give_the_same_log(tmp_path: Path) -> None:
    plain = load(write(tmp_path / "plain"))
    packed = tmp_path / "gz"
    packed.mkdir()
    for name, text in OFFICIAL.items():
        (packed / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    zipped = tmp_path / "zip"
    zipped.mkdir()
    with zipfile.ZipFile(zipped / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, text) in enumerate(OFFICIAL.items()):
            archive.writestr("../up/" * number + name, text)
    assert_same(load(packed), plain)
    assert_same(load(zipped), plain)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "gz", "plain", "zip"]


def test_documented_column_names_are_understood(tmp_path: Path) -> None:
    renamed = write(
        tmp_path / "renamed",
        raw_sample=RAW.replace("user,", "user_id,", 1).replace("nonclk", "noclk"),
        ad_feature="\ufeff" + ADS.replace("customer", "customer_id"),
        user_profile=PROFILES.replace("userid", "user"),
    )
    assert_same(load(renamed), load(write(tmp_path / "official")))


def test_user_without_any_known_ad_or_profile(tmp_path: Path) -> None:
    elsewhere = write(
        tmp_path / "aliec",
        ad_feature=ADS.splitlines()[0] + "\n1,1,1,1,1,1\n",
        user_profile=PROFILES.splitlines()[0] + "\n1,1,1,1,1,1,1,1,1\n",
    )
    log = load(elsewhere)
    assert log.item_features is not None and log.user_features is not None
    assert list(log.item_ids) == ["1", "7", "20", "100"]
    assert log.listed is not None and log.listed.tolist() == [True, False, False, False]
    assert not any(
        log.item_features[name].codes[1:].any() for name in ("cate_id", "campaign_id", "customer", "brand")
    )
    assert not any(column.codes.any() for column in log.user_features.columns.values())
    assert np.isnan(log.item_features["price"].numbers[1:]).all()


def test_find(tmp_path: Path) -> None:
    assert not reader.find(tmp_path / "absent")
    assert not reader.find(tmp_path)
    folder = write(tmp_path / "aliec")
    assert reader.find(folder)
    (folder / "ad_feature.csv").unlink()
    (folder / "user_profile.csv").unlink()
    with pytest.raises(InputError, match=r"lacks ad_feature.csv and user_profile.csv"):
        reader.find(folder)
    with pytest.raises(InputError, match=r"holds none of raw_sample.csv"):
        load(tmp_path / "absent")


def test_marker_makes_the_log_synthetic(tmp_path: Path) -> None:
    folder = write(tmp_path / "aliec")
    (folder / MARKER).write_text(json.dumps({"scale": 0.1}))
    log = load(folder)
    assert (log.name, log.title) == ("aliec-sim", "aliec-sim, synthetic, scale 0.1")
    assert log.synthetic and log.notes == ()


def test_marker_packed_with_the_files_is_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for name, text in (OFFICIAL | {MARKER: '{"scale": 0.5}'}).items():
            archive.writestr(f"folder/{name}", text)
    assert load(tmp_path).title == "aliec-sim, synthetic, scale 0.5"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"scale": "much"}', '{"scale": null}'])
def test_damaged_marker_still_marks(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "aliec")
    (folder / MARKER).write_text(content)
    log = load(folder)
    assert (log.name, log.synthetic) == ("aliec-sim", True)
    assert log.title == "aliec-sim, synthetic, scale unknown"
    assert "is damaged" in capsys.readouterr().out
