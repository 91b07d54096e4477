import pytest

from retrieval_leaderboard.benchmarks.torture import service


@pytest.mark.slow
def test_what_follows_every_fault_of_the_service_is_right(tmp_path):
    for fault, tries, held, _ in service.run(0, tmp_path, 1):
        assert held == tries > 0, fault


def test_damage_differs_from_what_was_there():
    import random

    content, rng = bytes(range(256)), random.Random(0)
    assert all(service._spoiled(content, rng) != content for _ in range(200))
