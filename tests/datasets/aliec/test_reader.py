"""The AliEC adapter on small hand-written files in the official schema."""

import gzip
import json
import os
import subprocess
import sys
import threading
import time
import weakref
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from retrieval_leaderboard.datasets.aliec import published, raw_files, reader
from retrieval_leaderboard.datasets.aliec.simulator import MARKER
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.support.errors import InputError

RAW = """user,time_stamp,adgroup_id,pid,nonclk,clk
30,1494000100,7,430548_1007,0,1
5,1494000200,7,430539_1007,0,1
30,1494000300,100,430548_1007,0,1
30,1494600000,7,430548_1007,0,1
99,1494000000,8,430548_1007,1,0
5,1494000200,20,430548_1007,0,1
"""
ADS = """adgroup_id,cate_id,campaign_id,customer,brand,price
100,11,1,900,NULL,19.9
7,9,2,900,55,100000000.0
8,1,3,901,56,1.0
20,9,4,902,,
"""
PROFILES = (
    "userid,cms_segid,cms_group_id,final_gender_code,age_level,pvalue_level,"
    "shopping_level,occupation,new_user_class_level \r\n"
    "30,10,3,2,3,,3,0,4\r\n"
    "99,11,4,1,4,2,1,0,\r\n"
)
OFFICIAL = {"raw_sample.csv": RAW, "ad_feature.csv": ADS, "user_profile.csv": PROFILES}


