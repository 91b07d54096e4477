"""What is told of the validation part."""

from __future__ import annotations

from retrieval_leaderboard.datasets.splits import validation
from retrieval_leaderboard.datasets.splits.registry import PROTOCOLS


def test_every_protocol_is_told():
    described = {validation.describe(protocol, "") for protocol in PROTOCOLS}
    assert len(described) == len(PROTOCOLS) and "" not in described


def test_a_carve_is_told():
    drawn, block = (validation.describe("published", carve) for carve in ("draw", "block"))
    assert "drawn one by one" in drawn and "as-test" not in drawn
    assert "one contiguous block" in block and "carve as-test" in block
