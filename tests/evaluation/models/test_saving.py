"""What cannot be saved is named, with what it may be."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csc_array, csr_array

from retrieval_leaderboard.evaluation import ItemToItemRetriever
from retrieval_leaderboard.evaluation.models import saving


@dataclass
class Keeps(ItemToItemRetriever):
    """Keeps whatever it is given."""

    def fit(self, train, valid, seed):
        pass


Keeps.name = "keeps"


def kept(value):
    model = Keeps()
    model.learned_ = value
    return model


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (torch.ones(2), "it is torch.Tensor: "),
        (pd.Series([1]), "it is pandas.*Series: "),
        ({1, 2}, "it is set: "),
        (np.int64(3), "it is numpy.int64: "),
        (float("nan"), "it is float: "),
        (np.array(["a", 1], dtype=object), "it is an array of object"),
        (np.array(["a"]), "it is an array of str"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), r"it is an array of datetime64\[D\]"),
        ({"a": np.ones(1), "b": [1]}, "it is list among arrays"),
        ({1: np.ones(1)}, "its keys are not all text"),
        ([{"a": {1: 2}}], "JSON would give its keys back as text"),
        (csc_array(np.eye(2)), "it is scipy.sparse.*csc_array: "),
    ],
)
def test_what_cannot_be_saved_is_named(value, told, tmp_path):
    with pytest.raises(TypeError, match=rf"^self\.learned_.* cannot be saved, {told}.*may be a NumPy array"):
        kept(value).save(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [3, "text", [1, [2.5]], {"a": None}, True])
def test_what_json_holds_comes_back(value, tmp_path):
    kept(value).save(tmp_path)
    assert saving.load(Keeps, tmp_path).learned_ == value


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint32", "int64", "float16", "float64"])
def test_arrays_come_back(dtype, tmp_path):
    value = np.eye(3).astype(dtype)[:, ::2]
    model = kept({"a": value})
    model.similarity_ = csr_array(np.eye(3, dtype=np.float32))
    model.save(tmp_path)
    again = saving.load(Keeps, tmp_path)
    assert np.array_equal(again.learned_["a"], value) and again.learned_["a"].dtype == value.dtype
    assert np.array_equal(again.similarity_.toarray(), np.eye(3))
