"""AliEC and its stand-in by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval_leaderboard.datasets import load
from retrieval_leaderboard.datasets.sources.listing import listing
from retrieval_leaderboard.support.errors import InputError

pytestmark = pytest.mark.usefixtures("cache")


def test_aliec_sim_is_made_once_and_kept_in_the_cache(tmp_path: Path, cache: Path, offline: list[Path]):
    dataset = load("aliec-sim", tmp_path, scale=0.002)
    assert (dataset.name, dataset.protocol, dataset.synthetic) == ("aliec-sim", "time", True)
    assert "0.002" in dataset.title
    made = [path for path in (cache / "aliec-sim").iterdir() if path.name.startswith("scale-0.002-seed-0-v")]
    assert len(made) == 1
    stamp = (made[0] / "raw_sample.csv").stat().st_mtime_ns
    assert load("aliec-sim", tmp_path, scale=0.002).fingerprint == dataset.fingerprint
    assert (made[0] / "raw_sample.csv").stat().st_mtime_ns == stamp
    assert load("aliec-sim", tmp_path, scale=0.003).fingerprint != dataset.fingerprint
    assert offline == []


@pytest.mark.parametrize("file", ["raw_sample.csv", "GENERATED.json", "SHA256SUMS"])
@pytest.mark.parametrize("damage", ["flip", "remove"])
def test_aliec_sim_that_is_damaged_in_the_cache_is_made_anew(
    tmp_path: Path, cache: Path, file: str, damage: str, capsys: pytest.CaptureFixture[str]
):
    right = load("aliec-sim", tmp_path, scale=0.001)
    (path,) = (cache / "aliec-sim").glob(f"*/{file}")
    content = path.read_bytes()
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(content.replace(b"1", b"3", 1))
    capsys.readouterr()
    again = load("aliec-sim", tmp_path, scale=0.001)
    assert (again.fingerprint, again.title) == (right.fingerprint, right.title)
    assert path.read_bytes() == content
    assert capsys.readouterr().out.count("it is made anew") == 1


def test_aliec_sim_in_the_data_folder_is_used(tmp_path: Path, cache: Path):
    from retrieval_leaderboard.datasets.aliec import simulator

    simulator.generate(tmp_path / "aliec-sim", 0.002)
    assert (
        load("aliec-sim", tmp_path).fingerprint == load("aliec-sim", tmp_path / "no", scale=0.002).fingerprint
    )
    assert len(list((cache / "aliec-sim").iterdir())) == 1


def test_the_stand_in_never_bears_the_name_aliec(tmp_path: Path, offline: list[Path]):
    dataset = load("aliec", tmp_path, scale=0.002)
    assert (dataset.name, dataset.synthetic) == ("aliec-sim", True)
    assert any("stands in for aliec" in note for note in dataset.notes)
    assert dataset.fingerprint == load("aliec-sim", tmp_path, scale=0.002).fingerprint
    assert offline == [tmp_path / "aliec"]


def test_without_a_stand_in_missing_aliec_is_an_error(tmp_path: Path, offline: list[Path]):
    with pytest.raises(InputError, match="aliec is not in"):
        load("aliec", tmp_path, fallback=False)


def test_generated_files_in_the_folder_of_aliec(tmp_path: Path):
    from retrieval_leaderboard.datasets.aliec import simulator

    simulator.generate(tmp_path / "aliec", 0.002)
    assert load("aliec", tmp_path).name == "aliec-sim"
    with pytest.raises(InputError, match="holds aliec-sim, synthetic"):
        load("aliec", tmp_path, fallback=False)


def test_aliec_is_read_where_it_is_mounted_and_nothing_is_written_there(tmp_path: Path, cache: Path):
    from retrieval_leaderboard.datasets.aliec import simulator

    mount = tmp_path / "input" / "somebodys-upload"
    simulator.generate(mount, 0.002)
    before = {path: path.stat().st_mtime_ns for path in [mount, *mount.rglob("*")]}
    dataset = load("aliec", mount)
    assert dataset.fingerprint == load("aliec-sim", tmp_path / "no", scale=0.002).fingerprint
    assert {path: path.stat().st_mtime_ns for path in [mount, *mount.rglob("*")]} == before
    assert list(cache.glob("aliec-*/clicks.npz"))
    assert {line.source.name: line.folder for line in listing(mount)}["aliec"] == mount


def test_a_part_of_aliec_is_listed_as_such_and_not_stood_in_for(tmp_path: Path, offline: list[Path]):
    (tmp_path / "aliec").mkdir()
    (tmp_path / "aliec" / "raw_sample.csv").write_text("user,time_stamp,adgroup_id,pid,nonclk,clk\n")
    assert {line.source.name: line.status for line in listing(tmp_path)}["aliec"] == "incomplete"
    with pytest.raises(InputError, match=r"lacks ad_feature\.csv and user_profile\.csv"):
        load("aliec", tmp_path)
    assert offline == []
