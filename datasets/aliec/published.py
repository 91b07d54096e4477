"""What is published of the official AliEC files: their headers and counts; no digest is."""

from __future__ import annotations

from pathlib import Path

from retrieval_leaderboard.support.errors import InputError

COUNTS = {
    "clicking users": 491_647,
    "ads": 846_811,
    "clicked ads": 240_130,
    "clicks": 1_366_056,
    "impressions": 26_557_961,
}
FILES = {
    "user_profile.csv": ("userid,cms_segid,cms_group_id,final_gender_code,age_level", 1_061_768),
    "ad_feature.csv": ("adgroup_id,cate_id,campaign_id,customer,brand,price", COUNTS["ads"]),
    "raw_sample.csv": ("user,time_stamp,adgroup_id,pid,nonclk,clk", COUNTS["impressions"]),
}
"""file → how its header begins, and its rows; the largest last, to fail early"""


def check(path: Path) -> None:
    """Compare a file with the published header and row count.

    Raises:
        InputError: they differ.
    """
    header, rows = FILES[path.name]
    with path.open("rb") as file:
        first = file.readline().decode("utf-8", "replace")
        found = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    if not first.startswith(header):
        raise InputError(f"{path.name} begins with '{first.strip()[:80]}', not with '{header}'")
    # The last line may go without its newline.
    if found not in (rows, rows - 1):
        raise InputError(f"{path.name} has {found:,} rows, not the published {rows:,}")
