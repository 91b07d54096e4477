"""Versions of a bundle beside each other."""

import re

import pytest

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
