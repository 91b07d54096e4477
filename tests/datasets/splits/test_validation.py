"""What is told of the validation part."""

from __future__ import annotations

import pytest

from retrieval_leaderboard.datasets.splits import validation
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS


def about(protocol: str, *notes: str, **more) -> dict:
    return {"protocol": protocol, "notes": list(notes), **more}


def test_every_protocol_is_told():
    described = {validation.describe(protocol, "") for protocol in PROTOCOLS}
    assert len(described) == len(PROTOCOLS) and "" not in described


def test_a_carve_is_told():
    drawn, block = (validation.describe("published", carve) for carve in ("draw", "block"))
    assert "drawn one by one" in drawn and "as-test" not in drawn
    assert "one contiguous block" in block and "carve as-test" in block


@pytest.mark.parametrize(
    ("record", "carve"),
    [
        (about("published", "83 interactions, not the published 100"), "draw"),
        (about("published", "the source's test rows lie together: validation is one stretch"), "block"),
        (about("random"), "draw"),
        (about("time"), ""),
        (about("published", carve="stretch"), "block"),
        (about("published", carve="block"), "block"),
        (about("next-item", carve=""), ""),
    ],
)
def test_of_records_new_and_old(record: dict, carve: str):
    assert validation.of_record(record) == validation.describe(record["protocol"], carve)
