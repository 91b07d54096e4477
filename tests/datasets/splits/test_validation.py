"""What is told of the validation part."""

from __future__ import annotations

import pytest

from retrieval_leaderboard.datasets.splits import validation
from retrieval_leaderboard.datasets.splits.split import PROTOCOLS


def about(protocol: str, *notes: str, **more) -> dict:
    return {"protocol": protocol, "notes": list(notes), **more}


def test_every_protocol_is_told():
    told = {validation.told(protocol, "") for protocol in PROTOCOLS}
    assert len(told) == len(PROTOCOLS) and "" not in told


def test_a_carve_is_told():
    drawn, stretched = (validation.told("published", carve) for carve in ("draw", "stretch"))
    assert "drawn one by one" in drawn and "as-test" not in drawn
    assert "one stretch" in stretched and "carve as-test" in stretched


@pytest.mark.parametrize(
    ("record", "carve"),
    [
        (about("published", "83 interactions, not the published 100"), "draw"),
        (about("published", "the source's test rows lie together: validation is one stretch"), "stretch"),
        (about("random"), "draw"),
        (about("time"), ""),
        (about("published", carve="stretch"), "stretch"),
        (about("next-item", carve=""), ""),
    ],
)
def test_of_records_new_and_old(record: dict, carve: str):
    assert validation.of_record(record) == validation.told(record["protocol"], carve)
