"""Several services on one bundle: what one has kept, all answer from at once, and nothing is lost."""

import os
import shutil
from threading import Event, Thread

import numpy as np
import pytest

from retrieval_leaderboard.serving import Recommender
from retrieval_leaderboard.serving.bundles import journal
from retrieval_leaderboard.serving.bundles.journal import ChangedError
from retrieval_leaderboard.support.errors import InputError

EVERYTHING = {"k": 1000, "exclude_seen": False}


@pytest.fixture
def folder(toy_bundle, tmp_path):
    return shutil.copytree(toy_bundle("flat"), tmp_path / "bundle")


@pytest.fixture
def beside(folder, toy_model, tmp_path):
    """One more of those that share the bundle, as a process of its own has it."""
    (tmp_path / "shared").mkdir()
    return lambda: Recommender.open(folder, toy_model, writing=True, shared=tmp_path / "shared")


@pytest.fixture
def kept(folder, toy_model):
    """The items that were added, as the bundle on the disk has them."""
    return lambda: added(Recommender.open(folder, toy_model))


def added(recommender):
    return recommender._catalog._raw[300:]


def test_what_one_keeps_the_others_answer_from_at_once(beside, new_item, kept):
    with beside() as one, beside() as other:
        for name, keeper in (("a", one), ("b", other), ("c", other), ("d", one)):
            keeper.keep_item(name, new_item | {"price": float(ord(name))})
            for each in (one, other):
                assert each.recommend("u1", filter={"price": {"min": ord(name), "max": ord(name)}}).items == [
                    name
                ]
        assert len(one) == len(other) == 304
        answers = [each.recommend("u1", **EVERYTHING) for each in (one, other)]
        assert answers[0] == answers[1] and kept() == added(one) == ["a", "b", "c", "d"]
        with beside() as late:
            assert late.recommend("u1", **EVERYTHING) == answers[0]


def test_removals_are_followed_too(beside, new_item):
    with beside() as one, beside() as other:
        one.keep_item("a", new_item)
        other.remove_item("a")
        other.remove_item("i7")
        other.save()
        assert not {"a", "i7"} & set(one.recommend("u1", **EVERYTHING).items) and len(one) == 299


def test_items_that_come_at_the_same_moment_are_all_kept(beside, new_item, kept):
    with beside() as one, beside() as other:
        threads = [
            Thread(
                target=lambda who=who, name=name: [who.keep_item(f"{name}{n}", new_item) for n in range(25)]
            )
            for who, name in ((one, "a"), (one, "b"), (other, "c"), (other, "d"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(kept()) == sorted(f"{name}{n}" for name in "abcd" for n in range(25))
        assert added(one) != [] and len(one) == len(other) == 400 and added(one) == added(other) == kept()


def test_an_item_that_another_has_kept_is_refused(beside, new_item):
    with beside() as one, beside() as other:
        one.keep_item("a", new_item)
        with pytest.raises(InputError, match="'a' is in the catalog already"):
            other.keep_item("a", new_item)


def test_a_torn_line_of_one_that_died_is_written_over(beside, new_item, kept, folder):
    with beside() as one, beside() as other:
        one.keep_item("a", new_item)
        log = folder / journal.LOG
        log.write_bytes(log.read_bytes() + b"0123456789abcdef {")
        assert added(other) == [] and len(other) == 301
        other.keep_item("b", new_item)
        assert len(one) == 302 and kept() == ["a", "b"]


def test_searches_go_on_while_another_writes_and_do_not_see_what_is_not_kept(beside, new_item, monkeypatch):
    with beside() as one, beside() as other:
        writing, go_on, real = Event(), Event(), os.fsync

        def slow(handle):
            writing.set()
            assert go_on.wait(30)
            real(handle)

        monkeypatch.setattr(os, "fsync", slow)
        adding = Thread(target=one.keep_item, args=("new", new_item))
        adding.start()
        assert writing.wait(30)
        assert len(other) == 300 and "new" not in other.recommend("u1", **EVERYTHING).items
        go_on.set()
        adding.join()
        assert "new" in other.recommend("u1", **EVERYTHING).items


def test_the_bundle_is_theirs_alone(beside, folder, toy_model):
    with beside(), beside():
        with pytest.raises(InputError, match="another service writes to"):
            Recommender.open(folder, toy_model, writing=True)
    with Recommender.open(folder, toy_model, writing=True):
        with pytest.raises(InputError, match="another service writes to"):
            beside()


def test_a_log_that_something_else_changed_is_not_followed(beside, new_item, folder):
    with beside() as one, beside() as other:
        one.keep_item("a", new_item)
        log = folder / journal.LOG
        log.write_bytes(log.read_bytes().replace(b"add", b"bad"))
        with pytest.raises(RuntimeError, match="changed by something else than the service"):
            other.recommend("u1")
        log.unlink()
        with pytest.raises(ChangedError, match="is shorter than it was"):
            one.keep_item("b", new_item)


def test_arrays_of_the_model_lie_in_their_file(beside):
    with beside() as one:
        base = one._searcher.item_vectors
        while base.base is not None and not isinstance(base, np.memmap):
            base = base.base
        assert isinstance(base, np.memmap)
