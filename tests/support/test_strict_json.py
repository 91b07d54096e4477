"""Keys that stand twice: which one is told, and at what cost."""

import time

import pytest

from retrieval_leaderboard.support import strict_json


def refusal(text: str) -> str:
    with pytest.raises(strict_json.RepeatedKeyError) as error:
        strict_json.decode(text)
    return str(error.value)


def test_the_first_key_that_stands_twice_is_named():
    assert refusal('{"a": 1, "b": 2, "c": 3, "c": 4, "b": 5, "c": 6}') == "the key 'b' is there twice"


def test_a_long_key_is_cut():
    assert refusal('{"%s": 1, "%s": 2}' % (("k" * 1000,) * 2)) == f"the key '{'k' * 80}' is there twice"


def test_one_of_very_many_keys_is_found_at_once():
    many = "".join(f'"{n}": 0, ' for n in range(100_000))
    began = time.process_time()
    assert refusal(f'{{{many}"last": 1, "last": 2}}') == "the key 'last' is there twice"
    assert time.process_time() - began < 5, "seconds; one key after the other takes a minute"
