"""The summary of the findings says what the records do."""

from dataclasses import replace

import pytest

from retrieval_leaderboard.studies import findings, findings_summary, scores
from retrieval_leaderboard.studies.findings_summary import CLAIMS


@pytest.fixture(scope="module")
def records():
    return scores.load_all(findings.RECORDS, scores.Finding)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.study)
def test_every_claim_holds_and_no_other_would(claim, records):
    assert findings_summary.changes(claim, records)
    others = {"worse", "better", "same", "mixed"} - {claim.holds}
    assert findings_summary.holds(claim, records)
    assert not any(findings_summary.holds(replace(claim, holds=other), records) for other in others)
