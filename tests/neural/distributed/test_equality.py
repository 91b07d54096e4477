"""Steps of two processes are those of one that has the whole batch."""

from typing import Any

import pytest

from retrieval_leaderboard.benchmarks.torchrun import equality
from retrieval_leaderboard.evaluation.planted import planted, weighted
from tests.support.two_ranks import in_ranks, needs_ranks

DATA = weighted(planted()).train_valid
TABLES = ("replicated", "sharded")
CASES = [
    pytest.param(place, id=f"{case.model}: {case.what}", marks=() if case.first else pytest.mark.slow)
    for place, case in enumerate(equality.CASES)
]


def of_both(places: list[int]) -> dict[str, list[equality.Learned]]:
    return {tables: equality.trained_cases(places, DATA, tables) for tables in TABLES}


@pytest.fixture(scope="module")
def shared(request) -> list[dict[str, Any]]:
    """What each process learned, by case; they are started once for all that run."""
    items = (each for each in request.session.items if each.fspath == request.fspath)
    places = [each.callspec.params["place"] for each in items if "place" in each.fixturenames]
    both = in_ranks(of_both, places)
    return [{tables: dict(zip(places, found[tables], strict=True)) for tables in TABLES} for found in both]


@needs_ranks
@pytest.mark.parametrize("place", CASES)
def test_two_processes_learn_what_one_does(place: int, shared) -> None:
    case = equality.CASES[place]
    [one] = equality.trained_cases([place], DATA, "replicated")
    assert float(one["losses"][0]) > float(one["losses"][-1])
    for tables in TABLES:
        first, second = (each[tables][place] for each in shared)
        assert not any(equality.apart(first, second).values()), "all processes have the same weights"
        for kind, difference in equality.apart(one, first).items():
            assert difference < case.within, (tables, kind, difference)
