"""Files and logs against the published counts."""

from pathlib import Path

import pytest

from retrieval_leaderboard.datasets.aliec import published
from retrieval_leaderboard.support.errors import InputError
from tests.datasets.aliec.official import load, write


def test_counts_unlike_the_published_are_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = load(write(tmp_path / "aliec"))
    assert log.notes == (
        "2 clicking users where 491,647 are published",
        "4 ads where 846,811 are published",
        "3 clicked ads where 240,130 are published",
        "5 clicks where 1,366,056 are published",
        "6 impressions where 26,557,961 are published",
    )
    printed = capsys.readouterr().out
    assert "aliec: 2 clicking users, 4 ads, 3 clicked ads, 5 clicks, 6 impressions" in printed
    assert "warning: 2 clicking users where 491,647 are published" in printed


def test_published_counts_leave_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "COUNTS", dict(zip(published.COUNTS, (2, 4, 3, 5, 6), strict=True)))
    assert load(write(tmp_path / "aliec")).notes == ()


def test_aliec_is_known_by_headers_and_row_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "ad_feature.csv"
    path.write_text("adgroup_id,cate_id,campaign_id,customer,brand,price\n1,2,3,4,NULL,5.0\n")
    with pytest.raises(InputError, match="has 1 rows, not the published 846,811"):
        published.check(path)
    path.write_text("id,cate\n")
    with pytest.raises(InputError, match="begins with 'id,cate', not with 'adgroup_id"):
        published.check(path)
    path.write_text("adgroup_id,cate_id,campaign_id,customer,brand,price\n" + "1\n" * 846_810 + "1")
    published.check(path)
