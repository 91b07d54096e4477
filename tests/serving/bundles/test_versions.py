"""Versions of a bundle beside each other."""

import errno
import re
import shutil
from pathlib import Path

import pytest

from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.__main__ import main
from retrieval_leaderboard.serving.bundles import versions
from retrieval_leaderboard.support.errors import InputError


@pytest.mark.parametrize("name", ["current", "../out", ".hidden", "a/b", "a" * 101])
def test_a_name_is_one_of_a_folder(tmp_path, name):
    with pytest.raises(InputError, match="names no version: give at most 100 letters"):
        versions.folder(tmp_path, name)


def test_without_a_name_it_is_the_time(tmp_path):
    assert re.fullmatch(r"20\d{6}T\d{6}Z", versions.folder(tmp_path, "").name)


def test_a_bundle_holds_no_versions(tmp_path):
    (tmp_path / "bundle.json").touch()
    with pytest.raises(InputError, match="is a bundle and holds no versions"):
        versions.folder(tmp_path, "a")


def test_the_current_one_can_be_changed(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        versions.make_current(tmp_path / name)
        assert versions.resolve(tmp_path) == versions.resolve(tmp_path / "current") == tmp_path / name
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b", "current"]
    assert versions.resolve(tmp_path / "a") == tmp_path / "a"


def test_a_copied_folder_of_versions_names_what_its_link_named(tmp_path):
    (tmp_path / "current").mkdir()
    (tmp_path / "current" / "bundle.json").touch()
    assert versions.resolve(tmp_path) == tmp_path / "current"
    with pytest.raises(InputError, match="current is no link, as a copy of the folder may have"):
        versions.folder(tmp_path, "a")


@pytest.fixture
def parent(toy_bundle, tmp_path):
    """A folder of two versions, flat and hnsw, without a link."""
    for kind in ("flat", "hnsw"):
        shutil.copytree(toy_bundle(kind), tmp_path / "toy" / kind)
    return tmp_path / "toy"


def test_a_folder_of_versions_opens_as_its_current_one_and_stays_with_it(parent, toy_model, new_item):
    versions.make_current(parent / "hnsw")
    for path in (parent, str(parent / "current")):
        recommender = Recommender.open(path, toy_model)
        assert recommender.about.kind == "hnsw" and recommender.folder == parent / "hnsw"
    versions.make_current(parent / "flat")
    recommender.keep_item("new", new_item)
    assert len(Recommender.open(parent, toy_model)) == 300
    assert len(Recommender.open(parent / "hnsw", toy_model)) == 301


def test_without_a_link_one_of_the_versions_is_to_be_named(parent, toy_model, capsys):
    wanted = (
        f"{parent} is no bundle, but holds some: name one, such as {parent / 'hnsw'}, or link to one as "
        f"{parent / 'current'}"
    )
    with pytest.raises(InputError, match=re.escape(wanted)):
        Recommender.open(parent, toy_model)
    assert main(["http", "--bundle", str(parent), "--port", "8999"]) == 2
    assert capsys.readouterr().err == f"error: {wanted}\n"
    assert main(["index", "--run", "none", "--out", str(parent)]) == 2


@pytest.mark.parametrize("unreadable", ["bundle.json", "current"])
def test_a_folder_that_may_not_be_read_is_told_in_one_sentence(unreadable, parent, monkeypatch, capsys):
    versions.make_current(parent / "flat")
    real = Path.lstat if unreadable == "current" else Path.stat

    def guarded(path, **options):
        if path.name == unreadable:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, **options)

    monkeypatch.setattr(Path, real.__name__, guarded)
    assert main(["http", "--bundle", str(parent), "--port", "8999"]) == 2
    told = f"error: cannot see which version {parent} names: Permission denied\n"
    assert capsys.readouterr().err == told


def test_a_bundle_that_may_not_be_read_is_not_called_absent(parent, toy_model, monkeypatch):
    def refused(path, **_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(InputError, match=r"flat/bundle\.json cannot be read: Permission denied"):
        Recommender.open(parent / "flat", toy_model)
