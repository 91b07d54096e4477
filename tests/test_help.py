"""Every command says in its help what it does."""

import argparse

import pytest

from retrieval_leaderboard.benchmarks.serving.__main__ import parser as benchmarks_of_serving
from retrieval_leaderboard.evaluation.__main__ import parser as evaluation
from retrieval_leaderboard.serving.__main__ import parser as serving


@pytest.mark.parametrize("made", [evaluation, serving, benchmarks_of_serving])
def test_a_command_and_those_below_it_have_a_description(made):
    parser = made()
    (below,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    silent = [name for name, each in below.choices.items() if not each.description]
    assert parser.description and below.choices and not silent