def write(folder: Path, **changed: str) -> Path:
    """The three files in `folder`, some with other text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in OFFICIAL.items():
        (folder / name).write_bytes(changed.get(name.removesuffix(".csv"), text).encode())
    return folder


def load(folder: Path) -> Log:
    return reader.load(folder, folder.parent / "cache")


def assert_same(left: Log, right: Log) -> None:
    for name in ("user", "item", "timestamp", "user_ids", "item_ids", "listed"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    for ours, theirs in (
        (left.user_features, right.user_features),
        (left.item_features, right.item_features),
        (left.context, right.context),
    ):
        assert ours is not None and theirs is not None
        assert ours.description() == theirs.description()
        assert list(ours.columns) == list(theirs.columns)
        for name, column in ours.columns.items():
            for part, array in column.arrays().items():
                other = theirs[name].arrays()[part]
                assert array.dtype == other.dtype
                np.testing.assert_array_equal(array, other)


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


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("raw_sample", "99,", "x99,", r"raw_sample.csv, line 6: 'x99' in column 'user' is not a number"),
        ("raw_sample", "1494600000", "", r"raw_sample.csv, line 5: '' in column 'time_stamp'"),
        ("raw_sample", ",100,", ",1e2,", r"raw_sample.csv, line 4: '1e2' in column 'adgroup_id'"),
        ("raw_sample", "99,", "9" * 20 + ",", r"raw_sample.csv, line 6: '9{20}' in column 'user'"),
        ("raw_sample", "430539_1007,0,1", "430539_1007,0", r"raw_sample.csv, line 3: 5 fields .* has 6"),
        ("ad_feature", "19.9", "cheap", r"ad_feature.csv, line 2: 'cheap' in column 'price'"),
        ("user_profile", "99,", "?,", r"user_profile.csv, line 3: '\?' in column 'userid'"),
        ("raw_sample", "clk\n", "click\n", r"raw_sample.csv has no column 'clk': its header is user,"),
        ("ad_feature", "brand", "label", r"ad_feature.csv has no column 'brand'"),
        ("ad_feature", "price", "cost", r"ad_feature.csv has no column 'price'"),
        ("ad_feature", "adgroup_id", "ad", r"ad_feature.csv has no column 'adgroup_id'"),
        ("user_profile", "occupation", "job", r"user_profile.csv has no column 'occupation'"),
        ("user_profile", "userid", "person", r"user_profile.csv has no column 'userid'"),
        ("raw_sample", RAW, "", r"raw_sample.csv is empty"),
        ("ad_feature", ADS, "", r"ad_feature.csv is empty"),
        ("user_profile", PROFILES, PROFILES.splitlines()[0] + "\n", r"user_profile.csv has a header and no"),
        ("raw_sample", "99,", "9" * 200_000 + ",", r"raw_sample.csv, line 6: field larger than"),
        ("raw_sample", "pid,", "p\rid,", r"raw_sample.csv, line 1: new-line character"),
        ("raw_sample", ",0,1\n", ",1,0\n", r"raw_sample.csv has no row with clk = 1"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    text = OFFICIAL[f"{file}.csv"]
    assert old in text
    folder = write(tmp_path / "aliec", **{file: text.replace(old, new)})
    with pytest.raises(InputError, match=message):
        load(folder)
    assert not list((tmp_path / "cache").glob("aliec-*")), "nothing is kept of a bad file"


def test_bad_row_far_into_a_gzipped_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_files, "BLOCK_BYTES", 1 << 12)
    folder = write(tmp_path / "aliec")
    (folder / "raw_sample.csv").unlink()
    rows = RAW + RAW.split("\n", 1)[1] * 500 + "1,1494000000,two,430548_1007,1,0\n"
    (folder / "raw_sample.csv.gz").write_bytes(gzip.compress(rows.encode()))
    with pytest.raises(InputError, match=r"raw_sample.csv.gz, line 3008: 'two' in column 'adgroup_id'"):
        load(folder)


def test_no_thread_holds_a_file_that_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: weakref.WeakSet[raw_files._Lent] = weakref.WeakSet()

    class Seen(raw_files._Lent):
        def __init__(self, stream: IO[bytes]) -> None:
            super().__init__(stream)
            held.add(self)

    class Slow:
        """A clock by which a block takes a minute, more than the reader waits for a thread."""

        blocks, sleep = 0, staticmethod(time.sleep)

        def monotonic(self) -> float:
            return time.monotonic() + 60 * self.blocks

    clock = Slow()
    monkeypatch.setattr(raw_files, "_Lent", Seen)
    monkeypatch.setattr(raw_files, "time", clock)
    source = raw_files.RawFile(write(tmp_path / "aliec") / "raw_sample.csv")
    over = threading.Event()
    # A busy interpreter keeps Arrow's thread waiting: unguarded, about one file in ten was still held.
    busy = threading.Thread(target=lambda: [None for _ in iter(over.is_set, True)])
    busy.start()
    try:
        for _ in range(100):
            for _ in raw_files.read_columns(source, {"user": "int64"}):
                assert len(held) == 1
                clock.blocks += 1
            assert not held
    finally:
        over.set()
        busy.join()


def test_damaged_archives(tmp_path: Path) -> None:
    folder = write(tmp_path / "aliec")
    (folder / "raw_sample.csv").unlink()
    noise = np.random.default_rng(0).integers(0, 10**9, (20_000, 5)).astype(str)
    rows = "user,time_stamp,adgroup_id,pid,clk\n" + "\n".join(map(",".join, noise))
    whole = gzip.compress(rows.encode())
    (folder / "raw_sample.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"raw_sample.csv.gz cannot be read .*get the file again"):
        load(folder)
    (folder / "raw_sample.csv.gz").unlink()
    (folder / "all.zip").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(InputError, match=r"all.zip is damaged, locked or no zip archive"):
        reader.find(folder)


def test_counts_unlike_the_published_are_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = load(write(tmp_path / "aliec"))
    assert log.notes == (
        "2 clicking users where 491,647 are published",
        "4 ads where 846,811 are published",
        "3 clicked ads where 240,130 are published",
        "5 clicks where 1,366,056 are published",
        "6 impressions where 26,557,961 are published",
    )
    printed = capsys.readouterr().out
    assert "aliec: 2 clicking users, 4 ads, 3 clicked ads, 5 clicks, 6 impressions" in printed
    assert "warning: 2 clicking users where 491,647 are published" in printed


def test_published_counts_leave_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "COUNTS", dict(zip(published.COUNTS, (2, 4, 3, 5, 6), strict=True)))
    assert load(write(tmp_path / "aliec")).notes == ()


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


def _no_parsing(sources: object) -> None:
    raise AssertionError("the official files were read again")


def test_second_load_reads_the_cache_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "aliec")
    first = load(folder)
    monkeypatch.setattr(reader, "parse", _no_parsing)
    second = load(folder)
    assert_same(second, first)
    assert second.notes == first.notes
    assert second.user_features is not None
    assert second.user_features["age_level"].codes.flags.writeable


def test_marker_is_not_part_of_the_cache(tmp_path: Path) -> None:
    folder = write(tmp_path / "aliec")
    assert load(folder).name == "aliec"
    (folder / MARKER).write_text('{"scale": 1.0}')
    assert load(folder).name == "aliec-sim"


@pytest.mark.parametrize("file", ["clicks.npz", "user_features.npz", "item_features.npz", "context.npz"])
@pytest.mark.parametrize("damage", ["truncate", "empty", "remove", "flip"])
def test_damaged_cache_is_rebuilt(
    tmp_path: Path, file: str, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "aliec")
    first = load(folder)
    (path,) = (tmp_path / "cache").glob(f"aliec-*/{file}")
    content = path.read_bytes()
    capsys.readouterr()
    if damage == "remove":
        path.unlink()
    else:
        flipped = content[:8] + bytes([content[8] ^ 255]) + content[9:]
        path.write_bytes({"truncate": content[: len(content) // 2], "empty": b"", "flip": flipped}[damage])
    assert_same(load(folder), first)
    assert "is damaged" in capsys.readouterr().out
    assert path.read_bytes() == content, "the cache is whole again"


def test_every_flipped_bit_of_the_cache_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "aliec")
    first = load(folder)
    (kept,) = (tmp_path / "cache").glob("aliec-*")
    parsed = reader.parse(reader._sources(folder) or {})
    parses: list[int] = []
    monkeypatch.setattr(reader, "parse", lambda sources: parses.append(1) or parsed)
    rng = np.random.default_rng(0)
    for path in sorted(kept.iterdir()):
        content = bytearray(path.read_bytes())
        for at in rng.integers(0, len(content), 10):
            flipped = content.copy()
            flipped[at] ^= 1 << rng.integers(8)
            path.write_bytes(flipped)
            parses.clear()
            assert_same(load(folder), first)
            assert parses, f"byte {at} of {path.name}"


def test_processes_that_start_at_once_parse_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "aliec")
    code = (
        "import sys; from pathlib import Path; from retrieval_leaderboard.datasets.aliec import reader\n"
        "parse = reader.parse\n"
        "def slow(sources):\n"
        "    import time; time.sleep(1); print('parsed'); return parse(sources)\n"
        "reader.parse = slow\n"
        "folder = Path(sys.argv[1]); print(len(reader.load(folder, folder.parent / 'cache').user), 'clicks')"
    )
    commands = [
        subprocess.Popen([sys.executable, "-c", code, folder], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [command.communicate(timeout=60)[0].splitlines() for command in commands]
    assert [lines.count("5 clicks") for lines in told] == [1, 1, 1]
    assert sum(lines.count("parsed") for lines in told) == 1
    assert len(list((tmp_path / "cache").glob("aliec-*"))) == 1


def test_changed_source_is_read_again(tmp_path: Path) -> None:
    folder = write(tmp_path / "aliec")
    assert len(load(folder).user) == 5
    raw = folder / "raw_sample.csv"
    raw.write_text(RAW + "6,1494000000,7,430548_1007,0,1\n")
    assert len(load(folder).user) == 6
    raw.write_text(RAW.replace("30,", "31,"))
    os.utime(raw, ns=(0, 12345))
    assert list(load(folder).user_ids) == ["5", "31"]


def test_cache_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "aliec")
    (tmp_path / "cache").write_text("a file, not a folder")
    assert len(load(folder).user) == 5
    assert "going on without a cache: cannot write" in capsys.readouterr().out
