"""Our metrics are those of other libraries, or differ for a reason that the page gives."""

import json
import os
import subprocess
import sys

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.studies import metric_definitions as definitions

LISTS, RELEVANT = definitions.sample()
OURS = definitions.ours(LISTS, RELEVANT)
DIFFERENT = {"trec_eval": {"map"}, "ir_measures": {"map"}, "ranx": {"map"}, "RecTools": {"map", "ndcg"}}
UNCOMPILED = """
import json
from retrieval_leaderboard.studies import metric_definitions
print(json.dumps(metric_definitions.ranx(*metric_definitions.sample())))
"""
"""Compiling ranx takes far longer than what it then computes, and its definitions are those of its Python."""


def of_library(name):
    if name != "ranx":
        return definitions.LIBRARIES[name](LISTS, RELEVANT)
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    line = [sys.executable, "-c", UNCOMPILED]
    done = subprocess.run(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_lists_try_what_definitions_may_differ_in():
    assert {len(row) for row in LISTS} == {0, 7, definitions.K}
    sizes = [len(row) for row in RELEVANT]
    assert min(sizes) == 1 and sum(size > definitions.K for size in sizes) > 30


@pytest.mark.parametrize(
    "library",
    [
        "RecBole",
        "RecTools",
        "Spark",
        "trec_eval",
        pytest.param("ir_measures", marks=pytest.mark.slow),
        pytest.param("ranx", marks=pytest.mark.slow),
    ],
)
def test_a_library_gives_the_same_but_for_what_is_explained(library):
    if library in ("ir_measures", "ranx"):
        pytest.importorskip(library)
    theirs = of_library(library)
    assert len(theirs) >= 4
    differ = {name for name, value in theirs.items() if not definitions.equal(value, OURS[name])}
    assert differ == DIFFERENT.get(library, set())
    assert differ <= definitions.WHY.keys()


def test_what_is_stored_is_what_libraries_give():
    means = definitions.stored().means
    assert means[definitions.OURS] == pytest.approx(OURS)
    for library in ("RecBole", "RecTools", "Spark", "trec_eval"):
        assert means[library] == pytest.approx(definitions.LIBRARIES[library](LISTS, RELEVANT))
